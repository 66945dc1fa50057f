"""From an event to the wire: exactly the ticked mails, each once, each skip with its reason."""

import pytest

from accounts.consent import consent, purposes
from notifications import delivery, relay
from notifications.models import OutgoingEmail, OutgoingItem, SkipReason
from notifications.topics.order_stages import ORDER_STAGES
from orders.models import OrderEvent
from recommendations import picks
from shop.catalog import listing
from tests import builders, cast
from tests.notifications import acts
from tests.notifications.acts import Kind

pytestmark = pytest.mark.django_db

STAGES = [(topic.event, topic.key, topic.purpose) for topic in ORDER_STAGES]


def test_a_receipt_always_comes(sink):
    order = builders.paid_order(customer=cast.bob())
    acts.happened(order, Kind.PLACED)
    assert acts.relay_and_deliver() == 1
    [mail] = sink.received
    assert (mail.to, mail.topic) == ("bob@example.com", "receipt")
    assert order.number in mail.text
    assert order.number in mail.html


@pytest.mark.parametrize(("kind", "topic", "purpose"), STAGES)
def test_each_stage_is_told_to_the_guest_who_ticked_just_that(sink, kind, topic, purpose):
    order = builders.paid_order()
    acts.tick(order, purpose)
    for each, _, _ in STAGES:
        acts.happened(order, each, shipment=acts.parcel(order) if each in acts.OF_A_PARCEL else None)
    acts.relay_and_deliver()
    ticked = [key for _, key, each in STAGES if each == purpose]  # trouble on the road has one switch for all of it
    assert topic in ticked
    assert sorted(sink.topics) == sorted(ticked)
    skipped = OutgoingEmail.objects.filter(state="skipped").values_list("skip_reason", flat=True)
    assert list(skipped) == [SkipReason.NOT_OPTED_IN] * (len(STAGES) - len(ticked))


def test_opted_in_customer_gets_every_stage_in_order_and_opted_out_customer_none(sink):
    for customer in (cast.alice(), cast.bob()):
        order = builders.paid_order(customer=customer)
        shipment = acts.parcel(order)
        for kind, _, _ in STAGES:
            acts.happened(order, kind, shipment=shipment if kind in acts.OF_A_PARCEL else None)
    acts.relay_and_deliver()
    assert [mail.topic for mail in sink.to("alice@example.com")] == [topic for _, topic, _ in STAGES]
    assert sink.to("bob@example.com") == []
    assert OutgoingEmail.objects.filter(to_address="bob@example.com", state="skipped").count() == len(STAGES)


def test_relaying_and_delivering_again_sends_nothing_again(sink):
    order = builders.paid_order(customer=cast.alice())
    acts.happened(order, Kind.PLACED)
    acts.relay_and_deliver()
    assert acts.relay_and_deliver() == 0
    OrderEvent.objects.update(relayed_at=None)
    assert acts.relay_and_deliver() == 0
    assert sink.topics == ["receipt"]


def test_the_message_id_comes_from_the_outbox_row(sink):
    email = acts.queued(builders.paid_order(customer=cast.bob()), Kind.PLACED)
    delivery.deliver_due_mail()
    assert sink.received[0].message_id == f"<{email.pk}@localhost>"


def test_events_nobody_writes_about_are_only_marked(sink):
    order = builders.paid_order(customer=cast.alice())
    acts.happened(order, Kind.PICKING, shipment=acts.parcel(order))
    assert relay.relay_all_events() == 1
    assert not OutgoingEmail.objects.exists()
    assert not OrderEvent.objects.filter(relayed_at=None).exists()


def test_news_of_a_cancelled_order_is_no_news(sink):
    order = builders.paid_order(customer=cast.alice())
    email = acts.queued(order, Kind.APPROVED)
    order.status = "cancelled"
    order.save()
    assert delivery.deliver_due_mail() == 0
    email.refresh_from_db()
    assert (email.state, email.skip_reason) == ("skipped", SkipReason.ORDER_CHANGED)
    assert sink.begun == []


def test_an_order_without_an_address_is_skipped_with_that_reason(sink):
    email = acts.queued(builders.paid_order(email=""), Kind.PLACED)
    assert (email.state, email.skip_reason) == ("skipped", SkipReason.NO_ADDRESS)
    assert delivery.deliver_due_mail() == 0
    assert sink.begun == []


def test_a_later_tick_off_by_the_account_outranks_the_guests_tick(sink):
    order = builders.paid_order()
    acts.tick(order, purposes.MAIL_ORDER_APPROVED)
    order.customer = cast.bob()
    order.save()
    consent.set_consent(order.customer, purposes.MAIL_ORDER_APPROVED, granted=True, source="test")
    consent.set_consent(order.customer, purposes.MAIL_ORDER_APPROVED, granted=False, source="test")
    email = acts.queued(order, Kind.APPROVED)
    assert (email.state, email.skip_reason) == ("skipped", SkipReason.WITHDRAWN)
    assert delivery.deliver_due_mail() == 0
    assert sink.begun == []


def test_each_item_names_what_it_stands_on(sink):
    alice = cast.alice()
    acts.queued(builders.paid_order(customer=alice), Kind.APPROVED)
    guest_order = builders.paid_order()
    tick = acts.tick(guest_order, purposes.MAIL_ORDER_APPROVED)
    acts.queued(guest_order, Kind.APPROVED)
    acts.queued(builders.paid_order(email="c@example.com"), Kind.PLACED)
    of_alice, of_guest, essential = OutgoingItem.objects.filter(block="body").order_by("email__created_at")
    assert of_alice.consent_record == alice.consents.get(purpose=purposes.MAIL_ORDER_APPROVED).record
    assert of_guest.order_tick == tick
    assert essential.is_essential
    assert (essential.consent_record, essential.order_tick) == (None, None)


def test_the_receipts_offer_is_picked_for_those_who_ticked_it_and_stands_on_that(sink):
    socks, soap = builders.variant(), builders.variant()
    socks.product.goes_with.add(soap.product)
    listing.refresh_listings(None)
    alice, bob = cast.alice(), cast.bob()
    for customer in (alice, bob):
        acts.happened(builders.paid_order(socks, customer=customer), Kind.PLACED)
    guest_order = builders.paid_order(socks)
    tick = acts.tick(guest_order, purposes.RECEIPT_OFFER)
    acts.happened(guest_order, Kind.PLACED)
    assert acts.relay_and_deliver() == 3
    offered = {mail.to: soap.product.title in mail.text for mail in sink.received}
    assert offered == {"alice@example.com": True, "bob@example.com": False, "guest@example.com": True}
    items = {item.email.to_address: item for item in OutgoingItem.objects.filter(block="offer")}
    assert items["alice@example.com"].consent_record == alice.consents.get(purpose=purposes.RECEIPT_OFFER).record
    assert items["guest@example.com"].order_tick == tick
    assert items["bob@example.com"].drop_reason == SkipReason.NOT_OPTED_IN
    assert items["bob@example.com"].product is None


def test_a_receipt_comes_even_when_nothing_can_be_picked(sink, monkeypatch):
    def broken(order):
        raise ValueError("no epoch")

    monkeypatch.setattr(picks, "pick_receipt_offer", broken)
    acts.happened(builders.paid_order(customer=cast.alice()), Kind.PLACED)
    assert acts.relay_and_deliver() == 1
    assert sink.topics == ["receipt"]
