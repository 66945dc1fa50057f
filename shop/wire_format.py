"""A mail's headers and parts as RFC 5322, 2045 and 2047 have them: lines that fold, words that are encoded whole.

The standard library encodes and folds. Of its two ways the older, `email.header.Header`, is the one that keeps to the
rules: the newer policy makes encoded words of 76 characters, turns long addresses of pages into encoded words, and
reads "=?" in a title as one (docs/adr/0029-mail-on-the-wire.md).
"""

import base64
import binascii
import re
import unicodedata
from email.header import Header
from email.headerregistry import Address
from functools import cache, lru_cache
from urllib.parse import urlsplit

LINE = 78  # what a header line should keep to
LONGEST_LINE = 998  # what no line may pass
_ENCODED_LINE = 76
_SPACES = re.compile(r"\s+")
_LINE_BREAKS = re.compile(r"\r\n|\r|\n")
# Quoted-printable makes six characters of a letter outside Latin, base64 not three.
_BASE64_FROM = 1.4


@lru_cache(maxsize=256)
def fold_text(name: str, value: str) -> str:
    """A header for people, such as a subject: any text, folded. White space becomes single spaces."""
    clean = _SPACES.sub(" ", _strip_controls(value)).strip()
    if clean.isascii() and "=?" not in clean and len(name) + 2 + len(clean) <= LINE:
        return f"{name}: {clean}"
    return f"{name}: {_encode_header(clean, name)}"


@lru_cache(maxsize=256)
def fold_mailbox(name: str, address: str, display_name: str = "") -> str:
    """From, To and the like. `address` is ASCII; raises `UnicodeEncodeError` otherwise."""
    address.encode("ascii")
    clean = _SPACES.sub(" ", _strip_controls(display_name)).strip()
    if not clean:
        return fold_tokens(name, address)
    if clean.isascii() and "=?" not in clean:
        return fold_tokens(name, str(Address(clean, addr_spec=address)))
    encoded = _encode_header(clean, name)
    last = encoded.rsplit("\r\n", 1)[-1]
    room = LINE - len(last) - (0 if "\r\n" in encoded else len(name) + 2)
    return f"{name}: {encoded}{' ' if len(address) + 3 <= room else _CONTINUED}<{address}>"


def fold_tokens(name: str, value: str) -> str:
    """A header for machines: ASCII, folded at its spaces, never encoded. Raises `ValueError` for anything else.

    What comes first stays beside the name, however long: not every reader takes a break there away.
    """
    if not value.isascii() or not value.isprintable():
        raise ValueError(f"The header {name} holds a line break or what is not ASCII.")
    first, *rest = value.split(" ")
    lines = [f"{name}: {first}"]
    for token in rest:
        if len(lines[-1]) + 1 + len(token) <= LINE:
            lines[-1] += f" {token}"
        else:
            lines.append(f" {token}")
    return "\r\n".join(lines)


def encode_part(boundary: str, subtype: str, content: str) -> bytes:
    """A text part with its own headers, in whichever encoding is shorter for its script; every line ends in CRLF."""
    lines = (_LINE_BREAKS.sub("\r\n", content.rstrip()) + "\r\n").encode()
    encoding, body = "quoted-printable", binascii.b2a_qp(lines)
    if len(body) > len(lines) * _BASE64_FROM:
        encoding, body = "base64", base64.encodebytes(lines).replace(b"\n", b"\r\n")
    head = (
        f'--{boundary}\r\nContent-Type: text/{subtype}; charset="utf-8"\r\n'
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
    )
    return head.encode() + body


@cache
def get_mail_domain(site_url: str) -> str:
    """The right side of a Message-ID, in ASCII: a host's own name, an address in brackets."""
    host = urlsplit(site_url).hostname or "localhost"
    if ":" in host:
        return f"[IPv6:{host}]"
    return host.encode("idna").decode()


_CONTINUED = "\r\n "


def _encode_header(value: str, name: str) -> str:
    header = Header(value, "utf-8", maxlinelen=_ENCODED_LINE, header_name=name)
    return header.encode(linesep="\r\n")


def _strip_controls(value: str) -> str:
    """Line breaks and tabs are white space; every other control character means nothing in a header."""
    return "".join(letter for letter in value if unicodedata.category(letter) not in ("Cc", "Cs") or letter.isspace())
