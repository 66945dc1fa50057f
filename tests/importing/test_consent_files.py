"""Answers from files: whose they are, when they were given, and nothing guessed."""

from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import Consent, Customer
from orders.models import Order
from tests import builders
from tests.importing.desks import ORDERS_HEADER, say

pytestmark = pytest.mark.django_db

PURPOSE = purposes.COUNT_IN_ALSO_BOUGHT
HEADER = "customer,purpose,granted,at"


@pytest.fixture
def take_in(tmp_path):
    def _take_in(*rows, orders=(), options=(), header=HEADER):
        (tmp_path / "orders.csv").write_text("\n".join([ORDERS_HEADER, *orders]))
        (tmp_path / "consents.csv").write_text("\n".join([header, *rows]))
        files = (str(tmp_path / "orders.csv"), "--consents", str(tmp_path / "consents.csv"))
        return say("import_orders", *files, *options)

    return _take_in


def granted(customer: Customer) -> bool:
    return consent.allows(customer, PURPOSE)


def test_references_that_differ_in_capitals_are_two_people(take_in):
    small = Customer.objects.create(external_reference="k-1")
    large = Customer.objects.create(external_reference="K-1")
    take_in(f"K-1,{PURPOSE},yes,2026-03-01", f"k-1,{PURPOSE},no,2026-03-01")
    assert granted(large)
    assert not granted(small)


def test_an_address_in_another_spelling_is_the_same_person(take_in):
    ann = builders.customer("ann@example.com")
    _, errors = take_in(f" Ann@EXAMPLE.com\u200b,{PURPOSE},YES,2026-03-01")
    assert not errors
    assert granted(ann)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("ann@example.com;ben@example.com,{},yes,2026-03-01", "is no e-mail address"),
        ("@,{},yes,2026-03-01", "is no e-mail address"),
        (",{},yes,2026-03-01", "has no customer"),
        ("ann@example.com,{},,2026-03-01", "neither yes nor no"),
        ("ann@example.com,{},ye s,2026-03-01", "neither yes nor no"),
        ("ann@example.com,{},yes,", "at"),
        ("ann@example.com,{},yes,2099-01-01", "still to come"),
        ("ann@example.com,{},yes,0001-01-01", "at"),
        ("ann@example.com,{},yes,1e9", "at"),
        ("ann@example.com,Newsletter!,yes,2026-03-01", "no such purpose"),
    ],
)
def test_an_answer_that_is_not_plain_is_reported_and_nobody_has_said_it(take_in, row, words):
    builders.customer("ann@example.com")
    ben = builders.customer("ben@example.com")
    _, errors = take_in(row.format(PURPOSE), f"ben@example.com,{PURPOSE},yes,2026-03-01")
    assert "Row 2: " in errors
    assert words in errors
    assert list(Consent.objects.values_list("customer", flat=True)) == [ben.pk]


def test_an_answer_of_tomorrow_has_not_been_given(take_in):
    ann = builders.customer("ann@example.com")
    at = (timezone.now() + timedelta(hours=1)).isoformat()
    _, errors = take_in(f"ann@example.com,{PURPOSE},yes,{at}")
    assert "still to come" in errors
    assert not granted(ann)


def test_a_column_named_twice_makes_no_yes_of_a_no(take_in):
    ann = builders.customer("ann@example.com")
    with pytest.raises(CommandError, match="names twice: granted"):
        take_in(f"ann@example.com,{PURPOSE},no,2026-03-01,yes", header=f"{HEADER},Granted")
    assert not granted(ann)


@pytest.mark.parametrize("answers", [("yes", "no"), ("no", "yes")])
def test_yes_and_no_at_the_same_moment_is_no(take_in, answers):
    ann = builders.customer("ann@example.com")
    take_in(*(f"ann@example.com,{PURPOSE},{answer},2026-03-01 10:00" for answer in answers))
    assert not granted(ann)


def test_a_dry_run_counts_what_is_new_and_does_nothing(take_in):
    orders = ["A1,2026-03-01,ann@example.com,MUG,Mug,1,9.50,0"]
    out, errors = take_in(f"ann@example.com,{PURPOSE},yes,2026-03-01", orders=orders, options=["--dry-run"])
    assert "1 answers read, 1 of them new, 0 left out" in out
    assert "Nothing was changed" in out
    assert not errors
    assert not Customer.objects.exists()
    assert not Order.objects.exists()
    assert not Consent.objects.exists()


def test_a_file_of_answers_that_cannot_be_read_stops_the_orders_too(take_in):
    with pytest.raises(CommandError, match="lacks: at"):
        take_in(orders=["A1,2026-03-01,ann@example.com,MUG,Mug,1,9.50,0"], header="customer,purpose,granted")
    assert not Order.objects.exists()


def test_files_of_ours_run_nothing_in_a_spreadsheet_and_come_back_as_they_were(tmp_path):
    names = ["=1+1", "+44", "-5", "@cmd", "plain"]
    for name in names:
        Customer.objects.create(external_reference=name)
    path = tmp_path / "consents.csv"
    say("make_consents", str(path), "--share", "1")
    cells = {line.split(",")[0] for line in path.read_text().splitlines()[1:]}
    assert cells == {"'=1+1", "'+44", "'-5", "'@cmd", "plain"}
    (tmp_path / "orders.csv").write_text(ORDERS_HEADER)
    say("import_orders", str(tmp_path / "orders.csv"), "--consents", str(path))
    assert Consent.objects.filter(purpose=PURPOSE, granted=True).count() == len(names) - 1
