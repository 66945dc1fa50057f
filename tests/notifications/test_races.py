"""Mail under races: a "no" at any moment, workers side by side, a worker that is killed. Each guard matters."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from accounts.consent import purposes
from accounts.models import Customer
from notifications import audience, claims, delivery, permissions, relay
from notifications.models import NewsletterIssue, OutgoingEmail, SkipReason
from orders.models import OrderEvent
from tests import builders
from tests.notifications import acts
from tests.notifications.acts import Kind
from tests.patience import PATIENCE_SECONDS, stretched, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
APPROVED = purposes.MAIL_ORDER_APPROVED


def asking_customer(address: str) -> Customer:
    return builders.customer(address, ticks=(APPROVED, purposes.NEWSLETTER))


def approved(customer: Customer) -> OutgoingEmail:
    return acts.queued(builders.paid_order(customer=customer), Kind.APPROVED)


def newsletter() -> list[OutgoingEmail]:
    NewsletterIssue.objects.create(subject="The mugs are back", body="Come and see.", released_at=timezone.now())
    audience.fan_out_released_issues()
    return list(OutgoingEmail.objects.filter(topic="newsletter"))


def in_background(work) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def always_permitted(email_id: uuid.UUID, token: uuid.UUID, *, subject: str, sent_id: uuid.UUID | None = None) -> bool:
    """The mutant: begins without asking anything."""
    if sent_id:
        claims.mark_mail_sent(sent_id)
    return OutgoingEmail.objects.filter(pk=email_id).update(state="sending") == 1


# -- "No", at any moment -------------------------------------------------------------------------------------


def test_no_while_queued(sink):
    customer = asking_customer("a@example.com")
    email = approved(customer)
    acts.say_no(customer, APPROVED)
    assert delivery.deliver_due_mail() == 0
    email.refresh_from_db()
    assert (email.state, email.skip_reason) == ("skipped", SkipReason.WITHDRAWN)
    assert sink.begun == []


def test_a_new_yes_releases_nothing_old(sink):
    customer = asking_customer("a@example.com")
    order = builders.paid_order(email="guest@example.com")
    acts.tick(order, APPROVED)
    emails = [approved(customer), acts.queued(order, Kind.APPROVED)]
    acts.say_no(customer, APPROVED)
    acts.say_yes(customer, APPROVED)
    acts.untick(order, APPROVED)
    acts.tick_again(order, APPROVED)
    assert delivery.deliver_due_mail() == 0
    for email in emails:
        email.refresh_from_db()
        assert (email.state, email.skip_reason) == ("skipped", SkipReason.WITHDRAWN)
    assert sink.begun == []


@pytest.mark.parametrize("is_guarded", [False, True], ids=["guard off", "guard on"])
def test_no_while_claimed_and_behind_a_slow_one(sink, monkeypatch, is_guarded):
    if not is_guarded:
        monkeypatch.setattr(claims, "begin_sending", always_permitted)
    first, second = asking_customer("first@example.com"), asking_customer("second@example.com")
    approved(first), approved(second)
    sink.at_rcpt["first@example.com"] = "after 1.5 250 OK"
    delivering = in_background(delivery.deliver_due_mail)
    wait_until(lambda: sink.begun, "the first hand-off")
    assert OutgoingEmail.objects.get(customer=second).state == "claimed"
    acts.say_no(second, APPROVED)
    delivering.join()
    assert len(sink.to("second@example.com")) == (0 if is_guarded else 1)
    assert len(sink.to("first@example.com")) == 1


@pytest.mark.parametrize("is_guarded", [False, True], ids=["guard off", "guard on"])
def test_no_behind_a_slow_one_that_was_permitted_in_the_same_question(sink, monkeypatch, is_guarded):
    if not is_guarded:
        monkeypatch.setattr(permissions, "PERMISSION_SECONDS", 60)
    for address in ("first@example.com", "second@example.com"):
        asking_customer(address)
    newsletter()
    earlier = timezone.now() - timedelta(seconds=1)
    OutgoingEmail.objects.filter(customer__email="first@example.com").update(created_at=earlier)
    sink.at_rcpt["first@example.com"] = "after 1.5 250 OK"
    delivering = in_background(delivery.deliver_due_mail)
    wait_until(lambda: sink.begun, "the first hand-off")
    acts.say_no(Customer.objects.get(email="second@example.com"), purposes.NEWSLETTER)
    delivering.join()
    assert len(sink.to("second@example.com")) == (0 if is_guarded else 1)
    assert len(sink.to("first@example.com")) == 1


@pytest.mark.parametrize("topic", ["order", "newsletter"])
@pytest.mark.parametrize("is_guarded", [False, True], ids=["guard off", "guard on"])
def test_no_while_the_mail_server_thinks_about_the_envelope(sink, monkeypatch, is_guarded, topic):
    """The permission has grown old when the server is ready, so it is asked for again, and nothing is handed over."""
    if not is_guarded:
        monkeypatch.setattr(permissions, "PERMISSION_SECONDS", 60)
    customer = asking_customer("a@example.com")
    [email] = [approved(customer)] if topic == "order" else newsletter()
    sink.at_rcpt["a@example.com"] = "after 1.5 250 OK"
    delivering = in_background(delivery.deliver_due_mail)
    wait_until(lambda: sink.begun, "the first hand-off")
    acts.say_no(customer, APPROVED if topic == "order" else purposes.NEWSLETTER)
    delivering.join()
    email.refresh_from_db()
    assert len(sink.received) == (0 if is_guarded else 1)
    assert email.state == ("skipped" if is_guarded else "sent")


def no_while_waiting(sink, settings) -> None:
    settings.MAIL_RETRY_SECONDS = 0
    customer = asking_customer("a@example.com")
    sink.at_rcpt["a@example.com"] = "451 later"
    email = approved(customer)
    token = uuid.uuid4()
    with delivery.MailConnection(seconds=5) as line:
        delivery.DeliveryBatch(
            line, token, delivery.load_email_contexts(claims.claim_due_mail(token, limit=1))
        ).deliver()
    email.refresh_from_db()
    assert (email.state, len(sink.begun)) == ("queued", 1)
    acts.say_no(customer, APPROVED)
    sink.at_rcpt.clear()
    assert delivery.deliver_due_mail() == 0
    email.refresh_from_db()
    assert (email.state, email.skip_reason) == ("skipped", SkipReason.WITHDRAWN)
    assert len(sink.begun) == 1


def test_no_while_waiting_to_be_tried_again(sink, settings):
    no_while_waiting(sink, settings)


def test_without_the_last_question_a_no_while_waiting_is_too_late(sink, settings, monkeypatch):
    monkeypatch.setattr(claims, "begin_sending", always_permitted)
    with pytest.raises(AssertionError):
        no_while_waiting(sink, settings)
    assert len(sink.received) == 1


def many_noes(sink) -> None:
    """Whoever said no more than a second before a hand-off began got nothing."""
    customers = [asking_customer(f"c{number}@example.com") for number in range(40)]
    for customer in customers:
        approved(customer)
        sink.at_rcpt[customer.email] = "after 0.05 250 OK"
    said_no: dict[str, float] = {}
    delivering = in_background(delivery.deliver_due_mail)
    wait_until(lambda: sink.begun, "the first hand-off")
    for customer in reversed(customers):
        acts.say_no(customer, APPROVED)
        said_no[customer.email] = time.monotonic()
    delivering.join()
    late = [mail.to for mail in sink.received if mail.at > said_no[mail.to] + 1]
    assert late == []
    sent_to = {mail.to for mail in sink.received}
    skipped = set(OutgoingEmail.objects.filter(state="skipped").values_list("to_address", flat=True))
    assert sent_to | skipped == {customer.email for customer in customers}
    assert sent_to & skipped == set()
    assert skipped


def test_many_noes_while_much_is_being_sent(sink):
    many_noes(sink)


def test_without_the_last_question_many_are_sent_what_they_refused(sink, monkeypatch):
    monkeypatch.setattr(claims, "begin_sending", always_permitted)
    with pytest.raises(AssertionError):
        many_noes(sink)


# -- Workers side by side ------------------------------------------------------------------------------------


def claims_take_long(monkeypatch, *, is_locked: bool) -> None:
    """Between seeing what is due and reserving it there is time for another worker to see the same."""
    for name in ("_CLAIM_ORDINARY", "_CLAIM_PROMOTIONAL"):
        slow = getattr(claims, name).replace("RETURNING", "AND (SELECT pg_sleep(0.4)) IS NOT NULL RETURNING")
        monkeypatch.setattr(claims, name, slow if is_locked else slow.replace("FOR UPDATE SKIP LOCKED", ""))


@pytest.mark.parametrize("guards", ["none", "token only", "all"])
def test_two_workers_at_once_send_each_mail_once(sink, monkeypatch, guards):
    claims_take_long(monkeypatch, is_locked=guards == "all")
    if guards == "none":
        monkeypatch.setattr(claims, "begin_sending", always_permitted)
    for number in range(12):
        address = f"c{number}@example.com"
        approved(asking_customer(address))
        sink.at_rcpt[address] = "after 0.03 250 OK"
    workers = [in_background(delivery.deliver_due_mail) for _ in range(2)]
    for worker in workers:
        worker.join()
    counts = Counter(mail.to for mail in sink.received)
    assert len(counts) == 12
    if guards == "none":
        assert max(counts.values()) == 2
    else:
        assert set(counts.values()) == {1}


def relay_three_at_once(sink, monkeypatch) -> None:
    """Each takes one event at a time, and thinks for a while about the first of an order."""
    think_about_the_first(monkeypatch)
    customer = asking_customer("a@example.com")
    for purpose in purposes.NEWS_OF_ORDERS:
        acts.say_yes(customer, purpose)
    orders = [builders.paid_order(customer=customer) for _ in range(8)]
    for order in orders:
        shipment = acts.parcel(order)
        for kind in (Kind.PLACED, Kind.APPROVED):
            acts.happened(order, kind)
        for kind in (Kind.PICKED, Kind.PACKED, Kind.DISPATCHED):
            acts.happened(order, kind, shipment=shipment)
    relays = [in_background(relay.relay_all_events) for _ in range(3)]
    for thread in relays:
        thread.join()
    relay.relay_all_events()
    delivery.deliver_due_mail()
    assert len(sink.received) == len({mail.message_id for mail in sink.received}) == 40
    for order in orders:
        mine = [mail.topic for mail in sink.received if order.number in mail.text]
        assert mine == ["receipt", "order_approved", "order_picked", "order_packed", "order_dispatched"]


def think_about_the_first(monkeypatch) -> None:
    relay_batch, draft_mails = relay.relay_batch, relay.draft_mails

    def think(event):
        if event.kind == Kind.PLACED:
            time.sleep(stretched(0.05))
        return draft_mails(event)

    monkeypatch.setattr(relay, "draft_mails", think)
    monkeypatch.setattr(relay, "relay_batch", lambda source: relay_batch(source, 1))


def test_three_relays_at_once_queue_each_mail_once_and_in_order(sink, monkeypatch):
    relay_three_at_once(sink, monkeypatch)


def test_without_their_order_three_relays_swap_the_news(sink, monkeypatch):
    """The mutant: an event is taken although an earlier one of its order waits."""

    def any_event():
        waiting = OrderEvent.objects.filter(relayed_at=None).order_by("pk")
        return waiting.select_for_update(skip_locked=True, of=("self",)).select_related("order__customer")

    ours = relay._lock_waiting_order_events
    sources = tuple(replace(each, waiting=any_event) if each.waiting is ours else each for each in relay.SOURCES)
    monkeypatch.setattr(relay, "SOURCES", sources)
    with pytest.raises(AssertionError):
        relay_three_at_once(sink, monkeypatch)


# -- A worker that is killed ---------------------------------------------------------------------------------

WORKER = "import django; django.setup(); from notifications import delivery; delivery.deliver_due_mail()"


def started_worker(port: int) -> subprocess.Popen[bytes]:
    """A worker in a process of its own, on this test's database."""
    url = urlsplit(os.environ["DATABASE_URL"])
    environment = {
        **os.environ,
        "DATABASE_URL": url._replace(path=f"/{connection.settings_dict['NAME']}").geturl(),
        "EMAIL_URL": f"smtp://127.0.0.1:{port}",
        "MAIL_LEASE_SECONDS": "3",
        "DJANGO_SETTINGS_MODULE": "shop.settings",
    }
    return subprocess.Popen([sys.executable, "-c", WORKER], cwd=ROOT, env=environment)


@pytest.mark.parametrize(
    ("topic", "moment"),
    [
        ("order", "rcpt"),
        ("newsletter", "dot"),
        pytest.param("order", "dot", marks=pytest.mark.soak),
        pytest.param("newsletter", "rcpt", marks=pytest.mark.soak),
    ],
)
def test_a_worker_killed_in_the_middle_of_a_batch_loses_nothing(sink, settings, topic, moment):
    kill_a_worker(sink, settings, topic, moment)


def test_without_leases_what_a_killed_worker_held_is_lost(sink, settings, monkeypatch):
    monkeypatch.setattr(
        claims, "_CLAIM_ORDINARY", claims._CLAIM_ORDINARY.replace("'queued', 'claimed', 'sending'", "'queued'", 1)
    )
    with pytest.raises(AssertionError, match="in vain"):
        kill_a_worker(sink, settings, "order", "rcpt", seconds=2)


def test_a_letter_in_sending_taken_again_may_come_twice(sink, settings, monkeypatch):
    """The mutant: promotional mail is taken from "sending" too, as order mail is."""
    monkeypatch.setattr(claims, "_CLAIM_PROMOTIONAL", claims._CLAIM_PROMOTIONAL.replace("AND e.state <> 'sending'", ""))
    monkeypatch.setattr(claims, "mark_abandoned_uncertain", lambda: 0)
    with pytest.raises(AssertionError):
        kill_a_worker(sink, settings, "newsletter", "dot")


def kill_a_worker(sink, settings, topic: str, moment: str, *, seconds: float = PATIENCE_SECONDS) -> None:
    """With a `kill -9` at the fifth of ten; in the end nothing is lost, and nothing promotional came twice."""
    settings.MAIL_LEASE_SECONDS = 3
    customers = [asking_customer(f"c{number}@example.com") for number in range(10)]
    emails = [approved(customer) for customer in customers] if topic == "order" else newsletter()
    seen: list[str] = []

    def kill_at_the_fifth(when: str, address: str) -> None:
        if when == moment:
            seen.append(address)
            if len(seen) == 5:
                worker.send_signal(signal.SIGKILL)
                worker.wait()

    sink.spy = kill_at_the_fifth
    worker = started_worker(settings.EMAIL_PORT)
    assert worker.wait(timeout=PATIENCE_SECONDS) == -signal.SIGKILL

    def all_settled() -> bool:
        delivery.deliver_due_mail()
        return not OutgoingEmail.objects.filter(state__in=["queued", "claimed", "sending"]).exists()

    wait_until(all_settled, "every mail is settled", seconds=seconds)
    counts = Counter(mail.to for mail in sink.received)
    ids = {(mail.to, mail.message_id) for mail in sink.received}
    states = Counter(OutgoingEmail.objects.values_list("state", flat=True))
    assert len(ids) == len(counts)
    if topic == "order":
        assert states == {"sent": len(emails)}
        assert sorted(counts.values()) == [1] * 9 + [2 if moment == "dot" else 1]
    else:
        assert states == {"sent": 9, "uncertain": 1}
        assert set(counts.values()) == {1}
        assert len(counts) == (10 if moment == "dot" else 9)
