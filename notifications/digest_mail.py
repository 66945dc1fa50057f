"""What a digest says: order by order, what has happened since, the oldest first."""

from typing import Any

from django.utils import timezone
from django.utils.formats import date_format

from accounts.consent import purposes
from notifications import order_mail
from notifications.digest import NEWS
from notifications.models import OutgoingItem
from notifications.render_batch import EmailContext

Context = dict[str, Any]

MOST_NEWS = 25  # the end of a longer mail, where it is left, is cut off
HEADLINES = {
    "order_approved": "We have started on it.",
    "order_picked": "Everything is off the shelf, nothing missing.",
    "order_packed": "Packed, and by the door.",
    "order_dispatched": "On the truck.",
    "order_delivered": "Delivered.",
}


def digest(letter: EmailContext) -> Context | None:
    """None when nothing stands that can still be told."""
    orders: dict[int, Context] = {}
    shown = []
    for item in letter.items:
        about = (
            order_mail.news(EmailContext(item.news, [item], letter.desk)) if item.block == NEWS and item.news else None
        )
        if about is None:
            continue
        shown.append(item)
        if len(shown) > MOST_NEWS:
            continue
        order = orders.setdefault(
            about["order"].pk, {"number": about["order"].number, "url": about["order_url"], "news": []}
        )
        order["news"].append(_told(item, about))
    if not shown:
        return None
    told_count = sum(len(order["news"]) for order in orders.values())
    return {
        "orders": list(orders.values()),
        "news_count": len(shown),
        "more_count": len(shown) - told_count,
        "shown": shown,
    }


def _told(item: OutgoingItem, about: Context) -> dict[str, str]:
    news = item.news
    if news is None:
        raise ValueError("An item of a digest without its news cannot be told.")
    return {
        "day": date_format(timezone.localtime(news.created_at), "l j F"),
        "headline": HEADLINES.get(news.topic) or purposes.get_purpose(item.purpose).title,
        "detail": _detail(news.topic, about),
    }


def _describe_tracking(parcel: Context) -> str:
    if parcel.get("tracking_number"):
        return f"tracking number {parcel['tracking_number']}"
    return "sent without a tracking number" if parcel.get("is_untracked") else ""


def _detail(topic: str, about: Context) -> str:
    parcel = about["parcel"] or {}
    if topic == "order_dispatched":
        carried = ", ".join(part for part in (parcel.get("carrier", ""), _describe_tracking(parcel)) if part)
        arrives = f"It should be with you on {about['arrives']}." if about["arrives"] else ""
        return " ".join(part for part in (f"{carried}." if carried else "", arrives) if part)
    if topic == "order_packed" and parcel.get("note"):
        by = f" – {parcel['note_by']}" if parcel["note_by"] else ""
        return f"“{parcel['note']}”{by}"
    if topic == "order_approved" and about["leaves"]:
        return f"It leaves on {about['leaves']}."
    return ""
