"""Whatever a file holds, reading it ends in rows, bad rows, or one sentence about the file."""

import contextlib
import gzip
import random

import pytest

from orders.importing.reading import COLUMNS, OrderFormat, read_orders
from shop.catalog.importing.reading import CATALOG_COLUMNS, read_catalog_rows
from shop.csv_files import CsvFormat, UnusableFileError, open_table

GOODS_FILE = (
    b"sku,product,title,description,category,maker,price,stock\n"
    b'A,a,A,"x, ""y"" z\nnew",T > U,M,9.50,3\nB,b,"B, c",,T,,1,0\r\n'
)
ORDERS_FILE = (
    b"order_number,placed_at,customer,sku,title,quantity,unit_price,gift,country,promised_on,shipped_at\n"
    b"A1,2026-03-01 10:00+01:00,ann@example.com,M,Mug,1,9.50,0,GB,2026-03-02,2026-03-02\n"
    b'A2,2026-03-01,,M,"Mug",1,9.50,yes,France,,\n'
)
KINDS = {
    "goods": (GOODS_FILE, CATALOG_COLUMNS, read_catalog_rows),
    "orders": (ORDERS_FILE, COLUMNS[OrderFormat.OWN], read_orders),
}
PIECES = [
    b'"',
    b",",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xe2\x80\x8b",
    b"'",
    b"=",
    b";",
    b"\t",
    b"9",
    b"-",
    b".",
    b"@",
    b"e",
    b"\xc3\xa9",
    b":",
    b"0001",
    b"9999",
    b"+",
    b"\x1b",
    b"\xed\xa0\x80",
    b"\xf4\x8f\xbf\xbf",
]
ENCODINGS = ("utf-8", "utf-8", "utf-8", "cp1252", "utf-16", "utf-16-le", "utf-32", "shift_jis", "iso2022_jp", "utf-7")


def bend(text: bytes, drawn: random.Random) -> bytes:
    bent = bytearray(text * drawn.choice((1, 1, 2)))
    for _ in range(drawn.randint(1, 6)):
        place = drawn.randrange(len(bent) + 1)
        if drawn.random() < 0.6:
            bent[place:place] = drawn.choice(PIECES) * drawn.choice((1, 1, 1, 2, 40))
        else:
            del bent[place : place + drawn.randint(1, 5)]
    return gzip.compress(bytes(bent)) if drawn.random() < 0.1 else bytes(bent)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(10))
def test_no_file_ends_in_a_traceback(kind, seed, tmp_path):
    text, columns, read = KINDS[kind]
    drawn = random.Random(f"{kind} {seed}")
    path = tmp_path / "file.csv"
    for _ in range(200):
        path.write_bytes(bend(text, drawn))
        how = CsvFormat(drawn.choice(",,,;\t"), drawn.choice(".,"), drawn.choice(ENCODINGS))
        with contextlib.suppress(UnusableFileError), open_table(path, columns, how=how) as table:
            assert all(row.number for row in read(table))
