"""What the letters say that the shop sends by itself, and the one mail that asks for permission."""

import re
from typing import Any

from django.conf import settings
from django.template.defaultfilters import linebreaksbr
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.consent import purposes
from notifications import links
from notifications.product_block import build_product_block
from notifications.queueing import PICK
from notifications.render_batch import EmailContext

Context = dict[str, Any]
PLAIN_LINK = '<a href="{}">{}</a>'
MAIL_LINK = '<a href="{}" style="color:#25211c;text-decoration-color:#ad3b1c">{}</a>'


def recommendations(letter: EmailContext) -> Context | None:
    """None when fewer picks stand than a letter is worth."""
    shown = letter.offered(PICK)
    if len(shown) < letter.topic.fewest_things:
        return None
    return {"picks": [build_product_block(item) for item in shown], "shown": shown}


def newsletter(letter: EmailContext) -> Context | None:
    issue = letter.named(letter.desk.issues, "issue")
    if issue is None:
        return None
    return {"issue": issue, "paragraphs": paragraphs(issue.body, link=MAIL_LINK)}


def paragraphs(body: str, *, link: str = PLAIN_LINK) -> list[SafeString]:
    """A plain text as HTML paragraphs, with links to the shop made clickable, and no others."""
    return [_linked(part.strip(), link) for part in re.split(r"\n\s*\n", body.replace("\r\n", "\n")) if part.strip()]


def _linked(text: str, link: str) -> SafeString:
    pieces = re.split(f'({re.escape(settings.SITE_URL)}[^\\s<>"]*[^\\s<>".,;:!?)])', text)
    html = format_html_join(
        "", "{}", ((format_html(link, piece, piece) if place % 2 else piece,) for place, piece in enumerate(pieces))
    )
    return linebreaksbr(html)


def confirmation(letter: EmailContext) -> Context | None:
    """None once the address has answered: there is nothing to ask any more."""
    request = letter.named(letter.desk.requests, "consent_request")
    if request is None or request.confirmed_at is not None:
        return None
    return {"confirm_url": links.build_confirmation_url(request), "purpose": purposes.get_purpose(request.purpose)}
