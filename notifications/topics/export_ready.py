"""A copy of everything held is ready. The mail links to its page, never to the file."""

from django.urls import reverse

from accounts.consent.purposes import MailKind
from accounts.models import AccountEvent
from accounts.privacy import export
from notifications import links
from notifications.topics.account_news import draft_account_news
from notifications.topics.definition import Context, EmailContext, Topic
from notifications.topics.sample_data import compose_sample


def _build_export_notice(letter: EmailContext) -> Context:
    return {"page_url": links.build_absolute_url(reverse("own_data")), "days": export.COPY_RETENTION.days}


EXPORT_READY = Topic(
    "export_ready",
    MailKind.ESSENTIAL,
    title="Your copy is ready",
    because="You asked for a copy of what we hold. We write once, when it is ready.",
    event=AccountEvent.Kind.EXPORT_READY,
    draft=draft_account_news,
    context=_build_export_notice,
    sample=compose_sample,
)
