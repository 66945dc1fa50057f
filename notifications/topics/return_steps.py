"""How a return goes: asked for, here, done, or not taken back. To whoever ticked it; that money went back is told by
the mail of the refund, which always comes.
"""

from collections.abc import Iterator
from functools import partial

from accounts.consent import purposes
from accounts.consent.purposes import MailKind
from accounts.models import Customer
from notifications.topics.definition import Context, Draft, EmailContext, Topic
from notifications.topics.order_news import build_order_news
from notifications.topics.sample_data import compose_sample, get_sample_order
from orders.models import OrderEvent, ReturnAuthorization
from orders.returns import return_wording
from orders.returns.wording import ENTERED_FOR_BUYER

NO_NUMBER = "RMA-XXXX-XXXX-XX"  # of no return: its reader sees that it is made up
KEPT_FACTS = ("number", "outcome", "sent", "reason", "is_entered", "is_to_pay")


def _draft_return_news(topic: Topic, event: OrderEvent) -> Iterator[Draft]:
    context = {name: event.data[name] for name in KEPT_FACTS if event.data.get(name)}
    key = f"{topic.key}:{context.get('number') or event.pk}"
    yield Draft(key, topic, event.order.email, event.order.customer, event.order, context)


def _build_return_news(letter: EmailContext) -> Context | None:
    found = build_order_news(letter)
    if found is None:
        return None
    facts = letter.email.context
    order = letter.email.order
    is_collected = order is not None and order.pickup_store_id is not None
    return found | {
        "return_number": facts.get("number", NO_NUMBER),
        "outcome": return_wording.describe_outcome(
            facts.get("outcome", ""), is_collected=is_collected, is_to_pay=facts.get("is_to_pay", False)
        ),
        "is_to_pay": facts.get("is_to_pay", False),
        "sent": facts.get("sent", ""),
        "reason": facts.get("reason", ""),
        "return_address": letter.desk.shop.postal_address,
        "entered": ENTERED_FOR_BUYER if facts.get("is_entered") else "",
    }


def _compose_return_sample(customer: Customer, topic: Topic) -> EmailContext:
    facts = {"number": NO_NUMBER, "outcome": ReturnAuthorization.Wanted.REFUND.value, "reason": "It was worn."}
    return compose_sample(customer, topic, order=get_sample_order(customer), context=facts)


def _name_return(about: Context) -> str:
    return f"Return {about['return_number']}."


_build_return_topic = partial(
    Topic,
    kind=MailKind.SERVICE,
    purpose=purposes.MAIL_ORDER_RETURN,
    draft=_draft_return_news,
    context=_build_return_news,
    sample=_compose_return_sample,
    detail=_name_return,
)
RETURN_STEPS = (
    _build_return_topic(
        "return_requested",
        event=OrderEvent.Kind.RETURN_REQUESTED,
        title="Return asked for",
        headline="You send something back.",
    ),
    _build_return_topic(
        "return_received",
        event=OrderEvent.Kind.RETURN_RECEIVED,
        title="Return is here",
        headline="What you sent back is here.",
    ),
    _build_return_topic(
        "return_settled",
        event=OrderEvent.Kind.RETURN_SETTLED,
        title="Return done",
        headline="Your return is done.",
    ),
    _build_return_topic(
        "return_refused",
        event=OrderEvent.Kind.RETURN_REFUSED,
        title="Return not taken back",
        headline="We could not take it back.",
    ),
)
