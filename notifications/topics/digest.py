"""Service news told together: order by order, what has happened since, the oldest first."""

from django.utils import timezone
from django.utils.formats import date_format

from accounts.consent import purposes
from accounts.consent.purposes import MailKind
from accounts.models import Customer
from notifications.models import OutgoingEmail, OutgoingItem
from notifications.topics.definition import NEWS, TOPICS, Context, EmailContext, Topic
from notifications.topics.order_news import build_order_news, compose_stage_sample
from notifications.topics.order_stages import ORDER_STAGES

MOST_NEWS = 25  # the end of a longer mail, where it is left, is cut off


def _build_digest(letter: EmailContext) -> Context | None:
    """None when nothing stands that can still be told."""
    orders: dict[int, Context] = {}
    shown = []
    for item in letter.items:
        if item.block != NEWS or item.news is None:
            continue
        about = build_order_news(EmailContext(item.news, [item], letter.desk))
        if about is None:
            continue
        shown.append(item)
        if len(shown) > MOST_NEWS:
            continue
        order = orders.setdefault(
            about["order"].pk, {"number": about["order"].number, "url": about["order_url"], "news": []}
        )
        order["news"].append(_tell_news(item, item.news, about))
    if not shown:
        return None
    told_count = sum(len(order["news"]) for order in orders.values())
    return {
        "orders": list(orders.values()),
        "news_count": len(shown),
        "more_count": len(shown) - told_count,
        "shown": shown,
    }


def _tell_news(item: OutgoingItem, news: OutgoingEmail, about: Context) -> dict[str, str]:
    """Kinds of mail come and go; of one that is gone the switch's title is told."""
    topic = TOPICS.get(news.topic)
    return {
        "day": date_format(timezone.localtime(news.created_at), "l j F"),
        "headline": topic.headline if topic else purposes.get_purpose(item.purpose).title,
        "detail": topic.detail(about) if topic else "",
    }


def gather_sample(alone: EmailContext) -> EmailContext:
    """The digest that a piece of news waits for, with that one piece in it."""
    news, body = alone.email, alone.items[0]
    digest = OutgoingEmail(topic=DIGEST.key, kind=DIGEST.kind, to_address=news.to_address, customer=news.customer)
    item = OutgoingItem(email=digest, block=NEWS, news=news, order=news.order, purpose=body.purpose)
    item.stands_since_at = body.stands_since_at
    return EmailContext(digest, [item], alone.desk)


def _compose_digest_sample(customer: Customer, topic: Topic) -> EmailContext:
    return gather_sample(compose_stage_sample(customer, ORDER_STAGES[-1]))


DIGEST = Topic(
    "digest",
    MailKind.SERVICE,
    title="Digest",
    because="You chose to have this news together, or set how many mails come in a week.",
    gathers=True,
    context=_build_digest,
    sample=_compose_digest_sample,
)
