import pytest
from django.utils import timezone

from accounts.consent import consent, purposes, receipts, verification
from accounts.models import Consent
from tests import builders, cast

pytestmark = pytest.mark.django_db

BOUGHT = purposes.RECOMMEND_FROM_PURCHASES
LEAVES = purposes.MAIL_ORDER_DISPATCHED


def off(customer):
    consent.set_master(customer, on=False, source="preferences")


def on(customer):
    consent.set_master(customer, on=True, source="preferences")


def test_off_means_nothing_personal_is_allowed_and_news_of_orders_stays():
    alice = cast.alice()
    off(alice)
    assert consent.get_granted_purposes(alice).intersection(purposes.UNDER_MASTER) == frozenset()
    assert not consent.allows(alice, BOUGHT)
    assert not consent.find_granted_consents(purposes.COUNT_IN_ALSO_BOUGHT).exists()
    assert all(consent.allows(alice, stage) for stage in purposes.NEWS_OF_ORDERS)


def test_on_again_gives_back_exactly_the_single_choices():
    bob = builders.customer(ticks=(BOUGHT, purposes.NEWSLETTER, LEAVES))
    before = consent.get_granted_purposes(bob)
    off(bob)
    assert consent.get_chosen_purposes(bob) == before
    on(bob)
    assert consent.get_granted_purposes(bob).intersection(before) == before
    assert not consent.allows(bob, purposes.MAIL_RECOMMENDATIONS)


def test_a_choice_made_meanwhile_waits_for_the_master_switch():
    bob = cast.bob()
    off(bob)
    consent.set_consent(bob, BOUGHT, granted=True, source="preferences")
    assert not consent.allows(bob, BOUGHT)
    on(bob)
    assert consent.allows(bob, BOUGHT)


def test_a_no_given_meanwhile_stays_a_no():
    bob = builders.customer(ticks=(BOUGHT,))
    off(bob)
    consent.set_consent(bob, BOUGHT, granted=False, source="preferences")
    on(bob)
    assert not consent.allows(bob, BOUGHT)


def test_what_comes_back_stands_on_the_new_answer_not_on_the_old():
    bob = builders.customer(ticks=(BOUGHT,))
    old = Consent.objects.get(customer=bob, purpose=BOUGHT).record
    off(bob)
    on(bob)
    assert Consent.objects.get(customer=bob, purpose=BOUGHT).record != old


def test_the_ledger_tells_it_all_and_verifies():
    bob = builders.customer(ticks=(BOUGHT, LEAVES))
    for turn in (off, on, off):
        turn(bob)
        verification.verify_ledger()
    told = {standing.title: standing for standing in receipts.get_switch_states_at(bob, timezone.now())}
    assert told[purposes.get_purpose(BOUGHT).title].is_resting
    assert told[purposes.get_purpose(LEAVES).title].granted
    assert not told[purposes.PERSONAL_SHOPPER.title].granted


def test_a_rest_that_the_ledger_does_not_know_is_found():
    bob = builders.customer(ticks=(BOUGHT,))
    off(bob)
    Consent.objects.filter(customer=bob, purpose=BOUGHT).update(granted=True)
    with pytest.raises(verification.LedgerBroken, match="live answer"):
        verification.verify_ledger()


def test_an_import_rests_too():
    bob = cast.bob()
    off(bob)
    consent.import_consents([(bob.pk, BOUGHT, True, timezone.now())], source="import")
    assert not consent.allows(bob, BOUGHT)
    assert consent.get_chosen_purposes(bob) == {BOUGHT}


def test_the_same_turn_twice_is_one_answer():
    bob = cast.bob()
    on(bob)  # it is on until somebody turns it off
    off(bob)
    off(bob)
    assert bob.consent_payloads.count() == 1


def test_the_page_turns_it_off_and_on_and_shows_the_choices_kept(client):
    bob = builders.customer(ticks=(BOUGHT,))
    client.force_login(bob.user)
    client.post("/account/personal-shopper/", {"answer": "off"})
    page = client.get("/account/preferences/").content.decode()
    assert "Turn it on again" in page
    assert f'name="{BOUGHT}" checked' in page
    assert "Resting since" in page
    client.post("/account/personal-shopper/", {"answer": "on"})
    assert consent.allows(bob, BOUGHT)


def test_saving_the_form_while_it_rests_loses_no_choice(client):
    bob = builders.customer(ticks=(BOUGHT,))
    client.force_login(bob.user)
    off(bob)
    asked = [purpose.key for purpose in purposes.PURPOSES]
    client.post("/account/preferences/", {"asked": asked, BOUGHT: "on"})
    assert consent.get_chosen_purposes(bob) == {BOUGHT}
    assert not consent.allows(bob, BOUGHT)
