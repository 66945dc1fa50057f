"""A letter to many: the whole way through outbox and gate, against smtplib with ready messages and a task per mail."""

import os
import selectors
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings as live
from django.db import connection
from django.utils import timezone

from accounts.consent import purposes
from notifications import audience, delivery
from notifications.models import NewsletterIssue, OutgoingEmail
from notifications.render_batch import load_email_contexts
from tests.bench import letters
from tests.bench.crowd import grow_crowd

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).resolve().parents[2]
READERS = 1500
ROUNDS = 3
TASKS = 200
BODY = "\n\n".join(
    ["The socks are in. See http://localhost:8000/product/socks/ for more, and the mugs are back too."] * 5
)

SINK = """
import sys, time
from aiosmtpd.controller import Controller
class Taken:
    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_DATA(self, server, session, envelope):
        sys.stdout.write("."); sys.stdout.flush()
        return "250 OK"
controller = Controller(Taken(), hostname="127.0.0.1", port=int(sys.argv[1]))
controller.start(); print("ready", flush=True)
time.sleep(3600)
"""


class Taken:
    """A mail server in a process of its own, which tells of each mail it took. It offers PIPELINING, as most do."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.pipe = process.stdout
        os.set_blocking(self.pipe.fileno(), False)
        self.count = 0

    def read(self) -> int:
        self.count += (self.pipe.read() or b"").count(b".")
        return self.count

    def wait_for(self, count: int, seconds: float = 300) -> None:
        ends_at = time.monotonic() + seconds
        with selectors.DefaultSelector() as ready:
            ready.register(self.pipe, selectors.EVENT_READ)
            while self.read() < count:
                assert time.monotonic() < ends_at, f"{self.count} of {count} came"
                ready.select(timeout=0.05)


@pytest.fixture
def taken(settings) -> Iterator[Taken]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 2588
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = ""
    process = subprocess.Popen([sys.executable, "-c", SINK, "2588"], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    yield Taken(process)
    process.kill()
    process.wait()
    process.stdout.close()


def queue_issue() -> None:
    NewsletterIssue.objects.create(subject="News from the shop – autumn", body=BODY, released_at=timezone.now())
    assert audience.fan_out_released_issues() == READERS


def per_second(work: Callable[[], int]) -> float:
    began = time.perf_counter()
    return work() / (time.perf_counter() - began)


def ready_messages(count: int) -> Callable[[], int]:
    """smtplib on one connection, the messages made beforehand: nothing read, asked or written down."""
    ids = OutgoingEmail.objects.values_list("pk", flat=True)[:count]
    made = [(letter.email.to_address, delivery.render_email(letter).content) for letter in load_email_contexts(ids)]

    def send() -> int:
        with smtplib.SMTP("127.0.0.1", 2588) as smtp:
            for address, content in made:
                smtp.sendmail("shop@saywhen.example", [address], content)
        return len(made)

    return send


def test_a_letter_to_many_is_at_least_a_quarter_as_quick_as_smtplib_with_ready_messages(taken, monkeypatch):
    monkeypatch.setattr(delivery, "RUN_SECONDS", 600)
    grow_crowd(READERS, (purposes.NEWSLETTER,))
    queue_issue()
    smtplib_alone = ready_messages(READERS // 3)
    ratios = []
    for _ in range(ROUNDS):
        before = per_second(smtplib_alone)
        ours = per_second(delivery.deliver_due_mail)
        after = per_second(smtplib_alone)
        ratios.append(2 * ours / (before + after))
        print(f"\nsmtplib {before:.0f} and {after:.0f}/s, ours {ours:.0f}/s: {ratios[-1]:.2f}")  # noqa: T201
        queue_issue()
    assert max(ratios) >= 0.25  # docs/adr/0050-what-a-mail-costs.md


def test_a_letter_to_many_is_at_least_five_times_as_quick_as_a_task_per_mail(taken, monkeypatch):
    monkeypatch.setattr(delivery, "RUN_SECONDS", 600)
    grow_crowd(READERS, (purposes.NEWSLETTER,))
    queue_issue()
    usual = task_per_mail(taken)
    OutgoingEmail.objects.update(state="queued", due_at=timezone.now())
    ours = per_second(delivery.deliver_due_mail)
    print(f"\ntask per mail {usual:.0f}/s, ours {ours:.0f}/s: {ours / usual:.1f}")  # noqa: T201
    assert ours >= 5 * usual


def task_per_mail(taken: Taken) -> float:
    """Mails a second through one worker of one process, warmed up."""
    url = urlsplit(os.environ["DATABASE_URL"])
    broker = live.CELERY_BROKER_URL
    environment = {
        **os.environ,
        "DATABASE_URL": url._replace(path=f"/{connection.settings_dict['NAME']}").geturl(),
        "EMAIL_URL": "smtp://127.0.0.1:2588",
        "LETTERS_BROKER": broker,
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "shop.settings",
    }
    letters.app.conf.broker_url = broker
    ids = [str(pk) for pk in OutgoingEmail.objects.values_list("pk", flat=True)[: TASKS + 1]]
    worker = subprocess.Popen(
        [sys.executable, "-c", "from tests.bench.letters import work; work()"], cwd=ROOT, env=environment
    )
    try:
        so_far = taken.read()
        letters.send_one.apply_async([ids[0]], queue="letters")
        taken.wait_for(so_far + 1)
        began = time.perf_counter()
        for email_id in ids[1:]:
            letters.send_one.apply_async([email_id], queue="letters")
        taken.wait_for(so_far + 1 + TASKS)
        return TASKS / (time.perf_counter() - began)
    finally:
        worker.terminate()
        worker.wait(timeout=30)
