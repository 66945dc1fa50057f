"""Open disputes with their day, and what Stripe takes as evidence, gathered to be copied."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessLogEntry
from notifications.models import OutgoingEmail
from orders.models import InfoPage, Order, OrderEvent, StripeRecord, TrackingEvent
from tests import builders
from tests.backoffice.test_access import signed_in, staff_member

pytestmark = pytest.mark.django_db
QUEUE = f"{reverse('admin:orders_striperecord_changelist')}?matter=disputes"


@pytest.fixture
def staff() -> Client:
    return signed_in(staff_member(role="Staff: orders"))


def sent_order() -> Order:
    goods = builders.variant(builders.product("Tin mug"), price="20.00")
    order = builders.sent_order(goods, delivered_at=timezone.now(), email="pat@example.com", return_window_days=30)
    parcel = order.shipments.get()
    parcel.carrier, parcel.tracking_number = "royal_mail", "AB123456785GB"
    parcel.save()
    TrackingEvent.objects.create(
        shipment=parcel, meaning="out_for_delivery", words="With the driver", place="Leeds", key="1", sender="own",
        happened_at=timezone.now(),
    )  # fmt: skip
    return order


def dispute(order: Order, *, days: float = 5, **fields) -> StripeRecord:
    now = timezone.now()
    return StripeRecord.objects.create(
        kind="dispute", reference=fields.pop("reference", f"dp_{order.pk}"), payment=order.payments.get(), amount=20,
        currency="GBP", status=fields.pop("status", "needs_response"), reason="product_not_received", created_at=now,
        seen_at=now, due_at=now + timedelta(days=days), **fields,
    )  # fmt: skip


def test_open_disputes_stand_by_the_day_on_which_they_must_be_answered(staff):
    orders = [builders.placed_order() for _ in range(3)]
    later, sooner = dispute(orders[0], days=9), dispute(orders[1], days=1)
    over = dispute(orders[2], status="won")
    page = staff.get(QUEUE).text
    assert page.index(sooner.reference) < page.index(later.reference)
    assert over.reference not in page
    assert "answer by" in page
    assert reverse("admin:dispute_evidence", args=[later.pk]) in page


def test_the_page_gathers_what_stripe_takes(staff):
    order = sent_order()
    InfoPage.objects.create(
        title="Sending back", slug="sending-back", body="Within thirty days.", facts="returns", is_published=True
    )
    OutgoingEmail.objects.create(
        key="k", topic="order_dispatched", kind="service", to_address=order.email, order=order, state="sent",
        subject="It has left", sent_at=timezone.now(),
    )  # fmt: skip
    record = dispute(order)
    page = staff.get(reverse("admin:dispute_evidence", args=[record.pk])).text
    text = staff.get(reverse("admin:dispute_evidence_file", args=[record.pk]))
    day = f"{timezone.localdate():%-d %B %Y}"
    for expected in (
        *("1 × Tin mug", "£20.00 each", "pat@example.com", "Pat Reader", "1 High Street", order.number),
        *("Royal Mail, AB123456785GB", f"delivered {day}", "With the driver, Leeds"),
        *("Agreed with this order: goods may be sent back within 30 days.", "/pages/sending-back/"),
        *("Within thirty days.", "we wrote: It has left", "Placed and paid", "shipping_tracking_number"),
    ):
        assert expected in page, expected
        assert expected in text.content.decode(), expected
    assert "Nothing is sent from here" in page
    assert text["Content-Type"].startswith("text/plain")
    assert f'filename="evidence-{order.number}.txt"' in text["Content-Disposition"]
    assert set(AccessLogEntry.objects.values_list("kind", flat=True)) >= {"look", "export"}


@pytest.mark.parametrize(("days", "is_said"), [(1, True), (-1, False)])
def test_a_policy_written_anew_after_the_order_is_said_to_be_newer_than_it(staff, days, is_said):
    record = dispute(sent_order())
    InfoPage.objects.filter(facts=InfoPage.Facts.RETURNS).delete()
    policy = InfoPage.objects.create(
        title="Sending back", slug="back", body="As it is.", facts=InfoPage.Facts.RETURNS, is_published=True
    )
    placed_at = record.payment.order.placed_at
    InfoPage.objects.filter(pk=policy.pk).update(updated_at=placed_at + timedelta(days=days))
    page = staff.get(reverse("admin:dispute_evidence", args=[record.pk])).text
    assert "As it is." in page
    assert ("do not send it as what the buyer saw" in page) is is_said


def test_what_there_is_nothing_for_is_left_out(staff):
    record = dispute(builders.placed_order())
    page = staff.get(reverse("admin:dispute_evidence", args=[record.pk])).text
    assert "How it was sent" not in page
    assert "What was given back" not in page
    assert "What was bought" in page


@pytest.mark.parametrize("name", ["dispute_evidence", "dispute_evidence_file"])
def test_it_is_for_whoever_works_on_orders_and_of_disputes_of_ours_alone(client, staff, name):
    record = dispute(sent_order())
    path = reverse(f"admin:{name}", args=[record.pk])
    catalogue = signed_in(staff_member("ann@example.com", role="Staff: catalogue"))
    assert client.get(path).status_code == 302
    assert catalogue.get(path).status_code == 403
    assert staff.post(path).status_code == 405
    assert staff.get(f"{path}?q=1").status_code == 400
    StripeRecord.objects.update(payment=None)
    assert staff.get(path).status_code == 404
    StripeRecord.objects.update(kind="charge")
    assert staff.get(path).status_code == 404
    assert not AccessLogEntry.objects.filter(detail__contains="Evidence").exists()
    assert not OrderEvent.objects.filter(kind=OrderEvent.Kind.DISPUTED).exists()
