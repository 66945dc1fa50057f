"""Somebody asks to be erased: when it happens, and the page that undoes it."""

from datetime import datetime

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts.consent.purposes import MailKind
from accounts.models import AccountEvent, Customer
from accounts.people import tokens
from accounts.privacy import erasure
from notifications import links
from notifications.topics.account_news import draft_account_news
from notifications.topics.definition import Context, EmailContext, Topic
from notifications.topics.sample_data import NOT_SAVED, compose_sample


def _build_erasure_notice(letter: EmailContext) -> Context:
    """`due_on` is empty when it was to happen at once."""
    context = letter.email.context
    token = tokens.sign_token(erasure.TOKEN_KIND, erasure=context["erasure"])
    due_at = timezone.localtime(datetime.fromisoformat(context["due_at"]))
    return {
        "page_url": links.build_absolute_url(reverse("erasure", args=[token])),
        "due_on": "" if context["at_once"] else date_format(due_at, "j F Y"),
    }


def _compose_erasure_sample(customer: Customer, topic: Topic) -> EmailContext:
    context = {"erasure": NOT_SAVED, "due_at": timezone.now().isoformat(), "at_once": False}
    return compose_sample(customer, topic, context=context)


ERASURE_ASKED_FOR = Topic(
    "erasure_asked_for",
    MailKind.ESSENTIAL,
    title="Erasure asked for",
    because="You get this whatever is ticked: somebody signed in as you asked us to erase your data.",
    event=AccountEvent.Kind.ERASURE_ASKED_FOR,
    draft=draft_account_news,
    context=_build_erasure_notice,
    sample=_compose_erasure_sample,
)
