"""Money that a buyer's bank disputes or takes back: what staff and the buyer read of it, everywhere."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from notifications import delivery
from orders import cancellation
from orders.fulfilment import queue, transitions
from orders.models import Order, Payment, Refund, StripeRecord
from orders.payments import checkout_sessions, reconciliation, recording
from orders.payments.refunds import RefundRefused
from shop.backoffice import dashboard
from tests import builders, cast
from tests.notifications import acts
from tests.notifications.conftest import sink
from tests.orders.test_misfit import flagged, mug
from tests.orders.test_money_back import bring_to, queues_of, ship, take
from tests.paying import check_out, check_stock, fill, pay

pytestmark = pytest.mark.django_db
__all__ = ["flagged", "mug", "sink"]
LIST = reverse("admin:orders_order_changelist")


@pytest.fixture
def order(client, standin) -> Order:
    fill(client, builders.variant(price="20.00"))
    return pay(client, standin, check_out(client))


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(cast.sam())
    return client


def dispute(standin, *ends: str, won: int = 0, **given) -> dict:
    """Opened, moved on and heard of after each step."""
    made = standin.dispute(standin.charges()[0]["id"], **given)
    recording.record_reference("dispute", made["id"])
    for status in ends:
        standin.change_dispute(made["id"], status, **({"won": won} if won else {}))
        recording.record_reference("dispute", made["id"])
    return made


def handled(staff: Client, order: Order) -> list[str]:
    """Every page on which staff handle the parcel, from the queue to the truck; held orders are released first."""
    order.refresh_from_db()
    if order.hold:
        transitions.release_order_from_hold(order.pk, actor="Sam")
    parcel = bring_to(order, "waiting")
    page = reverse("admin:orders_order_change", args=[order.pk])
    shown = [staff.get(f"{LIST}?queue=pick").text, take(staff, "pick_list", order), staff.get(page).text]
    transitions.mark_shipment_picked(parcel.pk, actor="Sam")
    shown += [staff.get(f"{LIST}?queue=pack").text, take(staff, "packing_slips", order)]
    transitions.mark_shipment_packed(parcel.pk, actor="Sam")
    shown += [staff.get(f"{LIST}?queue=ship").text, take(staff, "ship", order)]
    ship(parcel)
    return [*shown, staff.get(f"{LIST}?queue=road").text, staff.get(page).text]


STANDING = {
    "lost": (["lost"], {}, "Lost: £23.50 went back by the bank"),
    "lost in part": (["lost"], {"amount": 1000}, "Lost: £10.00 went back by the bank"),
    "open": ([], {}, "The bank disputes £23.50"),
    "under review": (["under_review"], {"amount": 1000}, "The bank disputes £10.00"),
    "an inquiry": ([], {"status": "warning_needs_response"}, "The bank asks about £23.50"),
    "no longer an inquiry": (
        ["needs_response"], {"status": "warning_needs_response"}, "The bank disputes £23.50"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("ends", "given", "words"), STANDING.values(), ids=STANDING)
def test_what_the_bank_does_holds_the_order_and_is_said_wherever_the_parcel_is_handled(
    order, standin, staff, ends, given, words
):
    dispute(standin, *ends, reason="product_not_received", **given)
    assert queues_of(order) == ["held"]
    assert words in staff.get(f"{LIST}?queue=held").text
    for shown in handled(staff, order):
        assert words in shown


GONE = {
    "won": (["won"], {}),
    "won after a review": (["under_review", "won"], {"amount": 1000}),
    "an inquiry closed": (["warning_closed"], {"status": "warning_needs_response"}),
}


@pytest.mark.parametrize(("ends", "given"), GONE.values(), ids=GONE)
def test_what_ends_well_takes_hold_and_marks_away(order, standin, staff, client, ends, given):
    dispute(standin, *ends, **given)
    assert queues_of(order) == ["approve"]
    assert "went back by the bank" not in staff.get(LIST).text
    for shown in handled(staff, order):
        assert "The bank disputes £" not in shown
        assert "The bank asks" not in shown
        assert "Lost:" not in shown
    page = client.get(f"/orders/{order.number}/").text
    assert "Comes to" not in page
    assert "your bank" not in page.lower()


def test_the_slip_on_paper_names_no_dispute(order, standin, staff):
    dispute(standin, "lost", amount=1000)
    transitions.release_order_from_hold(order.pk, actor="Sam")
    bring_to(order, "picked")
    page = take(staff, "packing_slips", order)
    assert "£10.00" not in page[page.index('class="module sheet slip"') :]


def test_in_bulk_the_dispute_stands_beside_its_own_order(order, standin, staff):
    other = builders.placed_order()
    dispute(standin, "lost", amount=1000)
    transitions.release_order_from_hold(order.pk, actor="Sam")
    bring_to(order, "packed"), bring_to(other, "packed")
    assert take(staff, "ship", order, other).count("Lost: £10.00") == 1


# -- What the customer reads -----------------------------------------------------------------------------------


def test_the_page_says_what_the_bank_gave_back_and_what_the_order_then_comes_to(order, standin, client):
    checkout_sessions.refund_order(order.pk, amount=Decimal("3.50"), actor="Sam")
    dispute(standin, "lost", amount=1000)
    page = client.get(f"/orders/{order.number}/").text
    assert "Given back</dt><dd>−£3.50" in page
    assert "Given back by your bank</dt><dd>−£10.00" in page
    assert 'Comes to</dt><dd class="total">£10.00' in page
    assert "£10.00 given back by your bank" in page  # the story
    assert "Your bank gave you £10.00 of your money back. This order waits" in page
    assert "nothing more is sent" not in page


def test_a_whole_order_taken_back_comes_to_nothing(order, standin, client):
    dispute(standin, "lost")
    page = client.get(f"/orders/{order.number}/").text
    assert "Your bank gave you the money back for this order, £23.50." in page
    assert 'Comes to</dt><dd class="total">£0.00' in page


def test_the_sum_that_we_gave_back_stays_on_the_page_while_the_bank_disputes_the_rest(order, standin, client):
    checkout_sessions.refund_order(order.pk, amount=Decimal("3.50"), actor="Sam")
    dispute(standin, amount=2000)
    page = client.get(f"/orders/{order.number}/").text
    assert "Given back</dt><dd>−£3.50" in page
    assert "by your bank" not in page


def test_what_stripe_calls_lost_and_was_won_in_part_counts_for_what_went_back(order, standin, client):
    checkout_sessions.refund_order(order.pk, amount=Decimal("3.50"), actor="Sam")
    dispute(standin, "lost", won=350)  # over all of it: the bank gives the part that was refunded back to us
    order.refresh_from_db()
    assert StripeRecord.objects.get(kind="dispute").amount == Decimal("20.00")
    assert order.payment_status == "charged_back"
    page = client.get(f"/orders/{order.number}/").text
    assert "All your money went back to you, £20.00 of it by your bank." in page
    assert 'Comes to</dt><dd class="total">£0.00' in page


# -- Money that is left ----------------------------------------------------------------------------------------


def test_after_a_part_was_lost_nothing_is_promised_that_stripe_refuses(order, standin, client, sink, staff):
    dispute(standin, "lost", amount=1000)
    transitions.release_order_from_hold(order.pk, actor="Sam")
    order.refresh_from_db()
    with pytest.raises(RefundRefused, match="Give the rest back another way"):
        checkout_sessions.refund_order(order.pk, amount=None, actor="Sam")
    assert "Cancel this order" not in client.get(f"/orders/{order.number}/").text
    client.post(f"/orders/{order.number}/cancellation/")
    order.refresh_from_db()
    assert (order.status, Refund.objects.count()) == ("confirmed", 0)
    chosen = {"action": "cancel", "_selected_action": order.pk, "confirm": "yes", "reason": ""}
    said = staff.post(f"{LIST}?queue=any", chosen, follow=True).text
    assert "Give the rest back another way" in said
    order.refresh_from_db()
    assert (order.status, Refund.objects.count(), standin.requests(method="POST", path="/v1/refunds")) == (
        "cancelled", 0, [],
    )  # fmt: skip
    assert queues_of(order) == ["look"]
    for part in cancelled_mail(sink):
        assert "Your bank gave you £10.00 of your money back." in part
        assert "About the rest of your money, please write to us." in part
        assert "goes back" not in part
    check_stock()


@pytest.mark.parametrize(
    ("ends", "refunded", "words"),
    [
        (["lost"], None, "Your bank gave you the money back already."),
        (["lost"], "3.50", "Your bank gave you £20.00 of your money back. All your money was given back already."),
        ([], None, "it is the bank that decides about the money"),
    ],
    ids=["lost", "lost but what we gave back", "open"],
)
def test_a_cancellations_mail_says_what_the_bank_did(order, standin, sink, ends, refunded, words):
    if refunded:
        checkout_sessions.refund_order(order.pk, amount=Decimal(refunded), actor="Sam")
    dispute(standin, *ends, amount=2000 if refunded else 2350)
    cancellation.cancel_order(order.pk, actor="Sam")
    for part in cancelled_mail(sink):
        assert words in part
        assert "goes back" not in part


def cancelled_mail(sink) -> tuple[str, str]:
    acts.relay_and_deliver()
    delivery.deliver_due_mail()
    [mail] = [each for each in sink.received if each.topic == "order_cancelled"]
    return mail.text, mail.html


def test_a_payment_made_twice_that_the_bank_takes_back_is_not_the_orders(order, standin, client):
    twice = builders.payment(order, status=Payment.Status.FLAGGED)
    assert queue.filter_by_queue(Order.objects.all(), "look").exists()
    StripeRecord.objects.create(
        kind="dispute", reference="dp_twice", payment=twice, amount=twice.amount, currency="GBP", status="lost",
        is_refundable=False, created_at=order.placed_at, seen_at=order.placed_at,
    )  # fmt: skip
    checkout_sessions.refund_order(order.pk, amount=Decimal("1.00"), actor="Sam")
    order.refresh_from_db()
    assert order.payment_status == "partially_refunded"
    assert not queue.filter_by_queue(Order.objects.all(), "look").exists()
    page = client.get(f"/orders/{order.number}/").text
    assert "Given back by your bank" not in page
    assert 'Comes to</dt><dd class="total">£22.50' in page


def test_an_order_whose_only_money_did_not_fit_and_was_taken_back_ends(standin, flagged):
    reconciliation.reconcile_with_stripe()
    assert Order.objects.get().status == "pending"
    dispute(standin, "lost")
    assert not queue.filter_by_queue(Order.objects.all(), "look").exists()
    reconciliation.reconcile_with_stripe()
    assert Order.objects.get().status == "cancelled"


def test_what_the_bank_took_is_not_counted_as_come_in_today(order, standin):
    assert "£23.50" in dashboard.get_today_summary().takings
    dispute(standin, "lost", amount=1000)
    assert "£13.50" in dashboard.get_today_summary().takings


def test_the_list_with_disputes_costs_no_query_more(staff, django_assert_num_queries):
    orders = [builders.placed_order() for _ in range(3)]
    staff.get(LIST)
    with CaptureQueriesContext(connection) as without:
        staff.get(LIST)
    for number, made in enumerate(orders):
        StripeRecord.objects.create(
            kind="dispute", reference=f"dp_{number}", payment=made.payments.get(), amount=1, currency="GBP",
            status="lost", created_at=made.placed_at, seen_at=made.placed_at,
        )  # fmt: skip
    with django_assert_num_queries(len(without)):
        assert staff.get(LIST).text.count("Lost: £1.00 went back by the bank</span>") == 3
