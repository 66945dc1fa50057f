"""Every periodic job with something in it that fails: the rest goes on, the failure waits longer each time, staff read
what to do, and once it is mended it is done.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape
from django.utils.module_loading import import_string

from accounts.models import AccountEvent
from notifications.models import OutgoingEmail
from orders import events
from orders.models import OrderEvent, Payment
from orders.payments import checkout_sessions, reconciliation
from shop.catalog import listing
from shop.catalog.models import Product
from shop.local.home import CHECKOUT
from shop.retrying import loops
from shop.retrying.models import StuckItem
from shop.schedule import SCHEDULE
from tests import builders, cast
from tests.carriers.standin import carrier, carrier_process
from tests.notifications.conftest import sink
from tests.paying import fill, form, standin, standin_process
from tests.poison import cure, poison
from tests.reliability.poisoned_jobs import JOBS, PoisonedShop, buy, status_of

__all__ = ["carrier", "carrier_process", "sink", "standin", "standin_process"]

pytestmark = pytest.mark.django_db
ENVIRONMENT = {**os.environ, "DJANGO_SETTINGS_MODULE": "shop.settings"}


def test_every_periodic_job_has_its_poison():
    assert set(JOBS) == set(SCHEDULE)


@pytest.fixture
def world(client, standin, settings, monkeypatch, tmp_path, sink, carrier) -> PoisonedShop:
    settings.RETRY_SECONDS = 60
    return PoisonedShop(client, standin, settings, monkeypatch, tmp_path)


@pytest.mark.parametrize("name", sorted(JOBS))
def test_what_fails_waits_alone_and_is_shown_until_it_is_mended(world, name):
    job = JOBS[name](world)
    run = import_string(SCHEDULE[name]["task"])
    run()
    run()
    assert job.is_rest_done()
    assert not job.is_done()
    stuck = StuckItem.objects.get(loop=job.loop)
    assert stuck.attempt_count == 1  # the second run left it alone
    assert_staff_read_of(stuck)
    first_pause = stuck.retry_at - stuck.last_failed_at
    assert again(run).attempt_count == 2
    stuck.refresh_from_db()
    assert stuck.retry_at - stuck.last_failed_at > first_pause * 1.5
    job.mend()
    again(run)
    assert job.is_done()
    assert not StuckItem.objects.filter(loop=job.loop).exists()


def again(run: Callable[[], object]) -> StuckItem | None:
    """Its pause is over."""
    loops.retry_now(StuckItem.objects.all())
    OutgoingEmail.objects.filter(state="queued").update(due_at=timezone.now() - timedelta(seconds=1))
    run()
    return StuckItem.objects.first()


def assert_staff_read_of(stuck: StuckItem) -> None:
    staff = Client()
    staff.force_login(cast.sam())
    page = staff.get("/admin/").text
    for words in (str(stuck), stuck.error, loops.find_loop(stuck.loop).advice):
        assert str(escape(words)) in page
    assert stuck.error


def test_the_pause_is_bounded(settings):
    loop = loops.Loop("any", "Anything", "Wait.")
    for _ in range(30):
        loop.record_failure(1, ValueError("no"))
    stuck = StuckItem.objects.get()
    assert stuck.attempt_count == 30
    assert (stuck.retry_at - stuck.last_failed_at).total_seconds() == pytest.approx(loops.LONGEST_PAUSE_SECONDS)


def test_an_address_in_an_error_is_not_kept():
    loop = loops.Loop("any", "Anything", "Wait.")
    loop.record_failure(1, ValueError("Invalid email address: pat@example.com"))
    assert "pat@" not in StuckItem.objects.get().error


def test_later_news_of_an_order_waits_for_the_stuck_one_and_then_goes_on(settings):
    order = builders.placed_order()
    run = import_string(SCHEDULE["relay events"]["task"])
    poison("notifications_outgoingemail", "NEW.topic = 'receipt'", event="INSERT")
    events.record_order_event(order, OrderEvent.Kind.CANCELLED)
    for _ in range(2):
        again(run)
        assert not OutgoingEmail.objects.exists()
    again(run)
    again(run)
    assert OutgoingEmail.objects.get().topic == "order_cancelled"
    cure()
    again(run)
    assert set(OutgoingEmail.objects.values_list("topic", flat=True)) == {"order_cancelled", "receipt"}


def test_one_accounts_news_keeps_no_other_accounts_waiting():
    bad, good = (builders.customer() for _ in range(2))
    for customer in (bad, good):
        AccountEvent.objects.create(kind=AccountEvent.Kind.EXPORT_READY, customer=customer)
    poison("notifications_outgoingemail", f"NEW.customer_id = {bad.pk}", event="INSERT")
    import_string(SCHEDULE["relay events"]["task"])()
    assert OutgoingEmail.objects.get().customer == good
    assert StuckItem.objects.get().loop == "account_news"


def test_a_session_whose_creation_fails_at_stripe_keeps_no_other_waiting(world):
    world.settings.RECONCILE_SECONDS = 0
    buyer = type(world.client)()
    fill(buyer)
    world.standin.fault("fail_after", on="POST /v1/checkout/sessions", times=2)
    buyer.post("/checkout/", form())
    failed = Payment.objects.get()
    good = buy(world)
    world.standin.pay(good.provider_reference)
    reconciliation.reconcile_with_stripe()
    assert (status_of(failed), status_of(good)) == ("created", "captured")
    assert StuckItem.objects.get().item == str(failed.pk)


def test_when_stripe_is_away_nobody_is_blamed_and_all_goes_on_as_it_is_back(world):
    paid = [buy(world) for _ in range(3)]
    for payment in paid:
        world.standin.pay(payment.provider_reference)
    Payment.objects.update(created_at=timezone.now() - timedelta(hours=1))
    world.standin.fault("drop", times=50)
    reconciliation.reconcile_with_stripe()
    assert StuckItem.objects.get().loop == "stripe"
    world.standin.control("DELETE", "faults")
    reconciliation.reconcile_with_stripe()
    assert {status_of(payment) for payment in paid} == {"captured"}
    assert not StuckItem.objects.exists()


def test_a_product_that_cannot_be_indexed_keeps_no_other_from_being_found(client):
    bad, _ = builders.product("Long one"), builders.product("Short one")
    Product.objects.filter(pk=bad.pk).update(description=" ".join(f"word{number}" for number in range(150_000)))
    listing.refresh_listings()
    assert "Short one" in client.get("/search/?q=short").text
    assert StuckItem.objects.get().loop == "indexing"
    Product.objects.filter(pk=bad.pk).update(description="Shorter.")
    again(import_string(SCHEDULE["recheck stock flags"]["task"]))
    assert "Long one" in client.get("/search/?q=long").text
    assert not StuckItem.objects.exists()


def test_what_somebody_else_settled_is_stuck_no_longer(world):
    payment = buy(world)
    reconciliation.PAYMENTS.record_failure(payment.pk, ValueError("no"))
    world.standin.pay(payment.provider_reference)
    checkout_sessions.settle_payment(payment.pk)
    reconciliation.reconcile_with_stripe()
    assert not StuckItem.objects.exists()


def test_a_web_process_that_ran_no_job_knows_what_to_advise():
    question = (
        "import django; django.setup(); from shop.retrying import loops;"
        f"print(all(loops.find_loop(key) for key in {sorted(loops._loops)!r}))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", question], capture_output=True, text=True, check=True, cwd=CHECKOUT, env=ENVIRONMENT
    )
    assert answer.stdout.strip() == "True"
