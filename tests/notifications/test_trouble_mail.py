"""Mail about trouble on the road: one switch for all of it, each kind once for a parcel, a vain try once a day."""

import pytest

from accounts.consent import consent, purposes
from notifications import delivery
from notifications.models import OutgoingEmail
from orders.fulfilment import transitions
from orders.models import OrderEvent
from tests.carriers.telling import scan, tell
from tests.carriers.test_scan_mail import owed, parcel_of

pytestmark = pytest.mark.django_db
TROUBLE = (
    ("failed_attempt", "order_delivery_failed", "tried to deliver a parcel of your order"),
    ("undeliverable", "order_undeliverable", "cannot deliver a parcel of your order"),
    ("returned", "order_returned", "is bringing a parcel of your order"),
)


@pytest.mark.parametrize(("meaning", "topic", "words"), TROUBLE)
def test_trouble_on_the_road_is_told_once_to_who_ticked_that_and_to_nobody_else(sink, meaning, topic, words):
    asked = parcel_of(purposes.MAIL_ORDER_TROUBLE)
    everything_else = tuple(key for key in purposes.NEWS_OF_ORDERS if key != purposes.MAIL_ORDER_TROUBLE)
    others = [parcel_of(), parcel_of(*everything_else)]
    for parcel in (asked, *others):
        for _ in range(2):
            tell(parcel, scan(meaning, parcel, hours=20))
    owed_to_others = {each for parcel in others for each in owed(parcel)}
    assert owed(asked) == [topic]
    assert owed_to_others.isdisjoint(key for _, key, _ in TROUBLE)
    delivery.deliver_due_mail()
    (mail,) = (each for each in sink.received if each.topic == topic)
    assert mail.to == asked.order.email
    assert words in " ".join(mail.text.split())
    assert asked.order.number in mail.message["Subject"]


def test_a_no_after_the_scan_keeps_the_mail_of_it_here(sink):
    parcel = parcel_of(purposes.MAIL_ORDER_TROUBLE)
    tell(parcel, scan("failed_attempt", parcel, hours=20))
    assert owed(parcel) == ["order_delivery_failed"]
    customer = parcel.order.customer
    assert customer is not None
    consent.set_consent(customer, purposes.MAIL_ORDER_TROUBLE, granted=False, source="test")
    delivery.deliver_due_mail()
    assert "order_delivery_failed" not in sink.topics
    assert OutgoingEmail.objects.get(topic="order_delivery_failed").state == "skipped"


def test_each_day_on_which_its_carrier_tries_in_vain_is_told_once():
    parcel = parcel_of(purposes.MAIL_ORDER_TROUBLE)
    tell(parcel, scan("failed_attempt", parcel, hours=20))
    for _ in range(2):
        tell(parcel, scan("failed_attempt", parcel, hours=44))
    tell(parcel, scan("failed_attempt", parcel, hours=19))  # of the first day, and late
    assert owed(parcel) == ["order_delivery_failed"] * 2
    tell(parcel, scan("out_for_delivery", parcel, hours=66), scan("failed_attempt", parcel, hours=68))
    assert owed(parcel) == ["order_delivery_failed"] * 3


def test_an_attempt_that_staff_told_of_is_not_told_again_by_its_scan():
    parcel = parcel_of(purposes.MAIL_ORDER_TROUBLE)
    transitions.mark_delivery_failed(parcel.pk, actor="Sam")
    tell(parcel, scan("failed_attempt", parcel, hours=20))
    assert parcel.events.filter(kind=OrderEvent.Kind.DELIVERY_FAILED).count() == 1
    assert owed(parcel) == ["order_delivery_failed"]
