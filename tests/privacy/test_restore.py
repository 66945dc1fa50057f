"""The journal, and what a restored backup is told by it."""

import json
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from accounts.consent import consent, purposes, verification
from accounts.models import Consent, Customer, Erasure
from accounts.privacy import erasure, journal, stored_data
from notifications import relay
from notifications.models import OutgoingEmail
from orders import order_mail_optins
from orders.models import OrderLine, OrderTick
from recommendations.models import ProductView
from shop import personal_data
from tests import builders, cast
from tests.privacy import people

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def path(settings, tmp_path, standin):
    settings.JOURNAL_PATH = tmp_path / "journal"
    return settings.JOURNAL_PATH


def after_restore(path) -> None:
    call_command("after_restore", journal=path)


def test_the_journal_holds_ids_and_nothing_else(path):
    zora = people.zora()
    consent.set_consent(zora, purposes.NEWSLETTER, granted=False, source="preferences")
    consent.set_consent(zora, purposes.NEWSLETTER, granted=False, source="preferences")  # says nothing new
    consent.set_master(zora, on=False, source="preferences")
    order = builders.placed_order(customer=zora)
    OrderTick.objects.create(order=order, purpose=purposes.MAIL_ORDER_PACKED, granted=True, wording_version=1)
    order_mail_optins.turn_off_order_mail(order.pk, purposes.MAIL_ORDER_PACKED)
    erasure.repeat_erasure(zora.chain, at=timezone.now())
    entries = list(journal.read_journal(path))
    assert [entry.what for entry in entries] == ["withdrawn", "withdrawn", "unticked", "erased"]
    assert {entry.chain for entry in entries if entry.chain} == {zora.chain}
    assert [word for word in people.SECRETS if word.lower() in path.read_text().lower()] == []
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_yes_is_not_written_down_and_a_full_disk_stops_no_no(path, settings):
    bob = cast.bob()
    consent.set_consent(bob, purposes.NEWSLETTER, granted=True, source="preferences")
    assert not path.exists()
    settings.JOURNAL_PATH = path / "not" / "there"
    consent.set_consent(bob, purposes.NEWSLETTER, granted=False, source="preferences")
    assert not consent.allows(bob, purposes.NEWSLETTER)


def test_after_a_restore_who_was_erased_is_erased_again(path):
    zora = people.zora()
    people.delivered_order(zora)
    path.write_text(line(what="erased", chain=str(zora.chain)) + line(what="erased", chain=str(cast.bob().chain)))
    after_restore(path)
    assert people.traces() == {(people.WHERE_INVOICES_ARE, word) for word in people.ON_AN_INVOICE}
    assert not Customer.objects.exists()
    assert set(Erasure.objects.values_list("state", flat=True)) == {"done"}
    verification.verify_ledger()
    after_restore(path)  # twice is once
    assert Erasure.objects.count() == 2


def test_after_a_restore_withdrawals_count_again_and_later_answers_stay(path):
    alice, bob = cast.alice(), cast.bob()
    order = builders.placed_order()
    OrderTick.objects.create(order=order, purpose=purposes.MAIL_ORDER_PACKED, granted=True, wording_version=1)
    path.write_text(
        line(what="withdrawn", chain=str(alice.chain), purpose=purposes.NEWSLETTER)
        + line(what="withdrawn", chain=str(bob.chain), purpose="personal_shopper")
        + line(what="unticked", order=order.number, purpose=purposes.MAIL_ORDER_PACKED)
        + line(minutes=-60, what="withdrawn", chain=str(alice.chain), purpose=purposes.RECEIPT_OFFER)
    )
    after_restore(path)
    assert not consent.allows(alice, purposes.NEWSLETTER)
    assert consent.allows(alice, purposes.RECEIPT_OFFER)  # said yes since
    assert not consent.is_master_on(bob)
    assert not order.ticks.get().granted
    assert set(Consent.objects.filter(source="after_restore").values_list("customer", flat=True)) == {alice.pk, bob.pk}
    verification.verify_ledger()


def test_after_a_restore_mail_that_waited_is_parked_for_staff(path):
    alice = cast.alice()
    first = builders.placed_order(customer=alice)
    relay.relay_all_events()
    second = builders.placed_order(customer=alice)  # its event was not even relayed when the dump was made
    path.write_text("")
    after_restore(path)
    mails = OutgoingEmail.objects.filter(topic="receipt")
    assert {mail.order for mail in mails} == {first, second}
    assert {mail.state for mail in mails} == {"uncertain"}
    assert not OutgoingEmail.objects.filter(state__in=["queued", "claimed", "sending"]).exists()
    assert relay.relay_all_events() == 0


def test_a_journal_that_cannot_be_read_is_refused_before_anything_is_done(path):
    alice = cast.alice()
    builders.placed_order(customer=alice)
    path.write_text(line(what="erased", chain=str(alice.chain)) + "no line\n")
    with pytest.raises(CommandError, match="line 2"):
        after_restore(path)
    assert Customer.objects.get().pk == alice.pk
    assert not OutgoingEmail.objects.exists()
    path.write_text(line(what="erased", chain=str(alice.chain))[:-5])  # the machine died while writing
    after_restore(path)
    assert Customer.objects.get().pk == alice.pk
    with pytest.raises(CommandError):
        after_restore(path.with_name("elsewhere"))


def line(*, minutes: float = 1, **ids: str) -> str:
    return json.dumps({"at": (timezone.now() + timedelta(minutes=minutes)).isoformat(), **ids}) + "\n"


# -- What was forgotten for one purpose, and erasures that were only asked for --------------------------------------


def with_a_past(customer):
    """A purchase, a look and a maker told."""
    builders.paid_order(customer=customer, placed_at=timezone.now() - timedelta(days=3))
    ProductView.objects.create(
        customer=customer, product=builders.product(), viewed_at=timezone.now() - timedelta(days=2)
    )
    told = customer.interests.create(kind="maker", maker=builders.maker())
    customer.interests.filter(pk=told.pk).update(told_at=timezone.now() - timedelta(days=2))


@pytest.fixture
def as_it_was():
    """The database as the dump has it: all that was done since is undone, the journal apart."""

    @contextmanager
    def _restored():
        mark = transaction.savepoint()
        yield
        transaction.savepoint_rollback(mark)

    return _restored


def readable(customer):
    """What each purpose may still read of the past: purchases for two purposes, looks, what was told."""
    bought = OrderLine.objects.usable_for
    return {
        "suggested from": bought(purposes.RECOMMEND_FROM_PURCHASES).filter(order__customer=customer).count(),
        "counted": bought(purposes.COUNT_IN_ALSO_BOUGHT).filter(order__customer=customer).count(),
        "looks": ProductView.objects.filter(customer=customer).count(),
        "told": customer.interests.count(),
    }


@pytest.mark.parametrize("key", [*personal_data.get_wordings()])
def test_what_was_forgotten_for_a_purpose_is_forgotten_again_and_only_that(client, path, as_it_was, key):
    alice, ben = cast.alice(), builders.customer(ticks=tuple(each.key for each in purposes.PURPOSES))
    for person in (alice, ben):
        with_a_past(person)
    whole = readable(ben)
    client.force_login(alice.user)
    with as_it_was():
        assert client.post(f"/account/preferences/{key}/forgetting/").status_code == 302
        forgotten = readable(alice)
    assert readable(alice) == whole
    after_restore(path)
    assert readable(alice) == forgotten
    assert readable(ben) == whole
    after_restore(path)
    assert readable(alice) == forgotten


def test_what_came_after_the_forgetting_and_is_in_the_backup_stays(path):
    alice = cast.alice()
    with_a_past(alice)
    for key in personal_data.get_wordings():
        stored_data.delete_for_purpose(alice, key)
    builders.paid_order(customer=alice, placed_at=timezone.now())
    ProductView.objects.create(customer=alice, product=builders.product(), viewed_at=timezone.now())
    alice.interests.create(kind="maker", maker=builders.maker("Loch & Lane"))
    after_restore(path)  # the dump was made only now
    assert readable(alice) == {"suggested from": 1, "counted": 1, "looks": 1, "told": 1}


def test_an_older_forgetting_never_brings_back_what_a_newer_one_took(path):
    alice = cast.alice()
    builders.paid_order(customer=alice, placed_at=timezone.now() - timedelta(days=1))
    stored_data.delete_for_purpose(alice, purposes.RECOMMEND_FROM_PURCHASES)
    path.write_text(
        line(minutes=-9000, what="forgotten", chain=str(alice.chain), purpose=purposes.RECOMMEND_FROM_PURCHASES)
    )
    after_restore(path)
    assert readable(alice)["suggested from"] == 0


@pytest.mark.parametrize("dumped", ["before", "between", "after"])
def test_what_was_taken_back_is_not_forgotten_again(path, as_it_was, dumped):
    alice, key = cast.alice(), purposes.RECOMMEND_FROM_PURCHASES
    builders.paid_order(customer=alice, placed_at=timezone.now() - timedelta(days=1))

    def forget() -> None:
        stored_data.delete_for_purpose(alice, key)

    def undo() -> None:
        stored_data.take_back(alice, key, alice.forgotten_pasts.get().pk)

    if dumped == "before":
        with as_it_was():
            forget(), undo()
    else:
        forget()
        if dumped == "between":
            with as_it_was():
                undo()
            assert readable(alice)["suggested from"] == 0
        else:
            undo()
    for _ in range(2):
        after_restore(path)
        assert readable(alice)["suggested from"] == 1
    stored_data.delete_for_purpose(alice, key)
    after_restore(path)
    assert readable(alice)["suggested from"] == 0


def test_an_undo_gives_back_for_its_own_purpose_alone(path, as_it_was):
    alice, until = cast.alice(), timezone.now()
    builders.paid_order(customer=alice, placed_at=until - timedelta(days=1))
    for key in (purposes.RECOMMEND_FROM_PURCHASES, purposes.COUNT_IN_ALSO_BOUGHT):
        personal_data.forget_for_purpose(alice, key, until=until)
    undone = alice.forgotten_pasts.get(purpose=purposes.RECOMMEND_FROM_PURCHASES)
    with as_it_was():
        stored_data.take_back(alice, undone.purpose, undone.pk)
    after_restore(path)
    found = readable(alice)
    assert (found["suggested from"], found["counted"]) == (1, 0)


def test_an_undo_that_the_shop_did_not_write_gives_nothing_back(path):
    alice, key = cast.alice(), purposes.RECOMMEND_FROM_PURCHASES
    builders.paid_order(customer=alice, placed_at=timezone.now() - timedelta(days=1))
    stored_data.delete_for_purpose(alice, key)
    until = alice.forgotten_pasts.get().before_at.isoformat()
    forged = {"at": timezone.now().isoformat(), "what": "forgetting_undone", "chain": str(alice.chain), "purpose": key}
    with path.open("a") as file:
        file.write(json.dumps({**forged, "until": until, "seal": "00" * 32}) + "\n")
    after_restore(path)
    assert readable(alice)["suggested from"] == 0


def test_who_had_asked_to_be_erased_is_awaited_again_under_the_link_they_have(path, as_it_was):
    zora, bob = people.zora(), cast.bob()
    with as_it_was():
        asked = erasure.request_erasure(zora, at_once=False)
        erasure.cancel_erasure(erasure.request_erasure(bob, at_once=False))
    assert not Erasure.objects.exists()
    for _ in range(2):
        after_restore(path)
    found = Erasure.objects.get()
    assert (found.pk, found.customer, found.due_at, found.state) == (asked.pk, zora, asked.due_at, "scheduled")
    assert erasure.cancel_erasure(erasure.find_erasure_by_token(erasure.make_erasure_token(asked)))
    after_restore(path)
    assert Erasure.objects.get().state == "undone"


def test_an_erasure_called_off_since_the_dump_is_called_off_again(path, as_it_was):
    zora = people.zora()
    asked = erasure.request_erasure(zora, at_once=False)
    with as_it_was():
        erasure.cancel_erasure(asked)
    after_restore(path)
    assert Erasure.objects.get().state == "undone"
    assert Customer.objects.filter(pk=zora.pk).exists()
