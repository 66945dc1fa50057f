"""Answers given elsewhere, for the customers of an import: `customer, purpose, granted, at`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.db.models import Q
from django.db.models.functions import Lower

from accounts.consent import consent, purposes
from accounts.models import Customer
from orders.importing.reading import read_customer
from shop.csv_files.report import BadRow, RowReport, UnusableRowError, quote_cell
from shop.csv_files.table import Columns, CsvTable
from shop.csv_files.values import read_flag, read_moment

CHUNK = 2000
CONSENTS = Columns(required=("customer", "purpose", "granted", "at"))
SOURCE = "import"


@dataclass(frozen=True, slots=True)
class ConsentRow:
    number: int
    customer: str
    purpose: str
    is_granted: bool
    answered_at: datetime


@dataclass
class ConsentImport:
    """`for count in ConsentImport().run(table)`: rows read so far; then see the counts. Rows that say nothing new are
    left out, so that running it twice changes nothing.
    """

    is_dry: bool = False
    row_count: int = 0
    new_count: int = 0
    bad: RowReport = field(default_factory=RowReport)

    def run(self, table: CsvTable) -> Iterator[int]:
        lines = table.read_rows(_parse_consent_row)
        for chunk in iter(lambda: list(islice(lines, CHUNK)), []):
            self.row_count += len(chunk)
            self.bad.extend(each for each in chunk if isinstance(each, BadRow))
            self._import_rows([each for each in chunk if isinstance(each, ConsentRow)])
            yield self.row_count

    def _import_rows(self, lines: list[ConsentRow]) -> None:
        people = _find_customer_ids({line.customer for line in lines})
        numbers: dict[consent.ImportedAnswer, int] = {}
        for line in lines:
            if line.customer in people:
                answer = people[line.customer], line.purpose, line.is_granted, line.answered_at
                numbers[answer] = line.number
            else:
                self.bad.add(BadRow(line.number, f"nobody here is known by that: {quote_cell(line.customer)}"))

        def leave_out(answer: consent.ImportedAnswer, why: consent.ImportSkipReason) -> None:
            self.bad.add(BadRow(numbers[answer], why.value))

        self.new_count += consent.import_consents(numbers, source=SOURCE, is_dry=self.is_dry, on_left_out=leave_out)


def _parse_consent_row(number: int, cells: Mapping[str, str]) -> ConsentRow:
    purpose = cells["purpose"].strip()
    customer = read_customer(cells["customer"])
    if not customer:
        raise UnusableRowError("has no customer")
    if not purposes.is_purpose(purpose):
        raise UnusableRowError(f"there is no such purpose: {quote_cell(purpose)}")
    granted = read_flag(cells["granted"], name="granted")
    return ConsentRow(number, customer, purpose, granted, read_moment(cells["at"], name="at", may_be_ahead=True))


def _find_customer_ids(names: set[str]) -> dict[str, int]:
    """Customer ids by e-mail in the form the shop keeps, or by the very external reference."""
    emails = [name for name in names if "@" in name]
    found = Customer.objects.annotate(low=Lower("email")).filter(
        Q(low__in=emails) | Q(external_reference__in=list(names))
    )
    people: dict[str, int] = {}
    for pk, email, reference in found.values_list("pk", "low", "external_reference"):
        people |= {name: pk for name in (email, reference) if name}
    return people
