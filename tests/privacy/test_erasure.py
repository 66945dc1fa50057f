"""Being forgotten: nothing is left but what tax law asks for, and it says so before."""

import uuid
from contextlib import closing
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from accounts.consent import consent, purposes, verification
from accounts.models import AccountEvent, Consent, ConsentPayload, ConsentRecord, Customer, Erasure, User
from accounts.privacy import erasure
from notifications import claims, relay, suppressions
from notifications.models import OutgoingEmail, SkipReason, Suppression
from notifications.queueing import Draft, queue_drafts
from notifications.topics import RECEIPT
from orders.models import Order, Shipment
from recommendations import training
from recommendations.models import Contribution, ModelRun, ProductSimilarity
from shop import personal_data
from shop.advisory_locks import AdvisoryLock
from shop.retrying import loops
from shop.retrying.models import StuckItem
from tests import builders, cast
from tests.privacy import people

pytestmark = pytest.mark.django_db


def erased(customer: Customer) -> Erasure:
    """Asked for at once; its notice has left."""
    made = erasure.request_erasure(customer, at_once=True)
    notice_left()
    assert erasure.erase_due_customers() == 1
    made.refresh_from_db()
    assert made.state == Erasure.State.DONE
    return made


def notice_left() -> None:
    relay.relay_all_events()
    OutgoingEmail.objects.filter(topic="erasure_asked_for").update(state="sent")


def test_nothing_of_an_erased_person_is_left_in_the_database_but_what_an_invoice_says():
    zora = people.zora()
    paid = people.delivered_order(zora)
    as_guest = people.delivered_order(None)  # placed with her address before she signed in
    given_up = builders.paid_order(customer=zora, placed_at=None)
    Order.objects.filter(pk=given_up.pk).update(
        placed_at=None,
        status=Order.Status.CANCELLED,
        full_name=people.NAME,
        line1=people.STREET,
        company_name=people.COMPANY,
        vat_id=people.VAT_ID,
    )
    people.suppressed()
    assert {word for _, word in people.traces()} == set(people.SECRETS)  # the dump does see them
    before = paid.lines.values_list("sku", "title", "quantity", "unit_price", "tax_amount")
    links = ConsentRecord.objects.count()

    done = erased(zora)

    assert people.traces() == {(people.WHERE_INVOICES_ARE, word) for word in people.ON_AN_INVOICE}
    for order in (paid, as_guest):
        kept = Order.objects.get(pk=order.pk)
        assert (kept.number, kept.total, kept.placed_at) == (order.number, order.total, order.placed_at)
        assert (kept.full_name, kept.line1, kept.city) == (people.NAME, people.STREET, people.CITY)
        assert (kept.customer, kept.email, kept.phone, kept.gift_note) == (None, "", "", "")
        assert kept.shipments.get().went_to == {"country": "GB"}
    assert list(paid.lines.values_list("sku", "title", "quantity", "unit_price", "tax_amount")) == list(before)
    given_up.refresh_from_db()
    assert (given_up.full_name, given_up.company_name, given_up.vat_id) == ("", "", "")
    assert not Customer.objects.filter(pk=done.customer_number).exists()
    assert not User.objects.filter(email=people.EMAIL).exists()
    assert ConsentRecord.objects.count() == links
    assert not ConsentPayload.objects.exists()
    assert verification.verify_ledger()[1] == links


def test_other_people_keep_everything():
    zora, alice = people.zora(), cast.alice()
    order = builders.placed_order(customer=alice)
    people.signed_in(alice)
    relay.relay_all_events()
    before = {holding.key: holding.export(alice) for holding in personal_data.get_holdings()}
    erased(zora)
    alice = Customer.objects.get(pk=alice.pk)
    assert {holding.key: holding.export(alice) for holding in personal_data.get_holdings()} == before
    assert Order.objects.get(pk=order.pk).email == "alice@example.com"


def test_a_suppressed_address_stays_suppressed_without_being_known():
    zora = people.zora()
    people.suppressed()
    erased(zora)
    row = Suppression.objects.get()
    assert (row.address, row.detail) == (None, "")
    assert row.address_hash == suppressions.hash_address(people.EMAIL.upper())
    draft = Draft("k", RECEIPT, people.EMAIL.title())
    assert [email.skip_reason for email in queue_drafts([draft])] == [SkipReason.SUPPRESSED]


def test_the_last_question_before_a_mail_knows_sealed_addresses():
    email = queue_drafts([Draft("k", RECEIPT, people.EMAIL.title())])[0]
    assert email.state == "queued"
    Suppression.objects.create(address=people.EMAIL, reason="bounced")
    assert suppressions.hash_suppression(people.EMAIL) == 1
    token = uuid.uuid4()
    assert claims.claim_due_mail(token, limit=1) == [email.pk]
    assert not claims.begin_sending(email.pk, token, subject="No")
    assert claims.check_claim(email.pk, token) is SkipReason.SUPPRESSED
    Suppression.objects.all().delete()
    assert claims.begin_sending(email.pk, token, subject="Yes")


def test_no_mail_can_reach_an_erased_person():
    zora = people.zora()
    people.delivered_order(zora)
    relay.relay_all_events()
    assert OutgoingEmail.objects.filter(to_address=people.EMAIL).count() > 1
    erased(zora)
    relay.relay_all_events()
    assert not OutgoingEmail.objects.filter(to_address__iexact=people.EMAIL).exists()
    assert not OutgoingEmail.objects.filter(state__in=["queued", "claimed", "sending"]).exists()


def test_an_order_under_way_is_waited_for_and_named():
    zora = people.zora()
    order = people.delivered_order(zora)
    Order.objects.filter(pk=order.pk).update(status="confirmed", fulfilment_status="dispatched")
    asked = erasure.request_erasure(zora, at_once=True)
    notice_left()
    assert erasure.erase_due_customers() == 0
    assert order.number in erasure.find_erasure_obstacles(zora)[0]
    assert Customer.objects.get(pk=zora.pk).name == people.NAME
    Order.objects.filter(pk=order.pk).update(status="completed", fulfilment_status="delivered")
    assert erasure.erase_due_customers() == 1
    asked.refresh_from_db()
    assert asked.state == Erasure.State.DONE


def test_a_withdrawal_whose_money_is_owed_is_waited_for_and_one_that_is_settled_is_not():
    zora = people.zora()
    order = people.delivered_order(zora)
    assert erasure.find_erasure_obstacles(zora) == []
    order.withdrawals.update(settled_at=None)
    assert order.number in erasure.find_erasure_obstacles(zora)[0]


def test_the_notice_leaves_before_the_address_is_forgotten():
    zora = people.zora()
    erasure.request_erasure(zora, at_once=True)
    assert erasure.erase_due_customers() == 0
    relay.relay_all_events()
    assert erasure.erase_due_customers() == 0  # queued, and not handed over yet
    AccountEvent.objects.update(created_at=people.long_ago(minutes=11))
    OutgoingEmail.objects.update(created_at=people.long_ago(minutes=11))
    assert erasure.erase_due_customers() == 1  # a mail server that is away holds nothing up for long


def test_within_fourteen_days_one_click_undoes_it():
    zora = people.zora()
    asked = erasure.request_erasure(zora, at_once=False)
    assert asked.due_at - timezone.now() > timedelta(days=13, hours=23)
    notice_left()
    assert erasure.erase_due_customers() == 0
    assert erasure.cancel_erasure(asked)
    Erasure.objects.update(due_at=people.long_ago(days=1))
    assert erasure.erase_due_customers() == 0
    assert Customer.objects.get(pk=zora.pk).name == people.NAME
    assert erasure.request_erasure(zora, at_once=False).pk != asked.pk


def test_asking_twice_is_asking_once():
    zora = people.zora()
    assert erasure.request_erasure(zora, at_once=False) == erasure.request_erasure(zora, at_once=True)
    assert AccountEvent.objects.filter(kind="erasure_asked_for").count() == 1


def test_what_was_interrupted_is_taken_up_and_cannot_be_undone(monkeypatch):
    zora = people.zora()
    people.delivered_order(zora)
    asked = erasure.request_erasure(zora, at_once=True)
    notice_left()
    holding = next(each for each in personal_data.get_holdings() if each.key == "payments")
    broken = personal_data.Holding(**{**vars(holding), "erase": lambda customer: 1 / 0})
    with monkeypatch.context() as patch:
        patch.setitem(personal_data._holdings, "payments", broken)
        assert erasure.erase_due_customers() == 0
    asked.refresh_from_db()
    assert asked.state == Erasure.State.ERASING
    assert "orders" in asked.erased
    assert not erasure.cancel_erasure(asked)
    assert not User.objects.get(email=people.EMAIL).is_active  # nobody signs in as half a person
    assert not Session.objects.exists()
    loops.retry_now(StuckItem.objects.all())
    assert erasure.erase_due_customers() == 1
    assert people.traces() == {(people.WHERE_INVOICES_ARE, word) for word in people.ON_AN_INVOICE}


def test_staff_cannot_erase_their_login_by_themselves():
    zora = people.zora()
    User.objects.filter(pk=zora.user_id).update(is_staff=True)
    with pytest.raises(erasure.CannotErase):
        erasure.request_erasure(Customer.objects.get(pk=zora.pk), at_once=True)
    assert not Erasure.objects.exists()


def test_shelves_are_rebuilt_without_an_erased_person():
    tea, cup = builders.product("Tea"), builders.product("Cup")
    crowd = [builders.customer(ticks=(purposes.COUNT_IN_ALSO_BOUGHT,)) for _ in range(5)]
    for customer in crowd:
        order = builders.paid_order(tea.variants.get(), cup.variants.get(), customer=customer)
        Order.objects.filter(pk=order.pk).update(status="completed", fulfilment_status="delivered")
    training.train_epoch(cutoff_at=timezone.now())
    assert ProductSimilarity.objects.exists()
    erased(crowd[0])
    assert training.rebuild_without_withdrawn() is not None
    assert not ProductSimilarity.objects.exists()  # four are fewer than five
    assert Contribution.objects.values("customer").distinct().count() == 4
    assert ModelRun.objects.get(is_current=True).customer_count == 4


def test_an_imported_customer_without_an_address_can_be_erased_too():
    someone = builders.customer(with_login=False, external_reference="C-4711")
    Customer.objects.filter(pk=someone.pk).update(email=None, email_proved_at=None)
    someone.refresh_from_db()
    other = builders.placed_order()
    erased(someone)
    assert not Customer.objects.exists()
    assert Order.objects.get(pk=other.pk).email == "guest@example.com"
    assert Shipment.objects.count() == 0
    assert Consent.objects.count() == 0
    assert not consent.allows(None, purposes.NEWSLETTER)


def test_two_jobs_at_once_are_one():
    """The lock is held by another worker's connection; without it both would erase, and one would stumble."""
    zora = people.zora()
    asked = erasure.request_erasure(zora, at_once=True)
    notice_left()
    with closing(connection.copy()) as elsewhere, elsewhere.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, 0)", [AdvisoryLock.ERASURE])
        assert erasure.erase_due_customers() == 0
        asked.refresh_from_db()
        assert asked.state == Erasure.State.SCHEDULED
        cursor.execute("SELECT pg_advisory_unlock(%s, 0)", [AdvisoryLock.ERASURE])
    assert erasure.erase_due_customers() == 1
