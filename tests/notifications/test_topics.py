"""A mail topic is one thing: whole, or refused before the shop starts."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from accounts.consent import purposes, uses
from accounts.consent.purposes import Cadence, MailKind
from accounts.consent.uses import UseKind
from accounts.models import AccountEvent
from accounts.preferences import cadence
from notifications import checks, delivery, relay, rendering, topics
from notifications.models import OutgoingEmail
from notifications.topics import TOPICS, Topic, consent_confirmation, definition, newsletter, order_stages
from notifications.topics.definition import Draft
from orders.models import OrderEvent
from recommendations import picks
from shop import start
from shop.checks import check_purposes_are_used
from tests import builders, cast
from tests.notifications import acts
from tests.notifications.test_writing import queue

GATHERED = [topic.key for topic in TOPICS.values() if topic.may_be_gathered]
SET_OFF = [topic.key for topic in TOPICS.values() if topic.event]


@pytest.fixture
def with_topic(monkeypatch):
    """Another topic among the others, or another one in its place."""

    def put(topic: Topic) -> Topic:
        monkeypatch.setitem(definition._topics, topic.key, topic)
        return topic

    return put


def found(number: str) -> list[str]:
    return [message.msg for message in checks.check_topics_are_whole(None) if message.id == f"notifications.{number}"]


def test_every_topic_is_whole():
    assert checks.check_topics_are_whole(None) == []


@pytest.mark.parametrize("key", TOPICS)
@pytest.mark.parametrize(("part", "number"), [("context", "E004"), ("sample", "E005")])
def test_a_topic_without_context_or_sample_is_refused(with_topic, key, part, number):
    with_topic(replace(TOPICS[key], **{part: definition._raise_missing}))
    [message] = found(number)
    assert f"{key!r} has no `{part}`" in message


@pytest.mark.parametrize("key", GATHERED)
def test_a_topic_that_a_digest_cannot_tell_is_refused(with_topic, key):
    with_topic(replace(TOPICS[key], headline=""))
    [message] = found("E006")
    assert f"{key!r} has no `headline`" in message


@pytest.mark.parametrize("event", [AccountEvent.Kind.EXPORT_READY, ""])
def test_service_mail_that_a_digest_has_no_place_for_is_refused(with_topic, event):
    with_topic(replace(TOPICS["order_packed"], event=event))
    [message] = found("E006")
    assert "'order_packed' is service mail of no order's event" in message


@pytest.mark.parametrize("key", TOPICS)
def test_a_topic_without_templates_is_refused_and_each_is_named(with_topic, key):
    with_topic(replace(TOPICS[key], key="half_made"))
    messages = found("E003")
    for ending in ("txt", "html"):
        assert any(f"Make templates/emails/half_made.{ending}" in message for message in messages)
    assert len(messages) == 2


@pytest.mark.parametrize(
    ("text", "html", "gap"),
    [
        ("{% block subject %}Fine{% endblock %}", "{% if %}", "has a broken template emails/half_made.html"),
        ("Fine", "Fine", "has no subject: emails/half_made.txt has no such block"),
    ],
)
def test_a_template_that_does_not_compile_or_has_no_subject_is_refused(with_topic, settings, tmp_path, text, html, gap):
    (tmp_path / "emails").mkdir()
    for ending, written in (("txt", text), ("html", html)):
        (tmp_path / "emails" / f"half_made.{ending}").write_text(written)
    engine = settings.TEMPLATES[0]
    settings.TEMPLATES = [{**engine, "DIRS": [tmp_path, *engine["DIRS"]]}]
    with_topic(replace(topics.RECEIPT, key="half_made"))
    [message] = found("E003")
    assert f"'half_made' {gap}" in message


@pytest.mark.parametrize("key", [key for key, topic in TOPICS.items() if not topic.gathers])
def test_a_topic_that_nothing_sends_is_refused(with_topic, key):
    with_topic(replace(TOPICS[key], event="", job=""))
    [message] = found("E007")
    assert f"{key!r} names no `event` and no `job`" in message


@pytest.mark.parametrize("key", SET_OFF)
def test_a_topic_that_does_not_say_who_gets_it_is_refused(with_topic, key):
    with_topic(replace(TOPICS[key], draft=definition._raise_missing))
    [message] = found("E007")
    assert f"{key!r} has an `event` and no `draft`" in message


def test_a_topic_that_waits_for_what_never_comes_is_refused(with_topic):
    with_topic(replace(topics.RECEIPT, event="order_sung_about"))
    with_topic(replace(topics.NEWSLETTER, job="notifications.tasks.fan_out_songs"))
    assert [re.search(r"'\w+_about'|'notifications\S+'", message)[0] for message in found("E007")] == [
        "'order_sung_about'",
        "'notifications.tasks.fan_out_songs'",
    ]


@pytest.mark.parametrize("module", [consent_confirmation, newsletter, order_stages])
def test_a_topic_that_nobody_listed_is_refused(monkeypatch, module):
    monkeypatch.setattr(module, "FORGOTTEN", replace(topics.RECEIPT, key="forgotten"), raising=False)
    [message] = found("E008")
    assert "'forgotten' is not listed in notifications/topics/__init__.py" in message


def test_a_web_process_refuses_a_half_made_topic_and_says_what_it_lacks(with_topic):
    start.refuse_half_made_tables()
    with_topic(Topic("half_made", MailKind.SERVICE, title="Half made"))
    with pytest.raises(ImproperlyConfigured) as refusal:
        start.refuse_half_made_tables()
    for gap in ("known purpose", "emails/half_made.html", "`context`", "`sample`", "`headline`", "nothing sends it"):
        assert gap in str(refusal.value)


def test_a_switch_shows_only_with_a_mail_that_is_sent(monkeypatch):
    unsent = replace(topics.NEWSLETTER, job="")
    assert topics.NEWSLETTER.list_uses() == [(purposes.NEWSLETTER, "newsletter")]
    assert unsent.list_uses() == []
    left = {key: use for key, use in uses._uses.items() if use.purpose != purposes.NEWSLETTER}
    monkeypatch.setattr(uses, "_uses", left)
    assert [error.id for error in check_purposes_are_used(None)] == ["shop.E001"]


def test_every_use_of_a_switch_by_mail_is_one_that_a_topic_tells_of():
    registered = {(use.purpose, use.name) for use in uses.get_uses() if use.kind is UseKind.MAIL}
    assert registered == {each for topic in TOPICS.values() for each in topic.list_uses()}
    assert set(topics.BY_PURPOSE) == {purpose for purpose, _ in registered}


@pytest.mark.django_db
@pytest.mark.parametrize("has_order", [True, False])
@pytest.mark.parametrize("key", TOPICS)
def test_every_topic_has_a_sample_that_can_be_written_and_stores_nothing(monkeypatch, key, has_order):
    alice = cast.alice()
    best_sellers = acts.best_sellers(3)
    monkeypatch.setattr(picks, "pick_for_mail", lambda *_: best_sellers)
    if has_order:
        builders.paid_order(customer=alice)
    message = rendering.render_email(TOPICS[key].sample(alice, TOPICS[key]))
    assert message.topic == key
    assert message.to == alice.email
    assert message.subject
    assert "Why this mail" in message.text
    assert message.html.rstrip().endswith("</html>")
    assert not OutgoingEmail.objects.exists()


@pytest.mark.django_db
def test_one_event_may_be_told_to_many_each_by_their_own_yes(with_topic, monkeypatch, sink):
    readers = [builders.customer(ticks=(purposes.NEWSLETTER,)) for _ in range(3)]
    bob = cast.bob()

    def draft_for_readers(topic, event):
        for reader in (*readers, bob):
            yield Draft(f"{topic.key}:event:{event.pk}:{reader.pk}", topic, reader.email, reader)

    told = with_topic(
        replace(
            TOPICS["export_ready"],
            kind=MailKind.PROMOTIONAL,
            purpose=purposes.NEWSLETTER,
            because="",
            name="the news",
            draft=draft_for_readers,
        )
    )
    monkeypatch.setitem(topics.BY_EVENT, told.event, [told])
    AccountEvent.objects.create(kind=told.event)
    assert relay.relay_all_events() == 1
    assert relay.relay_all_events() == 0
    reasons = dict(OutgoingEmail.objects.values_list("customer", "skip_reason"))
    assert reasons == {**{reader.pk: "" for reader in readers}, bob.pk: "not_opted_in"}
    acts.say_no(readers[0], purposes.NEWSLETTER)
    assert delivery.deliver_due_mail() == 2
    assert sorted(mail.to for mail in sink.received) == sorted(reader.email for reader in readers[1:])


@pytest.mark.django_db
def test_one_event_may_set_off_several_mails(with_topic, monkeypatch):
    second = with_topic(replace(topics.RECEIPT, key="payment_failed"))
    monkeypatch.setitem(topics.BY_EVENT, OrderEvent.Kind.PLACED, [topics.RECEIPT, second])
    order = builders.paid_order()
    acts.queued(order, acts.Kind.PLACED)
    assert set(order.emails.values_list("topic", flat=True)) == {"receipt", "payment_failed"}


@pytest.mark.django_db
@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("key", ["newsletter", "recommendations"])
def test_whether_a_mail_that_comes_too_soon_waits_is_its_topics_to_say(with_topic, sink, key, waits):
    alice = cast.alice()
    topic = with_topic(replace(TOPICS[key], waits_for_its_month=waits))
    cadence.set_cadence(alice, topic.purpose, Cadence.MONTHLY)
    email = queue(key, alice)
    last_sent_at = timezone.now() - timedelta(days=3)
    OutgoingEmail.objects.create(
        key="last", topic=key, kind=topic.kind, to_address=alice.email, customer=alice, state="sent",
        sent_at=last_sent_at, created_at=last_sent_at,
    )  # fmt: skip
    assert delivery.deliver_due_mail() == 0
    assert sink.begun == []
    email.refresh_from_db()
    if waits:
        assert email.state == "queued"
        assert email.due_at > last_sent_at + timedelta(days=27)
    else:
        assert (email.state, email.skip_reason) == ("skipped", "too_soon")
