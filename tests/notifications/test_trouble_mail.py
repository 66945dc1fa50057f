"""Mail about trouble on the road: one switch for all of it, each kind once for a parcel."""

import pytest

from accounts.consent import consent, purposes
from notifications import delivery
from notifications.models import OutgoingEmail
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
        for hours in (20, 44):
            tell(parcel, scan(meaning, parcel, hours=hours))
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
