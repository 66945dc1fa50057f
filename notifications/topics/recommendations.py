"""The weekly letter of suggestions, each with its reason."""

from accounts.consent import consent, purposes
from accounts.consent.purposes import MailKind
from accounts.models import Customer
from notifications.product_block import build_product_block
from notifications.topics.definition import PICK, Context, EmailContext, Topic
from notifications.topics.sample_data import compose_sample, list_sample_items
from recommendations import picks


def _build_suggestions(letter: EmailContext) -> Context | None:
    """None when fewer picks stand than a letter is worth."""
    shown = letter.offered(PICK)
    if len(shown) < letter.topic.fewest_things:
        return None
    return {"picks": [build_product_block(item) for item in shown], "shown": shown}


def _compose_suggestions_sample(customer: Customer, topic: Topic) -> EmailContext:
    letter = compose_sample(customer, topic)
    picked = picks.pick_for_mail(customer, consent.get_granted_purposes(customer))
    letter.items += list_sample_items(letter.email, PICK, picked, customer)
    return letter


RECOMMENDATIONS = Topic(
    "recommendations",
    MailKind.PROMOTIONAL,
    purposes.MAIL_RECOMMENDATIONS,
    title="Weekly suggestions",
    name="the weekly letter",
    fewest_things=3,
    job="notifications.tasks.queue_recommendation_mail",
    context=_build_suggestions,
    sample=_compose_suggestions_sample,
)
