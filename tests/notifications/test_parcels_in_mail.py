"""What a mail says of a parcel: as it is when the mail is written, not when it was queued."""

import pytest
from django.utils import timezone

from accounts.consent import purposes
from accounts.preferences import cadence
from accounts.preferences.cadence import Cadence
from notifications import delivery, relay
from notifications.models import OutgoingEmail
from orders.fulfilment import transitions
from orders.models import Order, Shipment
from tests import builders
from tests.notifications import acts
from tests.notifications.acts import Kind

pytestmark = pytest.mark.django_db

OLD, NEW = "RB123456785GB", "15501234567890"


def order_on_the_road(**parcel) -> Order:
    order = builders.paid_order()
    acts.tick(order, purposes.MAIL_ORDER_DISPATCHED)
    acts.happened(order, Kind.DISPATCHED, shipment=acts.parcel(order, stage=Shipment.Stage.DISPATCHED, **parcel))
    return order


def correct(order: Order, *, carrier: str = "dpd", number: str = NEW) -> None:
    transitions.correct_shipment_tracking(
        order.shipments.get().pk, actor="Sam", carrier=carrier, tracking_number=number
    )


def test_a_mail_queued_before_a_correction_says_the_new_number(sink):
    order = order_on_the_road(tracking_number=OLD)
    relay.relay_all_events()
    correct(order)
    acts.relay_and_deliver()
    [mail] = sink.received
    for words in (mail.text, mail.html):
        assert NEW in words
        assert "with DPD" in words
        assert OLD not in words


@pytest.mark.parametrize("is_corrected", [False, True])
def test_a_parcel_without_a_number_is_said_to_be_one(sink, is_corrected):
    order = order_on_the_road(**({"tracking_number": OLD} if is_corrected else {"is_untracked": True}))
    relay.relay_all_events()
    if is_corrected:
        correct(order, carrier="royal_mail", number="")
    delivery.deliver_due_mail()
    [mail] = sink.received
    for words in (mail.text, mail.html):
        assert "has left with Royal Mail" in words
        assert "without a tracking number" in words
        assert "Tracking number" not in words
        assert OLD not in words


def test_of_a_parcel_that_only_came_with_an_import_nothing_is_claimed(sink):
    order_on_the_road()
    acts.relay_and_deliver()
    assert "racking number" not in sink.received[0].text


def test_a_correction_sends_nothing(sink):
    order = order_on_the_road(tracking_number=OLD)
    acts.relay_and_deliver()
    correct(order)
    acts.relay_and_deliver()
    assert len(sink.received) == 1
    assert OutgoingEmail.objects.count() == 1


@pytest.mark.parametrize(
    ("number", "words"), [(NEW, f"DPD, tracking number {NEW}."), ("", "DPD, sent without a tracking number.")]
)
def test_a_digest_gathered_before_a_correction_says_what_is_so_now(sink, number, words):
    customer = builders.customer(ticks=(purposes.MAIL_ORDER_DISPATCHED,))
    cadence.set_cadence(customer, purposes.MAIL_ORDER_DISPATCHED, Cadence.DAILY)
    order = builders.paid_order(customer=customer)
    acts.happened(
        order, Kind.DISPATCHED, shipment=acts.parcel(order, tracking_number=OLD, stage=Shipment.Stage.DISPATCHED)
    )
    relay.relay_all_events()
    delivery.deliver_due_mail()
    correct(order, number=number)
    OutgoingEmail.objects.filter(topic="digest").update(due_at=timezone.now())
    delivery.deliver_due_mail()
    [mail] = sink.received
    assert words in " ".join(mail.text.split())
    assert OLD not in mail.text


def test_a_mail_says_of_how_many_boxes_its_parcel_is(sink):
    order_on_the_road(tracking_number=OLD, box_count=2)
    acts.relay_and_deliver()
    [mail] = sink.received
    for words in (mail.text, mail.html):
        assert "In the 2 boxes: 1 × " in " ".join(words.split())
