from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import Consent, ConsentPayload, ConsentRecord
from tests import builders, cast

pytestmark = pytest.mark.django_db

PURPOSE = purposes.RECOMMEND_FROM_PURCHASES


def test_nobody_has_said_yes_before_being_asked():
    bob = cast.bob()
    assert not any(consent.allows(bob, purpose.key) for purpose in purposes.PURPOSES)
    assert not consent.allows(None, PURPOSE)


def test_a_yes_counts_at_once_and_so_does_a_no():
    bob = cast.bob()
    consent.set_consent(bob, PURPOSE, granted=True, source="preferences")
    assert consent.allows(bob, PURPOSE)
    consent.set_consent(bob, PURPOSE, granted=False, source="preferences")
    assert not consent.allows(bob, PURPOSE)
    assert not consent.find_granted_consents(PURPOSE).exists()


def test_an_answer_is_for_one_purpose_and_one_customer():
    bob, alice = cast.bob(), builders.customer()
    consent.set_consent(bob, PURPOSE, granted=True, source="preferences")
    assert consent.get_granted_purposes(bob) == {PURPOSE}
    assert consent.get_granted_purposes(alice) == frozenset()


def test_the_ledger_holds_wording_place_and_time_of_every_answer():
    bob = cast.bob()
    for granted in (True, False, True):
        consent.set_consent(bob, PURPOSE, granted=granted, source="checkout")
    rows = ConsentPayload.objects.filter(customer=bob).order_by("record__sequence")
    assert [row.granted for row in rows] == [True, False, True]
    assert [row.record.sequence for row in rows] == [1, 2, 3]
    assert {row.wording_hash for row in rows} == {purposes.get_purpose(PURPOSE).wording_hash}
    assert {row.source for row in rows} == {"checkout"}
    assert Consent.objects.get(customer=bob).record == rows.last().record


def test_the_same_answer_twice_is_one_row():
    bob = cast.bob()
    for _ in range(2):
        consent.set_consent(bob, PURPOSE, granted=True, source="preferences")
    assert ConsentRecord.objects.count() == 1


def test_an_unknown_purpose_is_refused_and_nothing_is_written():
    bob = cast.bob()
    with pytest.raises(KeyError):
        consent.set_consent(bob, "sell_my_data", granted=True, source="preferences")
    assert not Consent.objects.exists()
    assert not ConsentRecord.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_answer_is_never_part_of_another_transaction():
    bob = cast.bob()
    with transaction.atomic(), pytest.raises(RuntimeError):
        consent.set_consent(bob, PURPOSE, granted=True, source="preferences")
    assert not Consent.objects.exists()


def test_imported_answers_stand_as_if_given_singly():
    people = [builders.customer() for _ in range(3)]
    day = timezone.now() - timedelta(days=30)
    answers = [(person.pk, PURPOSE, True, day) for person in people]
    answers.append((people[0].pk, PURPOSE, False, day + timedelta(days=1)))
    assert consent.import_consents(answers, source="import") == 4
    assert {row.customer_id for row in consent.find_granted_consents(PURPOSE)} == {people[1].pk, people[2].pk}
    assert consent.import_consents(answers[1:3], source="import") == 0


def test_an_import_takes_few_queries_however_many_answers(django_assert_max_num_queries):
    people = [builders.customer() for _ in range(30)]
    answers = [(person.pk, purpose.key, True, timezone.now()) for person in people for purpose in purposes.PURPOSES]
    with django_assert_max_num_queries(10):
        consent.import_consents(answers, source="import")
