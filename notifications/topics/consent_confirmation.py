"""The one question to an address before anything promotional is written to it (double opt-in)."""

from accounts.consent import purposes
from accounts.consent.purposes import MailKind
from accounts.models import AccountEvent, ConsentRequest, Customer
from notifications import links
from notifications.topics.account_news import draft_account_news
from notifications.topics.definition import Context, EmailContext, Topic
from notifications.topics.sample_data import NOT_SAVED, compose_sample


def _build_confirmation(letter: EmailContext) -> Context | None:
    """None once the address has answered: there is nothing to ask any more."""
    request = letter.named(letter.desk.requests, "consent_request")
    if request is None or request.confirmed_at is not None:
        return None
    return {"confirm_url": links.build_confirmation_url(request), "purpose": purposes.get_purpose(request.purpose)}


def _compose_confirmation_sample(customer: Customer, topic: Topic) -> EmailContext:
    request = ConsentRequest(pk=NOT_SAVED, email=customer.email or "", purpose=purposes.NEWSLETTER)
    context = {"consent_request": request.pk}
    return compose_sample(customer, topic, context=context, requests={request.pk: request})


CONSENT_CONFIRMATION = Topic(
    "consent_confirmation",
    MailKind.ESSENTIAL,
    title="Newsletter: please confirm",
    because="Somebody gave us this address. We ask once before we write to it.",
    event=AccountEvent.Kind.CONSENT_REQUESTED,
    draft=draft_account_news,
    context=_build_confirmation,
    sample=_compose_confirmation_sample,
)
