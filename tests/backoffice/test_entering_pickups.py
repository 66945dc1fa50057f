"""Staff enter an order that its buyer collects: a store in place of an address, the rest as at the checkout."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from orders import pickup, staff_orders
from orders.models import Order, ShippingMethod
from orders.shop_terms import load_terms
from orders.staff_orders import Channel, DraftLine, DraftRefused, OrderDraft
from shop.catalog import listing
from shop.catalog.models import StockRecord, Store, Variant
from tests import builders
from tests.backoffice.test_access import signed_in, staff_member
from tests.backoffice.test_entering_orders import ENTER, enter, typed
from tests.notifications.acts import relay_and_deliver
from tests.notifications.conftest import sink
from tests.page import read_words
from tests.storefront.test_pickup import NO_ADDRESS, barn, choose, put_into

__all__ = ["barn", "sink"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    return signed_in(staff_member(role="Staff: orders"))


@pytest.fixture
def mug(barn) -> Variant:
    """Three lie in the barn; the store that ships has ten."""
    made = builders.product("Tin mug", price="9.00", on_hand=10).variants.get()
    put_into(barn, made, on_hand=3)
    listing.refresh_listings()
    return made


def is_untouched() -> bool:
    return not Order.objects.exists() and not StockRecord.objects.filter(allocated__gt=0).exists()


def test_a_store_is_chosen_and_no_address_is_asked_for(staff, barn, mug):
    Store.objects.filter(pk=barn.pk).update(country="IE")
    builders.tax_rate("IE", "0.2300")
    sent = typed(staff, {"what": mug.sku, "quantity": 2}, **NO_ADDRESS, **choose(barn))
    shown = " ".join(read_words(staff.post(ENTER, sent).text).split())
    assert "£3.37 tax inside £18.00" in shown
    assert "Ready" in shown
    assert "Tax and duty" not in shown
    assert is_untouched()
    staff.post(ENTER, {**sent, "enter": "1"})
    order = Order.objects.get()
    assert (order.pickup_store, order.total, order.tax_total) == (barn, Decimal("18.00"), Decimal("3.37"))
    assert (order.full_name, order.line1, order.postcode, str(order.country)) == ("Pat Reader", "", "", "IE")
    assert len(order.pickup_code) == 6
    [taken] = StockRecord.objects.filter(allocated__gt=0)
    assert (taken.store, taken.allocated) == (barn, 2)
    assert order.pickup_code not in staff.get(f"/admin/orders/order/{order.pk}/change/").text


def test_it_is_promised_for_the_moment_that_the_checkout_would_name(staff, barn, mug):
    enter(staff, {"what": mug.sku}, **NO_ADDRESS, **choose(barn), paid="hand", paid_how="Cash")
    order, terms = Order.objects.get(), load_terms()
    promised = pickup.compute_pickup_promise(terms.pickups[0], terms.get_calendar("GB"), order.created_at)
    assert (order.pickup_ready_at, order.ships_on) == (promised.ready_at, promised.ships_on)
    assert order.status == "confirmed"


def test_the_address_of_whoever_comes_is_not_kept_where_staff_typed_one(staff, barn, mug):
    enter(staff, {"what": mug.sku}, **choose(barn), phone="0113 496 0000")
    order = Order.objects.get()
    assert (order.line1, order.city, order.postcode, order.phone) == ("", "", "", "")


def test_its_mails_say_where_and_from_when(staff, barn, mug, sink):
    enter(staff, {"what": mug.sku}, **NO_ADDRESS, **choose(barn))
    relay_and_deliver()
    [mail] = sink.received
    for text in (mail.text, read_words(mail.html)):
        words = " ".join(text.split())
        assert "Paid today, it is ready to collect " in words
        assert "To collect at The barn, 2 Mill Lane, Leeds" in words
        assert "Going to" not in words
    assert Order.objects.get().pickup_code not in mail.text + mail.html


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("too many", "does not lie at The barn in that number"),
        ("two lines", "does not lie at The barn in that number"),
        ("not out yet", "does not lie at The barn in that number"),
        ("no e-mail", "the link to that goes by e-mail"),
        ("no name", "required"),
        ("nobody may come", "Select a valid choice"),
    ],
)
def test_what_cannot_be_collected_is_refused_with_what_to_do(staff, barn, mug, case, words):
    fields = NO_ADDRESS | choose(barn)
    rows = [{"what": mug.sku, "quantity": 4 if case == "too many" else 2}]
    if case == "two lines":
        rows *= 2
    elif case == "not out yet":
        mug.product.released_on = timezone.localdate() + timedelta(days=3)
        mug.product.save()
    elif case == "nobody may come":
        Store.objects.filter(pk=barn.pk).update(welcomes_visitors=False)
    fields |= {"no e-mail": {"email": ""}, "no name": {"full_name": ""}}.get(case, {})
    assert words in " ".join(read_words(enter(staff, *rows, **fields)).split())
    assert is_untouched()


def test_what_goes_from_the_shelf_meanwhile_is_refused_under_its_lock(barn, mug, monkeypatch):
    """The look before it saw three."""
    monkeypatch.setattr(staff_orders, "find_lacking_goods", lambda draft: [])
    StockRecord.objects.filter(store=barn).update(allocated=3)
    draft = OrderDraft(
        lines=[DraftLine(mug, 1)],
        address={"full_name": "Pat Reader", "country": "GB"},
        method=ShippingMethod.objects.get(store=barn),
        channel=Channel.PHONE,
        email="pat@example.com",
    )
    with pytest.raises(DraftRefused, match="cannot be had in that number there"):
        staff_orders.create_draft_order(draft, actor="Sam", terms=load_terms())
    assert not Order.objects.exists()


def test_without_a_store_to_collect_from_the_form_says_nothing_of_it(staff):
    assert "Collected in a store" not in staff.get(ENTER).text


def test_without_an_address_nothing_is_sent(staff, mug):
    enter(staff, {"what": mug.sku}, **NO_ADDRESS)
    assert is_untouched()
