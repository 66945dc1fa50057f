"""The log of looks: what is written, what nobody can change, what the customer reads."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts.models import AccessKind, AccessLogEntry, User
from accounts.people.customers import get_or_create_proved_customer
from accounts.privacy import access_log
from accounts.privacy.access_log import DataSubject
from shop.personal_data import get_holdings
from tests import builders, cast

pytestmark = pytest.mark.django_db


def kit(role: str = "Staff: orders") -> User:
    user = User.objects.create_user("kit@example.com", builders.PASSWORD, is_staff=True, first_name="Kit")
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    return user


def test_a_look_says_who_in_which_role_at_what_and_why():
    bob = cast.bob()
    access_log.log_access(kit(), bob.pk, what=AccessKind.SHOWN, detail="They asked for their address by telephone")
    access_log.log_access(cast.sam(), bob.pk, what=AccessKind.LOOK)
    owners, kits = access_log.get_access_log(bob)
    assert (kits.staff_name, kits.staff_role, kits.about) == ("Kit", "orders", "Your account")
    assert kits.detail == "They asked for their address by telephone"
    assert (owners.staff_name, owners.staff_role) == ("Sam", "owner")


def test_a_page_of_people_is_one_statement(django_assert_num_queries):
    sam, people = cast.sam(), [builders.customer() for _ in range(20)]
    with django_assert_num_queries(1):
        access_log.log_access_to_subjects(sam, [DataSubject(person.pk) for person in people], what=AccessKind.SEARCH)
    assert AccessLogEntry.objects.count() == 20


def test_nobody_to_write_of_costs_nothing(django_assert_num_queries):
    sam = cast.sam()
    with django_assert_num_queries(0):
        access_log.log_access_to_subjects(sam, [DataSubject(None)], what=AccessKind.LOOK)


def test_a_list_counts_once_a_day_for_each_of_us_and_a_look_each_time():
    bob, sam, other = cast.bob(), cast.sam(), kit()
    three_orders = [DataSubject(bob.pk, f"SW-{number}", f"Order SW-{number}") for number in range(3)]
    for staff in (sam, sam, other):
        access_log.log_access_to_subjects(staff, three_orders, what=AccessKind.LIST)
    assert AccessLogEntry.objects.filter(kind="list").count() == 2
    for _ in range(2):
        access_log.log_access(sam, bob.pk, what=AccessKind.LOOK)
    assert AccessLogEntry.objects.filter(kind="look").count() == 2


def test_looks_at_a_guests_orders_become_theirs_with_the_orders():
    sam = cast.sam()
    orders = [builders.paid_order(email="guest@example.com") for _ in range(2)]
    subjects = [DataSubject(None, order.number, f"Order {order.number}") for order in orders]
    for what in (AccessKind.LIST, AccessKind.LOOK):
        access_log.log_access_to_subjects(sam, subjects, what=what)
    assert AccessLogEntry.objects.filter(customer=None).count() == 4
    guest = get_or_create_proved_customer("guest@example.com")
    assert access_log.get_access_log(guest).count() == 4


@pytest.mark.parametrize(
    "change", [{"staff_name": "Nobody"}, {"at": timezone.now()}, {"customer": None}, {"kind": "x"}]
)
def test_no_entry_can_be_changed(change):
    access_log.log_access(cast.sam(), cast.bob().pk, what=AccessKind.LOOK)
    before = AccessLogEntry.objects.values().get()
    with pytest.raises(DatabaseError, match="pgtrigger"), transaction.atomic():
        AccessLogEntry.objects.update(**change)
    assert AccessLogEntry.objects.values().get() == before


def test_after_two_years_an_entry_goes():
    sam, bob = cast.sam(), cast.bob()
    access_log.log_access(sam, bob.pk, what=AccessKind.LOOK)
    old = AccessLogEntry.objects.values().get()
    old.pop("id")
    AccessLogEntry.objects.create(**{**old, "at": timezone.now() - timedelta(days=731)})
    [holding] = [holding for holding in get_holdings() if "accounts.AccessLogEntry" in holding.models]
    assert holding.retire() == 1
    assert AccessLogEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("email", "shown"),
    [
        ("alice@example.com", "a…@e….com"),
        ("a@b", "a…@b…"),
        ("", ""),
        (None, ""),
        ("not an address", ""),
        ("x@mail.example.co.uk", "x…@m….uk"),
    ],
)
def test_a_masked_address_can_be_recognised_and_not_learnt(email, shown):
    assert access_log.mask_email(email) == shown


# -- The customer's page -------------------------------------------------------------------------------------


def test_customers_read_who_looked_and_why(client):
    bob, order = cast.bob(), None
    order = builders.paid_order(customer=bob)
    access_log.log_access(kit(), bob.pk, what=AccessKind.SHOWN, detail="Called about a parcel")
    access_log.log_access_to_subjects(
        cast.sam(), [DataSubject(bob.pk, order.number, f"Order {order.number}")], what=AccessKind.LOOK
    )
    client.force_login(bob.user)
    page = client.get("/account/access/")
    assert "no-store" in page["Cache-Control"]
    for words in (
        "Kit (orders)",
        "Had it shown in full",
        "Why: Called about a parcel",
        "Sam (the owner)",
        order.number,
    ):
        assert words in page.text
    assert "/account/access/" in client.get("/account/").text


def test_nobody_reads_the_log_of_another(client):
    alice = builders.customer()
    access_log.log_access(cast.sam(), alice.pk, what=AccessKind.LOOK)
    client.force_login(cast.bob().user)
    page = client.get("/account/access/").text
    assert "Nobody has looked" in page
    client.logout()
    assert client.get("/account/access/").status_code == 302


def test_a_long_log_comes_in_pages_at_a_steady_cost(client, django_assert_max_num_queries):
    bob, sam = cast.bob(), cast.sam()
    for _ in range(70):
        access_log.log_access(sam, bob.pk, what=AccessKind.LOOK)
    client.force_login(bob.user)
    client.get("/account/access/")
    with django_assert_max_num_queries(7):
        first = client.get("/account/access/")
    assert len(first.context["rows"]) == 30
    assert len(client.get("/account/access/?page=3").context["rows"]) == 10
