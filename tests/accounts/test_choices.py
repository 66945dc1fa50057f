"""The preference page beyond the single switch: how often, one ceiling, undo and less often, with htmx and without."""

import re

import pytest
from django.urls import reverse

from accounts.consent import consent, purposes
from accounts.models import ConsentRecord, Customer, MailCadence, PreferenceProfile
from accounts.people import tokens
from accounts.preferences import cadence, undo
from accounts.preferences.cadence import Cadence
from accounts.preferences.choices import ChoiceKind, PreferenceChoice
from tests import builders, cast
from tests.page import read_words

pytestmark = pytest.mark.django_db

BOUGHT = purposes.RECOMMEND_FROM_PURCHASES
LETTER = purposes.MAIL_RECOMMENDATIONS
PICKED = purposes.MAIL_ORDER_PICKED
HTMX = {"HX-Request": "true"}
PAGE = "/account/preferences/"


@pytest.fixture
def bob(client) -> Customer:
    customer = cast.bob()
    client.force_login(customer.user)
    return customer


def undo_in(answer) -> str:
    return re.search(r'name="undo" value="([^"]+)"', answer.content.decode()).group(1)


def test_each_mail_beyond_the_offer_has_a_labelled_choice_of_how_often(client, bob):
    builders.pickup_method()
    page = client.get(PAGE).content.decode()
    with_choice = [purpose for purpose in purposes.PURPOSES if purpose.cadences]
    assert page.count('name="cadence-') == len(with_choice)
    for purpose in with_choice:
        assert f'<label for="often-{purpose.key}">How often' in page
        assert f'<option value="{purpose.cadences[0]}" selected>' in page
    assert "Each issue" in page
    assert '<option value="" selected>As many as I asked for</option>' in page


def test_how_often_is_saved_when_chosen_and_says_so(client, bob):
    answer = client.post(reverse("how_often", args=[PICKED]), {f"cadence-{PICKED}": "weekly"}, headers=HTMX)
    page = answer.content.decode()
    assert "Saved: once a week." in page
    assert 'hx-swap-oob="innerHTML:#said"' in page
    assert '<option value="weekly" selected>' in page
    assert cadence.get_cadence(bob, PICKED) == Cadence.WEEKLY
    assert not ConsentRecord.objects.exists()


def test_the_ceiling_is_saved_when_chosen_and_can_be_undone(client, bob):
    answer = client.post(reverse("weekly_ceiling"), {"weekly_ceiling": "2"}, headers=HTMX)
    assert '<option value="2" selected>At most 2 a week</option>' in answer.content.decode()
    assert cadence.get_weekly_ceiling(bob) == 2
    back = client.post(reverse("undo"), {"undo": undo_in(answer)}, headers=HTMX)
    assert "Undone. It is as it was." in back.content.decode()
    assert cadence.get_weekly_ceiling(bob) is None


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/account/preferences/newsletter/often/", {"cadence-newsletter": "daily"}),
        ("/account/preferences/newsletter/often/", {"cadence-newsletter": "hourly"}),
        ("/account/preferences/newsletter/often/", {}),
        ("/account/preferences/newsletter/less/", {"less": "never"}),
        ("/account/preferences/receipt_offer/often/", {"cadence-receipt_offer": "weekly"}),
        ("/account/weekly-ceiling/", {"weekly_ceiling": "0"}),
        ("/account/weekly-ceiling/", {"weekly_ceiling": "-1"}),
        ("/account/weekly-ceiling/", {"weekly_ceiling": "many"}),
        ("/account/preferences/", {"asked": "newsletter", "cadence-newsletter": "daily", "newsletter": "on"}),
        ("/account/preferences/", {"weekly_ceiling": "1e3"}),
    ],
)
def test_what_nobody_offers_is_refused_and_nothing_is_changed(client, bob, path, form):
    assert client.post(path, form).status_code == 400
    assert not MailCadence.objects.exists()
    assert not PreferenceProfile.objects.exists()
    assert not consent.get_granted_purposes(bob)


def test_how_often_of_an_unknown_mail_is_not_found(client, bob):
    for name in ("how_often", "less_often"):
        assert client.post(reverse(name, args=["nonsense"]), {"less": "weekly"}).status_code == 404


@pytest.mark.parametrize("was_on", [True, False])
def test_a_toggle_is_undone_with_one_press(client, was_on):
    customer = builders.customer(ticks=(BOUGHT,) if was_on else ())
    client.force_login(customer.user)
    answer = client.post(reverse("preference", args=[BOUGHT]), {} if was_on else {BOUGHT: "on"}, headers=HTMX)
    assert consent.allows(customer, BOUGHT) is not was_on
    back = client.post(reverse("undo"), {"undo": undo_in(answer)}, headers=HTMX)
    assert "autofocus" in back.content.decode()
    assert consent.allows(customer, BOUGHT) is was_on
    assert customer.consents.get(purpose=BOUGHT).source == "undo"
    assert "by “Undo” on your preference page" in client.get(PAGE).content.decode()


def test_what_comes_back_by_undo_stands_on_a_new_answer(client):
    customer = builders.customer(ticks=(LETTER,))
    client.force_login(customer.user)
    old = customer.consents.get(purpose=LETTER).record
    answer = client.post(reverse("preference", args=[LETTER]), {}, headers=HTMX)
    client.post(reverse("undo"), {"undo": undo_in(answer)}, headers=HTMX)
    assert customer.consents.get(purpose=LETTER).record != old


def test_without_javascript_the_whole_page_is_saved_and_undone(client, bob):
    consent.set_consent(bob, purposes.NEWSLETTER, granted=True, source="preferences")
    asked = [purpose.key for purpose in purposes.PURPOSES]
    form = {"asked": asked, BOUGHT: "on", f"cadence-{PICKED}": "daily", "weekly_ceiling": "3"}
    page = client.post(PAGE, form, follow=True)
    assert consent.get_granted_purposes(bob) == {BOUGHT}
    assert (cadence.get_cadence(bob, PICKED), cadence.get_weekly_ceiling(bob)) == (Cadence.DAILY, 3)
    assert "Undo what you have just changed" in page.content.decode()
    page = client.post(reverse("undo"), {"undo": undo_in(page)}, follow=True)
    assert "It is as it was." in page.content.decode()
    assert consent.get_granted_purposes(bob) == {purposes.NEWSLETTER}
    assert (cadence.get_cadence(bob, PICKED), cadence.get_weekly_ceiling(bob)) == (Cadence.AS_IT_HAPPENS, None)
    assert "Undo what" not in client.get(PAGE).content.decode()


def test_without_javascript_a_page_that_changes_nothing_offers_nothing_to_undo(client, bob):
    page = client.post(PAGE, {"asked": [BOUGHT]}, follow=True).content.decode()
    assert "Nothing was changed." in page
    assert "Undo" not in read_words(page)
    assert not ConsentRecord.objects.exists()


def test_the_master_switch_is_undone_too(client, bob):
    page = client.post(reverse("master_switch"), {"answer": "off"}, follow=True)
    client.post(reverse("undo"), {"undo": undo_in(page)})
    assert consent.is_master_on(bob)


def test_undo_works_for_its_own_customer_and_kind_alone(client, bob):
    alice = cast.alice()
    off = [PreferenceChoice(ChoiceKind.SWITCH, False, LETTER)]
    for useless in (
        undo.make_undo_token(alice, off),
        tokens.sign_token("other", customer=bob.pk, choices=[]),
        "nonsense",
        "",
    ):
        page = client.post(reverse("undo"), {"undo": useless}, follow=True).content.decode()
        assert "can no longer be undone" in page
    assert consent.allows(alice, LETTER)
    assert not bob.consents.exists()


def test_less_often_is_offered_beside_off_and_turns_it_on_again_at_that_pace(client):
    customer = builders.customer(ticks=(LETTER, BOUGHT))
    client.force_login(customer.user)
    answer = client.post(reverse("preference", args=[LETTER]), {}, headers=HTMX).content.decode()
    assert not consent.allows(customer, LETTER)  # off, whatever is offered
    assert "Or less often instead:" in answer
    assert 'name="less" value="monthly"' in answer
    answer = client.post(reverse("less_often", args=[LETTER]), {"less": "monthly"}, headers=HTMX)
    assert "Saved. It is on, once a month." in answer.content.decode()
    assert consent.allows(customer, LETTER)
    assert cadence.get_cadence(customer, LETTER) == Cadence.MONTHLY
    client.post(reverse("undo"), {"undo": undo_in(answer)}, headers=HTMX)
    assert not consent.allows(customer, LETTER)
    assert cadence.get_cadence(customer, LETTER) == Cadence.WEEKLY


def test_less_often_is_not_offered_where_there_is_no_less(client):
    customer = builders.customer(ticks=(LETTER, BOUGHT))
    client.force_login(customer.user)
    cadence.set_cadence(customer, LETTER, Cadence.MONTHLY)
    for key in (LETTER, BOUGHT):
        answer = client.post(reverse("preference", args=[key]), {}, headers=HTMX).content.decode()
        assert "less often" not in answer


def test_what_a_switch_reads_can_be_looked_at(client, bob):
    page = client.get(PAGE).content.decode()
    assert '<a href="/account/orders/">See your orders</a>' in page
    assert '<a href="/accounts/email/">See your address</a>' in page


def test_looking_saves_nothing(client, bob):
    for name, args in (("how_often", [LETTER]), ("less_often", [LETTER]), ("weekly_ceiling", []), ("undo", [])):
        assert client.get(reverse(name, args=args)).status_code == 405
