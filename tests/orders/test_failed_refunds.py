"""Money that did not reach its buyer: sent again with the same parts, or given back by hand; what everybody reads."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from notifications.models import OutgoingEmail
from orders.fulfilment import queue
from orders.models import Invoice, Order, OrderEvent, Refund, StripeRecord
from orders.papers import issuing
from orders.payments import failed_refunds, line_refunds, recording, refunds
from orders.payments.failed_refunds import give_back_by_hand, send_refunds_again
from orders.payments.line_refunds import RefundParts
from orders.payments.refunds import RefundRefused
from orders.returns import steps
from orders.timeline import build_timelines
from tests import builders
from tests.notifications.acts import relay_and_deliver
from tests.notifications.conftest import sink
from tests.orders.hearing import charge, hear, order
from tests.returns.selling import came, returned, take_back

__all__ = ["charge", "hear", "order", "sink"]

pytestmark = pytest.mark.django_db
Kind = OrderEvent.Kind


@pytest.fixture
def _no_stripe(monkeypatch):
    for module in (refunds, failed_refunds, line_refunds):
        monkeypatch.setattr(module, "try_send_refund", lambda refund_id: None)


def fail(refund: Refund) -> Refund:
    Refund.objects.filter(pk=refund.pk).update(status=Refund.Status.FAILED, settled_at=timezone.now())
    return refund


def needs_a_look() -> bool:
    return queue.filter_by_queue(Order.objects.all(), "look").exists()


def read_steps(order: Order) -> dict[str, str]:
    return {step.title: step.text for step in build_timelines(Order.objects.get(pk=order.pk))[0].steps}


def test_what_the_bank_returned_is_sent_again_for_the_same_and_everybody_reads_so(order, standin, charge, hear):
    first, *_ = order.lines.all()
    parts = RefundParts({first.pk: 1}, Decimal(1), Decimal("0.50"))
    due = line_refunds.compute_refund_sum(order, parts).total
    failed = line_refunds.refund_parts(order.pk, parts, actor="Sam", seen_left=order.total, seen_sum=due)
    issuing.issue_for_order(order.pk)
    standin.settle_refund(failed.provider_reference, "failed")
    hear()
    assert needs_a_look()
    assert "We will find another way." in read_steps(order)[f"£{due} could not be paid back"]
    [again] = send_refunds_again(order.pk, actor="Kit")
    assert (again.status, again.amount, again.again_of, again.actor) == ("succeeded", due, failed, "Kit")
    assert again.idempotency_key != failed.idempotency_key
    assert again.provider_reference != failed.provider_reference
    for name in ("delivery_amount", "goodwill_amount", "reason"):
        assert getattr(again, name) == getattr(Refund.objects.get(pk=failed.pk), name)
    both = [list(each.lines.values_list("order_line", "quantity", "amount")) for each in (failed, again)]
    assert both[0] == both[1] != []
    assert not needs_a_look()
    told = read_steps(order)
    assert "We sent it again on" in told[f"£{due} could not be paid back"]
    assert f"£{due} refunded" in told
    assert order.events.get(kind=Kind.REFUND_AGAIN).actor == "Kit"


def test_its_credit_note_is_the_one_that_was_issued_before(order, standin, charge, hear):
    failed = refunds.refund_order(order.pk, amount=None, actor="Sam")
    issuing.issue_for_order(order.pk)
    standin.settle_refund(failed.provider_reference, "failed")
    hear()
    for _ in range(2):
        [again] = send_refunds_again(order.pk, actor="Sam")
        issuing.issue_for_order(order.pk)
        assert Invoice.objects.filter(kind="credit_note").get().refund == failed
        standin.settle_refund(again.provider_reference, "failed")
        recording.record_reference("refund", again.provider_reference)
    assert needs_a_look()


@pytest.mark.usefixtures("_no_stripe")
def test_what_never_went_through_has_its_credit_note_once_it_does():
    order = builders.placed_order()
    fail(refunds.refund_order(order.pk, amount=None, actor="Sam"))
    [again] = send_refunds_again(order.pk, actor="Sam")
    Refund.objects.filter(pk=again.pk).update(status=Refund.Status.SUCCEEDED, settled_at=timezone.now())
    issuing.issue_for_order(order.pk)
    assert Invoice.objects.get(kind="credit_note").refund == again


@pytest.mark.usefixtures("standin")
def test_what_fails_again_needs_a_look_again_and_the_page_says_so():
    order = builders.placed_order()  # of a payment that Stripe knows nothing of
    assert refunds.refund_order(order.pk, amount=Decimal(5), actor="Sam").status == Refund.Status.FAILED
    [again] = send_refunds_again(order.pk, actor="Sam")
    again.refresh_from_db()
    assert again.status == Refund.Status.FAILED
    assert list(Refund.objects.undelivered()) == [again]
    assert needs_a_look()
    assert read_steps(order)["£5.00 could not be paid back"] == "We will find another way."


@pytest.mark.usefixtures("_no_stripe")
def test_given_back_by_hand_it_is_noted_and_stripe_is_not_asked(sink):
    order = builders.placed_order()
    failed = fail(refunds.refund_order(order.pk, amount=None, actor="Sam"))
    [again] = give_back_by_hand(order.pk, actor="Kit")
    assert (again.status, again.is_by_hand, again.provider_reference, again.again_of) == (
        "succeeded",
        True,
        None,
        failed,
    )
    assert not needs_a_look()
    assert read_steps(order)["£14.00 refunded"].startswith("By hand, not through your card.")
    relay_and_deliver()
    [mail] = [each for each in sink.received if each.topic == "order_refunded"]
    for part in (mail.text, mail.html):
        words = " ".join(part.split())
        assert "by hand, such as by bank transfer" in words
        assert "the way you paid" not in words.lower()
    assert OutgoingEmail.objects.filter(topic="order_refunded").count() == 1
    refunds.try_send_refund(again.pk)
    assert Refund.objects.count() == 2


@pytest.mark.usefixtures("_no_stripe")
@pytest.mark.parametrize("do", [send_refunds_again, give_back_by_hand])
def test_where_nothing_failed_or_it_was_seen_to_nothing_goes_back(do):
    order = builders.placed_order(builders.variant(price="20.00"))
    with pytest.raises(RefundRefused, match="no refund of it has failed"):
        do(order.pk, actor="Sam")
    fail(refunds.refund_order(order.pk, amount=Decimal(5), actor="Sam"))
    refunds.refund_order(order.pk, amount=Decimal(5), actor="Sam")
    with pytest.raises(RefundRefused, match="seen to already"):
        do(order.pk, actor="Sam")
    assert Refund.objects.count() == 2
    assert not order.events.filter(kind=Kind.REFUND_AGAIN).exists()


@pytest.mark.usefixtures("_no_stripe")
def test_pressed_again_nothing_goes_back_again():
    order = builders.placed_order()
    fail(refunds.refund_order(order.pk, amount=None, actor="Sam"))
    send_refunds_again(order.pk, actor="Sam")
    with pytest.raises(RefundRefused, match="Look again"):
        send_refunds_again(order.pk, actor="Kit")
    assert Refund.objects.count() == 2


@pytest.mark.usefixtures("_no_stripe")
def test_while_the_bank_holds_the_money_nothing_is_sent_again():
    order = builders.placed_order()
    fail(refunds.refund_order(order.pk, amount=Decimal(5), actor="Sam"))
    StripeRecord.objects.create(
        kind="dispute", reference="dp_1", payment=order.payments.get(), amount=14, currency="GBP",
        status="needs_response", created_at=timezone.now(), seen_at=timezone.now(), is_refundable=False,
    )  # fmt: skip
    with pytest.raises(RefundRefused, match="holds the money"):
        send_refunds_again(order.pk, actor="Sam")
    assert Refund.objects.count() == 1


@pytest.mark.usefixtures("_no_stripe")
def test_all_that_failed_is_sent_again_also_what_came_back_after_another_went():
    """A bank returns money weeks later: what was given back meanwhile was for something else."""
    order = builders.placed_order(builders.variant(price="20.00"))
    first, second = (refunds.refund_order(order.pk, amount=Decimal(sum_), actor="Sam") for sum_ in (5, 3))
    Refund.objects.update(created_at=timezone.now() - timedelta(days=20))
    fail(first)
    assert needs_a_look()
    fail(second)
    assert [each.amount for each in send_refunds_again(order.pk, actor="Sam")] == [5, 3]
    assert not needs_a_look()


@pytest.mark.usefixtures("_no_stripe")
def test_a_return_that_a_failed_refund_left_open_is_settled_by_the_new_one():
    take_back()
    made = steps.receive_return(returned(came()).pk, actor="Sam")
    failed = steps.refund_return(made.pk, amount=None, actor="Sam")
    fail(failed)
    made.refresh_from_db()
    assert not made.is_settled
    [again] = send_refunds_again(made.order_id, actor="Sam")
    made.refresh_from_db()
    assert (made.refund, made.is_settled) == (again, True)
