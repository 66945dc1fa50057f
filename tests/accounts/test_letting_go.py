"""Beside a switch that has a past: what it holds, and one click that lets go of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format

from accounts.consent import consent, purposes
from accounts.models import ForgottenPast
from accounts.privacy import journal
from orders.models import Order, OrderLine
from recommendations import history
from recommendations.models import ProductView
from shop import personal_data
from tests import builders
from tests.page import read_words

pytestmark = pytest.mark.django_db

LOOKED, BOUGHT = purposes.RECOMMEND_FROM_BROWSING, purposes.RECOMMEND_FROM_PURCHASES


@pytest.fixture
def ann(client):
    customer = builders.customer(ticks=(LOOKED, BOUGHT))
    client.force_login(customer.user)
    history.record_customer_view(customer, builders.product("Boots").pk)
    builders.paid_order(customer=customer)
    return customer


def test_the_page_says_how_much_each_switch_holds(client, ann):
    page = client.get("/account/preferences/").text
    assert personal_data.get_wordings()[LOOKED].one in page
    assert page.count("You bought 1 thing that this reads while it is on.") == 2
    assert "Delete what you have" in page


def test_delete_what_you_have_deletes_it_and_leaves_the_switch(client, ann):
    url = f"/account/preferences/{LOOKED}/forgetting/"
    answer = client.post(url, headers={"HX-Request": "true"})
    assert personal_data.get_wordings()[LOOKED].done in answer.text
    assert not ProductView.objects.exists()
    assert consent.allows(ann, LOOKED)
    page = client.get("/account/preferences/").text
    assert f'id="held-{LOOKED}"' not in page


def test_it_works_without_javascript_and_while_the_switch_is_off(client, ann):
    consent.set_consent(ann, LOOKED, granted=False, source="test")
    assert "Delete what you have" in client.get("/account/preferences/").text
    page = client.post(f"/account/preferences/{LOOKED}/forgetting/", follow=True)
    assert personal_data.get_wordings()[LOOKED].done in page.text
    assert not ProductView.objects.exists()


def test_forget_what_i_bought_so_far_keeps_the_orders(client, ann):
    page = client.post(f"/account/preferences/{BOUGHT}/forgetting/", follow=True)
    assert "Your orders are still there" in page.text
    assert not OrderLine.objects.usable_for(BOUGHT).exists()
    assert Order.objects.filter(customer=ann).count() == 1


def test_nobody_else_can_and_what_has_no_past_is_not_found(client, ann):
    assert client.post(f"/account/preferences/{purposes.NEWSLETTER}/forgetting/").status_code == 404
    assert client.get(f"/account/preferences/{LOOKED}/forgetting/").status_code == 405
    client.logout()
    client.post(f"/account/preferences/{LOOKED}/forgetting/")
    assert ProductView.objects.exists()


def test_what_a_switched_off_purpose_held_is_deleted_the_night_after(ann):
    history.retire_views()
    assert ProductView.objects.exists()
    consent.set_consent(ann, LOOKED, granted=False, source="test")
    history.retire_views()
    assert not ProductView.objects.exists()


@pytest.mark.parametrize("key", [*personal_data.get_wordings()])
def test_what_goes_is_said_and_asked_once_more(client, ann, key):
    ann.interests.create(kind="maker", maker=builders.maker())
    worn = builders.product(sizes=("13",), lifespan_months=6)  # all that a purpose may ask of a purchase
    builders.paid_order(worn.variants.get(), customer=ann)
    part = beside(client, key)
    button = "Yes, forget it</button>" if personal_data.get_wordings()[key].undone else "Yes, delete it</button>"
    assert part.index(f"<summary>{personal_data.get_wordings()[key].button}") < part.index("nobody can bring it back")
    assert part.index("nobody can bring it back") < part.index(button)
    assert "<button" not in part[: part.index("nobody can bring it back")]


def beside(client, key):
    page = client.get("/account/preferences/").text
    part = page[page.index(f'id="held-{key}"') :]
    return part[: part.index("</div>")]


def test_forgetting_says_how_many_from_when_to_when(client, ann):
    for month in (3, 5):
        builders.paid_order(customer=ann, placed_at=datetime(2024, month, 3, 12, tzinfo=UTC))
    today = date_format(timezone.localdate(), "j F Y")
    assert f"This takes 3 purchases, from 3 March 2024 to {today}, from this feature." in beside(client, BOUGHT)


def test_what_is_counted_and_dated_is_ones_own_read_here_and_not_forgotten_yet(client, ann):
    builders.paid_order(customer=builders.customer(ticks=(BOUGHT,)), placed_at=datetime(2019, 3, 3, 12, tzinfo=UTC))
    builders.paid_order(customer=ann, placed_at=datetime(2020, 3, 3, 12, tzinfo=UTC), is_gift=True)
    builders.paid_order(customer=ann, placed_at=datetime(2021, 3, 3, 12, tzinfo=UTC))
    personal_data.forget_for_purpose(ann, BOUGHT, until=datetime(2022, 3, 3, 12, tzinfo=UTC))
    one, other = builders.variant(), builders.variant()
    builders.paid_order(one, other, customer=ann, placed_at=datetime(2024, 3, 3, 12, tzinfo=UTC))
    today = date_format(timezone.localdate(), "j F Y")
    part = beside(client, BOUGHT)
    assert f"This takes 3 purchases, from 3 March 2024 to {today}, from this feature." in part
    assert "You bought 3 things that this reads while it is on." in part
    assert "Forgotten: 1 purchase up to 3 March 2022, 12:00." in part


def test_a_purchase_without_the_day_of_its_payment_has_the_day_it_was_made(client, ann):
    Order.objects.update(placed_at=None, created_at=datetime(2024, 3, 3, 12, tzinfo=UTC))
    assert "This takes 1 purchase, of 3 March 2024, from this feature." in beside(client, BOUGHT)


@pytest.fixture
def forgotten(client, ann):
    client.post(f"/account/preferences/{BOUGHT}/forgetting/")
    return ForgottenPast.objects.get()


def undo_url(past):
    return f"/account/preferences/{past.purpose}/forgetting/{past.pk}/undo/"


def test_what_was_forgotten_stays_on_the_page_with_undo_and_until_when(client, forgotten):
    up_to, until = (
        date_format(timezone.localtime(at), "j F Y, H:i") for at in (forgotten.before_at, forgotten.undo_until_at)
    )
    part = beside(client, BOUGHT)
    assert f"Forgotten: 1 purchase up to {up_to}." in part
    assert f"You can undo it until {until}." in part
    assert f'formaction="{undo_url(forgotten)}"' in part


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["without script", "with script"])
def test_undo_brings_back_exactly_that_and_twice_is_once(client, ann, forgotten, headers):
    assert not OrderLine.objects.usable_for(BOUGHT).exists()
    for _ in range(2):
        answer = client.post(undo_url(forgotten), headers=headers, follow=True)
        assert "Undone. What you bought counts again as before" in answer.text
        assert OrderLine.objects.usable_for(BOUGHT).count() == 1
    entries = [entry for entry in journal.read_journal(Path(settings.JOURNAL_PATH)) if entry.chain == ann.chain]
    assert [entry.what for entry in entries] == ["forgotten", "forgetting_undone"]
    assert entries[1].until == forgotten.before_at
    assert "Forgotten: " not in beside(client, BOUGHT)


def test_forget_pressed_twice_is_one_forgetting(client, ann, forgotten):
    answer = client.post(f"/account/preferences/{BOUGHT}/forgetting/", headers={"HX-Request": "true"})
    assert "Your orders are still there" in answer.text
    assert ForgottenPast.objects.count() == 1
    client.post(undo_url(forgotten))
    assert OrderLine.objects.usable_for(BOUGHT).count() == 1


def test_nobody_else_can_undo_it(client, forgotten):
    client.force_login(builders.customer().user)
    assert client.post(undo_url(forgotten)).status_code == 404
    client.logout()
    client.post(undo_url(forgotten))
    forgotten.refresh_from_db()
    assert forgotten.taken_back_at is None


def test_under_another_purpose_or_by_looking_it_is_not_undone(client, forgotten):
    assert client.post(undo_url(forgotten).replace(BOUGHT, purposes.GUESS_SIZES)).status_code == 404
    assert client.get(undo_url(forgotten)).status_code == 405
    assert not OrderLine.objects.usable_for(BOUGHT).exists()


def test_for_seven_days_that_are_said_it_can_be_undone(client, ann):
    assert "For 7 days you can undo it here" in beside(client, BOUGHT)
    client.post(f"/account/preferences/{BOUGHT}/forgetting/")
    ForgottenPast.objects.update(before_at=timezone.now() - timedelta(days=7) + timedelta(minutes=1))
    Order.objects.update(placed_at=timezone.now() - timedelta(days=9))
    assert not OrderLine.objects.usable_for(BOUGHT).exists()
    assert "Undo" in beside(client, BOUGHT)
    client.post(undo_url(ForgottenPast.objects.get()))
    assert OrderLine.objects.usable_for(BOUGHT).count() == 1


def test_of_those_too_old_to_undo_the_page_names_the_last_alone(client, ann):
    for year in (2022, 2023):
        builders.paid_order(customer=ann, placed_at=datetime(year, 3, 2, 12, tzinfo=UTC))
        personal_data.forget_for_purpose(ann, BOUGHT, until=datetime(year, 3, 3, 12, tzinfo=UTC))
    part = beside(client, BOUGHT)
    assert "Forgotten: 1 purchase up to 3 March 2023, 12:00." in part
    assert part.count("Forgotten: ") == 1


def test_when_the_days_are_over_it_stays_forgotten_and_the_page_says_so(client, ann, forgotten):
    ForgottenPast.objects.update(before_at=timezone.now() - timedelta(days=7, seconds=1))
    Order.objects.update(placed_at=timezone.now() - timedelta(days=9))
    part = beside(client, BOUGHT)
    assert "Forgotten: 1 purchase up to" in part
    assert "Undo" not in read_words(part)
    page = client.post(undo_url(forgotten), follow=True).text
    assert "That can no longer be undone: the days for it are over." in page
    assert not OrderLine.objects.usable_for(BOUGHT).exists()
