"""CSV files that people and other programs wrote: read strictly, row by row, and reported on in words.

One reader for every file that comes in: goods, orders, consents, questions. A file that cannot be read as a whole is an
`UnusableFileError`, raised before anything is written; a row that cannot be used is a `BadRow`, and the rest goes on.
"""

from shop.csv_files.arguments import CsvFormat, add_format_arguments, get_format
from shop.csv_files.report import BadRow, RowReport, UnusableFileError, UnusableRowError, quote_cell
from shop.csv_files.table import Columns, CsvTable, MissingColumnsError, open_table

__all__ = [
    "BadRow",
    "Columns",
    "CsvFormat",
    "CsvTable",
    "MissingColumnsError",
    "RowReport",
    "UnusableFileError",
    "UnusableRowError",
    "add_format_arguments",
    "get_format",
    "open_table",
    "quote_cell",
]
