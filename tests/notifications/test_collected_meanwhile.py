"""That an order lies ready is told to nobody who has fetched it meanwhile: alone, in a digest, or as a reminder."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.consent import purposes
from accounts.preferences import cadence
from accounts.preferences.cadence import Cadence
from notifications import delivery, relay
from notifications.models import OutgoingEmail, OutgoingItem, SkipReason
from orders.fulfilment import transitions
from orders.fulfilment.uncollected import remind_uncollected
from orders.models import Order, Shipment
from tests import builders
from tests.orders.test_collecting import collected_order

pytestmark = pytest.mark.django_db

READY, PACKED = purposes.MAIL_ORDER_READY, purposes.MAIL_ORDER_PACKED


def lying_ready(*, pace: Cadence | None = Cadence.DAILY) -> Order:
    """Its reader wants news of packing and of what is ready, and no mail has gone yet."""
    reader = builders.customer(ticks=(PACKED, READY))
    for purpose in (PACKED, READY) if pace else ():
        cadence.set_cadence(reader, purpose, pace)
    order = collected_order(Shipment.Stage.PACKED)
    Order.objects.filter(pk=order.pk).update(customer=reader, email=reader.email)
    order.events.update(relayed_at=None)
    transitions.mark_shipment_ready(order.shipments.get().pk, actor="Sam")
    relay.relay_all_events()
    order.refresh_from_db()
    return order


def fetch(order: Order) -> None:
    transitions.hand_over_shipment(order.shipments.get().pk, actor="Sam", code=order.pickup_code)
    relay.relay_all_events()


def send_digest(sink) -> str:
    OutgoingEmail.objects.filter(topic="digest", state="queued").update(due_at=timezone.now())
    delivery.deliver_due_mail()
    return "".join(mail.text + mail.html for mail in sink.received if mail.topic == "digest")


def test_a_digest_says_what_still_lies_ready(sink):
    lying_ready()
    assert "Ready to collect." in send_digest(sink)


def test_a_digest_says_nothing_of_what_was_fetched_meanwhile_and_tells_the_rest(sink):
    order = lying_ready()
    fetch(order)
    told = send_digest(sink)
    assert "Ready to collect." not in told
    assert "Packed" in told
    fallen = OutgoingItem.objects.get(email__topic="digest", purpose=READY)
    assert (fallen.is_dropped, fallen.drop_reason) == (True, SkipReason.ORDER_CHANGED)


def test_nor_does_a_reminder_that_waits_for_its_digest(sink):
    order = lying_ready()
    Shipment.objects.update(ready_at=timezone.now() - timedelta(days=30))
    assert remind_uncollected() == 1
    relay.relay_all_events()
    fetch(order)
    assert "lies ready" not in send_digest(sink)
    dropped = OutgoingItem.objects.filter(email__topic="digest", purpose=READY)
    assert [each.drop_reason for each in dropped] == [SkipReason.ORDER_CHANGED] * 2


def test_a_digest_in_which_nothing_else_stood_does_not_go(sink):
    order = lying_ready()
    OutgoingItem.objects.filter(purpose=PACKED).delete()
    fetch(order)
    assert send_digest(sink) == ""
    assert OutgoingEmail.objects.get(topic="digest").skip_reason == SkipReason.ORDER_CHANGED


def test_mail_of_its_own_that_waits_does_not_go_either(sink):
    order = lying_ready(pace=None)
    fetch(order)
    delivery.deliver_due_mail()
    assert "order_ready" not in [mail.topic for mail in sink.received]
    assert OutgoingEmail.objects.get(topic="order_ready").skip_reason == SkipReason.ORDER_CHANGED


def test_what_another_of_their_orders_fetched_takes_nothing_away(sink):
    order, other = lying_ready(), collected_order(Shipment.Stage.READY)
    Order.objects.filter(pk=other.pk).update(customer=order.customer, email=order.email)
    fetch(other)
    assert "Ready to collect." in send_digest(sink)
