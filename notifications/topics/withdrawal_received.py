"""A withdrawal has come: what was declared, and when. It acknowledges that it was received, not that it is accepted.

It goes to the address the buyer gave for it and, where that is another, to the order's own as well: whoever placed the
order hears of it whoever declared it. The copy to another address opens nothing: somebody may have mistyped it.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from accounts.consent.purposes import MailKind
from accounts.models import Customer
from notifications import links
from notifications.topics.definition import Context, Draft, EmailContext, Topic
from notifications.topics.sample_data import NOT_SAVED, compose_sample, get_sample_order
from orders.models import Order, OrderEvent, Withdrawal
from orders.returns import wording


def _draft_acknowledgements(topic: Topic, event: OrderEvent) -> Iterator[Draft]:
    """One to each address; none for a withdrawal that is gone."""
    withdrawal = Withdrawal.objects.filter(pk=event.data.get("withdrawal")).first()
    if withdrawal is None:
        return
    order, context = event.order, {"withdrawal": withdrawal.pk}
    key = f"{topic.key}:{withdrawal.pk}"
    if order.email:
        yield Draft(key, topic, order.email, order.customer, order, context)
    if withdrawal.acknowledged_to not in ("", order.email):
        yield Draft(f"{key}:elsewhere", topic, withdrawal.acknowledged_to, context=context)


def _build_acknowledgement(letter: EmailContext) -> Context | None:
    withdrawal: Withdrawal | None = letter.named(letter.desk.withdrawals, "withdrawal")
    if withdrawal is None:
        return None
    order = letter.email.order
    return {
        "order_number": withdrawal.order.number,
        "order_url": links.build_order_url(order) if order else "",
        "name": withdrawal.full_name,
        "received": wording.format_moment(withdrawal.declared_at),
        "entered": wording.ENTERED_FOR_BUYER if withdrawal.entered_by else "",
        "contents": withdrawal.contents.split("\n"),
        "follows": wording.describe_what_follows(withdrawal),
        "sends_back": withdrawal.has_left and not withdrawal.is_late,
        "return_address": letter.desk.shop.postal_address,
    }


def _compose_acknowledgement_sample(customer: Customer, topic: Topic) -> EmailContext:
    order = get_sample_order(customer)
    made = _make_up_withdrawal(order)
    return compose_sample(customer, topic, order=order, context={"withdrawal": made.pk}, withdrawals={made.pk: made})


def _make_up_withdrawal(order: Order) -> Withdrawal:
    """From the whole order, saved nowhere."""
    now = timezone.now()
    return Withdrawal(
        pk=NOT_SAVED,
        order=order,
        full_name=order.full_name,
        acknowledged_to=order.email,
        contents="\n".join(str(line) for line in order.lines.all()),
        declared_at=now,
        due_on=timezone.localdate(now) + timedelta(days=14),
        has_left=True,
        currency=order.currency,
        goods_amount=order.subtotal,
        delivery_amount=order.shipping_total,
    )


WITHDRAWAL_RECEIVED = Topic(
    "withdrawal_received",
    MailKind.ESSENTIAL,
    title="Withdrawal received",
    because="You get this whatever is ticked: the law has us acknowledge a withdrawal.",
    event=OrderEvent.Kind.WITHDRAWN,
    draft=_draft_acknowledgements,
    context=_build_acknowledgement,
    sample=_compose_acknowledgement_sample,
)
