"""No mail without a purpose: what is not essential names the switch that allows it."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, register

from accounts.consent import purposes
from accounts.consent.purposes import MailKind
from notifications.topics import TOPICS


@register()
def check_topics_have_purposes(app_configs: Sequence[Any] | None, **kwargs: Any) -> Sequence[CheckMessage]:
    return [
        Error(f"The mail topic {topic.key!r} is {topic.kind} and names no known purpose.", id="notifications.E001")
        for topic in TOPICS.values()
        if topic.kind is not MailKind.ESSENTIAL and not topic.gathers and not purposes.is_purpose(topic.purpose)
    ] + [
        Error(f"The essential mail {topic.key!r} does not say why it comes.", id="notifications.E002")
        for topic in TOPICS.values()
        if topic.kind is MailKind.ESSENTIAL and not topic.because
    ]
