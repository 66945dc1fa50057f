"""The gate's truth table, held by both of its forms: the decision in Python and the question in SQL at the hand-off."""

import itertools
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.consent.purposes import MailKind
from accounts.models import Consent, Customer
from notifications import claims, gate
from notifications.gate import PurposeAnswer
from notifications.models import OutgoingEmail, OutgoingItem, SkipReason, Suppression
from orders.models import Order, OrderTick
from tests import builders
from tests.notifications import acts

NOW = timezone.now()
ESSENTIAL, SERVICE, PROMOTIONAL = MailKind.ESSENTIAL, MailKind.SERVICE, MailKind.PROMOTIONAL
SAID = {
    "nothing": [],
    "tick": [PurposeAnswer(True, NOW, tick_id=1)],
    "tick withdrawn": [PurposeAnswer(False, NOW, tick_id=1)],
    "consent": [PurposeAnswer(True, NOW, record_id=1)],
    "consent withdrawn": [PurposeAnswer(False, NOW, record_id=1)],
}

# said, kind → None when it may go
TABLE = {
    ("nothing", ESSENTIAL): None,
    ("nothing", SERVICE): SkipReason.NOT_OPTED_IN,
    ("nothing", PROMOTIONAL): SkipReason.NOT_OPTED_IN,
    ("tick", ESSENTIAL): None,
    ("tick", SERVICE): None,
    ("tick", PROMOTIONAL): SkipReason.NOT_OPTED_IN,
    ("tick withdrawn", ESSENTIAL): None,
    ("tick withdrawn", SERVICE): SkipReason.WITHDRAWN,
    ("tick withdrawn", PROMOTIONAL): SkipReason.NOT_OPTED_IN,
    ("consent", ESSENTIAL): None,
    ("consent", SERVICE): None,
    ("consent", PROMOTIONAL): None,
    ("consent withdrawn", ESSENTIAL): None,
    ("consent withdrawn", SERVICE): SkipReason.WITHDRAWN,
    ("consent withdrawn", PROMOTIONAL): SkipReason.WITHDRAWN,
}
ROWS = [(said, kind, reason) for (said, kind), reason in TABLE.items()]


@pytest.mark.parametrize(("said", "kind", "reason"), ROWS)
def test_the_table_decides(said, kind, reason):
    decision = gate.decide_mail(kind, address="a@example.com", is_suppressed=False, answers=SAID[said], is_proved=True)
    assert (decision if isinstance(decision, SkipReason) else None) == reason


@pytest.mark.parametrize(("said", "kind"), TABLE)
def test_a_suppressed_address_gets_nothing_whatever_was_said(said, kind):
    decision = gate.decide_mail(kind, address="a@example.com", is_suppressed=True, answers=SAID[said], is_proved=True)
    assert decision == SkipReason.SUPPRESSED


@pytest.mark.parametrize(("said", "kind"), TABLE)
def test_nobody_is_written_to_without_an_address(said, kind):
    decision = gate.decide_mail(kind, address="", is_suppressed=False, answers=SAID[said], is_proved=True)
    assert decision == SkipReason.NO_ADDRESS


@pytest.mark.parametrize("said", SAID)
def test_nothing_promotional_goes_to_an_address_nobody_proved(said):
    decision = gate.decide_mail(PROMOTIONAL, address="a@example.com", is_suppressed=False, answers=SAID[said])
    assert decision == SkipReason.UNPROVED


@pytest.mark.parametrize(("first", "then"), [("tick", "consent"), ("consent", "tick")])
@pytest.mark.parametrize(("was", "is_now"), list(itertools.product([True, False], repeat=2)))
def test_the_latest_answer_counts_whether_on_the_order_or_the_account(first, then, was, is_now):
    named = {"tick": {"tick_id": 1}, "consent": {"record_id": 1}}
    answers = [PurposeAnswer(is_now, NOW, **named[then]), PurposeAnswer(was, NOW - timedelta(days=1), **named[first])]
    decision = gate.find_legal_basis(SERVICE, answers)
    assert isinstance(decision, gate.Basis) == is_now


def test_news_of_a_cancelled_order_does_not_go_but_what_is_essential_does():
    asked = {"address": "a@example.com", "is_suppressed": False, "answers": SAID["tick"], "is_order_cancelled": True}
    assert gate.decide_mail(SERVICE, **asked) == SkipReason.ORDER_CHANGED
    assert gate.decide_mail(ESSENTIAL, **asked) == gate.ESSENTIAL_BASIS


# -- The same in SQL -----------------------------------------------------------------------------------------

PURPOSE = purposes.MAIL_ORDER_APPROVED


def _claimed(kind: MailKind, *, customer: Customer | None, order: Order | None) -> OutgoingEmail:
    return OutgoingEmail.objects.create(
        key=str(uuid.uuid4()),
        topic="order_approved",
        kind=kind,
        to_address=(customer and customer.email) or "a@example.com",
        customer=customer,
        order=order,
        state=OutgoingEmail.State.CLAIMED,
        claim_token=uuid.uuid4(),
        due_at=timezone.now() + timedelta(minutes=1),
    )


def _standing_on(email: OutgoingEmail, said: str) -> OutgoingItem:
    """An item queued while the yes stood; "withdrawn" came afterwards, "nothing" never named a yes."""
    item = OutgoingItem(email=email, block="body", purpose=PURPOSE, is_essential=email.kind == ESSENTIAL)
    if said.startswith("tick"):
        item.order_tick = OrderTick.objects.get(order=email.order)
        item.stands_since_at = item.order_tick.changed_at
    if said.startswith("consent"):
        answer = Consent.objects.get(customer=email.customer)
        item.consent_record, item.stands_since_at = answer.record, answer.changed_at
    item.save()
    return item


@pytest.fixture
def people() -> tuple[Customer, Order]:
    customer = builders.customer(ticks=(PURPOSE,))
    order = builders.paid_order(customer=customer)
    acts.tick(order, PURPOSE)
    return customer, order


def _withdraw(said: str, customer: Customer, order: Order) -> None:
    if said == "tick withdrawn":
        acts.untick(order, PURPOSE)
    if said == "consent withdrawn":
        Consent.objects.filter(customer=customer).update(granted=False, changed_at=timezone.now())


@pytest.mark.django_db
@pytest.mark.parametrize(("said", "kind", "reason"), ROWS)
def test_the_last_question_follows_the_same_table(people, said, kind, reason):
    customer, order = people
    email = _claimed(kind, customer=customer, order=order)
    _standing_on(email, said)
    _withdraw(said, customer, order)
    assert claims.begin_sending(email.pk, email.claim_token, subject="") is (reason is None)
    email.refresh_from_db()
    assert email.state == ("sending" if reason is None else "claimed")


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [ESSENTIAL, SERVICE, PROMOTIONAL])
def test_the_last_question_knows_of_suppression(people, kind):
    customer, order = people
    email = _claimed(kind, customer=customer, order=order)
    _standing_on(email, "consent")
    Suppression.objects.create(address=email.to_address.title(), reason=Suppression.Reason.COMPLAINED)
    assert claims.begin_sending(email.pk, email.claim_token, subject="") is False
    assert claims.check_claim(email.pk, email.claim_token) == SkipReason.SUPPRESSED


@pytest.mark.django_db
@pytest.mark.parametrize(("stands_on", "other"), [("tick", "consent withdrawn"), ("consent", "tick withdrawn")])
def test_the_last_question_hears_a_later_no_given_elsewhere(people, stands_on, other):
    customer, order = people
    email = _claimed(SERVICE, customer=customer, order=order)
    _standing_on(email, stands_on)
    _withdraw(other, customer, order)
    assert claims.begin_sending(email.pk, email.claim_token, subject="") is False


@pytest.mark.django_db
def test_a_yes_of_somebody_else_permits_nothing(people):
    _, order = people
    stranger = builders.customer(ticks=(PURPOSE,))
    email = _claimed(PROMOTIONAL, customer=stranger, order=order)
    item = _standing_on(email, "consent")
    email.customer, email.to_address = people[0], people[0].email
    email.save()
    assert claims.begin_sending(email.pk, email.claim_token, subject="") is False
    assert claims.drop_withdrawn_items(email.pk, email.claim_token) == {item.pk}


@pytest.mark.django_db
def test_a_yes_to_something_else_by_the_same_click_permits_nothing(people):
    customer, order = people
    letter = purposes.MAIL_RECOMMENDATIONS
    for key in (letter, purposes.RECOMMEND_FROM_PURCHASES):
        consent.set_consent(customer, key, granted=True, source="test")
    for on in (False, True):  # the switch over all of them answers for both in one record
        consent.set_master(customer, on=on, source="test")
    email = _claimed(PROMOTIONAL, customer=customer, order=order)
    yes = Consent.objects.get(customer=customer, purpose=letter)
    item = OutgoingItem.objects.create(
        email=email, block="body", purpose=letter, consent_record=yes.record, stands_since_at=yes.changed_at
    )
    consent.set_consent(customer, letter, granted=False, source="test")
    assert claims.begin_sending(email.pk, email.claim_token, subject="") is False
    assert claims.drop_withdrawn_items(email.pk, email.claim_token) == {item.pk}


@pytest.mark.django_db
@pytest.mark.parametrize("lost", ["another's token", "lease over", "nothing left", "queued again"])
def test_without_a_standing_claim_nothing_begins(people, lost):
    customer, order = people
    email = _claimed(SERVICE, customer=customer, order=order)
    item = _standing_on(email, "consent")
    token = email.claim_token
    if lost == "another's token":
        email.claim_token = uuid.uuid4()
    if lost == "lease over":
        email.due_at = timezone.now() - timedelta(seconds=1)
    if lost == "queued again":
        email.state = OutgoingEmail.State.QUEUED
    email.save()
    OutgoingItem.objects.filter(pk=item.pk).update(is_dropped=lost == "nothing left")
    assert claims.begin_sending(email.pk, token, subject="") is False
    assert not OutgoingEmail.objects.filter(state="sending").exists()


@pytest.mark.django_db
@pytest.mark.parametrize("changed", [{"email": "new@example.com"}, {"email_proved_at": None}])
def test_the_last_question_knows_whose_address_it_is(people, changed):
    customer, order = people
    promotional, service = (_claimed(kind, customer=customer, order=order) for kind in (PROMOTIONAL, SERVICE))
    for email in (promotional, service):
        _standing_on(email, "consent")
    Customer.objects.filter(pk=customer.pk).update(**changed)
    assert claims.begin_sending(promotional.pk, promotional.claim_token, subject="") is False
    assert claims.check_claim(promotional.pk, promotional.claim_token) == SkipReason.UNPROVED
    assert claims.begin_sending(service.pk, service.claim_token, subject="") is True
