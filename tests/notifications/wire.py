"""What RFC 5322, 2045 and 2047 ask of a mail's bytes, checked without the code that wrote them."""

import base64
import quopri
import re
from email.utils import parsedate_to_datetime

HEADER = re.compile(rb"([!-9;-~]+):( .*)?")
WORD = re.compile(r"=\?([^?]*)\?([bqBQ])\?([^?]*)\?=")
MESSAGE_ID = re.compile(r"<[A-Za-z0-9._-]+@([A-Za-z0-9.-]+|\[IPv6:[0-9a-f:.]+\])>")
SINGLE = {"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "X-Topic"}
FOR_MACHINES = {"Message-ID", "Date", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "X-Topic"}


def find_faults(content: bytes) -> list[str]:
    """Every rule the mail breaks, in words; none for a mail that keeps them all."""
    faults = []
    if re.search(rb"\r(?!\n)|(?<!\r)\n", content):
        faults.append("a bare CR or LF")
    if b"\x00" in content or not content.isascii():
        faults.append("a byte that is not plain ASCII")
    lines = content.split(b"\r\n")
    faults += [f"a line of {len(line)} characters" for line in lines if len(line) > 998]
    head = content.split(b"\r\n\r\n", 1)[0]
    faults += _faults_of_lines(head)
    headers = unfold(head)
    names = [name for name, _ in headers]
    faults += [f"{names.count(name)} headers {name}" for name in SINGLE if names.count(name) != 1]
    for name, value in headers:
        faults += [f"{name}: {fault}" for fault in _faults_of_value(name, value)]
    return faults + _faults_of_body(content)


def unfold(head: bytes) -> list[tuple[str, str]]:
    """Names and values, line breaks taken out as RFC 5322, 2.2.3 has it."""
    found = []
    for line in re.sub(rb"\r\n(?=[ \t])", b"", head).split(b"\r\n"):
        name, _, value = line.decode("ascii", "replace").partition(":")
        found.append((name, value.strip()))
    return found


def get_header(content: bytes, name: str) -> str:
    """As a mail program shows it: encoded words decoded by the rules of RFC 2047, white space between them gone."""
    [value] = [value for key, value in unfold(content.split(b"\r\n\r\n", 1)[0]) if key == name]
    joined = re.sub(r"(?<=\?=)\s+(?==\?)", "", value)
    return WORD.sub(lambda word: _decode(word).decode(word[1]), joined)


def _faults_of_lines(head: bytes) -> list[str]:
    faults = []
    for line in head.split(b"\r\n"):
        if not line.strip():
            faults.append("a header line of nothing but white space")
        if len(line) > 78 and b" " in re.sub(rb"[!-~]+: |^ ", b"", line, count=1):
            faults.append(f"a header line of {len(line)} characters that could be folded: {line[:40]!r}")
        if not line.startswith(b" ") and not HEADER.fullmatch(line):
            faults.append(f"no header: {line[:40]!r}")
        if re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", line):
            faults.append(f"a control character: {line[:40]!r}")
    return faults


def _faults_of_value(name: str, value: str) -> list[str]:
    faults = []
    for word in WORD.finditer(value):
        if len(word[0]) > 75:
            faults.append(f"an encoded word of {len(word[0])} characters")
        if " " in word[0]:
            faults.append("a space in an encoded word")
        try:
            _decode(word).decode(word[1])
        except (UnicodeDecodeError, ValueError, LookupError):
            faults.append(f"an encoded word that is no whole text: {word[0]}")
    if name in FOR_MACHINES and WORD.search(value):
        faults.append("an encoded word where machines read")
    if name == "Message-ID" and not MESSAGE_ID.fullmatch(value):
        faults.append(f"no Message-ID: {value}")
    return faults + (_faults_of_date(value) if name == "Date" else [])


def _faults_of_date(value: str) -> list[str]:
    try:
        parsedate_to_datetime(value)
    except ValueError:
        return [f"no date: {value}"]
    return []


def _faults_of_body(content: bytes) -> list[str]:
    faults = []
    for part in content.split(b"\r\n\r\n", 1)[1].split(b"--=_")[1:-1]:
        head, _, body = part.partition(b"\r\n\r\n")
        faults += [f"an encoded line of {len(line)}" for line in body.split(b"\r\n") if len(line) > 76]
        decode = base64.b64decode if b"base64" in head else quopri.decodestring
        try:
            decoded = decode(body).decode("utf-8")
        except ValueError as error:
            faults.append(f"a part that cannot be decoded: {error}")
            continue
        if re.search(r"\r(?!\n)|(?<!\r)\n", decoded):
            faults.append("a bare CR or LF inside a part")
    return faults


def _decode(word: re.Match[str]) -> bytes:
    if word[2] in "bB":
        return base64.b64decode(word[3], validate=True)
    return quopri.decodestring(word[3].replace("_", " ").encode(), header=True)
