"""Answers given elsewhere, for the customers of an import: `customer, purpose, granted, at`."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TextIO

from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts import consent, purposes
from accounts.models import Customer
from orders.importing.reading import NO, YES, BadRow, UnusableFileError

CHUNK = 2000
COLUMNS = ("customer", "purpose", "granted", "at")
SOURCE = "import"

Line = tuple[int, dict[str, str]]


@dataclass
class ConsentImport:
    """`for count in ConsentImport().run(file)`: rows read so far; then see the counts. Rows that say nothing new are
    left out, so that running it twice changes nothing.
    """

    is_dry: bool = False
    row_count: int = 0
    new_count: int = 0
    bad: list[BadRow] = field(default_factory=list)

    def run(self, file: TextIO) -> Iterator[int]:
        rows = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or [])]
        if missing:
            raise UnusableFileError(f"The file of consents has no column {', '.join(missing)}.")
        lines = enumerate(rows, start=2)
        for chunk in iter(lambda: list(islice(lines, CHUNK)), []):
            self.row_count += len(chunk)
            self._take(chunk)
            yield self.row_count

    def _take(self, chunk: list[Line]) -> None:
        people = _people({(row["customer"] or "").strip() for _, row in chunk})
        read = ((self._answer(number, row, people), number) for number, row in chunk)
        numbers = {answer: number for answer, number in read if answer}

        def leave_out(answer: consent.ImportedAnswer, why: consent.LeftOut) -> None:
            self.bad.append(BadRow(numbers[answer], why.value))

        self.new_count += consent.import_consents(numbers, source=SOURCE, is_dry=self.is_dry, on_left_out=leave_out)

    def _answer(self, number: int, row: dict[str, str], people: dict[str, int]) -> consent.ImportedAnswer | None:
        customer_id = people.get((row["customer"] or "").strip().lower())
        granted = (row["granted"] or "").strip().lower()
        answered_at = _moment(row["at"] or "")
        problems = {
            "nobody here is known by that": customer_id is None,
            "there is no such purpose": not purposes.exists(row["purpose"] or ""),
            "neither yes nor no": granted not in YES | NO or not granted,
            "no date": answered_at is None,
        }
        reason = next((words for words, is_so in problems.items() if is_so), "")
        if reason or customer_id is None or answered_at is None:
            self.bad.append(BadRow(number, reason))
            return None
        return customer_id, row["purpose"], granted in YES, answered_at


def _people(names: set[str]) -> dict[str, int]:
    """Customer ids by lower-case e-mail or external reference."""
    emails = [name.lower() for name in names if "@" in name]
    found = Customer.objects.annotate(low=Lower("email")).filter(
        Q(low__in=emails) | Q(external_reference__in=list(names))
    )
    people: dict[str, int] = {}
    for pk, email, reference in found.values_list("pk", "low", "external_reference"):
        people |= {name.lower(): pk for name in (email, reference) if name}
    return people


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text.strip())
    except ValueError:
        return None
    return timezone.make_aware(found) if found and timezone.is_naive(found) else found
