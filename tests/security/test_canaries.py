"""Two customers whose every personal field is a word found nowhere else; staff of each role open everything there is.

Each word may come up only where the table says, each time it does is in that customer's access log, and none comes up
in an error or in the shop's own logs.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import AccessLogEntry, Address, Customer, Interest
from accounts.privacy import complaints
from notifications.models import OutgoingEmail, OutgoingItem, Suppression
from orders.fulfilment import transitions
from orders.models import Order, ReturnAuthorization, Shipment, Withdrawal
from shop import personal_data
from shop.backoffice import customers
from tests import builders, cast
from tests.accounts.forging import sql
from tests.backoffice.steps import LIST
from tests.backoffice.test_access import signed_in, staff_member
from tests.privacy import rows

pytestmark = pytest.mark.django_db

# Who may find what where. "vera" has an order in hand, "cora" has not.
PEOPLE = {("customer", who, what) for who in ("vera", "cora") for what in ("name", "reference")}
SWITCHES = {("customer", who, "source") for who in ("vera", "cora")}
NAMES_OF_ORDERS = {("order", "vera", "opento"), ("order", "vera", "closedto"), ("order", "cora", "closedto")}
IN_HAND = {("customer", "vera", what) for what in ("mail", "bookname", "bookline", "bookphone")} | {
    ("order", "vera", what) for what in ("mail", "openline", "openphone", "opennote")
}
SENT_BACK = {("withdrawal", who, "withdrew") for who in ("vera", "cora")} | {
    ("returnauthorization", who, "sentback") for who in ("vera", "cora")
}
COMPLAINTS = {("datacomplaint", who, what) for who in ("vera", "cora") for what in ("complainer", "mail", "complaint")}
REFUSALS = {("suppression", "vera", "mail"), ("suppression", "cora", "mail")}
LOGINS = {("user", who, what) for who in ("vera", "cora") for what in ("mail", "first")}
MAY_SEE = {
    "Staff: orders": PEOPLE | SWITCHES | NAMES_OF_ORDERS | IN_HAND | SENT_BACK,
    "Staff: privacy": PEOPLE | SWITCHES | REFUSALS | COMPLAINTS,
    "Staff: catalogue": set(),
    "": set(),
    "the owner": PEOPLE | SWITCHES | NAMES_OF_ORDERS | IN_HAND | SENT_BACK | REFUSALS | COMPLAINTS | LOGINS,
}
# Of these not a word is on any page: told, browsed, put into the cart, or made of it.
NEVER = (*rows.OF_WORDS, *rows.OF_GOODS, "occasion", "why")
FIELDS = (
    *("name", "reference", "mail", "first", "source", "bookname", "bookline", "bookphone"),
    *("opento", "openline", "openphone", "opennote", "closedto", "closedline", "closedphone", "closednote"),
    *("withdrew", "ackmail", "withdrawn", "sentback", "complainer", "complaint"),
    *NEVER,
)
CANARY = re.compile(rf"qz(vera|cora)({'|'.join(FIELDS)})zq")


def word(who: str, what: str) -> str:
    return f"qz{who}{what}zq"


@dataclass
class CanaryData:
    people: dict[str, Customer] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)


@pytest.fixture
def furnished() -> CanaryData:
    found = CanaryData()
    for who in ("vera", "cora"):
        person = _person(who)
        found.people[who] = person
        found.orders.append(_order(who, person, "closed", status="completed"))
        if who == "vera":
            found.orders.append(_order(who, person, "open"))
        _left_behind(who, person, found.orders[-1])
    return found


def _person(who: str) -> Customer:
    person = builders.customer(
        f"{word(who, 'mail')}@example.com", name=word(who, "name"), external_reference=word(who, "reference")
    )
    type(person.user).objects.filter(pk=person.user_id).update(first_name=word(who, "first"))
    Address.objects.create(
        customer=person,
        full_name=word(who, "bookname"),
        line1=word(who, "bookline"),
        city="Leeds",
        country="GB",
        phone=word(who, "bookphone"),
    )
    consent.set_consent(person, purposes.NEWSLETTER, granted=True, source=word(who, "source"))
    return person


def _order(who: str, person: Customer, when: str, **fields: str) -> Order:
    order = builders.placed_order(customer=person)
    told = {"full_name": "to", "line1": "line", "phone": "phone", "gift_note": "note"}
    values = {name: word(who, f"{when}{what}") for name, what in told.items()}
    Order.objects.filter(pk=order.pk).update(**values, **fields)
    return order


def _left_behind(who: str, person: Customer, order: Order) -> None:
    """What was told, looked at, put aside and written."""
    for what, make in (*rows.OF_WORDS.items(), *rows.OF_GOODS.items()):
        make(person, word(who, what))
    Interest.objects.create(customer=person, kind="occasion", words=word(who, "occasion"), falls_on=date(2030, 5, 3))
    email = OutgoingEmail.objects.create(
        key=who,
        topic="receipt",
        kind="essential",
        to_address=person.email,
        customer=person,
        order=order,
        last_error=f"550 <{person.email}> is unknown here",
    )
    OutgoingItem.objects.create(email=email, block="pick", why=word(who, "why"), is_essential=True)
    Suppression.objects.create(address=person.email, reason="staff")
    _wants_out(who, order)
    complaints.file_complaint(full_name=word(who, "complainer"), email=person.email or "", words=word(who, "complaint"))


def _wants_out(who: str, order: Order) -> None:
    """What is withdrawn from, and what is sent back: with a name, an address and the buyer's own words."""
    Withdrawal.objects.create(
        order=order,
        way="form",
        full_name=word(who, "withdrew"),
        acknowledged_to=f"{word(who, 'ackmail')}@example.com",
        contents="Some of it",
        words=word(who, "withdrawn"),
        declared_at=order.placed_at,
        has_left=False,
        currency="GBP",
        due_on=date(2030, 5, 3),
    )
    ReturnAuthorization.objects.create(
        order=order,
        kind="return",
        wanted="refund",
        reason="other",
        words=word(who, "sentback"),
        piece_count=1,
        currency="GBP",
        goods_amount=1,
        requested_at=order.placed_at,
    )


def client_of(role: str) -> Client:
    client = Client() if role == "the owner" else signed_in(staff_member(role=role))
    if role == "the owner":
        client.force_login(cast.sam())
    return client


class Visit:
    """One member of staff going everywhere, and what came up where."""

    def __init__(self, role: str, furnished: CanaryData) -> None:
        self.client, self.furnished = client_of(role), furnished
        self.client.raise_request_exception = False
        self.found: set[tuple[str, str, str]] = set()
        self.links: set[str] = set()

    def open(self, path: str, sent: dict[str, object] | None = None) -> None:
        sql("DELETE FROM accounts_accesslogentry")  # past its triggers, so that each page is seen to write its own
        answer = self.client.get(path) if sent is None else self.client.post(path, sent)
        text = answer.content.decode()
        assert answer.status_code < 500, path
        self.links |= set(re.findall(r'href="(/admin/[^"?#]*)["?#]', text))
        came_up = {match.groups() for match in CANARY.finditer(text)}
        shown = {(who, what) for who, what in came_up if not _is_typed(who, what, path)}
        if _room(path) == "goods":  # what is on the shelves is no secret; who looked at it is
            assert {what for _, what in shown} <= rows.OF_GOODS.keys(), path
            return
        self.found |= {(_room(path), who, what) for who, what in shown}
        for who in {who for who, _ in shown}:
            logged = AccessLogEntry.objects.filter(customer=self.furnished.people[who])
            assert logged.exists(), f"{path} showed {who} and nobody wrote it down"


def _is_typed(who: str, what: str, path: str) -> bool:
    """A search repeats what was typed; that it found nothing is shown by all the rest."""
    return f"={word(who, what)}" in path


def _room(path: str) -> str:
    app, _, model = path.removeprefix("/admin/").partition("/")
    return "goods" if app == "catalog" else model.partition("/")[0] or app


def _every_page(furnished: CanaryData) -> Iterator[str]:
    yield from ("/admin/", "/admin/nonsense/", "/admin/orders/", "/admin/accounts/", reverse("admin:jsi18n"))
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        yield reverse(f"{name}_add")
        most = 1 if model._meta.app_label == "catalog" else 6
        newest = [*model._default_manager.order_by("-pk").values_list("pk", flat=True)[:most], 987654]
        yield from (reverse(f"{name}_change", args=[pk]) for pk in newest)
        yield from (reverse(f"{name}_{page}", args=[newest[0]]) for page in ("history", "delete"))
    for order in furnished.orders:
        yield reverse("admin:orders_order_showing", args=[order.pk])


def _every_search(fields: tuple[str, ...]) -> Iterator[str]:
    typed = [word(who, what) for who in ("vera", "cora") for what in fields]
    typed += [f"{word(who, 'mail')}@example.com" for who in ("vera", "cora")]
    for model, model_admin in admin.site._registry.items():
        if model_admin.search_fields and model._meta.app_label != "catalog":
            here = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            yield from (f"{here}?q={term}" for term in typed)


def _every_look_up() -> Iterator[str]:
    """Looking up while typing, asked for each field that leads to somebody."""
    for model in apps.get_models():
        for each in model._meta.get_fields():
            try:
                leads_to = model._meta.get_field(each.name).related_model
            except FieldDoesNotExist:
                continue
            if leads_to in (
                Customer,
                Order,
                OutgoingEmail,
                Suppression,
                Customer._meta.get_field("user").related_model,
            ):
                asked = f"app_label={model._meta.app_label}&model_name={model._meta.model_name}&field_name={each.name}"
                yield f"{reverse('admin:autocomplete')}?{asked}&term=qz"


def _every_step(furnished: CanaryData) -> Iterator[dict[str, object]]:
    chosen = [order.pk for order in furnished.orders]
    for action in ("approve", "pick_list", "packing_slips", "mark_picked", "mark_packed", "ship", "cancel", "refund"):
        yield {"action": action, "_selected_action": chosen}


# What is typed into each search: in the sample what some list finds people by, and something that none does.
TYPED = pytest.mark.parametrize(
    "typed",
    [("name", "told"), pytest.param(FIELDS, marks=pytest.mark.soak)],
    ids=["a few words typed", "every word typed"],
)


@TYPED
@pytest.mark.parametrize("role", MAY_SEE)
def test_staff_find_only_what_their_role_may_and_every_find_is_written_down(furnished, role, typed, caplog):
    visit = Visit(role, furnished)
    for path in [*_every_page(furnished), *_every_search(typed), *_every_look_up()]:
        visit.open(path)
    been = {path.partition("?")[0] for path in _every_page(furnished)}
    for path in sorted(link for link in visit.links - been if _room(link) not in ("goods", "logout")):
        visit.open(path)
    for sent in _every_step(furnished):
        visit.open(f"{LIST}?queue=any", sent)
    assert visit.found == MAY_SEE[role]
    assert CANARY.search(caplog.text) is None


def test_what_a_driver_signs_for_names_nobody_and_is_written_down(furnished, caplog):
    """It goes out of the house: numbers, countries, boxes and weights are all there is on it."""
    vera = furnished.people["vera"]
    transitions.approve_order(vera.orders.get(status=Order.Status.CONFIRMED).pk, actor="Sam")
    left = {"stage": "dispatched", "dispatched_at": timezone.now(), "carrier": "dpd"}
    assert Shipment.objects.update(**left, packing_note=word("vera", "opennote"), packed_by=word("vera", "first"))
    driver = Visit("Staff: orders", furnished)
    driver.open(reverse("admin:orders_order_handover"))
    assert driver.found == set()
    parcel = Shipment.objects.select_related("order").get()
    page = driver.client.get(reverse("admin:orders_order_handover"))
    assert parcel.order.number in page.text
    assert AccessLogEntry.objects.filter(customer=vera, detail="Hand-over list").exists()
    assert CANARY.search(caplog.text) is None


def test_a_page_that_breaks_tells_nothing(furnished, caplog, monkeypatch):
    client = client_of("the owner")
    client.raise_request_exception = False

    def broken(self, request, customer):
        raise RuntimeError("Something is wrong")

    monkeypatch.setattr(customers.CustomerAdmin, "_get_page_context", broken)
    for person in furnished.people.values():
        answer = client.get(reverse("admin:accounts_customer_change", args=[person.pk]))
        assert answer.status_code == 500
        assert CANARY.search(answer.text) is None
    assert "Something is wrong" in caplog.text
    assert CANARY.search(caplog.text) is None


def test_no_model_of_what_was_told_or_looked_at_has_a_page():
    kinds = {*rows.OF_WORDS, *rows.OF_GOODS, "counted", "effects"}
    for name in (label for each in personal_data.get_holdings() if each.key in kinds for label in each.models):
        model = apps.get_model(name)
        assert not admin.site.is_registered(model), name
        with pytest.raises(NoReverseMatch):
            reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
