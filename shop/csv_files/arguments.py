"""How a file is written: its separator, decimal mark and encoding, and the options that say so on every command."""

import codecs
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAMES_OF_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
DECIMAL_MARKS = (".", ",")
UTF_8 = "utf-8"


@dataclass(frozen=True, slots=True)
class CsvFormat:
    delimiter: str = ","
    decimal: str = "."
    encoding: str = UTF_8


def add_format_arguments(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("how the file is written")
    group.add_argument(
        "--delimiter", type=_parse_delimiter, default=",", help="between columns: “,” unless said; or ; | tab"
    )
    group.add_argument("--decimal", choices=DECIMAL_MARKS, default=".", help="before pennies: “.” unless said")
    group.add_argument(
        "--encoding", type=_parse_encoding, default=UTF_8, help="UTF-8 unless said; for instance cp1252, utf-16"
    )


def get_format(options: Mapping[str, Any]) -> CsvFormat:
    """From a command's options."""
    return CsvFormat(options["delimiter"], options["decimal"], options["encoding"])


def format_delimiter_option(sign: str) -> str:
    """The option that says so, as one types it in a shell."""
    return "--delimiter tab" if sign == "\t" else f"--delimiter '{sign}'"


def _parse_delimiter(text: str) -> str:
    found = NAMES_OF_DELIMITERS.get(text.strip().lower(), text)
    if len(found) != 1 or found in '"\r\n\0' or found.isalnum():
        raise ArgumentTypeError("a single sign, such as ; or | or the word tab")
    return found


def _parse_encoding(text: str) -> str:
    """The codec's own name. Codecs that are no encodings of text are refused."""
    try:
        "a,b".encode(text)
        return codecs.lookup(text).name.removesuffix("-sig")
    except (LookupError, UnicodeError, ValueError):
        raise ArgumentTypeError(f"{text!r} is no encoding; there are utf-8, utf-16, cp1252, cp1251 …") from None
