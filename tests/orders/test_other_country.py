"""Staff send an order to another country where none of its sums would be another; else a sentence says why not."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from orders.addresses import address_change
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, OrderEvent, ShippingMethod, TaxRate
from orders.papers import issuing
from tests import builders
from tests.backoffice.conftest import staff
from tests.backoffice.steps import said, take
from tests.orders.test_address_change import TYPED, changes, where
from tests.orders.test_address_days import days_of, paid_for, promised
from tests.page import read_words

__all__ = ["staff"]

pytestmark = pytest.mark.django_db

MAN = TYPED | {"city": "Douglas", "postcode": "IM1 1AA", "country": "IM"}
FRANCE = TYPED | {"city": "Lille", "postcode": "59000", "country": "FR"}


@pytest.fixture
def order() -> Order:
    """To Leeds, with a fifth of tax in its prices, by a way that goes everywhere."""
    for country in ("GB", "IM", "FR"):
        builders.tax_rate(country)
    made = promised(builders.shipping_method("Post", days_min=2, days_max=3))
    made.lines.update(tax_rate=Decimal("0.2"))
    return made


def kept(order: Order) -> tuple[object, ...]:
    return where(order), changes(), days_of(order), paid_for(order)


def test_staff_send_it_to_a_country_where_no_sum_moves(order, staff):
    sums, days = paid_for(order), days_of(order)
    assert "Another country can be chosen" in " ".join(read_words(take(staff, "change_address", order).text).split())
    assert said(take(staff, "change_address", order, confirm="1", **MAN)) == [
        f"The address is changed: {order.number}."
    ]
    assert (where(order), changes(), paid_for(order), days_of(order)) == (MAN, ["Sam"], sums, days)


def tax_differs(order: Order) -> None:
    TaxRate.objects.filter(country="IM").update(rate=Decimal("0.1"))


def goods_are_gone(order: Order) -> None:
    order.lines.update(product=None)


def way_ends(order: Order) -> None:
    ShippingMethod.objects.update(countries=["GB"])


def zone_costs_more(order: Order) -> None:
    builders.delivery_zone("IM1", country="IM")


def nothing_goes_there(order: Order) -> None:
    builders.delivery_zone("IM1", country="IM", is_refused=True)


def cheaper_here(order: Order) -> None:
    builders.shipping_method("Second class", price="1.00", countries=["GB"])


def has_invoice(order: Order) -> None:
    issuing.issue_for_order(order.pk)


def some_has_left(order: Order) -> None:
    builders.sent_parcel(order)
    order.shipments.create(store=builders.store())


def nothing_else(order: Order) -> None:
    """The country alone is in the way."""


@pytest.mark.parametrize(
    ("prepare", "typed", "why"),
    [
        (tax_differs, MAN, "The tax in its prices is another in Isle of Man"),
        (goods_are_gone, MAN, "The tax in its prices is another in Isle of Man"),
        (way_ends, MAN, "does not go to that address in Isle of Man"),
        (nothing_goes_there, MAN, "does not go to that address in Isle of Man"),
        (zone_costs_more, MAN, "Delivery to that address in Isle of Man costs another sum"),
        (cheaper_here, MAN, "Delivery to that address in Isle of Man costs another sum"),
        (has_invoice, MAN, "It has an invoice for United Kingdom"),
        (some_has_left, MAN, "Some of it has left for United Kingdom"),
        (nothing_else, FRANCE, "Customs may ask its buyer for other sums in France than in United Kingdom"),
    ],
)
def test_where_a_sum_would_be_another_a_sentence_says_so(
    order, staff, prepare: Callable[[Order], None], typed: dict[str, str], why: str
):
    prepare(order)
    before = kept(order)
    page = " ".join(read_words(take(staff, "change_address", order, confirm="1", **typed).text).split())
    assert why in page
    with pytest.raises(TransitionRefused, match=why):
        address_change.change_address(order.pk, typed, actor="Sam", may_leave_country=True)
    assert kept(order) == before


def test_buyers_are_still_told_to_write(order):
    before = kept(order)
    with pytest.raises(TransitionRefused, match="In another country"):
        address_change.change_address(order.pk, MAN, actor="the customer")
    assert kept(order) == before


def test_where_that_country_takes_longer_it_is_asked_first_and_the_days_are_counted_anew(order, staff):
    builders.delivery_zone("", country="IM", name="Isle of Man", surcharge=Decimal(0))
    sums, was = paid_for(order), order.promised_by_on
    asked = take(staff, "change_address", order, confirm="1", **MAN)
    assert "There it arrives" in asked.text
    assert changes() == []
    looked_at = asked.context["form"]["looked_at"].value()
    take(staff, "change_address", order, confirm="1", looked_at=looked_at, **MAN)
    now = Order.objects.get(pk=order.pk)
    assert now.promised_by_on > was
    assert (now.zone_name, now.zone_days, paid_for(order)) == ("Isle of Man", 2, sums)
    event = OrderEvent.objects.get(kind=OrderEvent.Kind.ADDRESS_CHANGED)
    assert event.data == {"was": str(was), "by": str(now.promised_by_on)}
