"""Every periodic job with something in it that fails: the rest goes on, the failure waits longer each time, staff read
what to do, and once it is mended it is done.
"""

import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape
from django.utils.module_loading import import_string

from accounts.consent import purposes
from accounts.models import AccountEvent, ConsentRequest, DataExport, Erasure
from accounts.privacy import erasure, export
from notifications.models import NewsletterIssue, OutgoingEmail
from orders import events
from orders.models import Order, OrderEvent, Payment, Refund, StripeEvent
from orders.payments import checkout_sessions, reconciliation
from recommendations import picks
from recommendations.models import Contribution, ModelRun, ProductLikeness
from recommendations.picks import Pick
from shop.catalog import listing
from shop.catalog.models import Product
from shop.local.home import CHECKOUT
from shop.local.stripe.testing import StandIn
from shop.retrying import loops
from shop.retrying.models import StuckItem
from shop.schedule import SCHEDULE
from tests import builders, cast
from tests.notifications.acts import relay_and_deliver
from tests.notifications.conftest import sink
from tests.paying import check_out, fill, form, standin, standin_process
from tests.poison import cure, poison

__all__ = ["sink", "standin", "standin_process"]

pytestmark = pytest.mark.django_db
ENVIRONMENT = {**os.environ, "DJANGO_SETTINGS_MODULE": "shop.settings"}


@dataclass
class Poisoned:
    """A job with one item that fails among others. `is_rest_done` and `is_done` say how far it came."""

    loop: str
    is_rest_done: Callable[[], bool]
    is_done: Callable[[], bool]
    mend: Callable[[], object] = cure


@dataclass
class PoisonedShop:
    client: Client
    standin: StandIn
    settings: Any
    monkeypatch: pytest.MonkeyPatch
    tmp_path: Any


def stock_flags(world: PoisonedShop) -> Poisoned:
    bad, good = builders.product(on_hand=3), builders.product(on_hand=3)
    Product.objects.update(is_available=False)
    poison("catalog_product", f"NEW.id = {bad.pk}")
    return Poisoned(
        "stock_flags",
        lambda: Product.objects.get(pk=good.pk).is_available,
        lambda: Product.objects.get(pk=bad.pk).is_available,
    )


def relay(world: PoisonedShop) -> Poisoned:
    bad, good = builders.placed_order(), builders.placed_order()
    poison("notifications_outgoingemail", f"NEW.order_id = {bad.pk}", event="INSERT")
    return Poisoned("order_news", lambda: is_told(good), lambda: is_told(bad))


def is_told(order: Order) -> bool:
    return OutgoingEmail.objects.filter(order=order, topic="receipt").exists()


def mail(world: PoisonedShop) -> Poisoned:
    """A mail of a topic that the shop no longer knows."""
    bad, good = (OutgoingEmail(key=key, kind="essential", to_address=f"{key}@example.com") for key in ("bad", "good"))
    bad.topic, good.topic = "gone", "erasure_asked_for"
    OutgoingEmail.objects.bulk_create([bad, good])
    state = OutgoingEmail.objects.values_list("state", flat=True)
    return Poisoned(
        "mail",
        lambda: state.get(key="good") == "skipped",  # nothing to say, and so it was dealt with
        lambda: state.get(key="bad") == "skipped",
        mend=lambda: OutgoingEmail.objects.filter(key="bad").update(topic="erasure_asked_for", due_at=timezone.now()),
    )


def newsletter(world: PoisonedShop) -> Poisoned:
    builders.customer(ticks=(purposes.NEWSLETTER,))
    bad, good = (NewsletterIssue.objects.create(subject=s, body="News.", released_at=timezone.now()) for s in "bg")
    poison("notifications_outgoingemail", f"NEW.context->>'issue' = '{bad.pk}'", event="INSERT")
    issues = NewsletterIssue.objects.exclude(fanned_out_at=None)
    return Poisoned("newsletter", lambda: issues.filter(pk=good.pk).exists(), lambda: issues.filter(pk=bad.pk).exists())


def weekly_letter(world: PoisonedShop) -> Poisoned:
    goods = [Pick(builders.product().pk, "Sells well just now") for _ in range(3)]
    world.monkeypatch.setattr(picks, "pick_for_mail", lambda *_: goods)
    bad, good = (builders.customer(ticks=(purposes.MAIL_RECOMMENDATIONS,)) for _ in range(2))
    poison("notifications_outgoingemail", f"NEW.customer_id = {bad.pk}", event="INSERT")
    mails = OutgoingEmail.objects.filter(topic="recommendations")
    return Poisoned(
        "recommendation_mail",
        lambda: mails.filter(customer=good).exists(),
        lambda: mails.filter(customer=bad).exists(),
    )


def reconciler(world: PoisonedShop) -> Poisoned:
    """A session that this Stripe account does not know, ahead of a payment and of a refund."""
    bad, good, refunded = (buy(world) for _ in range(3))
    reference = bad.provider_reference
    Payment.objects.filter(pk=bad.pk).update(provider_reference="cs_test_of_another_account")
    world.standin.pay(good.provider_reference)
    world.standin.pay(refunded.provider_reference)
    checkout_sessions.settle_payment(refunded.pk)
    checkout_sessions.request_refund(Order.objects.get(pk=refunded.order_id), amount=None, actor="Sam", reason="")
    long_ago = timezone.now() - timedelta(hours=1)
    Payment.objects.update(created_at=long_ago)
    Refund.objects.update(created_at=long_ago)

    def mend() -> None:
        Payment.objects.filter(pk=bad.pk).update(provider_reference=reference)

    return Poisoned(
        "payments",
        lambda: status_of(good) == "captured" and Refund.objects.get().status == "succeeded",
        lambda: status_of(bad) == "expired",
        mend=mend,
    )


def payment_pages(world: PoisonedShop) -> Poisoned:
    """A page over whose idempotency key Stripe quarrels, ahead of one that only never came."""
    bad, good = (buy(world) for _ in range(2))
    a_moment_ago = timezone.now() - timedelta(seconds=5)
    Payment.objects.update(status="created", provider_reference=None, created_at=a_moment_ago)
    give_new_key(good)
    return Poisoned(
        "payment_pages",
        lambda: status_of(good) == "open",
        lambda: status_of(bad) == "open",
        mend=lambda: give_new_key(bad),
    )


def give_new_key(payment: Payment) -> None:
    Payment.objects.filter(pk=payment.pk).update(idempotency_key=uuid.uuid4())


def stripe_events(world: PoisonedShop) -> Poisoned:
    bad, good = (buy(world) for _ in range(2))
    reference = bad.provider_reference
    Payment.objects.filter(pk=bad.pk).update(provider_reference="cs_test_of_another_account")
    for number, object_id in enumerate(["cs_test_of_another_account", good.provider_reference]):
        world.standin.pay(good.provider_reference)
        StripeEvent.objects.create(
            event_id=f"evt_{number}",
            kind="checkout.session.completed",
            object_id=object_id,
            created_at=timezone.now(),
        )

    def mend() -> None:
        Payment.objects.filter(pk=bad.pk).update(provider_reference=reference)
        StripeEvent.objects.filter(event_id="evt_0").update(object_id=reference)

    return Poisoned(
        "stripe_events",
        lambda: status_of(good) == "captured",
        lambda: StripeEvent.objects.get(event_id="evt_0").processed_at is not None,
        mend=mend,
    )


def buy(world: PoisonedShop) -> Payment:
    buyer = type(world.client)()
    fill(buyer)
    return check_out(buyer)


def status_of(payment: Payment) -> str:
    return Payment.objects.get(pk=payment.pk).status


def withdrawn_epoch() -> int:
    """The id of an epoch whose only purchase nobody may use any more."""
    person = builders.customer(ticks=(purposes.COUNT_IN_ALSO_BOUGHT,))
    builders.paid_order(customer=person, placed_at=timezone.now() - timedelta(days=1))
    import_string(SCHEDULE["train recommendations"]["task"])()
    Order.objects.update(customer=None)
    return ModelRun.objects.get(is_current=True).pk


def taking_out(world: PoisonedShop) -> Poisoned:
    withdrawn_epoch()
    poison("recommendations_contribution", event="DELETE")
    return Poisoned("withdrawal", lambda: True, lambda: not Contribution.objects.exists())


def recomputing(world: PoisonedShop) -> Poisoned:
    first = withdrawn_epoch()
    return model_run("recomputing", lambda: not ModelRun.objects.filter(pk=first, is_current=True).exists())


def training(world: PoisonedShop) -> Poisoned:
    return model_run("training", lambda: ModelRun.objects.filter(is_current=True).exists())


def model_run(loop: str, is_done: Callable[[], bool]) -> Poisoned:
    poison("recommendations_modelrun", event="INSERT")
    return Poisoned(loop, lambda: True, is_done)


def likeness(world: PoisonedShop) -> Poisoned:
    for title in ("Mug, red", "Mug, blue"):
        builders.product(title)
    poison("recommendations_productlikeness", event="INSERT")
    return Poisoned("likeness", lambda: True, ProductLikeness.objects.exists)


def checkpoint(world: PoisonedShop) -> Poisoned:
    """A folder that cannot be made, because a file is in its place."""
    in_the_way = world.tmp_path / "checkpoints"
    in_the_way.write_text("")
    world.settings.CHECKPOINT_FOLDER = str(in_the_way)
    return Poisoned("checkpoints", lambda: True, in_the_way.is_dir, mend=in_the_way.unlink)


def exports(world: PoisonedShop) -> Poisoned:
    bad, good = (export.request_export(builders.customer()) for _ in range(2))
    poison("accounts_dataexport", f"NEW.id = '{bad.pk}' AND NEW.done_count = 2")
    state = DataExport.objects.values_list("state", flat=True)
    return Poisoned("exports", lambda: state.get(pk=good.pk) == "ready", lambda: state.get(pk=bad.pk) == "ready")


def erasures(world: PoisonedShop) -> Poisoned:
    bad, good = (erasure.request_erasure(builders.customer(), at_once=True) for _ in range(2))
    relay_and_deliver()
    OutgoingEmail.objects.update(state="sent")
    poison("accounts_erasure", f"NEW.id = '{bad.pk}'")
    state = Erasure.objects.values_list("state", flat=True)
    return Poisoned("erasures", lambda: state.get(pk=good.pk) == "done", lambda: state.get(pk=bad.pk) == "done")


def retention(world: PoisonedShop) -> Poisoned:
    """Old events of Stripe cannot be deleted; old requests for consent can."""
    long_ago = timezone.now() - timedelta(days=3000)
    StripeEvent.objects.create(event_id="evt", kind="charge.updated", created_at=long_ago, processed_at=long_ago)
    ConsentRequest.objects.create(email="a@example.com", purpose=purposes.NEWSLETTER, wording_version=1)
    ConsentRequest.objects.update(created_at=long_ago)
    poison("orders_stripeevent", event="DELETE")
    return Poisoned(
        "retention",
        lambda: not ConsentRequest.objects.exists(),
        lambda: not StripeEvent.objects.exists(),
    )


JOBS: dict[str, Callable[[PoisonedShop], Poisoned]] = {
    "recheck stock flags": stock_flags,
    "relay events": relay,
    "deliver mail": mail,
    "fan out newsletter": newsletter,
    "queue recommendation mail": weekly_letter,
    "open payment pages": payment_pages,
    "reconcile payments": reconciler,
    "process payment events": stripe_events,
    "take out what is withdrawn": taking_out,
    "withdraw from recommendations": recomputing,
    "train recommendations": training,
    "relate products": likeness,
    "checkpoint consents": checkpoint,
    "build data exports": exports,
    "erase who is due": erasures,
    "retire personal data": retention,
}


def test_every_periodic_job_has_its_poison():
    assert set(JOBS) == set(SCHEDULE)


@pytest.fixture
def world(client, standin, settings, monkeypatch, tmp_path, sink) -> PoisonedShop:
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
