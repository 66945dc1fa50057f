"""The drill: a backup by PostgreSQL's own tools, business after it, the backup restored, and the money found again."""

import io
import re
import subprocess
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from notifications import relay
from notifications.models import OutgoingEmail
from orders import cancellation
from orders.fulfilment import transitions
from orders.models import Allocation, Order, Payment, Refund, StripeRecord
from orders.payments import checkout_sessions, reconciliation, recovery
from orders.payments.refunds import find_refundable_payment
from shop.catalog.models import Variant
from shop.local.home import get_home
from shop.local.postgres import find_postgres_binaries
from shop.local.stripe.testing import StandIn
from tests import builders
from tests.paying import check_out, check_stock, fill, pay
from tests.reliability.stack import database_url

pytestmark = pytest.mark.django_db(transaction=True)


def tool(name: str, *arguments: str | Path) -> None:
    command = [find_postgres_binaries(get_home("tests")) / name, *arguments]
    subprocess.run(command, capture_output=True, text=True, check=True)


@pytest.fixture
def back_up(tmp_path: Path) -> Callable[[], Callable[[], None]]:
    """Makes a backup of the test's own database; what it returns restores it."""

    def dump() -> Callable[[], None]:
        file = tmp_path / "backup"
        tool("pg_dump", "-Fc", "-f", file, "-d", database_url())

        def restore() -> None:
            connection.close()
            tool("pg_restore", "--clean", "--if-exists", "--exit-on-error", "-d", database_url(), file)

        return restore

    return dump


@pytest.fixture(autouse=True)
def journal(settings: Any, tmp_path: Path) -> Path:
    settings.JOURNAL_PATH = tmp_path / "journal"
    settings.JOURNAL_PATH.write_text("")
    return settings.JOURNAL_PATH


def after_restore(journal: Path) -> str:
    said = io.StringIO()
    call_command("after_restore", journal=journal, stdout=said, stderr=said)
    return said.getvalue()


def begin(*variants: Variant) -> tuple[Client, Payment]:
    client = Client()
    fill(client, *variants)
    return client, check_out(client)


def buy(standin: StandIn, *variants: Variant) -> Order:
    client, payment = begin(*variants)
    return pay(client, standin, payment)


def charge_of(standin: StandIn, order: Order) -> str:
    intent = order.payments.get().payment_intent
    return next(charge["id"] for charge in standin.charges() if charge["payment_intent"] == intent)


def money_at(standin: StandIn) -> Counter[str]:
    """What is charged and given back at Stripe, to the penny."""
    sums: Counter[str] = Counter()
    for charge in standin.charges():
        sums[f"{charge['currency']} charged"] += charge["amount"]
        sums[f"{charge['currency']} refunded"] += charge["amount_refunded"]
    return sums


def standing_of(number: str) -> tuple[str, str, str]:
    order = Order.objects.get(number=number)
    return order.status, order.payment_status, order.hold


@pytest.fixture
def goods() -> list[Variant]:
    return [builders.variant(price=price, on_hand=20) for price in ("20.00", "7.35", "11.10")]


def test_after_a_restore_every_penny_is_accounted_for_and_none_moves_twice(standin, back_up, journal, goods):
    waiting, sent = buy(standin, goods[0]), buy(standin, goods[0])
    parcel = pack_and_send(sent)
    part_refunded, refunded_there, disputed = (buy(standin, goods[1]) for _ in range(3))
    (client, later_paid), (other_client, later_called_off), (_, never_paid) = (begin(goods[0]) for _ in range(3))
    relay.relay_all_events()
    restore = back_up()

    pay(client, standin, later_paid)
    cancellation.cancel_order(pay(other_client, standin, later_called_off).pk, actor="Sam")
    checkout_sessions.refund_order(part_refunded.pk, amount=Decimal("5.00"), actor="Sam", reason="A scratch")
    standin.refund_in_dashboard(charge_of(standin, refunded_there))
    standin.dispute(charge_of(standin, disputed))
    new, new_called_off = buy(standin, goods[1], goods[2]), buy(standin, goods[2])
    cancellation.cancel_order(new_called_off.pk, actor="Sam")
    stray = standin.charge_elsewhere(1234, currency="eur")
    relay.relay_all_events()
    money, contract = money_at(standin), contract_of(new)

    restore()
    assert not Order.objects.filter(number=new.number).exists()
    assert not Refund.objects.exists()
    standin.control("DELETE", "requests")
    said = after_restore(journal)

    assert {each["method"] for each in standin.requests()} == {"GET"}
    assert {number: standing_of(number) for number in Order.objects.values_list("number", flat=True)} == {
        waiting.number: ("confirmed", "paid", "restored"),
        sent.number: ("confirmed", "paid", ""),
        later_paid.order.number: ("confirmed", "paid", "restored"),
        later_called_off.order.number: ("cancelled", "refunded", ""),
        part_refunded.number: ("confirmed", "partially_refunded", "restored"),
        refunded_there.number: ("confirmed", "refunded", "refunded"),
        disputed.number: ("confirmed", "disputed", "disputed"),
        never_paid.order.number: ("pending", "unpaid", ""),
        new.number: ("confirmed", "paid", "rebuilt"),
        new_called_off.number: ("cancelled", "refunded", ""),
    }
    assert contract_of(Order.objects.get(number=new.number)) == contract
    assert find_refundable_payment(Order.objects.get(pk=part_refunded.pk))[1] == part_refunded.total - 5
    assert StripeRecord.objects.get(reference=stray["id"]).payment is None
    assert "EUR charged: at Stripe €12.34, here €12.34, of which €12.34 of no order" in said
    assert "They agree." in said
    assert {stray["id"], new.number} <= set(re.split(r"[ ,\n]", said))
    check_nothing_follows(standin, money)
    assert transitions.mark_shipment_delivered(parcel, actor="Sam")


def contract_of(order: Order) -> tuple[Any, ...]:
    order = Order.objects.get(number=order.number)
    lines = sorted(order.lines.values_list("sku", "title", "quantity", "unit_price", "tax_rate", "tax_amount"))
    return (order.total, order.subtotal, order.shipping_total, order.tax_total, order.email, lines)


def check_nothing_follows(standin: StandIn, money: Counter[str]) -> None:
    """No mail leaves or is written anew, no money moves, and the stock adds up, however long the shop runs on."""
    assert set(OutgoingEmail.objects.exclude(state="skipped").values_list("state", flat=True)) == {"uncertain"}
    mails = OutgoingEmail.objects.count()
    Refund.objects.update(created_at=timezone.now() - timedelta(minutes=5))  # old enough for the reconciler to look
    for _ in range(2):
        reconciliation.reconcile_with_stripe()
        assert relay.relay_all_events() == 0
    assert OutgoingEmail.objects.count() == mails
    assert money_at(standin) == money
    check_stock()


def pack_and_send(order: Order) -> int:
    transitions.approve_order(order.pk, actor="Sam")
    parcel = order.shipments.get()
    transitions.mark_shipment_picked(parcel.pk, actor="Sam")
    transitions.mark_shipment_packed(parcel.pk, actor="Sam")
    transitions.dispatch_shipment(parcel.pk, actor="Sam", carrier="dpd", tracking_number="1")
    return parcel.pk


def test_it_can_be_run_twice_and_finds_nothing_more(standin, back_up, journal, goods):
    restore = back_up()
    new = buy(standin, goods[0])
    restore()
    first, second = after_restore(journal), after_restore(journal)
    assert "Found at Stripe: 1 things" in first
    assert "Found at Stripe: 0 things" in second
    assert [line for line in first.splitlines() if "GBP" in line and ": at Stripe" in line] == [
        line for line in second.splitlines() if "GBP" in line and ": at Stripe" in line
    ]
    assert Order.objects.get().number == new.number
    assert OutgoingEmail.objects.count() == 1


def test_while_stripe_gives_no_answer_the_rest_is_done_and_the_command_says_it_is_not_complete(
    standin, back_up, journal, goods
):
    buy(standin, goods[0])
    restore = back_up()
    new = buy(standin, goods[0])
    restore()
    standin.fault("drop", on="GET *", times=1000)
    with pytest.raises(CommandError, match="run after_restore again"):
        after_restore(journal)
    assert not Order.objects.filter(number=new.number).exists()
    assert set(OutgoingEmail.objects.values_list("state", flat=True)) == {"uncertain"}
    assert Order.objects.get().hold == "restored"
    standin.control("DELETE", "faults")
    assert "They agree." in after_restore(journal)
    assert Order.objects.filter(number=new.number).exists()


def test_goods_sold_again_since_are_named_and_the_order_is_rebuilt_all_the_same(standin, back_up, journal):
    last = builders.variant(price="20.00", on_hand=1)
    restore = back_up()
    buy(standin, last)
    restore()
    client, second = begin(last)
    with suppress(AssertionError):
        pay(client, standin, second)
    said = after_restore(journal)
    assert f"not enough left of {last.sku}" in said
    assert Order.objects.filter(status="confirmed").count() == 2
    assert Allocation.objects.filter(released_at=None).count() == 1
    rebuilt = Order.objects.get(source="rebuilt")
    transitions.release_order_from_hold(rebuilt.pk, actor="Sam")
    with pytest.raises(transitions.TransitionRefused, match="Nothing is set aside"):
        transitions.approve_order(rebuilt.pk, actor="Sam")
    check_stock()


def test_a_second_payment_of_an_order_that_the_backup_knows_finds_its_order(standin, back_up, journal, goods):
    _, first = begin(goods[0])
    restore = back_up()
    Payment.objects.filter(pk=first.pk).update(status="expired")
    standin.lapse(first.provider_reference)
    second = Payment.objects.create(order=first.order, amount=first.amount, currency=first.currency)
    checkout_sessions.open_checkout_session(second)
    second.refresh_from_db()
    standin.pay(second.provider_reference)
    checkout_sessions.settle_payment(second.pk)
    restore()
    assert "They agree." in after_restore(journal)
    order = Order.objects.get()
    assert (order.status, order.payments.get(status="captured").idempotency_key) == (
        "confirmed", second.idempotency_key,
    )  # fmt: skip
    check_stock()


def test_a_refund_taken_back_by_the_bank_and_a_dispute_decided_since_are_known_after_it(
    standin, back_up, journal, goods
):
    returned, won = buy(standin, goods[0]), buy(standin, goods[0])
    refund = checkout_sessions.refund_order(returned.pk, amount=Decimal("5.00"), actor="Sam")
    dispute = standin.dispute(charge_of(standin, won))
    reconciliation.reconcile_with_stripe()
    restore = back_up()
    standin.settle_refund(refund.provider_reference, "failed")
    standin.change_dispute(dispute["id"], "lost")
    restore()
    assert "They agree." in after_restore(journal)
    assert Refund.objects.get().status == "failed"
    assert standing_of(returned.number)[1] == "paid"
    assert standing_of(won.number)[1:] == ("charged_back", "charged_back")


def test_somebody_elses_sessions_and_nonsense_in_their_words_are_listed_and_not_rebuilt(standin, back_up, journal):
    restore = back_up()
    client = standin.client()
    for metadata in ({}, {"order": "SW-1", "payment": "nonsense"}, {"order": "SW-1", "payment": str(uuid.uuid4())}):
        session = client.v1.checkout.sessions.create(
            {
                "mode": "payment",
                "success_url": "http://localhost:8000/",
                "metadata": metadata,
                "line_items": [
                    {
                        "quantity": 1,
                        "price_data": {
                            "currency": "gbp", "unit_amount": 500, "product_data": {"name": "A lesson"},
                        },
                    }
                ],
            }
        )  # fmt: skip
        standin.pay(session.id)
    restore()
    said = after_restore(journal)
    assert said.count("no order here; look at what it was for") == 3
    assert "GBP charged: at Stripe £15.00, here £15.00, of which £15.00 of no order" in said
    assert not Order.objects.exists()


def test_sums_that_differ_are_both_said_and_the_command_fails(standin, back_up, journal, goods):
    order = buy(standin, goods[0])
    reconciliation.reconcile_with_stripe()
    Payment.objects.filter(order=order).update(amount=Decimal("1.00"))
    with pytest.raises(recovery.RecoveryIncomplete, match=r"at Stripe £23\.50, here £1\.00 – THEY DIFFER"):
        recovery.compare_sums([])
    with pytest.raises(CommandError):
        after_restore(journal)


def test_what_cannot_be_taken_in_stops_nothing_else_and_is_named(standin, back_up, journal, goods, monkeypatch):
    restore = back_up()
    first, second = buy(standin, goods[0]), buy(standin, goods[0])
    poisoned = charge_of(standin, first)
    restore()
    record = recovery.recording.record_item

    def fail_on_one(item):
        if item.reference == poisoned:
            raise ValueError("poisoned")
        return record(item)

    monkeypatch.setattr(recovery.recording, "record_item", fail_on_one)
    said = io.StringIO()
    with pytest.raises(CommandError, match="Not complete"):
        call_command("after_restore", journal=journal, stdout=said, stderr=said)
    assert poisoned in said.getvalue()
    assert "THEY DIFFER" in said.getvalue()
    assert Order.objects.get().number == second.number
