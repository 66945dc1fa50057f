"""What comes after the news of a delay: the buyer waits, for all of it or for what is not here, or calls it off; or
says nothing, and the rule decides.

Each under the order's lock, with its event. What has left is not cancelled, only the rest.
"""

from django.db import transaction
from django.utils import timezone

from orders import events, line_cancellation
from orders.events import BUYER, RULE
from orders.fulfilment import splitting
from orders.fulfilment.transitions import TransitionRefused
from orders.locks import lock_order
from orders.models import DelayNotice, Order, OrderEvent, Refund
from orders.payments import checkout_sessions
from orders.stages import DONE_STATUSES

Answer, Rule = DelayNotice.Answer, DelayNotice.Rule
CANCELLED_BY_BUYER = "You did not want to wait."
CANCELLED_BY_RULE = "You were asked whether you would wait, and we did not hear from you in time."
NOT_SENT_AHEAD = "What is here cannot go ahead any more: something of this order has changed. Please look again."


@transaction.atomic
def accept_delay(order_id: int, *, number: int) -> DelayNotice:
    """The buyer waits. Said twice it is said once. Raises `TransitionRefused`."""
    order = lock_order(order_id)
    return _accept(order, _get_open_notice(order, number))


@transaction.atomic
def send_ahead(order_id: int, *, number: int) -> DelayNotice:
    """What is here goes first, and the buyer waits for the rest: a yes to its later day, and to no other.

    Said twice, or after staff have divided the order since that news, it is divided once. Raises `TransitionRefused`.
    """
    order = lock_order(order_id)
    notice = _get_open_notice(order, number)
    if not _is_divided_since(order, notice):
        try:
            splitting.split_locked_order(order, actor=BUYER)
        except TransitionRefused as refusal:
            raise TransitionRefused(NOT_SENT_AHEAD) from refusal
    return _accept(order, notice)


def _is_divided_since(order: Order, notice: DelayNotice) -> bool:
    """Of an order that went together when its buyer was told."""
    divided = order.events.filter(kind=OrderEvent.Kind.SPLIT, created_at__gte=notice.created_at)
    return order.ships_as_ready and divided.exists()


def _get_open_notice(order: Order, number: int) -> DelayNotice:
    notice = _get_current_notice(order, number)
    if order.status != Order.Status.CONFIRMED:
        raise TransitionRefused("This order has ended already, so there is nothing left to wait for.")
    if notice.answer == Answer.CANCEL or notice.ended_at is not None:
        raise TransitionRefused("What it is about is cancelled already, so there is nothing left to wait for.")
    return notice


def _accept(order: Order, notice: DelayNotice) -> DelayNotice:
    if notice.answer == Answer.WAIT:
        return notice
    _write_answer(notice, Answer.WAIT)
    events.record_order_event(order, OrderEvent.Kind.DELAY_ACCEPTED, actor=BUYER, notice=notice.number)
    return notice


def cancel_for_delay(order_id: int, *, number: int) -> Order:
    """The buyer calls it off and gets the money back, also after having said they would wait.

    Of an order of which some has left, the rest. Raises `TransitionRefused` once all of it has.
    """
    with transaction.atomic():
        order = lock_order(order_id)
        notice = _get_current_notice(order, number)
        refund = line_cancellation.cancel_what_is_here(
            order, of_first=notice.is_of_first, actor=BUYER, reason=CANCELLED_BY_BUYER
        )
        _write_answer(notice, Answer.CANCEL)
    return _send_money_back(order, refund)


def end_unanswered_order(notice_id: int) -> Order | None:
    """The last day for an answer has passed: what has not left is cancelled, and its money goes back.

    None where that is no longer so: it was answered or told anew, has left or lies ready, was called off or is on hold.
    """
    with transaction.atomic():
        order = lock_order(DelayNotice.objects.values_list("order_id", flat=True).get(pk=notice_id))
        notice = DelayNotice.objects.get(pk=notice_id)
        is_done = order.fulfilment_status in DONE_STATUSES  # what lies ready waits for its buyer, and not they for it
        if not _is_over(notice) or order.hold or is_done or not _has_some_here(order, notice):
            return None
        refund = line_cancellation.cancel_what_is_here(
            order, of_first=notice.is_of_first, actor=RULE, reason=CANCELLED_BY_RULE
        )
        notice.ended_at = timezone.now()
        notice.save(update_fields=["ended_at"])
    return _send_money_back(order, refund)


def _has_some_here(order: Order, notice: DelayNotice) -> bool:
    return line_cancellation.has_some_here(order, of_first=notice.is_of_first)


def _is_over(notice: DelayNotice) -> bool:
    is_open = notice.is_current and not notice.answer and notice.ended_at is None
    return is_open and notice.deadline_on is not None and notice.deadline_on < timezone.localdate()


def _get_current_notice(order: Order, number: int) -> DelayNotice:
    """What the buyer was told last, if that is what they answer."""
    notice = order.delay_notices.filter(is_current=True, number=number).first()
    if notice is None:
        raise TransitionRefused("There is newer news of this order. Please look again, and choose then.")
    return notice


def _write_answer(notice: DelayNotice, answer: DelayNotice.Answer) -> None:
    notice.answer, notice.answered_at = answer, timezone.now()
    notice.save(update_fields=["answer", "answered_at"])


def _send_money_back(order: Order, refund: Refund | None) -> Order:
    if refund:
        checkout_sessions.try_send_refund(refund.pk)
        order.refresh_from_db()
    return order
