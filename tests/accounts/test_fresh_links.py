"""Somebody without an account sees and changes what the shop holds about their address, by a link mailed to it."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import ConsentPayload, Customer, FreshLink, User
from accounts.people import fresh_links
from orders.models import Cart
from shop import personal_data
from tests import builders, cast
from tests.guest import let_in
from tests.person import Person

pytestmark = pytest.mark.django_db

EMAIL = "pat@example.com"


def ask(
    email: str = EMAIL, *, at: str = "/account/link/?next=/account/preferences/", person: Person | None = None
) -> Person:
    return (person or Person()).open(at).write("E-mail", email).press("Mail me a link")


def mailed_link(number: int = -1) -> str:
    return re.search(r"http://localhost:8000/\S*/link/\S+", mail.outbox[number].body)[0]


def let_through(link: str) -> Person:
    return Person().open(link).press("Show me")


def test_a_mailed_link_opens_everything_of_a_guest_who_never_had_an_account():
    order = builders.paid_order(email=EMAIL)
    page = ask()
    assert page.path == "/account/link/sent/"
    assert not Customer.objects.exists()  # asking makes nobody known
    reader = let_through(mailed_link())
    assert reader.path == "/account/preferences/"
    guest = Customer.objects.get()
    assert (guest.email, guest.is_proved, guest.user) == (EMAIL, True, None)
    assert order.number in reader.open("/account/orders/").text
    for room in ("/account/", "/account/preferences/", "/account/consents/", "/account/addresses/"):
        assert reader.open(room).status == 200
        assert reader.path == room
        assert "no-store" in reader.headers["cache-control"]
        assert reader.has_button("I am done")


def test_a_guest_let_in_turns_a_switch_on_and_off_again():
    ask()
    reader = let_through(mailed_link())
    title, key = purposes.get_purpose(purposes.MAIL_RECOMMENDATIONS).title, purposes.MAIL_RECOMMENDATIONS
    reader.tick(title).press("Save")
    guest = Customer.objects.get()
    assert consent.allows(guest, key)
    assert ConsentPayload.objects.get().source == "preferences"
    reader.untick(title).press("Save")
    assert not consent.allows(guest, key)


def test_the_link_leads_where_it_was_asked_for_and_nowhere_else():
    ask(at="/account/orders/")
    assert let_through(mailed_link()).path == "/account/orders/"
    for elsewhere in ("https://evil.example/account/", "//evil.example", "/admin/", "/account/link/done/"):
        ask(at=f"/account/link/?next={elsewhere}", email=f"{abs(hash(elsewhere))}@example.com")
        assert FreshLink.objects.latest("pk").leads_to == "/account/preferences/", elsewhere


def test_opening_the_link_spends_nothing_and_the_button_spends_it_once():
    ask()
    link = mailed_link()
    opened = Person().send("GET", link)
    assert (opened.status, opened.headers["location"]) == (302, "/account/link/use/")
    assert opened.headers["referrer-policy"] == "no-referrer"
    assert Person().send("HEAD", link).status == 302
    scanner = Person().open(link)
    token = link.rstrip("/").rsplit("/", 1)[1]
    assert token not in scanner.url + scanner.text
    assert EMAIL in scanner.text
    assert not Customer.objects.exists()
    assert FreshLink.objects.get().used_at is None
    assert let_through(link).path == "/account/preferences/"
    late = scanner.press("Show me")
    assert late.status == 404
    assert late.sees("This link has run out")
    assert scanner.open("/account/").path == "/account/link/"
    assert Person().open(link).status == 404


def test_a_link_runs_out_after_fifteen_minutes_and_a_forged_one_never_worked():
    ask()
    link = mailed_link()
    reader = Person().open(link)
    FreshLink.objects.update(created_at=timezone.now() - timedelta(minutes=15, seconds=1))
    assert reader.press("Show me").status == 404
    assert Person().open(link).status == 404
    assert Person().open(link[:-3] + "x/").status == 404
    assert not Customer.objects.exists()


def test_only_the_tokens_hash_is_kept():
    ask()
    token = mailed_link().rstrip("/").rsplit("/", 1)[1]
    assert token not in str(FreshLink.objects.values().get())
    assert FreshLink.objects.get().token_hash != token


def test_known_and_unknown_addresses_and_accounts_get_the_same_answer_for_the_same_work():
    builders.customer("guest@example.com", with_login=False)
    builders.customer("account@example.com")
    shapes = set()
    for email in ("nobody@example.com", "guest@example.com", "account@example.com"):
        person = Person().open("/account/link/").write("E-mail", email)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            person.press("Mail me a link")
        shapes.add(
            (person.status, person.path, person.words, len(asked), FreshLink.objects.filter(email=email).count())
        )
    assert len(shapes) == 1
    assert [message.to for message in mail.outbox] == [
        ["nobody@example.com"],
        ["guest@example.com"],
        ["account@example.com"],
    ]


def test_where_an_account_has_the_address_the_mail_says_to_sign_in_and_opens_nothing():
    bob = cast.bob()
    ask(bob.email, at="/account/orders/")
    [message] = mail.outbox
    assert "http://localhost:8000/accounts/login/?next=/account/orders/" in message.body
    assert "/account/link/open/" not in message.body + str(message.alternatives)
    assert fresh_links.use_fresh_link(FreshLink.objects.get().pk) is None
    assert FreshLink.objects.get().used_at is None


def test_a_sign_up_that_proved_nothing_does_not_lock_the_owner_out():
    thief = User.objects.create_user(EMAIL, builders.PASSWORD)
    EmailAddress.objects.create(user=thief, email=EMAIL, verified=False, primary=True)
    ask()
    assert let_through(mailed_link()).path == "/account/preferences/"


def test_an_account_made_after_asking_closes_the_link():
    ask()
    link = mailed_link()
    reader = Person().open(link)
    builders.customer(EMAIL)
    assert reader.press("Show me").status == 404
    assert reader.open("/account/").path == "/account/link/"


def test_asking_is_limited_for_an_address_and_whoever_asks():
    for _ in range(3):
        assert ask().status == 200
    assert ask().status == 429
    assert len(mail.outbox) == 3
    assert FreshLink.objects.count() == 3
    assert ask("somebody.else@example.com").status == 200


@pytest.mark.parametrize("address", ["", "pat", "pat@", "a@b.c\nBcc: x@y.z", "x" * 250 + "@example.com"])
def test_nonsense_instead_of_an_address_mails_nothing(client, address):
    page = client.post("/account/link/", {"email": address})
    assert page.status_code == 200
    assert not mail.outbox
    assert not FreshLink.objects.exists()


def test_i_am_done_closes_it_and_the_key_of_the_session_changed_twice(client):
    ask()
    person = Person().open(mailed_link())
    before = person.road.client.cookies["session"].value
    person.press("Show me")
    inside = person.road.client.cookies["session"].value
    person.press("I am done")
    after = person.road.client.cookies["session"].value
    assert person.path == "/"
    assert len({before, inside, after}) == 3
    assert person.open("/account/").path == "/account/link/"


def test_a_grant_ends_after_an_hour_with_its_customer_and_at_login(client):
    guest = builders.customer(EMAIL, with_login=False)
    assert let_in(client, guest).get("/account/").status_code == 200
    assert let_in(client, guest, minutes=-1).get("/account/").status_code == 302
    bob = cast.bob()
    let_in(client, guest)
    client.force_login(bob.user)
    assert "guest" not in client.session
    assert client.get("/account/").context["customer"] == bob
    client.logout()
    let_in(client, guest).get("/account/")
    Customer.objects.filter(pk=guest.pk).update(user=User.objects.create_user(EMAIL, builders.PASSWORD))
    assert client.get("/account/").status_code == 302
    guest.delete()
    assert client.get("/account/").status_code == 302


def test_whoever_is_signed_in_keeps_their_own_account_and_the_link_stays_good():
    ask()
    bob = cast.bob()
    person = Person()
    person.road.client.force_login(bob.user)
    page = person.open(mailed_link())
    assert not page.has_button("Show me")
    assert page.sees("Sign out first")
    token = person.road.client.cookies["csrf"].value if "csrf" in person.road.client.cookies else ""
    person.send("POST", "/account/link/use/", [("csrfmiddlewaretoken", token)])
    assert FreshLink.objects.get().used_at is None
    assert person.open("/account/link/").path == "/account/preferences/"


def test_a_switch_toggled_after_the_hour_asks_who_it_is_and_saves_nothing(client):
    guest = builders.customer(EMAIL, with_login=False)
    let_in(client, guest, minutes=-1)
    key = purposes.NEWSLETTER
    answer = client.post(f"/account/preferences/{key}/", {key: "on"}, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == "/account/link/?next=/account/preferences/"
    assert not consent.allows(guest, key)


def test_browsing_with_a_grant_is_not_noted_and_its_cart_stays_the_visitors(client):
    guest = builders.customer(EMAIL, with_login=False, ticks=(purposes.RECOMMEND_FROM_BROWSING,))
    mug = builders.product("Tin mug")
    let_in(client, guest)
    with CaptureQueriesContext(connection) as asked:
        client.get(mug.get_absolute_url())
    assert not [query for query in asked if query["sql"].startswith("INSERT")]
    client.post("/cart/lines/", {"variant": mug.variants.get().pk, "quantity": 1})
    assert Cart.objects.get().customer is None


def test_links_are_deleted_a_day_after_they_were_asked_for():
    ask()
    ask("lee@example.com")
    FreshLink.objects.filter(email=EMAIL).update(created_at=timezone.now() - timedelta(days=1, minutes=1))
    [links] = [holding for holding in personal_data.get_holdings() if holding.key == "fresh_links"]
    assert links.retire() == 1
    assert FreshLink.objects.get().email == "lee@example.com"
