"""Who is signed in where, until when, and what a browser forgets when somebody else signs in there."""

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import Customer, User
from accounts.people import fresh_links, guest_session, staff_sessions
from accounts.people.password_list import BreachedPasswordValidator
from accounts.views.sessions import describe_browser
from orders import order_access
from tests import builders, cast
from tests.guest import let_in
from tests.login import sign_in
from tests.page import read_words

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"


@pytest.fixture
def alice() -> Customer:
    alice = builders.customer("alice@example.com", name="Alice")
    EmailAddress.objects.create(user=alice.user, email=alice.email, verified=True, primary=True)
    return alice


def browser_of(customer: Customer, agent: str = FIREFOX) -> Client:
    client = Client(headers={"User-Agent": agent})
    client.post("/accounts/login/", {"login": customer.email, "password": builders.PASSWORD})
    assert SESSION_KEY in client.session
    return client


def is_in(client: Client) -> bool:
    return client.get("/accounts/email/").status_code == 200


# -- Where am I signed in? ------------------------------------------------------------------------------------


def test_people_see_each_browser_that_is_signed_in_and_which_is_this_one(alice):
    here, _phone = browser_of(alice), browser_of(alice, PHONE)
    page = here.get("/accounts/sessions/").text
    assert "Firefox on Linux" in page
    assert "Chrome on Android" in page
    assert page.index("this browser") < page.index("Chrome on Android")
    assert "/accounts/sessions/" in here.get("/account/").text


def test_one_browser_is_signed_out_from_another(alice):
    here, phone, desk = browser_of(alice), browser_of(alice, PHONE), browser_of(alice)
    session = UserSession.objects.get(user_agent=PHONE)
    here.post("/accounts/sessions/", {"session": session.pk})
    assert [is_in(each) for each in (here, phone, desk)] == [True, False, True]


def test_all_others_are_signed_out_at_once_and_this_one_by_itself(alice):
    here, phone, desk = browser_of(alice), browser_of(alice, PHONE), browser_of(alice)
    here.post("/accounts/sessions/", {"session": "others"})
    assert [is_in(each) for each in (here, phone, desk)] == [True, False, False]
    here.post("/accounts/sessions/", {"session": UserSession.objects.get().pk})
    assert not is_in(here)


def test_nobody_ends_somebody_elses_session(alice):
    other = builders.customer("other@example.com")
    EmailAddress.objects.create(user=other.user, email=other.email, verified=True, primary=True)
    theirs, mine = browser_of(other), browser_of(alice)
    session = UserSession.objects.get(user=other.user)
    for which in (str(session.pk), "", "x", "0"):
        assert mine.post("/accounts/sessions/", {"session": which}).status_code == 404
    assert is_in(theirs)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (PHONE, "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari on an iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("", "A browser"),
        ("<script>", "A browser"),
    ],
)
def test_a_browser_is_told_in_words(agent, words):
    assert describe_browser(agent) == words


# -- Staff ----------------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    now = [1_000_000.0]
    monkeypatch.setattr(staff_sessions.time, "time", lambda: now[0])
    return now


def test_staff_who_do_not_click_for_half_an_hour_are_signed_out(clock):
    staff = Client()
    staff.force_login(cast.sam())
    for _ in range(5):
        clock[0] += 29 * 60
        assert staff.get("/admin/").status_code == 200
    clock[0] += 31 * 60
    assert staff.get("/admin/").status_code == 302
    assert SESSION_KEY not in staff.session
    assert "Nobody clicked for a while" in staff.get("/accounts/login/").text


def test_staff_are_signed_out_after_a_working_day_however_busy(clock):
    staff = Client()
    staff.force_login(cast.sam())
    for _ in range(24):
        clock[0] += 25 * 60
        assert staff.get("/admin/").status_code == 200
    clock[0] += 5 * 60
    assert staff.get("/").status_code == 200
    assert SESSION_KEY not in staff.session


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(clock):
    staff = Client()
    staff.force_login(cast.sam())
    for _ in range(4):
        clock[0] += 10 * 60
        staff.get("/admin/", headers={"HX-Request": "true"})
    assert SESSION_KEY not in staff.session


def test_whoever_became_staff_since_signs_in_anew(alice):
    client = Client()
    client.force_login(alice.user)
    User.objects.update(is_staff=True, is_superuser=True)
    assert client.get("/admin/").status_code == 302
    assert SESSION_KEY not in client.session


def test_customers_stay_signed_in(alice, clock):
    client = Client()
    client.force_login(alice.user)
    clock[0] += 13 * 24 * 3600
    assert is_in(client)


# -- A shared browser -----------------------------------------------------------------------------------------


def test_an_order_opened_by_its_link_is_closed_when_somebody_else_signs_in(alice, client):
    order = builders.paid_order(email="guest@example.com")
    client.get(order_access.build_order_link(order).removeprefix("http://localhost:8000"))
    assert client.get(f"/orders/{order.number}/").status_code == 200
    client.post("/accounts/login/", {"login": alice.email, "password": builders.PASSWORD})
    assert client.get(f"/orders/{order.number}/").status_code == 404
    client.post("/accounts/logout/")
    assert client.get(f"/orders/{order.number}/").status_code == 404


def test_what_a_fresh_link_opened_is_closed_when_somebody_else_signs_in(alice, client):
    guest = builders.customer("guest@example.com", with_login=False, name="Gwen")
    let_in(client, guest)
    assert "Gwen" in client.get("/account/").text
    client.post("/accounts/login/", {"login": alice.email, "password": builders.PASSWORD})
    assert "Gwen" not in read_words(client.get("/account/").text)
    assert guest_session.GUEST_KEY not in client.session


def test_a_fresh_link_opened_and_not_used_is_closed_too(alice, client, monkeypatch):
    monkeypatch.setattr(fresh_links.secrets, "token_urlsafe", lambda length: "token")
    client.post("/account/link/", {"email": "guest@example.com"})
    assert client.get("/account/link/open/token/").status_code == 302
    assert "guest@example.com" in client.get("/account/link/use/").text
    client.post("/accounts/login/", {"login": alice.email, "password": builders.PASSWORD})
    assert "guest@example.com" not in client.get("/account/link/use/").text


def test_all_that_a_guest_leaves_in_a_session_ends_or_is_taken_over(alice, client):
    """Whoever adds a key says what becomes of it."""
    session = client.session
    for key in guest_session._cleared_at_login:
        session[key] = ["of somebody else"]
    session.save()
    client.force_login(alice.user)
    assert guest_session._cleared_at_login.keys() & set(client.session.keys()) == set()
    assert {
        order_access.GRANTS,
        guest_session.GUEST_KEY,
        guest_session.PENDING_LINK_KEY,
        "told_removed",
        "undo",
        "asked",
    } <= guest_session._cleared_at_login.keys()


# -- Passwords known from breaches ------------------------------------------------------------------------------

STOLEN = ("password123", "Password123!", "LIVERPOOL1", "1q2w3e4r5t", "correcthorsebatterystaple", "zaq12wsxcde3")


@pytest.mark.parametrize("password", STOLEN)
def test_a_stolen_password_is_refused(password):
    with pytest.raises(ValidationError, match="stolen somewhere else"):
        BreachedPasswordValidator().validate(password)


def test_a_phrase_of_ones_own_is_taken():
    BreachedPasswordValidator().validate(builders.PASSWORD)
    BreachedPasswordValidator().validate("žluťoučký kůň pěl")
    BreachedPasswordValidator().validate("short")  # another rule's business


@pytest.mark.parametrize("password", STOLEN[:2])
def test_every_door_refuses_a_stolen_password(alice, client, password):
    signed_up = client.post("/accounts/signup/", {"email": "new@example.com", "password1": password})
    assert "stolen somewhere else" in signed_up.text
    assert not User.objects.filter(email="new@example.com").exists()
    mine = sign_in(Client(), alice.user)
    fields = {"oldpassword": builders.PASSWORD, "password1": password, "password2": password}
    assert "stolen somewhere else" in mine.post("/accounts/password/change/", fields).text
    alice.user.refresh_from_db()
    assert alice.user.check_password(builders.PASSWORD)
