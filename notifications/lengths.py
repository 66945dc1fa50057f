"""How long a mail may be. Mail programs show about the first hundred thousand bytes and cut off the rest, and what
stands last is where it is left. So nothing the shop sends by itself is longer, and what lists many things shows some.
"""

import uuid

from django.utils import timezone

from accounts.models import Customer
from notifications import rendering
from notifications.models import NewsletterIssue
from notifications.topics.newsletter import compose_newsletter
from notifications.topics.sample_data import NOT_SAVED
from shop.mail import Message

MOST_BYTES = 100_000  # of the whole mail, as it travels
MANY_BYTES = 80_000  # from here on whoever writes it is told
LONGEST_ADDRESS = f"{'a' * 64}@{'b' * 60}.example"


class TooLongError(Exception):
    """Mail programs would cut it before its end. The message says how long it is, for people."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{describe_size(size)} Make it shorter, or put the rest on a page of the shop.")


def measure_message(message: Message) -> int:
    """In bytes, on the wire."""
    return len(message.content)


def measure_newsletter(subject: str, body: str) -> int:
    """How many bytes a newsletter of these words comes to, for the reader with the longest links. Stores nothing."""
    issue = NewsletterIssue(pk=NOT_SAVED, subject=subject, body=body)
    reader = Customer(pk=2**62, email=LONGEST_ADDRESS, email_proved_at=timezone.now(), chain=uuid.uuid4())
    message = rendering.render_email(compose_newsletter(reader, issue))
    return measure_message(message) if message else 0


def describe_size(size: int) -> str:
    """For people who write newsletters."""
    return (
        f"This letter comes to {size // 1000:,} KB. Mail programs cut off what is beyond {MOST_BYTES // 1000} KB, "
        "and with it the link by which people leave."
    )
