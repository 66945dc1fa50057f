"""Another address in another zone: the days are counted anew and said, what was paid stays, a refusal is refused."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from orders.addresses import address_change
from orders.delays.prediction import compute_arrival
from orders.fulfilment.transitions import TransitionRefused
from orders.lane_windows import read_deliveries
from orders.models import Order, OrderEvent, OrderLine, ShippingMethod
from orders.promise import format_day
from orders.shop_terms import load_terms
from tests import builders
from tests.backoffice.conftest import staff
from tests.backoffice.steps import said, take
from tests.notifications.acts import relay_and_deliver
from tests.notifications.conftest import sink
from tests.orders.test_address_change import TYPED, changes, page, where
from tests.page import read_words

__all__ = ["sink", "staff"]

pytestmark = pytest.mark.django_db

ISLAND = TYPED | {"city": "Stornoway", "postcode": "HS1 2AA"}


@pytest.fixture
def post() -> ShippingMethod:
    return builders.shipping_method("Post", days_min=2, days_max=3)


@pytest.fixture
def order(post) -> Order:
    return promised(post)


def promised(post: ShippingMethod, *, zone_days: int = 0, **fields) -> Order:
    """To Leeds unless said otherwise, leaving in twenty days."""
    made = builders.placed_order()
    leaves_on = timezone.localdate() + timedelta(days=20)
    Order.objects.filter(pk=made.pk).update(shipping_method=post, zone_days=zone_days, **fields)
    made.refresh_from_db()
    days = compute_arrival(load_terms().get_order_calendar(made), post, leaves_on=leaves_on)
    Order.objects.filter(pk=made.pk).update(
        ships_on=days.ships_on, promised_from_on=days.from_on, promised_by_on=days.by_on
    )
    made.refresh_from_db()
    return made


def days_of(order: Order) -> tuple[object, ...]:
    fresh = Order.objects.get(pk=order.pk)
    return fresh.ships_on, fresh.promised_from_on, fresh.promised_by_on, fresh.zone_name, fresh.zone_days


def paid_for(order: Order) -> tuple[Decimal, ...]:
    fresh = Order.objects.get(pk=order.pk)
    return fresh.total, fresh.shipping_total, fresh.zone_surcharge, fresh.ordinary_shipping_total


def read(response) -> str:
    return " ".join(read_words(response.text).split())


def test_to_a_zone_that_takes_longer_the_buyer_is_told_first_then_it_is_done_and_mailed(order, buyer, sink):
    builders.delivery_zone()
    was, paid, client = days_of(order), paid_for(order), buyer(order)
    asked = client.post(page(order), ISLAND)
    assert "There it arrives" in read(asked)
    assert "What you paid stays as it is." in read(asked)
    assert (days_of(order), changes()) == (was, [])
    looked_at = asked.context["form"]["looked_at"].value()
    done = read(client.post(page(order), ISLAND | {"looked_at": looked_at}, follow=True))
    now = Order.objects.get(pk=order.pk)
    day = format_day(now.promised_by_on, timezone.localdate())
    assert f"It goes to the new address, and is with you by {day} now." in done
    assert where(order) == ISLAND
    assert (now.promised_by_on > was[2], now.ships_on) == (True, was[0])
    assert (now.zone_name, now.zone_days) == ("Scottish islands", 2)
    assert paid_for(order) == paid
    relay_and_deliver()
    [mail] = [each for each in sink.received if each.topic == "order_moved"]
    words = " ".join(mail.text.split())
    assert f"it is with you by {day}, not by {format_day(was[2], timezone.localdate())}" in words
    assert "HS1 2AA" in words
    event = OrderEvent.objects.get(kind=OrderEvent.Kind.ADDRESS_CHANGED)
    assert event.data == {"was": str(was[2]), "by": str(now.promised_by_on)}


def test_in_the_same_zone_nothing_is_asked_moved_or_mailed(order, buyer, sink):
    builders.delivery_zone()
    was = days_of(order)
    assert "It goes to the new address." in buyer(order).post(page(order), TYPED, follow=True).text
    assert (days_of(order), where(order)) == (was, TYPED)
    relay_and_deliver()
    assert "order_moved" not in {mail.topic for mail in sink.received}


def test_out_of_a_zone_it_comes_sooner_and_the_surcharge_stays_paid(post, buyer, sink):
    builders.delivery_zone()
    order = promised(
        post,
        zone_days=2,
        postcode="HS1 2AA",
        zone_name="Scottish islands",
        zone_surcharge="4.00",
        shipping_total="7.50",
        ordinary_shipping_total="7.50",
    )
    was, paid = days_of(order), paid_for(order)
    done = read(buyer(order).post(page(order), TYPED, follow=True))
    now = days_of(order)
    assert now[2] < was[2]
    assert now[3:] == ("", 0)
    assert "is with you by" in done
    assert "Surcharge for the first address £4.00" in done
    assert paid_for(order) == paid
    relay_and_deliver()
    assert "order_moved" not in {mail.topic for mail in sink.received}


def test_to_a_zone_that_is_not_delivered_to_it_is_refused_beside_the_postcode(order, buyer):
    builders.delivery_zone("HS", name="Outer Hebrides", is_refused=True)
    was, before = days_of(order), where(order)
    answer = buyer(order).post(page(order), ISLAND)
    assert list(answer.context["form"]["postcode"].errors) == [
        "We do not deliver to HS1 2AA (Outer Hebrides). Please give another address, or write to us."
    ]
    assert 'value="Stornoway"' in answer.text
    with pytest.raises(TransitionRefused, match="We do not deliver to HS1 2AA"):
        address_change.change_address(order.pk, ISLAND, actor="Sam")
    assert (days_of(order), where(order), changes()) == (was, before, [])


def test_the_same_postcode_keeps_what_was_agreed_whatever_staff_changed_since(post):
    order = promised(post, postcode="HS1 2AA")
    builders.delivery_zone("HS", name="Outer Hebrides", is_refused=True)
    was = days_of(order)
    assert address_change.change_address(order.pk, ISLAND | {"postcode": "hs12aa"}, actor="Sam")
    assert days_of(order) == was


def test_staff_are_told_the_new_day_and_that_a_mail_says_so(order, staff):
    builders.delivery_zone()
    asked = take(staff, "change_address", order, confirm="1", **ISLAND)
    looked_at = asked.context["form"]["looked_at"].value()
    done = said(take(staff, "change_address", order, confirm="1", looked_at=looked_at, **ISLAND))
    by_on = Order.objects.get(pk=order.pk).promised_by_on
    assert done == [
        f"The address is changed: {order.number}.",
        f"It arrives by {by_on:%a %d %b} there. Its buyer gets a mail that says so.",
    ]


def test_changed_back_before_the_mail_has_gone_nobody_is_told_of_a_day_that_no_longer_holds(order, sink):
    builders.delivery_zone()
    home = where(order)
    for address in (ISLAND, home):
        address_change.change_address(order.pk, address, actor="Sam")
    relay_and_deliver()
    assert "order_moved" not in {mail.topic for mail in sink.received}


def test_of_two_parcels_each_has_its_days_counted_anew(order):
    builders.delivery_zone()
    lines = OrderLine.objects.filter(order=order)
    lines.update(ships_on=order.ships_on, promised_from_on=order.promised_from_on, promised_by_on=order.promised_by_on)
    Order.objects.filter(pk=order.pk).update(ships_as_ready=True)
    address_change.change_address(order.pk, ISLAND, actor="Sam")
    order.refresh_from_db()
    assert {(line.promised_from_on, line.promised_by_on) for line in lines.all()} == {
        (order.promised_from_on, order.promised_by_on)
    }


def test_an_order_of_which_no_day_was_known_has_none_there_either(post):
    builders.delivery_zone()
    order = promised(post)
    Order.objects.filter(pk=order.pk).update(ships_on=None, promised_from_on=None, promised_by_on=None)
    change = address_change.change_address(order.pk, ISLAND, actor="Sam")
    assert (change.by_on, change.moved_day) == (None, None)
    assert days_of(order)[:3] == (None, None, None)
    assert days_of(order)[4] == 2


def test_the_lane_is_measured_from_the_new_zones_days_also_where_a_delay_had_moved_them(post):
    builders.delivery_zone()
    order = promised(post)
    first = order.promised_by_on
    address_change.change_address(order.pk, ISLAND, actor="Sam")
    moved = Order.objects.get(pk=order.pk).promised_by_on - first
    delayed = promised(post, first_promised_by_on=first)
    address_change.change_address(delayed.pk, ISLAND, actor="Sam")
    delayed.refresh_from_db()
    assert delayed.first_promised_by_on == first + moved
    Order.objects.update(source="web", status="confirmed")
    promised_days = read_deliveries().history.promised.tolist()
    assert promised_days == [(first + moved).toordinal()] * 2
