"""The newsletter: what staff wrote, the same to everybody who asked for it."""

import re

from django.conf import settings
from django.template.defaultfilters import linebreaksbr
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.consent import purposes
from accounts.consent.purposes import MailKind
from accounts.models import Customer
from notifications.models import NewsletterIssue
from notifications.topics.definition import Context, EmailContext, Topic
from notifications.topics.sample_data import NOT_SAVED, compose_sample

PLAIN_LINK = '<a href="{}">{}</a>'
MAIL_LINK = '<a href="{}" style="color:#25211c;text-decoration-color:#ad3b1c">{}</a>'
PLAIN_LETTER = "This is where the news would stand. There is no letter yet to show you.\n\nEverybody gets the same one."


def _build_newsletter(letter: EmailContext) -> Context | None:
    """None when the issue is gone."""
    issue = letter.named(letter.desk.issues, "issue")
    if issue is None:
        return None
    return {"issue": issue, "paragraphs": format_paragraphs(issue.body, link=MAIL_LINK)}


def format_paragraphs(body: str, *, link: str = PLAIN_LINK) -> list[SafeString]:
    """A plain text as HTML paragraphs, with links to the shop made clickable, and no others."""
    return [_add_links(part.strip(), link) for part in re.split(r"\n\s*\n", body.replace("\r\n", "\n")) if part.strip()]


def _add_links(text: str, link: str) -> SafeString:
    pieces = re.split(f'({re.escape(settings.SITE_URL)}[^\\s<>"]*[^\\s<>".,;:!?)])', text)
    html = format_html_join(
        "", "{}", ((format_html(link, piece, piece) if place % 2 else piece,) for place, piece in enumerate(pieces))
    )
    return linebreaksbr(html)


def compose_newsletter(reader: Customer, issue: NewsletterIssue) -> EmailContext:
    """One reader's copy of an issue, which need not be saved."""
    return compose_sample(reader, NEWSLETTER, context={"issue": issue.pk}, issues={issue.pk: issue})


def _compose_newsletter_sample(customer: Customer, topic: Topic) -> EmailContext:
    issue = NewsletterIssue.objects.filter(released_at__isnull=False).order_by("-released_at").first()
    return compose_newsletter(
        customer, issue or NewsletterIssue(pk=NOT_SAVED, subject="News of the shop", body=PLAIN_LETTER)
    )


NEWSLETTER = Topic(
    "newsletter",
    MailKind.PROMOTIONAL,
    purposes.NEWSLETTER,
    title="Newsletter",
    name="the newsletter",
    is_form_letter=True,
    waits_for_its_month=True,
    job="notifications.tasks.fan_out_newsletter",
    context=_build_newsletter,
    sample=_compose_newsletter_sample,
)
