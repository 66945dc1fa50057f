"""The gate's truth tables, over all who ask: first decision, fan-out, count of readers, hand-off."""

import itertools
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.consent.purposes import MailKind
from accounts.models import Consent, Customer
from accounts.preferences import cadence
from notifications import audience, claims, gate, suppressions
from notifications.gate import PurposeAnswer
from notifications.models import NewsletterIssue, OutgoingEmail, OutgoingItem, SkipReason, Suppression
from notifications.queueing import Draft, queue_drafts
from notifications.topics import TOPICS
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
    decision = gate.find_legal_basis(kind, SAID[said])
    assert (decision if isinstance(decision, SkipReason) else None) == reason


@pytest.mark.parametrize(("first", "then"), [("tick", "consent"), ("consent", "tick")])
@pytest.mark.parametrize(("was", "is_now"), list(itertools.product([True, False], repeat=2)))
def test_the_latest_answer_counts_whether_on_the_order_or_the_account(first, then, was, is_now):
    named = {"tick": {"tick_id": 1}, "consent": {"record_id": 1}}
    answers = [PurposeAnswer(is_now, NOW, **named[then]), PurposeAnswer(was, NOW - timedelta(days=1), **named[first])]
    decision = gate.find_legal_basis(SERVICE, answers)
    assert isinstance(decision, gate.Basis) == is_now


# -- The same in SQL -----------------------------------------------------------------------------------------

PURPOSE = purposes.MAIL_ORDER_APPROVED


def _claimed(kind: MailKind, *, customer: Customer | None, order: Order | None) -> OutgoingEmail:
    return OutgoingEmail.objects.create(
        key=str(uuid.uuid4()),
        topic="order_approved",
        kind=kind,
        to_address=(customer and customer.email) or "",
        customer=customer,
        order=order,
        state=OutgoingEmail.State.CLAIMED,
        claim_token=uuid.uuid4(),
        due_at=timezone.now() + timedelta(minutes=1),
    )


def _standing_on(email: OutgoingEmail, said: str, purpose: str = PURPOSE) -> OutgoingItem:
    """An item queued while the yes stood; "withdrawn" came afterwards, "nothing" never named a yes."""
    item = OutgoingItem(email=email, block="body", purpose=purpose, is_essential=email.kind == ESSENTIAL)
    if said.startswith("tick"):
        item.order_tick = OrderTick.objects.get(order=email.order)
        item.stands_since_at = item.order_tick.changed_at
    if said.startswith("consent"):
        answer = Consent.objects.get(customer=email.customer, purpose=purpose)
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


def _may_begin(email: OutgoingEmail, token: uuid.UUID | None = None) -> bool:
    """Asked about together with others and alone, it is the same question."""
    permitted = claims.find_permitted([email.pk, uuid.uuid4()], token or email.claim_token)
    may_begin = claims.begin_sending(email.pk, token or email.claim_token, subject="")
    assert permitted == ({email.pk} if may_begin else set())
    return may_begin


@pytest.mark.django_db
@pytest.mark.parametrize(("said", "kind", "reason"), ROWS)
def test_the_last_question_follows_the_same_table(people, said, kind, reason):
    customer, order = people
    email = _claimed(kind, customer=customer, order=order)
    _standing_on(email, said)
    _withdraw(said, customer, order)
    assert _may_begin(email) is (reason is None)
    email.refresh_from_db()
    assert email.state == ("sending" if reason is None else "claimed")


@pytest.mark.django_db
@pytest.mark.parametrize(("stands_on", "other"), [("tick", "consent withdrawn"), ("consent", "tick withdrawn")])
def test_the_last_question_hears_a_later_no_given_elsewhere(people, stands_on, other):
    customer, order = people
    email = _claimed(SERVICE, customer=customer, order=order)
    _standing_on(email, stands_on)
    _withdraw(other, customer, order)
    assert _may_begin(email) is False


@pytest.mark.django_db
def test_a_yes_of_somebody_else_permits_nothing(people):
    _, order = people
    stranger = builders.customer(ticks=(PURPOSE,))
    email = _claimed(PROMOTIONAL, customer=stranger, order=order)
    item = _standing_on(email, "consent")
    email.customer, email.to_address = people[0], people[0].email
    email.save()
    assert _may_begin(email) is False
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
    assert _may_begin(email) is False
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
    assert _may_begin(email, token) is False
    assert not OutgoingEmail.objects.filter(state="sending").exists()


@pytest.mark.django_db
@pytest.mark.parametrize("changed", [{"email": "new@example.com"}, {"email_proved_at": None}])
def test_the_last_question_knows_whose_address_it_is(people, changed):
    customer, order = people
    promotional, service = (_claimed(kind, customer=customer, order=order) for kind in (PROMOTIONAL, SERVICE))
    for email in (promotional, service):
        _standing_on(email, "consent")
    Customer.objects.filter(pk=customer.pk).update(**changed)
    assert _may_begin(promotional) is False
    assert claims.check_claim(promotional.pk, promotional.claim_token) == SkipReason.UNPROVED
    assert _may_begin(service) is True


# -- What may be in the way of a whole mail, over everybody who asks ------------------------------------------


def _suppress(customer: Customer, order: Order) -> None:
    Suppression.objects.create(address=customer.email.title(), reason=Suppression.Reason.COMPLAINED)


def _seal(customer: Customer, order: Order) -> None:
    """As an erasure leaves it; the address came back since."""
    _suppress(customer, order)
    assert suppressions.hash_suppression(customer.email) == 1


def _lose_address(customer: Customer, order: Order) -> None:
    Customer.objects.filter(pk=customer.pk).update(email=None)


def _unprove(customer: Customer, order: Order) -> None:
    Customer.objects.filter(pk=customer.pk).update(email_proved_at=None)


def _call_off(customer: Customer, order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(status=Order.Status.CANCELLED)


def _fill_week(customer: Customer, order: Order) -> None:
    cadence.set_weekly_ceiling(customer, 1)
    sent = _claimed(SERVICE, customer=customer, order=None)
    OutgoingEmail.objects.filter(pk=sent.pk).update(state="sent", sent_at=timezone.now())


Obstacle = Callable[[Customer, Order], None]

# what is in the way → the reason, by kind; those above come before those below
OBSTACLES: dict[str, tuple[Obstacle, dict[MailKind, SkipReason]]] = {
    "no address": (_lose_address, dict.fromkeys(MailKind, SkipReason.NO_ADDRESS)),
    "address refuses mail": (_suppress, dict.fromkeys(MailKind, SkipReason.SUPPRESSED)),
    "it did, and its owner was erased": (_seal, dict.fromkeys(MailKind, SkipReason.SUPPRESSED)),
    "nobody proved the address": (_unprove, {PROMOTIONAL: SkipReason.UNPROVED}),
    "order called off": (_call_off, {SERVICE: SkipReason.ORDER_CHANGED}),
    "week is full": (_fill_week, dict.fromkeys((SERVICE, PROMOTIONAL), SkipReason.OVER_CEILING)),
}
PURPOSE_OF = {ESSENTIAL: "", SERVICE: PURPOSE, PROMOTIONAL: purposes.NEWSLETTER}
TOPIC_OF = {ESSENTIAL: "receipt", SERVICE: "order_approved", PROMOTIONAL: "newsletter"}


def _ask_first(kind: MailKind, customer: Customer, order: Order) -> str:
    draft = Draft("the mail", TOPICS[TOPIC_OF[kind]], customer.email or "", customer, order)
    [email] = queue_drafts([draft])
    # news of an order that finds the week full is told in a digest
    return SkipReason.OVER_CEILING if email.skip_reason == SkipReason.GATHERED else email.skip_reason


def _claim_for(kind: MailKind, customer: Customer, order: Order) -> OutgoingEmail:
    email = _claimed(kind, customer=customer, order=order)
    _standing_on(email, "nothing" if kind is ESSENTIAL else "consent", PURPOSE_OF[kind])
    return email


def _ask_before_hand_off(kind: MailKind, customer: Customer, order: Order) -> str:
    email = _claim_for(kind, customer, order)
    held = claims.check_claim(email.pk, email.claim_token)
    may_begin = _may_begin(email)
    assert may_begin is (held is True)  # the question that takes the step, and the one that names the reason
    return "" if held is True else held


def _ask_fan_out(kind: MailKind, customer: Customer, order: Order) -> str:
    NewsletterIssue.objects.create(subject="Mugs", body="Come and see.", released_at=timezone.now())
    counted = audience.count_newsletter_readers()
    assert audience.fan_out_released_issues() == counted  # as many as staff were told
    return OutgoingEmail.objects.get(topic="newsletter").skip_reason


ASKED_BY = {"first decision": _ask_first, "hand-off": _ask_before_hand_off, "fan-out": _ask_fan_out}
ASKED = [(who, kind) for who in ASKED_BY for kind in MailKind if who != "fan-out" or kind is PROMOTIONAL]


def _ask(who: str, kind: MailKind, *obstacles: str) -> str:
    customer = builders.customer(ticks=(PURPOSE, purposes.NEWSLETTER))
    order = builders.paid_order(customer=customer)
    for each in sorted(obstacles, key=list(OBSTACLES).index, reverse=True):  # the address goes last: the others need it
        OBSTACLES[each][0](customer, order)
    return ASKED_BY[who](kind, Customer.objects.get(pk=customer.pk), Order.objects.get(pk=order.pk))


@pytest.mark.django_db
@pytest.mark.parametrize(("who", "kind"), ASKED)
def test_with_nothing_in_the_way_whoever_asks_hears_yes(who, kind):
    assert _ask(who, kind) == ""


@pytest.mark.django_db
@pytest.mark.parametrize("obstacle", OBSTACLES)
@pytest.mark.parametrize(("who", "kind"), ASKED)
def test_whoever_asks_hears_the_same_reason(who, kind, obstacle):
    assert _ask(who, kind, obstacle) == OBSTACLES[obstacle][1].get(kind, "")


@pytest.mark.django_db
@pytest.mark.parametrize("pair", [pair for pair in itertools.combinations(OBSTACLES, 2) if "erased" not in pair[1]])
@pytest.mark.parametrize(("who", "kind"), ASKED)
def test_of_two_reasons_whoever_asks_hears_the_first(who, kind, pair):
    reasons = [OBSTACLES[each][1][kind] for each in pair if kind in OBSTACLES[each][1]]
    assert _ask(who, kind, *pair) == (reasons[0] if reasons else "")


@pytest.mark.django_db
def test_the_count_of_readers_leaves_out_an_address_sealed_since_its_owner_was_erased():
    gone, _ = (builders.customer(ticks=(purposes.NEWSLETTER,)) for _ in range(2))
    assert audience.count_newsletter_readers() == 2
    Suppression.objects.create(address=gone.email, reason=Suppression.Reason.BOUNCED)
    suppressions.hash_suppression(gone.email)
    assert audience.count_newsletter_readers() == 1


@pytest.mark.django_db
def test_many_drafts_are_put_to_the_gate_in_one_question(django_assert_num_queries):
    mails = [gate.MailAddressee(PROMOTIONAL, each.email, each.pk, None) for each in builders.crowd(20)]
    Suppression.objects.create(address=mails[3].to_address, reason=Suppression.Reason.STAFF)
    with django_assert_num_queries(1):
        assert gate.find_refusals(mails) == [None] * 3 + [SkipReason.SUPPRESSED] + [None] * 16


def test_only_the_gate_reads_whether_an_address_refuses_mail_or_is_proved():
    rooms = Path(gate.__file__).parent
    for words, homes in {
        "notifications_suppression": {"gate.py"},
        "address_hash": {"gate.py", "suppressions.py", "suppression.py"},
        "(address__iexact": {"suppressions.py"},
        "email_proved_at IS": {"gate.py"},
        "email_proved_at__": set(),
        ".is_proved": set(),
    }.items():
        found = {
            path.name for path in rooms.rglob("*.py") if path.parent.name != "migrations" and words in path.read_text()
        }
        assert found <= homes, words
