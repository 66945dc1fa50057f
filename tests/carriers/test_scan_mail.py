"""Mail about what carriers scan: to whoever ticked it, once, and never about what is over."""

import pytest

from accounts.consent import purposes
from notifications import relay
from notifications.models import OutgoingEmail
from orders.models import Order, Shipment
from tests import builders
from tests.carriers.telling import scan, sent_parcel, tell

pytestmark = pytest.mark.django_db
TICKED = (purposes.MAIL_ORDER_OUT_FOR_DELIVERY, purposes.MAIL_ORDER_DELIVERED)


def parcel_of(*ticks: str) -> Shipment:
    parcel, buyer = sent_parcel(), builders.customer(ticks=ticks)
    Order.objects.filter(pk=parcel.order_id).update(customer=buyer, email=buyer.email)
    return Shipment.objects.get(pk=parcel.pk)


def owed(parcel: Shipment) -> list[str]:
    relay.relay_all_events()
    queued = OutgoingEmail.objects.filter(order=parcel.order_id, state="queued", topic__startswith="order_")
    return list(queued.order_by("created_at").values_list("topic", flat=True))


def test_it_comes_once_to_who_ticked_it_and_to_nobody_else():
    asked, other = parcel_of(*TICKED), parcel_of()
    for parcel in (asked, other):
        for hours in (20, 44):  # a day later again
            tell(parcel, scan("out_for_delivery", parcel, hours=hours), scan("failed_attempt", parcel, hours=hours + 1))
        tell(parcel, scan("out_for_delivery", parcel, hours=60))
        tell(parcel, scan("delivered", parcel, hours=70))
    assert owed(asked) == ["order_out_for_delivery", "order_delivered"]
    assert owed(other) == []


def test_of_what_is_over_by_the_time_we_hear_of_it_nobody_is_told():
    parcel = parcel_of(*TICKED)
    tell(parcel, scan("delivered", parcel, hours=70))
    tell(parcel, scan("out_for_delivery", parcel, hours=60))
    assert owed(parcel) == ["order_delivered"]
