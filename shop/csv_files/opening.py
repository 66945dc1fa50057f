"""From a path to lines of text: unpacked, recognised, decoded."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from charset_normalizer import from_bytes

from shop.csv_files.arguments import UTF_8
from shop.csv_files.report import UnusableFileError, quote_cell

GZIP = b"\x1f\x8b"
SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and .ods are zips; .xls is older
BYTE_ORDER_MARKS = (  # byte order marks; those of UTF-32 begin like those of UTF-16
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
OLDER_ENCODINGS = ["cp1252", "cp1251", "koi8_r", "cp1253", "cp932", "gb18030", "cp949", "mac_roman", "cp850"]
SAMPLE_BYTES = 65536  # bytes
CHUNK = 1 << 20
UNDECODED = "shop_csv_undecoded"


def _mark_undecoded(error: UnicodeError) -> tuple[str, int]:
    """Each byte that cannot be decoded becomes a lone surrogate, as with `surrogateescape`, but in any encoding."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(UNDECODED, _mark_undecoded)


@contextmanager
def open_text(path: Path, encoding: str) -> Iterator[tuple[BinaryIO, TextIO]]:
    """The file's bytes, for progress, and its text. Raises UnusableFileError.

    Bytes that cannot be decoded become lone surrogates. A packed file is unpacked once in advance, so that a broken one
    is refused before anything is written.
    """
    try:
        if path.exists() and not path.is_file():
            raise UnusableFileError(f"{path} is not a file.")
        with path.open("rb") as raw:
            is_packed = raw.read(2) == GZIP
            raw.seek(0)
            if path.suffix == ".gz" and not is_packed and raw.read(1):
                raise UnusableFileError(f"{path} cannot be read: it ends in .gz but is not packed with gzip.")
            raw.seek(0)
            plain = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if is_packed else raw
            if is_packed:
                _check_gzip(plain, path)
            codec = _check_encoding(plain.read(SAMPLE_BYTES), encoding, path)
            plain.seek(0)
            yield raw, io.TextIOWrapper(plain, encoding=codec, errors=UNDECODED, newline="")
    except UnicodeError as error:  # of codecs that need a byte order mark, whatever is done about single bytes
        raise UnusableFileError(f"{path} is not in {encoding.upper()}: {error}.") from error
    except OSError as error:
        raise UnusableFileError(f"{path} cannot be read: {error.strerror or error}.") from error


def suggest_encoding(line: str) -> str:
    """What to try for a line of which bytes could not be decoded as UTF-8; empty when nothing fits."""
    try:
        found = from_bytes(line.encode("utf-8", "surrogateescape"), cp_isolation=OLDER_ENCODINGS).best()
    except UnicodeError:
        return ""
    if found is None:
        return ""
    text = str(found)
    first = next((place for place, letter in enumerate(text) if not letter.isascii()), 0)
    sample = quote_cell(text[max(first - 12, 0) :][:30].strip())
    return f"; perhaps in {found.encoding}, where it reads {sample}: add --encoding {found.encoding}"


def _check_gzip(packed: BinaryIO, path: Path) -> None:
    try:
        while packed.read(CHUNK):
            pass
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise UnusableFileError(f"{path} cannot be read: it is packed with gzip and damaged, or not whole.") from None
    packed.seek(0)


def _check_encoding(sample: bytes, encoding: str, path: Path) -> str:
    """The codec to read with: one that passes over the byte order mark, where there is one."""
    if not sample.strip():
        raise UnusableFileError(f"{path} is empty.")
    if sample.startswith(SPREADSHEETS):
        raise UnusableFileError(f"{path} is a spreadsheet or an archive. Save it as CSV (UTF-8) and take that.")
    found = _detect_encoding(sample)
    if found and not encoding.startswith(found):
        raise UnusableFileError(f"{path} is in {found.upper()}, not in {encoding.upper()}: add --encoding {found}")
    if encoding == UTF_8:
        return "utf-8-sig"
    if not encoding.startswith("utf") and _is_plainly_utf_8(sample):
        raise UnusableFileError(f"{path} is in UTF-8, not in {encoding.upper()}: leave --encoding out")
    return found if found in ("utf-16", "utf-32") else encoding


def _is_plainly_utf_8(sample: bytes) -> bool:
    """Text with other letters than English ones that is valid UTF-8: in no older encoding would it be by chance."""
    try:
        return not sample.isascii() and bool(codecs.getincrementaldecoder(UTF_8)().decode(sample))
    except UnicodeDecodeError:
        return False


def _detect_encoding(sample: bytes) -> str:
    """By its byte order mark, or by the zero bytes that UTF-16 has for every plain letter; else empty."""
    for mark, name in BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return name
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if even + odd < len(sample) / 4:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"
