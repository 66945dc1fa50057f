"""No half-made mail: each topic is whole, something sends it off, and what is not essential names its switch."""

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.template import Engine, TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader_tags import BlockNode

from accounts.consent import purposes
from accounts.consent.purposes import MailKind
from notifications import relay, topics
from notifications.topics import TOPICS, Topic
from shop import mail


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


@register()
def check_topics_are_whole(app_configs: Sequence[Any] | None, **kwargs: Any) -> Sequence[CheckMessage]:
    return [
        *(found for topic in TOPICS.values() for found in (*_check_words(topic), *_check_sender(topic))),
        *_check_listing(),
    ]


def _check_words(topic: Topic) -> Iterator[CheckMessage]:
    """What the mail says: its templates, what they are given, a sample, and its words in a digest."""
    for gap in map(_find_template_gap, mail.list_template_names(topic.key)):
        if gap:
            yield _describe_gap(topic, gap, "E003")
    if topic.lacks("context"):
        yield _describe_gap(topic, "has no `context`, so its templates are given nothing", "E004")
    if topic.lacks("sample"):
        yield _describe_gap(topic, "has no `sample`, so nobody can look at it before they ask for it", "E005")
    if topic.may_be_gathered and not topic.headline:
        yield _describe_gap(topic, "has no `headline`, so a digest cannot tell it", "E006")
    if topic.may_be_gathered and not topic.is_order_news:
        yield _describe_gap(topic, "is service mail of no order's event, and a digest tells news by order", "E006")


def _find_template_gap(name: str) -> str:
    try:
        template = Engine.get_default().get_template(name)
    except TemplateDoesNotExist as error:
        return f"has no template {error}. Make templates/{error}"
    except TemplateSyntaxError as error:
        return f"has a broken template {name}: {error}"
    blocks = template.nodelist.get_nodes_by_type(BlockNode)
    has_subject = any(isinstance(block, BlockNode) and block.name == "subject" for block in blocks)
    return "" if name.endswith(".html") or has_subject else f"has no subject: {name} has no such block"


def _check_sender(topic: Topic) -> Iterator[CheckMessage]:
    if not topic.is_sent:
        yield _describe_gap(topic, "names no `event` and no `job`, so nothing sends it", "E007")
    if topic.event and topic.event not in _list_relayed_kinds():
        yield _describe_gap(topic, f"waits for {topic.event!r}, an event that is not relayed", "E007")
    if topic.event and topic.lacks("draft"):
        yield _describe_gap(topic, "has an `event` and no `draft` that says who is to get it", "E007")
    if topic.job and topic.job not in {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}:
        yield _describe_gap(
            topic, f"is sent by {topic.job!r}, which is not on the timetable (shop/schedule.py)", "E007"
        )


def _list_relayed_kinds() -> set[str]:
    return {kind for source in relay.SOURCES for kind in source.events.model.Kind.values}


def _check_listing() -> Iterator[CheckMessage]:
    for found in pkgutil.iter_modules(topics.__path__):
        for topic in vars(importlib.import_module(f"{topics.__name__}.{found.name}")).values():
            if isinstance(topic, Topic) and TOPICS.get(topic.key) is not topic:
                yield _describe_gap(topic, "is not listed in notifications/topics/__init__.py", "E008")


def _describe_gap(topic: Topic, gap: str, number: str) -> Error:
    return Error(f"The mail topic {topic.key!r} {gap}.", id=f"notifications.{number}")
