"""For each periodic job something in it that fails, beside something that does not."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts.consent import purposes
from accounts.models import ConsentRequest, DataExport, Erasure
from accounts.privacy import erasure, export
from notifications.models import NewsletterIssue, OutgoingEmail
from orders.carriers.base import CarrierScan, ParcelNotice, ScanMeaning
from orders.fulfilment import following, scans
from orders.models import (
    LaneWindow,
    Order,
    OrderEvent,
    Payment,
    Refund,
    ReturnLabel,
    Shipment,
    ShopSettings,
    StripeEvent,
)
from orders.papers.issuing import MAY_CHANGE_FOR
from orders.payments import checkout_sessions
from orders.returns import statements
from recommendations import picks
from recommendations.models import Contribution, ModelRun, ProductLikeness
from recommendations.picks import Pick
from shop.catalog.models import Product
from shop.local.stripe.testing import StandIn
from shop.schedule import SCHEDULE
from tests import builders
from tests.delays.late import late_order
from tests.notifications.acts import relay_and_deliver
from tests.orders.test_collecting import collected_order
from tests.paying import check_out, fill
from tests.poison import cure, poison
from tests.private_files import keep_private_files_in
from tests.returns.selling import came, returned, take_back


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


def send_two_parcels() -> list[Shipment]:
    """Just now, with the numbers Q and their own."""
    parcels = [builders.sent_parcel(builders.placed_order()) for _ in range(2)]
    for parcel in parcels:
        Shipment.objects.filter(pk=parcel.pk).update(tracking_number=f"Q{parcel.pk}", dispatched_at=timezone.now())
    return parcels


def carrier_messages(world: PoisonedShop) -> Poisoned:
    bad, good = send_two_parcels()
    for parcel in (bad, good):
        scan = CarrierScan(ScanMeaning.IN_TRANSIT, timezone.now())
        scans.store_notice("generic", ParcelNotice(f"m{parcel.pk}", f"Q{parcel.pk}", (scan,)))
    poison("orders_trackingevent", f"NEW.shipment_id = {bad.pk}", event="INSERT")
    return Poisoned("carrier_messages", good.scans.exists, bad.scans.exists)


def parcels_to_follow(world: PoisonedShop) -> Poisoned:
    bad, good = send_two_parcels()
    poison("orders_shipment", f"NEW.id = {bad.pk}")
    followed = Shipment.objects.exclude(followed_at=None)
    return Poisoned("parcels_to_follow", followed.filter(pk=good.pk).exists, followed.filter(pk=bad.pk).exists)


def silent_parcels(world: PoisonedShop) -> Poisoned:
    bad, good = send_two_parcels()
    following.follow_new_parcels()
    Shipment.objects.update(heard_at=timezone.now() - following.SILENT_FOR)
    poison("orders_shipment", f"NEW.id = {bad.pk}")
    heard_of = Shipment.objects.filter(heard_at__gt=timezone.now() - timedelta(hours=1))
    return Poisoned("silent_parcels", heard_of.filter(pk=good.pk).exists, heard_of.filter(pk=bad.pk).exists)


def return_labels(world: PoisonedShop) -> Poisoned:
    keep_private_files_in(world.tmp_path, world.settings)
    take_back(pays_return_postage=True, return_label_address="adr_1")
    bad, good = (
        ReturnLabel.objects.create(return_authorization=returned(came()), requested_at=timezone.now()) for _ in range(2)
    )
    poison("orders_returnlabel", f"NEW.id = {bad.pk}")
    made = ReturnLabel.objects.exclude(made_at=None)
    return Poisoned("return_labels", made.filter(pk=good.pk).exists, made.filter(pk=bad.pk).exists)


def withdrawals(world: PoisonedShop) -> Poisoned:
    bad, good = builders.placed_order(), builders.placed_order()
    for order in (bad, good):
        statements.write_down_statement(number=order.number, email=order.email, full_name="Pat")
    poison("orders_withdrawal", f"NEW.order_id = {bad.pk}", event="INSERT")
    return Poisoned("withdrawal_statements", good.withdrawals.exists, bad.withdrawals.exists)


def approvals(world: PoisonedShop) -> Poisoned:
    bad, good = builders.placed_order(), builders.placed_order()
    ShopSettings(pk=1, approve_up_to=1000).save()
    poison("orders_shipment", f"NEW.order_id = {bad.pk}", event="INSERT")
    return Poisoned("approvals", good.shipments.exists, bad.shipments.exists)


def invoices(world: PoisonedShop) -> Poisoned:
    bad, good = (builders.placed_order(placed_at=timezone.now() - MAY_CHANGE_FOR) for _ in range(2))
    poison("orders_invoice", f"NEW.order_id = {bad.pk}", event="INSERT")
    return Poisoned("invoices", good.invoices.exists, bad.invoices.exists)


def unpaid_orders(world: PoisonedShop) -> Poisoned:
    orders = [builders.paid_order() for _ in range(2)]
    over = timezone.now() - timedelta(days=1)
    Order.objects.update(status="pending", payment_status="unpaid", placed_at=None, source="staff", pay_by_at=over)
    bad, good = (Order.objects.filter(pk=order.pk, status="cancelled") for order in orders)
    poison("orders_order", f"NEW.id = {orders[0].pk}")
    return Poisoned("unpaid_orders", good.exists, bad.exists)


def delays(world: PoisonedShop) -> Poisoned:
    bad, good = late_order(), late_order()
    poison("orders_delaynotice", f"NEW.order_id = {bad.pk}", event="INSERT")
    return Poisoned("delays", good.delay_notices.exists, bad.delay_notices.exists)


def uncollected_orders(world: PoisonedShop) -> Poisoned:
    bad, good = collected_order(Shipment.Stage.READY), collected_order(Shipment.Stage.READY)
    Shipment.objects.update(ready_at=timezone.now() - timedelta(days=90))
    poison("orders_orderevent", f"NEW.order_id = {bad.pk} AND NEW.kind = 'shipment_uncollected'", event="INSERT")
    told = OrderEvent.objects.filter(kind=OrderEvent.Kind.UNCOLLECTED)
    return Poisoned("uncollected", good.events.filter(pk__in=told).exists, bad.events.filter(pk__in=told).exists)


def lanes(world: PoisonedShop) -> Poisoned:
    order = builders.sent_order(delivered_at=timezone.now(), promised_by_on=timezone.localdate())
    Order.objects.filter(pk=order.pk).update(shipping_method=builders.shipping_method())
    poison("orders_lanewindow", event="INSERT")
    return Poisoned("lanes", lambda: True, LaneWindow.objects.exists)


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
    "bring withdrawals to their orders": withdrawals,
    "follow new parcels": parcels_to_follow,
    "ask about silent parcels": silent_parcels,
    "make return labels": return_labels,
    "process carrier messages": carrier_messages,
    "approve obvious orders": approvals,
    "end unpaid orders": unpaid_orders,
    "tell of delays": delays,
    "remind of what is not collected": uncollected_orders,
    "measure our own deliveries": lanes,
    "issue invoices": invoices,
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
