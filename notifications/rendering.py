"""Writing a mail: subject, text, HTML and headers, from a letter and what it stands on. Asks the database nothing."""

from collections.abc import Iterable

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format

from accounts.consent import purposes
from notifications import links
from notifications.models import OutgoingItem
from notifications.topics.definition import Context, EmailContext
from shop import mail
from shop.wire_format import get_mail_domain

RenderedParts = tuple[str, str, str]  # subject, text, HTML


def render_email(letter: EmailContext) -> mail.Message | None:
    """The message; None when nothing is left to say."""
    body = letter.body
    if body is None:
        return None
    reader = ReaderLinks(letter)
    words = _render_form_letter(letter, reader) if letter.topic.is_form_letter else _render_parts(letter, reader)
    if words is None:
        return None
    subject, text, html = words
    return mail.Message(
        to=letter.email.to_address,
        subject=subject,
        text=text,
        html=html,
        topic=letter.topic.key,
        message_id=mail.make_message_id(letter.email.pk),
        headers=_build_list_headers(letter, reader.off_url(body)) if letter.topic.is_promotional else {},
    )


class ReaderLinks:
    """What differs from reader to reader whatever the mail: the links that turn things off, and since when."""

    def __init__(self, letter: EmailContext) -> None:
        self._email = letter.email
        self._off_urls: dict[tuple[str, int | None], str] = {}

    def off_url(self, item: OutgoingItem) -> str:
        stands_on = _get_basis_key(item)
        if stands_on not in self._off_urls:
            self._off_urls[stands_on] = links.build_unsubscribe_url(self._email, item)
        return self._off_urls[stands_on]

    def since(self, item: OutgoingItem) -> str:
        return date_format(timezone.localtime(item.stands_since_at), "j F Y") if item.stands_since_at else ""


class PlaceholderLinks(ReaderLinks):
    """Stands for every reader of a form letter, to be replaced by each."""

    OFF_URL = "0-off-url-0"
    SINCE = "0-since-0"

    def off_url(self, item: OutgoingItem) -> str:
        return self.OFF_URL

    def since(self, item: OutgoingItem) -> str:
        return self.SINCE


def _render_form_letter(letter: EmailContext, reader: ReaderLinks) -> RenderedParts | None:
    """Written once for a batch, then filled in for each: many times quicker than rendering it anew."""
    key = f"{letter.topic.key} {letter.email.context}"
    if key not in letter.desk.forms:
        letter.desk.forms[key] = _render_parts(letter, PlaceholderLinks(letter))
    form, body = letter.desk.forms[key], letter.body
    if form is None or body is None:
        return None
    off_url, since = reader.off_url(body), reader.since(body)
    subject, text, html = form
    return subject, _fill_placeholders(text, off_url, since), _fill_placeholders(html, off_url, since)


def _fill_placeholders(form: str, off_url: str, since: str) -> str:
    return form.replace(PlaceholderLinks.OFF_URL, off_url).replace(PlaceholderLinks.SINCE, since)


def _render_parts(letter: EmailContext, reader: ReaderLinks) -> RenderedParts | None:
    context = letter.topic.context(letter)
    if context is None:
        return None
    values = {
        **_build_frame(letter, reader),
        "whys": _list_reasons(letter, context.pop("shown", ()), reader),
        **context,
    }
    return mail.render_message(letter.topic.key, values)


def _build_frame(letter: EmailContext, reader: ReaderLinks) -> Context:
    """What templates/emails/base.* takes."""
    shop, body = letter.desk.shop, letter.body
    frame = {
        "shop_name": shop.name,
        "postal_address": shop.postal_address.removeprefix(f"{shop.name}, "),
        "contact_email": shop.contact_email,
        "site_url": settings.SITE_URL,
        "preferences_url": links.build_switches_url(letter.email),
    }
    if letter.topic.is_promotional and body:
        frame["unsubscribe_url"] = reader.off_url(body)
        frame["unsubscribe_what"] = letter.topic.name
    return frame


def _list_reasons(letter: EmailContext, shown: Iterable[OutgoingItem], reader: ReaderLinks) -> list[dict[str, str]]:
    """Why the mail came: for each thing it stands on the switch, since when, and where it is turned off."""
    whys = [{"text": letter.topic.because, "off_url": ""}] if letter.topic.because else []
    seen: set[tuple[str, int | None]] = set()
    for item in (letter.body, *shown):
        if item is not None and not item.is_essential and _get_basis_key(item) not in seen:
            seen.add(_get_basis_key(item))
            whys.append({"text": _explain_item(item, reader), "off_url": reader.off_url(item)})
    return whys


def _get_basis_key(item: OutgoingItem) -> tuple[str, int | None]:
    """What is turned off: a switch, or the tick on one order, of which a digest may tell several."""
    return item.purpose, item.order_id if item.order_tick_id else None


def _explain_item(item: OutgoingItem, reader: ReaderLinks) -> str:
    title = purposes.get_purpose(item.purpose).title
    if item.order_tick_id:
        which = f"order {item.news.order.number}" if item.news and item.news.order else "this order"
        return f"You ticked “{title}” for {which} on {reader.since(item)}."
    return f"You switched on “{title}” on {reader.since(item)}."


def _build_list_headers(letter: EmailContext, off_url: str) -> dict[str, str]:
    """RFC 2369 and RFC 8058; RFC 2919 for the list's own name."""
    return {
        "List-Unsubscribe": f"<{off_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": f"<{letter.topic.key}.{get_mail_domain(settings.SITE_URL)}>",
    }
