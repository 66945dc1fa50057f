"""Writing a mail: subject, text, HTML and headers, from a letter and what it stands on. Asks the database nothing."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlparse

from django.conf import settings
from django.utils import timezone

from accounts import purposes
from notifications import links, order_mail, promotional_mail, topics
from notifications.letters import Letter
from notifications.models import OutgoingItem
from shop import mail

Context = dict[str, Any]

# What each topic's template is given besides the frame; None means that nothing is left to say.
CONTEXTS: dict[str, Callable[[Letter], Context | None]] = {
    topics.RECEIPT: order_mail.receipt,
    "order_approved": order_mail.news,
    "order_picked": order_mail.news,
    "order_packed": order_mail.news,
    "order_dispatched": order_mail.news,
    "order_delivered": order_mail.news,
    topics.ORDER_CANCELLED: order_mail.news,
    topics.ORDER_REFUNDED: order_mail.refunded,
    topics.CONSENT_CONFIRMATION: promotional_mail.confirmation,
    topics.RECOMMENDATIONS: promotional_mail.recommendations,
    topics.NEWSLETTER: promotional_mail.newsletter,
}


def write(letter: Letter) -> mail.Message | None:
    """The message; None when nothing is left to say."""
    body = letter.body
    context = CONTEXTS[letter.topic.key](letter) if body else None
    if body is None or context is None:
        return None
    values = {**_frame(letter), "whys": _whys(letter, context.pop("shown", ())), **context}
    subject, text, html = mail.render(letter.topic.key, values)
    return mail.Message(
        to=letter.email.to_address,
        subject=subject,
        text=text,
        html=html,
        topic=letter.topic.key,
        message_id=mail.message_id(letter.email.pk),
        headers=_list_headers(letter, body) if letter.topic.is_promotional else {},
    )


def _frame(letter: Letter) -> Context:
    """What templates/emails/base.* takes."""
    shop, body = letter.desk.shop, letter.body
    frame = {
        "shop_name": shop.name,
        "postal_address": shop.postal_address,
        "contact_email": shop.contact_email,
        "site_url": settings.SITE_URL,
        "preferences_url": links.preferences() if letter.email.customer_id else "",
    }
    if letter.topic.is_promotional and body:
        frame["unsubscribe_url"] = links.unsubscribe(letter.email, body)
        frame["unsubscribe_what"] = letter.topic.name
    return frame


def _whys(letter: Letter, shown: Iterable[OutgoingItem]) -> list[dict[str, str]]:
    """Why the mail came: for each thing it stands on the switch, since when, and where it is turned off."""
    whys = [{"text": letter.topic.because, "off_url": ""}] if letter.topic.because else []
    seen: set[str] = set()
    for item in (letter.body, *shown):
        if item is not None and not item.is_essential and item.purpose not in seen:
            seen.add(item.purpose)
            whys.append({"text": _why(item), "off_url": links.unsubscribe(letter.email, item)})
    return whys


def _why(item: OutgoingItem) -> str:
    title = purposes.get(item.purpose).title
    since = f"{timezone.localtime(item.stands_since_at):%-d %B %Y}" if item.stands_since_at else ""
    if item.order_tick_id:
        return f"You ticked “{title}” for this order on {since}."
    return f"You switched on “{title}” on {since}."


def _list_headers(letter: Letter, body: OutgoingItem) -> dict[str, str]:
    """RFC 2369 and RFC 8058; RFC 2919 for the list's own name."""
    return {
        "List-Unsubscribe": f"<{links.unsubscribe(letter.email, body)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": f"<{letter.topic.key}.{urlparse(settings.SITE_URL).hostname}>",
    }
