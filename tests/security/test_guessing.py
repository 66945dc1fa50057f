"""Guessing passwords is limited, locks no owner out, and no answer's work tells whether an address is known."""

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings as shop_settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests import builders, cast

pytestmark = pytest.mark.django_db

EMAIL = "bob@example.com"
PLACES = [f"198.51.100.{number}" for number in range(1, 60)]
DEVICE = shop_settings.DEVICE_COOKIE_NAME


@pytest.fixture
def bob() -> User:
    user = cast.bob().user
    EmailAddress.objects.create(user=user, email=EMAIL, verified=True, primary=True)
    return user


def try_password(client: Client, password: str, *, place: str = "127.0.0.1", email: str = EMAIL) -> bool:
    """Whether it lets somebody in."""
    client.post("/accounts/login/", {"login": email, "password": password}, REMOTE_ADDR=place)
    return SESSION_KEY in client.session


def guess_from(place: str, times: int = 1) -> None:
    for _ in range(times):
        assert not try_password(Client(), "a wrong long phrase", place=place)


def signed_in_before() -> Client:
    browser = Client()
    assert try_password(browser, builders.PASSWORD)
    browser.post("/accounts/logout/")
    return browser


def test_the_place_that_guessed_is_refused_even_with_the_right_password(bob):
    guess_from(PLACES[0], times=5)
    assert not try_password(Client(), builders.PASSWORD, place=PLACES[0])


def test_guesses_from_elsewhere_lock_nobody_out(bob):
    guess_from(PLACES[0], times=6)
    assert try_password(Client(), builders.PASSWORD, place=PLACES[1])


def test_guesses_from_many_places_lock_no_place_out_that_has_not_failed(bob):
    for place in PLACES[:30]:
        guess_from(place)
    assert try_password(Client(), builders.PASSWORD, place=PLACES[40])


def test_guesses_from_many_places_leave_each_place_few_tries(bob):
    for place in PLACES[:10]:
        guess_from(place)
    guess_from(PLACES[40], times=2)
    assert not try_password(Client(), builders.PASSWORD, place=PLACES[40])


def test_a_browser_that_signed_in_before_opens_whatever_its_place_has_failed(bob):
    browser = signed_in_before()
    guess_from("127.0.0.1", times=5)
    assert try_password(browser, builders.PASSWORD)


def test_a_browser_that_signed_in_before_has_no_more_guesses_than_another(bob):
    browser = signed_in_before()
    for _ in range(5):
        assert not try_password(browser, "a wrong long phrase")
    assert not try_password(browser, builders.PASSWORD)


@pytest.mark.parametrize("value", ["", "x", "e30:1:forged", "{}"])
def test_a_forged_cookie_is_no_browser_that_signed_in_before(bob, value):
    signed_in_before()
    guess_from("127.0.0.1", times=5)
    forger = Client()
    forger.cookies[DEVICE] = value
    assert not try_password(forger, builders.PASSWORD)


def test_a_browser_known_for_somebody_else_is_not_known_for_this_one(bob):
    other = builders.customer("other@example.com").user
    EmailAddress.objects.create(user=other, email=other.email, verified=True, primary=True)
    browser = Client()
    assert try_password(browser, builders.PASSWORD, email="other@example.com")
    browser.post("/accounts/logout/")
    guess_from("127.0.0.1", times=5)
    assert not try_password(browser, builders.PASSWORD)


def test_a_new_password_forgets_every_browser(bob):
    browser = signed_in_before()
    bob.set_password("quite another long phrase")
    bob.save()
    guess_from("127.0.0.1", times=5)
    assert not try_password(browser, "quite another long phrase")


def test_the_cookie_names_nobody_and_is_kept_from_scripts(bob):
    cookie = signed_in_before().cookies[DEVICE]
    assert EMAIL not in cookie.value
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_asking_again_counts_guesses_as_well(bob):
    browser = Client()
    assert try_password(browser, builders.PASSWORD)
    for _ in range(5):
        browser.post("/accounts/reauthenticate/", {"password": "a wrong long phrase"})
    answer = browser.post("/accounts/reauthenticate/", {"password": builders.PASSWORD})
    assert answer.status_code == 200
    assert "too often" in answer.text


# -- The same work for every address --------------------------------------------------------------------------

KNOWN, CLAIMED, UNKNOWN = EMAIL, "claimed@example.com", "nobody@example.com"
DOORS: dict[str, Callable[[str], dict[str, str]]] = {
    "/accounts/signup/": lambda email: {"email": email, "password1": "quite a long phrase"},
    "/accounts/login/": lambda email: {"login": email, "password": "a wrong long phrase"},
    "/accounts/password/reset/": lambda email: {"email": email},
    "/account/link/": lambda email: {"email": email},
}


@pytest.mark.parametrize("door", DOORS)
def test_each_door_hashes_as_often_and_answers_alike_for_every_address(bob, door, monkeypatch):
    User.objects.create_user(CLAIMED, "somebody's long phrase")
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(
        MD5PasswordHasher, "encode", lambda self, password, salt: hashed.append(salt) or encode(self, password, salt)
    )
    answers = set()
    for number, email in enumerate((KNOWN, CLAIMED, UNKNOWN)):
        hashed.clear()
        answer = Client().post(door, DOORS[door](email), REMOTE_ADDR=PLACES[number])
        answers.add((len(hashed), answer.status_code, answer.get("Location")))
    assert len(answers) == 1
    assert answers.pop()[0] == (1 if "password" in "".join(DOORS[door](KNOWN)) and "reset" not in door else 0)


def test_signing_up_asks_the_database_as_much_for_an_address_with_an_account(bob):
    """Within a fifth. What every page's frame asks for once is asked before."""
    Client().get("/accounts/signup/")
    counts = []
    for number, email in enumerate((KNOWN, UNKNOWN)):
        with CaptureQueriesContext(connection) as captured:
            Client().post("/accounts/signup/", DOORS["/accounts/signup/"](email), REMOTE_ADDR=PLACES[number])
        counts.append(len(captured))
    known, unknown = counts
    assert abs(known - unknown) <= unknown / 5, counts
    assert User.objects.count() == 2  # nothing of the pretence stays
