"""What every mail about an account or an address shares: whom it goes to."""

from collections.abc import Iterator

from accounts.models import AccountEvent
from notifications.topics.definition import Draft, Topic


def draft_account_news(topic: Topic, event: AccountEvent) -> Iterator[Draft]:
    """To the address that a yes was given for, or to the customer; to nobody when both are gone."""
    key = f"{topic.key}:event:{event.pk}"
    if event.consent_request is not None:
        context = {"consent_request": event.consent_request_id}
        yield Draft(key, topic, event.consent_request.email, context=context)
    elif event.customer is not None:
        yield Draft(key, topic, event.customer.email or "", event.customer, context=event.data)
