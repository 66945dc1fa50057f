"""The mail a switch would send, written for the customer who asks to see it. Nothing is stored, queued or sent.

It is the mail room's own renderer at work, over the sample that the topic makes.
"""

from accounts.consent import consent
from accounts.consent.purposes import Cadence, MailKind
from accounts.models import Customer
from accounts.preferences import cadence
from notifications import rendering
from notifications.topics import BY_PURPOSE
from notifications.topics.digest import gather_sample
from notifications.topics.sample_data import find_latest_order
from shop import mail


def write(customer: Customer, purpose_key: str) -> mail.Message | None:
    """The mail as it would come with the customer's answers as they are (or are supposed to be); None when none would.

    Raises KeyError for a purpose that no mail shows.
    """
    topic = BY_PURPOSE[purpose_key]
    if topic.purpose and not consent.allows(customer, topic.purpose):
        return None
    letter = topic.sample(customer, topic)
    return rendering.render_email(gather_sample(letter) if is_gathered(customer, purpose_key) else letter)


def is_made_up(customer: Customer, purpose_key: str) -> bool:
    """Whether the sample tells of an order that nobody placed."""
    return BY_PURPOSE[purpose_key].is_order_news and find_latest_order(customer) is None


def is_gathered(customer: Customer, purpose_key: str) -> bool:
    """Whether the customer has such news told together with other news, and not by itself."""
    is_news = BY_PURPOSE[purpose_key].kind is MailKind.SERVICE
    return is_news and cadence.get_cadence(customer, purpose_key) is not Cadence.AS_IT_HAPPENS
