"""Without a login: no history and no cookie for it, unless it is ticked; then thirty days, in the session alone."""

from datetime import timedelta

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import Consent
from accounts.people import sessions
from recommendations import visitors
from recommendations.models import ProductView
from shop.catalog import listing
from tests import builders, cast
from tests.backoffice.test_access import code_of
from tests.storefront.test_asks import GPC, asked

pytestmark = pytest.mark.django_db

KEY = purposes.VISITOR_HISTORY.key


@pytest.fixture
def boots():
    builders.shipping_method()
    made = builders.product("Boots", slug="boots")
    builders.product("Laces", slug="laces")
    listing.refresh_listings()
    return made


def say(client, answer: str, **more):
    return client.post(f"/asks/{KEY}/", {"answer": answer, "place": "product", "back": "/product/boots/"}, **more)


def looked_at(client) -> list[int]:
    return [view[0] for view in client.session.get(visitors.SESSION_KEY, {"views": []})["views"]]


def test_looking_leaves_no_session_and_no_history(client, boots):
    for path in ("/", "/product/boots/", "/search/?q=boots", "/account/preferences/"):
        client.get(path)
    assert "session" not in client.cookies
    assert not Session.objects.exists()


def test_the_tick_begins_thirty_days_and_what_is_looked_at_after_it_steers_the_front_page(client, boots):
    assert asked(client.get("/product/boots/")) == [purposes.VISITOR_HISTORY.title]
    say(client, "yes")
    assert looked_at(client) == []
    client.get("/product/boots/")
    assert looked_at(client) == [boots.pk]
    page = client.get("/")
    assert "You looked at Boots" in page.text
    assert "no-store" in page["Cache-Control"]
    assert asked(client.get("/product/boots/")) == []
    assert not ProductView.objects.exists()
    assert client.session.get_expiry_age() == pytest.approx(30 * 24 * 3600, abs=60)


def test_after_thirty_days_it_is_gone(client, boots):
    say(client, "yes")
    client.get("/product/boots/")
    session = client.session
    session[visitors.SESSION_KEY]["until"] = (timezone.now() - timedelta(seconds=1)).isoformat()
    session.save()
    assert "You looked at" not in client.get("/").text
    client.get("/product/laces/")
    assert looked_at(client) == [boots.pk]  # nothing new is noted
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert sessions.retire_sessions() == 1
    assert not Session.objects.exists()


def test_no_thanks_is_remembered_and_notes_nothing(client, boots):
    say(client, "no")
    client.get("/product/boots/")
    assert asked(client.get("/product/boots/")) == []
    assert visitors.SESSION_KEY not in client.session
    assert client.session.get_expiry_age() > 365 * 24 * 3600


def test_turning_it_off_deletes_at_once_and_an_old_tab_brings_nothing_back(client, boots):
    say(client, "yes")
    client.get("/product/boots/")
    before = client.session.session_key
    answer = client.post("/visitors/history/", {}, headers={"HX-Request": "true"})
    assert "what we had is deleted" in answer.text
    assert visitors.SESSION_KEY not in client.session
    assert "You looked at" not in client.get("/").text
    assert not Session.objects.filter(session_key=before).exists()


def test_the_page_of_a_visitor_shows_the_one_switch_and_works_without_javascript(client, boots):
    page = client.get("/account/preferences/").text
    assert page.count('type="checkbox"') == 1
    assert purposes.VISITOR_HISTORY.explanation in page
    client.post("/visitors/history/", {KEY: "on"})
    client.get("/product/boots/")
    page = client.get("/account/preferences/").text
    assert "On until" in page
    assert "What you looked at" in page
    client.post("/visitors/history/", {})
    assert visitors.SESSION_KEY not in client.session


def test_a_browser_that_says_no_is_not_asked_cannot_tick_and_loses_what_was_kept(client, boots):
    assert asked(client.get("/product/boots/", headers=GPC)) == []
    say(client, "yes", headers=GPC)
    client.post("/visitors/history/", {KEY: "on"}, headers=GPC)
    client.get("/product/boots/", headers=GPC)
    assert visitors.SESSION_KEY not in client.session
    assert "We do as it says" in client.get("/account/preferences/", headers=GPC).text
    say(client, "yes")
    client.get("/product/boots/")
    assert "You looked at" not in client.get("/", headers=GPC).text
    client.get("/product/laces/", headers=GPC)
    assert visitors.SESSION_KEY not in client.session


def sign_in(client, customer, **more):
    return client.post("/accounts/login/", {"login": customer.email, "password": builders.PASSWORD, **more})


@pytest.fixture
def bob(boots):
    from allauth.account.models import EmailAddress

    customer = cast.bob()
    EmailAddress.objects.create(user=customer.user, email=customer.email, verified=True, primary=True)
    return customer


@pytest.mark.parametrize(("switch", "tick", "comes"), [(True, True, 1), (True, False, 0), (False, True, 0)])
def test_it_joins_an_account_only_with_its_own_tick_and_the_customers_switch(client, bob, boots, switch, tick, comes):
    if switch:
        consent.set_consent(bob, purposes.RECOMMEND_FROM_BROWSING, granted=True, source="test")
    say(client, "yes")
    client.get("/product/boots/")
    assert "Bring along what I looked at" in client.get("/accounts/login/").text
    answer = sign_in(client, bob, **({"bring_along": "on"} if tick else {}))
    assert answer.status_code == 302
    assert visitors.SESSION_KEY not in client.session
    assert ProductView.objects.filter(customer=bob).count() == comes
    assert Consent.objects.count() == switch


def test_the_tick_outlives_the_second_factor_and_is_nobody_elses(client, bob, boots):
    totp.TOTP.activate(bob.user, totp.generate_totp_secret())
    consent.set_consent(bob, purposes.RECOMMEND_FROM_BROWSING, granted=True, source="test")
    say(client, "yes")
    client.get("/product/boots/")
    answer = sign_in(client, bob, bring_along="on")
    assert answer["Location"].startswith("/accounts/2fa/authenticate/")
    assert not ProductView.objects.exists()
    client.post("/accounts/2fa/authenticate/", {"code": code_of(bob.user)})
    assert ProductView.objects.filter(customer=bob).count() == 1
    assert visitors.SESSION_KEY not in client.session


def test_a_tick_of_somebody_who_did_not_come_in_is_not_the_next_ones(client, bob, boots):
    totp.TOTP.activate(bob.user, totp.generate_totp_secret())
    carol = builders.customer("carol@example.com", ticks=(purposes.RECOMMEND_FROM_BROWSING,))
    say(client, "yes")
    client.get("/product/boots/")
    sign_in(client, bob, bring_along="on")  # and no code
    client.force_login(carol.user)
    assert not ProductView.objects.exists()


def test_signing_in_without_a_history_offers_nothing(client, bob):
    assert "Bring along" not in client.get("/accounts/login/").text


def test_what_a_customer_looks_at_never_enters_the_session(client, bob, boots):
    client.force_login(bob.user)
    say(client, "yes")
    client.get("/product/boots/")
    assert visitors.SESSION_KEY not in client.session


def test_the_shop_says_that_it_honours_the_signal(client):
    answer = client.get("/.well-known/gpc.json")
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["gpc"] is True
