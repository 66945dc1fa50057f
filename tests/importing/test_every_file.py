"""What is wrong with a file, or with a row of it, is said alike by every command, and spoils nothing else."""

import codecs
import gzip
import os

import pytest
from django.core.management import CommandError

from tests.importing.desks import CONSENTS, DESKS, GOODS, ORDERS, QUESTIONS

pytestmark = pytest.mark.django_db

every_desk = pytest.mark.parametrize("desk", DESKS, ids=lambda desk: desk.name)
NAMES = {
    GOODS.name: ["MUG", "COAT", "HAT"],
    ORDERS.name: ["MUG", "COAT", "HAT"],
    CONSENTS.name: ["ann@example.com", "ben@example.com", "cat@example.com"],
    QUESTIONS.name: ["MUG", "COAT", "HAT"],
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.csv"


def names(desk, *places):
    return {NAMES[desk.name][place] for place in places}


# -- A file that can be read, in all its forms --


def _capital_header(text: str) -> bytes:
    header, rows = text.split("\r\n", 1)
    return f" {header.upper()}\r\n{rows}".encode()


READABLE = {
    "plain": (lambda text: text.encode(), []),
    "byte-order-mark": (lambda text: codecs.BOM_UTF8 + text.encode(), []),
    "newlines": (lambda text: text.replace("\r\n", "\n").encode(), []),
    "carriage-returns": (lambda text: text.replace("\r\n", "\r").encode(), []),
    "no-last-line-end": (lambda text: text.rstrip().encode(), []),
    "blank-lines": (lambda text: f"\r\n\r\n{text},,,,,,,,\r\n\r\n".encode(), []),
    "header-in-capitals": (_capital_header, []),
    "packed": (lambda text: gzip.compress(text.encode()), []),
    "utf-16-tabs": (
        lambda text: text.replace(",", "\t").encode("utf-16"),
        ["--encoding", "utf-16", "--delimiter", "tab"],
    ),
    "utf-16-be-semicolons": (
        lambda text: text.replace(",", ";").encode("utf-16-be"),
        ["--encoding", "utf-16-be", "--delimiter", ";"],
    ),
    "cp1252-pipes": (
        lambda text: text.replace(",", "|").encode("cp1252"),
        ["--encoding", "cp1252", "--delimiter", "|"],
    ),
}


@every_desk
@pytest.mark.parametrize("form", READABLE)
def test_every_command_reads_what_is_said_to_be_so(desk, form, path):
    make, options = READABLE[form]
    path.write_bytes(make(desk.text()))
    _, errors = desk.run(path, *options)
    assert "Row" not in errors
    assert desk.taken() == names(desk, 0, 1, 2)


# -- A file that cannot be read as a whole --


def _semicolons(desk):
    return desk.text().replace(",", ";").encode()


def _names_twice(desk):
    first = desk.header.split(",")[2].upper()
    return desk.text(*(f"{row},again" for row in desk.rows)).replace(desk.header, f"{desk.header}, {first} ").encode()


def _other_column(desk):
    return desk.text().replace(desk.header.split(",")[1], "other", 1).encode()


UNUSABLE = {
    "empty": (lambda _: b"", "is empty"),
    "blank": (lambda _: b"\r\n \r\n", "is empty"),
    "packed-nothing": (lambda _: gzip.compress(b""), "is empty"),
    "semicolons": (_semicolons, "--delimiter ';'"),
    "tabs": (lambda desk: desk.text().replace(",", "\t").encode(), "--delimiter tab"),
    "says-sep": (lambda desk: b"sep=;\r\n" + _semicolons(desk), "sep=;"),
    "utf-16": (lambda desk: desk.text().encode("utf-16"), "--encoding utf-16"),
    "utf-16-without-a-mark": (lambda desk: desk.text().encode("utf-16-le"), "--encoding utf-16-le"),
    "utf-32": (lambda desk: desk.text().encode("utf-32"), "--encoding utf-32"),
    "named-twice": (_names_twice, "names twice"),
    "header-left-open": (lambda desk: f'"{desk.text()}'.encode(), "first line"),
    "header-with-a-zero": (lambda desk: desk.text().replace(",", ",\0", 1).encode(), "zero byte"),
    "header-in-latin-1": (lambda desk: desk.text().replace("\r\n", ",\xe9\r\n", 1).encode("latin-1"), "not in UTF-8"),
    "a-column-short": (_other_column, "has no column"),
    "a-spreadsheet": (lambda _: b"PK\x03\x04" + bytes(200), "spreadsheet"),
    "packed-and-cut": (lambda desk: gzip.compress(desk.text().encode())[:-12], "damaged"),
    "packed-and-bent": (lambda desk: gzip.compress(desk.text().encode())[:20] + b"\0\0\0\0" * 9, "damaged"),
}


@every_desk
@pytest.mark.parametrize("fault", UNUSABLE)
def test_a_file_that_cannot_be_read_is_refused_in_words_before_anything_is_written(desk, fault, path):
    make, words = UNUSABLE[fault]
    path.write_bytes(make(desk))
    with pytest.raises(CommandError) as refused:
        desk.run(path)
    assert words in str(refused.value)
    assert not desk.taken()


@every_desk
@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp1251", "mac-roman"])
def test_a_file_in_utf_8_is_read_as_nothing_else(desk, encoding, path):
    path.write_bytes(desk.text(desk.rows[0], desk.with_cell(1, "Café Müller")).encode())
    with pytest.raises(CommandError, match="is in UTF-8"):
        desk.run(path, "--encoding", encoding)
    assert not desk.taken()


@every_desk
def test_a_file_without_the_mark_of_its_encoding_is_refused_in_words(desk, path):
    path.write_text(desk.text())
    with pytest.raises(CommandError, match="is not in UTF-16"):
        desk.run(path, "--encoding", "utf-16")
    assert not desk.taken()


@every_desk
def test_what_is_no_file_is_refused_in_words(desk, tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        desk.run(tmp_path / "missing.csv")
    with pytest.raises(CommandError, match="is not a file"):
        desk.run(tmp_path)
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(CommandError, match="is not a file"):
        desk.run(tmp_path / "pipe.csv")
    (tmp_path / "plain.csv.gz").write_text(desk.text())
    with pytest.raises(CommandError, match="not packed with gzip"):
        desk.run(tmp_path / "plain.csv.gz")
    assert not desk.taken()


@pytest.mark.parametrize("desk", [GOODS, ORDERS, CONSENTS], ids=lambda desk: desk.name)
def test_a_header_alone_is_a_file_of_no_rows(desk, path):
    path.write_text(desk.header)
    out, errors = desk.run(path)
    assert "0 " in out
    assert "Row" not in errors
    assert not desk.taken()


# -- A row that cannot be read --

LONG = "x" * 200_000
ROWS = {
    "left-open": ('"Fits up to 40 in chest', "quotation mark"),
    "left-open-at-the-end": ('Fits up to 40"', ""),
    "mark-inside": ('"Fits 40" chest"', "quotation mark"),
    "zero-byte": ("a\0b", "zero byte"),
    "escape": ("a\x1b[2Jb", "control character"),
    "very-long": (LONG, "characters in one cell"),
    "longer-than-a-line-can-be": (LONG * 6, "is a line of more than"),
    "a-cell-too-many": ("a,b", "cells where the first line has"),
}


@every_desk
@pytest.mark.parametrize("fault", [name for name, (_, words) in ROWS.items() if words])
def test_a_row_that_cannot_be_read_is_reported_by_its_line_and_spoils_no_other(desk, fault, path):
    cell, words = ROWS[fault]
    path.write_bytes(desk.text(desk.rows[0], desk.with_cell(1, cell), desk.rows[2]).encode())
    _, errors = desk.run(path)
    assert "Row 3: " in errors
    assert words in errors
    assert "\x1b" not in errors
    assert desk.taken() == names(desk, 0, 2)


@every_desk
def test_a_row_with_too_few_cells_is_no_row(desk, path):
    path.write_text(desk.text(desk.rows[0], desk.rows[1].rsplit(",", 1)[0], desk.rows[2]))
    _, errors = desk.run(path)
    assert "Row 3: has" in errors
    assert desk.taken() == names(desk, 0, 2)


@every_desk
@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "cp1251"])
def test_bytes_that_are_not_utf_8_are_reported_with_what_they_may_be(desk, encoding, path):
    word = "Кружка синяя" if encoding == "cp1251" else "José Müller"
    bad = desk.with_cell(1, word).encode(encoding)
    path.write_bytes(b"\n".join([desk.header.encode(), desk.rows[0].encode(), bad, desk.rows[2].encode()]))
    _, errors = desk.run(path)
    assert "Row 3: is not in UTF-8" in errors
    assert "--encoding cp125" in errors
    assert word in errors
    assert desk.taken() == names(desk, 0, 2)


@every_desk
@pytest.mark.parametrize("places", [(0, 1), (0, 2), (1, 2), (2,)])
def test_quotation_marks_left_open_never_swallow_rows(desk, places, path):
    """Two of them can pair up across rows, and all between would be one text."""
    rows = [desk.with_cell(place, '"Fits up to 40' if place in places[:1] else 'inch mark"') for place in range(3)]
    rows = [row if place in places else desk.rows[place] for place, row in enumerate(rows)]
    path.write_text(desk.text(*rows))
    _, errors = desk.run(path)
    assert f"Row {places[0] + 2}: opens a quotation mark" in errors
    assert desk.taken() >= names(desk, *set(range(3)) - set(places))
    assert not desk.taken() & names(desk, places[0])


@every_desk
def test_a_quotation_mark_left_open_in_a_long_file_spoils_one_row(desk, path):
    header, *rows = desk.text(desk.with_cell(0, '"left open'), *desk.rows[1:]).splitlines()
    path.write_text("\n".join([header, rows[0], *[""] * 300_000, *rows[1:]]))
    _, errors = desk.run(path)
    assert errors.count("Row ") == 1
    assert desk.taken() == names(desk, 1, 2)


@every_desk
def test_rows_are_numbered_as_an_editor_shows_their_lines(desk, path):
    path.write_text(desk.text("", desk.rows[0], "", ",,,", desk.rows[1].split(",", 1)[0], desk.rows[2]))
    _, errors = desk.run(path)
    assert "Row 6: " in errors
    assert desk.taken() == names(desk, 0, 2)


@pytest.mark.parametrize("desk", [GOODS, ORDERS], ids=lambda desk: desk.name)
@pytest.mark.parametrize(
    "options",
    [
        ["--delimiter", "ab"],
        ["--delimiter", '"'],
        ["--decimal", "x"],
        ["--encoding", "klingon"],
        ["--encoding", "base64"],
    ],
)
def test_options_that_say_nothing_are_refused(desk, options, path):
    path.write_text(desk.text())
    with pytest.raises(CommandError):
        desk.run(path, *options)
    assert not desk.taken()
