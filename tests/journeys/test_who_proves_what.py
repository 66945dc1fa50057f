"""The table “Who proves an address, and how” of docs/data-protection.md, row by row, with a scanner in every mail."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.test import Client, TestCase
from django.utils import timezone

from accounts.consent import consent, purposes, requests
from accounts.models import Customer, User
from accounts.people import tokens
from accounts.privacy import erasure, export
from notifications import links
from orders.models import Order, OrderTick
from tests import builders
from tests.journeys.walks import Mailbox, buy, link_in, links_in, sign_up
from tests.person import Person

EMAIL = "pat@example.com"
STRANGER = "sly@example.com"
CONFIRM = "/accounts/confirm-email/"
PREFETCH = {"Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender", "X-Moz": "prefetch"}


class Walk:
    """One row of the table: a shop with a guest's past, its mailbox, and the people in their browsers."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self.past = builders.paid_order(email=EMAIL)
        self.scanned = 0

    def person(self) -> Person:
        return Person()

    def scan(self) -> None:
        """Opens every link of every mail twice, by GET and HEAD, follows where it leads, and posts nothing to it."""
        before = self.what_counts()
        for link in {link for mail in self.mailbox.collect() for link in links_in(mail)}:
            parts = urlsplit(link)
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            for headers in ({}, PREFETCH):
                scanner = Client(enforce_csrf_checks=True)
                with TestCase.captureOnCommitCallbacks(execute=True):
                    scanner.head(path, headers=headers, follow=True)
                    scanner.get(path, headers=headers, follow=True)
                    if "/mail/unsubscribe/" not in path:  # one click of a mail program is a POST without a form
                        assert scanner.post(path, headers=headers).status_code in (400, 403, 405, 404), path
                assert SESSION_KEY not in scanner.session
            self.scanned += 1
        assert self.what_counts() == before

    @staticmethod
    def what_counts() -> list[object]:
        """Everything that an address's proof would change, or that an answer would."""
        return [
            sorted(Customer.objects.values_list("pk", "email", "email_proved_at", "user")),
            sorted(Order.objects.values_list("pk", "customer", "status"), key=str),
            sorted(EmailAddress.objects.values_list("email", "verified", "user")),
            sorted(User.objects.values_list("pk", "email", "password", "last_login"), key=str),
            sorted(OrderTick.objects.values_list("pk", "granted")),
            consent.find_granted_consents(purposes.NEWSLETTER).count(),
        ]

    def nothing_is_proved(self) -> None:
        assert not Customer.objects.filter(email=EMAIL).exclude(email_proved_at=None).exists()
        assert not EmailAddress.objects.filter(email=EMAIL, verified=True).exists()
        self.past.refresh_from_db()
        assert self.past.customer is None

    def is_proved(self) -> Customer:
        customer = Customer.objects.get(email=EMAIL)
        assert customer.is_proved
        self.past.refresh_from_db()
        assert self.past.customer == customer
        return customer

    def link(self, part: str, *, to: str = EMAIL) -> str:
        return link_in([mail for mail in self.mailbox.collect(to) if part in mail.text][-1], part)


@pytest.fixture
def walk(shop: None, mailbox: Mailbox) -> Walk:
    return Walk(mailbox)


def ask_to_sign_up(person: Person, *, email: str = EMAIL, password: str = builders.PASSWORD) -> Person:
    return person.open("/accounts/signup/").write("E-mail", email).write("Password", password).press("Sign up")


def is_signed_in(person: Person, *, email: str = EMAIL) -> bool:
    return person.open("/accounts/email/").path == "/accounts/email/" and email in person.words


def somebody_signs_up(walk: Walk) -> None:
    here = ask_to_sign_up(walk.person())
    walk.scan()
    walk.nothing_is_proved()
    assert EMAIL in here.open(walk.link(CONFIRM)).words
    walk.nothing_is_proved()
    here.press("Confirm")
    assert walk.is_proved().user is not None
    assert is_signed_in(here)
    assert here.open("/account/orders/").sees(walk.past.number)


def somebody_signs_up_again(walk: Walk) -> None:
    stranger = ask_to_sign_up(walk.person(), password="the stranger's own phrase")
    first = walk.link(CONFIRM)
    here = ask_to_sign_up(walk.person(), password="the owner's own long phrase")
    walk.scan()
    assert walk.link(CONFIRM) != first
    for person in (stranger, here, walk.person()):
        assert person.open(first).status == 404
        assert not person.has_button("Confirm")
    walk.nothing_is_proved()
    here.open(walk.link(CONFIRM)).press("Confirm")
    assert walk.is_proved().user.check_password("the owner's own long phrase")
    assert not is_signed_in(stranger)
    stranger.open("/accounts/login/").write("E-mail", EMAIL).write("Password", "the stranger's own phrase")
    stranger.press("Sign in")
    assert not is_signed_in(stranger)


def an_account_changes_its_address(walk: Walk) -> None:
    here = sign_up(walk.person(), walk.mailbox, "old@example.com")
    here.open("/accounts/email/").write("E-mail", EMAIL).press("Send a link to the new address")
    walk.scan()
    walk.nothing_is_proved()
    mail = walk.mailbox.latest(EMAIL)
    assert "old@example.com" in mail.text  # whose account it is to join
    elsewhere = walk.person().open(walk.link(CONFIRM))
    assert elsewhere.sees("old@example.com")
    assert not elsewhere.has_button("Confirm")
    assert elsewhere.send("POST", elsewhere.url, token_of(elsewhere)).status == 403
    walk.nothing_is_proved()
    assert here.open(walk.link(CONFIRM)).sees("old@example.com")
    here.press("Confirm")
    assert walk.is_proved().user.email == EMAIL


def token_of(person: Person) -> list[tuple[str, str]]:
    person.open("/account/link/").open(person.url)
    cookie = person.road.client.cookies["csrf"].value
    return [("csrfmiddlewaretoken", cookie), ("password", builders.PASSWORD), ("new_password", "a phrase of my own")]


def a_strangers_account_claims_it(walk: Walk) -> None:
    stranger = sign_up(walk.person(), walk.mailbox, STRANGER)
    stranger.open("/accounts/email/").write("E-mail", EMAIL).press("Send a link to the new address")
    claim = walk.link(CONFIRM)
    owner = ask_to_sign_up(walk.person())
    walk.scan()
    walk.nothing_is_proved()
    for person in (owner, stranger, walk.person()):
        assert person.open(claim).status == 404  # her sign-up ended the claim
    owner.open(walk.link(CONFIRM)).press("Confirm")
    assert walk.is_proved().user.email == EMAIL
    assert User.objects.get(email=STRANGER).customer.email == STRANGER
    assert not stranger.open("/account/orders/").sees(walk.past.number)


def a_guest_asks_for_a_link(walk: Walk) -> None:
    here = walk.person().open("/account/link/").write("E-mail", EMAIL).press("Mail me a link")
    walk.scan()
    walk.nothing_is_proved()
    here.open(walk.link("/account/link/")).press("Show me")
    assert walk.is_proved().is_guest


def somebody_asks_for_mail(walk: Walk) -> None:
    requests.request_consent(EMAIL, purposes.NEWSLETTER, source="checkout")
    walk.scan()
    walk.nothing_is_proved()
    walk.person().open(walk.link("/consents/confirm/")).press("Yes, turn it on")
    assert consent.allows(walk.is_proved(), purposes.NEWSLETTER)


def a_guest_follows_a_receipt(walk: Walk) -> None:
    number = buy(walk.person(), email=EMAIL)
    walk.scan()
    reader = walk.person().open(walk.link("/open/"))
    assert reader.path == f"/orders/{number}/"
    walk.nothing_is_proved()
    assert reader.open(f"/orders/{walk.past.number}/").status == 404


def a_buyer_comes_back(walk: Walk) -> None:
    here = walk.person()
    number = buy(here, email=EMAIL)
    assert here.path == f"/orders/{number}/"
    walk.scan()
    walk.nothing_is_proved()


def somebody_leaves_a_mail(walk: Walk) -> None:
    buy(walk.person(), email=EMAIL, ticks=("Tell me when my order is approved",))
    tick = OrderTick.objects.get(granted=True)
    walk.scan()
    walk.person().open(links.build_absolute_url(unsubscribe_path(tick))).press("Turn it off")
    tick.refresh_from_db()
    assert not tick.granted
    walk.nothing_is_proved()


def unsubscribe_path(tick: OrderTick) -> str:
    return f"/mail/unsubscribe/{tokens.sign_token(links.UNSUBSCRIBE, order=tick.order_id, purpose=tick.purpose)}/"


def somebody_forgets_a_password(walk: Walk) -> None:
    """Of a sign-up that never proved its address: the password is new, and that is all."""
    ask_to_sign_up(walk.person())
    here = walk.person().open("/accounts/password/reset/").write("E-mail", EMAIL).press("Send the link")
    walk.scan()
    here.open(walk.link("/accounts/password/reset/key/"))
    chosen = "another long enough phrase"
    here.write("New password", chosen).write("New password (again)", chosen).press("Save the new password")
    walk.nothing_is_proved()
    here.open("/accounts/login/").write("E-mail", EMAIL).write("Password", chosen).press("Sign in")
    assert not is_signed_in(here)
    walk.nothing_is_proved()


def somebody_is_erased(walk: Walk) -> None:
    other = builders.customer("erin@example.com", with_login=False)
    asked = erasure.request_erasure(other, at_once=False)
    walk.scan()
    walk.nothing_is_proved()
    asked.refresh_from_db()
    assert asked.state == asked.State.SCHEDULED


def somebody_takes_a_copy(walk: Walk) -> None:
    other = builders.customer("erin@example.com", with_login=False)
    export.request_export(other)
    export.build_waiting_exports(controller={}, privacy_url="")
    walk.scan()
    walk.nothing_is_proved()


ROWS: dict[str, Callable[[Walk], None]] = {
    "somebody signs up": somebody_signs_up,
    "somebody signs up again": somebody_signs_up_again,
    "an account changes its address": an_account_changes_its_address,
    "somebody else's address is added to an account": a_strangers_account_claims_it,
    "somebody without an account asks for a link": a_guest_asks_for_a_link,
    "somebody without an account asks for mail": somebody_asks_for_mail,
    "a guest follows the link in a receipt": a_guest_follows_a_receipt,
    "a buyer comes back from paying": a_buyer_comes_back,
    "somebody leaves a kind of mail": somebody_leaves_a_mail,
    "somebody chooses a new password": somebody_forgets_a_password,
    "somebody asks to be erased": somebody_is_erased,
    "somebody asks for a copy": somebody_takes_a_copy,
}


def test_the_table_in_the_documents_has_these_rows_and_no_others():
    text = (Path(settings.BASE_DIR) / "docs" / "data-protection.md").read_text()
    table = text.partition("## Who proves an address, and how")[2].partition("\n## ")[0]
    rows = [row.split("|")[1].strip() for row in re.findall(r"^\|.*\|$", table, re.MULTILINE)]
    assert rows[2:] == list(ROWS)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_each_row_of_the_table_and_no_scanner_proves_anything(walk, row):
    row(walk)
    assert walk.scanned


# -- More of the same kind -------------------------------------------------------------------------------------


def test_another_browser_is_asked_for_the_password_given_at_sign_up(walk):
    ask_to_sign_up(walk.person())
    phone = walk.person().open(walk.link(CONFIRM))
    phone.write("Password", "not that one at all").press("Confirm")
    assert phone.sees("That is not the password given at sign-up")
    walk.nothing_is_proved()
    phone.write("Password", builders.PASSWORD).press("Confirm")
    walk.is_proved()
    assert is_signed_in(phone)


def test_whoever_got_a_strangers_mail_chooses_a_password_and_the_strangers_opens_nothing(walk):
    stranger = ask_to_sign_up(walk.person(), password="the stranger's own phrase")
    owner = walk.person().open(walk.link(CONFIRM))
    owner.write("New password", "short").press("Confirm with this one")
    walk.nothing_is_proved()
    owner.write("New password", "the owner's own long phrase").press("Confirm with this one")
    assert walk.is_proved().user.check_password("the owner's own long phrase")
    assert is_signed_in(owner)
    assert not is_signed_in(stranger)
    stranger.open("/accounts/login/").write("E-mail", EMAIL).write("Password", "the stranger's own phrase")
    stranger.press("Sign in")
    assert not is_signed_in(stranger)


def test_a_link_opened_where_somebody_else_is_signed_in_signs_nobody_out_and_proves_nothing(walk):
    ask_to_sign_up(walk.person())
    other = sign_up(walk.person(), walk.mailbox, STRANGER)
    other.open(walk.link(CONFIRM))
    assert not other.has_button("Confirm")
    assert other.send("POST", walk.link(CONFIRM), token_of(other)).status == 403
    walk.nothing_is_proved()
    assert is_signed_in(other, email=STRANGER)


def test_a_claimed_address_resets_nobodys_password(walk):
    stranger = sign_up(walk.person(), walk.mailbox, STRANGER)
    stranger.open("/accounts/email/").write("E-mail", EMAIL).press("Send a link to the new address")
    walk.person().open("/accounts/password/reset/").write("E-mail", EMAIL).press("Send the link")
    assert not any("/accounts/password/reset/key/" in mail.text for mail in walk.mailbox.collect(EMAIL))


def test_a_claimed_address_signs_nobody_in(walk):
    stranger = sign_up(walk.person(), walk.mailbox, STRANGER)
    stranger.open("/accounts/email/").write("E-mail", EMAIL).press("Send a link to the new address")
    fresh = walk.person().open("/accounts/login/").write("E-mail", EMAIL).write("Password", builders.PASSWORD)
    fresh.press("Sign in")
    assert fresh.sees("do not belong together")


def test_an_account_takes_an_address_that_a_sign_up_only_claimed(walk):
    ask_to_sign_up(walk.person(), password="the stranger's own phrase")
    here = sign_up(walk.person(), walk.mailbox, "old@example.com")
    here.open("/accounts/email/").write("E-mail", EMAIL).press("Send a link to the new address")
    here.open(walk.link(CONFIRM)).press("Confirm")
    assert walk.is_proved().user.email == EMAIL
    assert User.objects.filter(email=EMAIL).count() == 1


def test_an_address_with_an_account_is_joined_to_no_other(walk):
    sign_up(walk.person(), walk.mailbox, EMAIL)
    mine = walk.is_proved()
    stranger = sign_up(walk.person(), walk.mailbox, STRANGER)
    stranger.open("/accounts/email/").write("E-mail", EMAIL).press("Send a link to the new address")
    assert stranger.open(walk.link(CONFIRM)).sees("belongs to another account")
    assert stranger.send("POST", walk.link(CONFIRM), token_of(stranger)).status == 403
    assert walk.is_proved() == mine


def test_a_link_for_a_new_password_opened_where_somebody_else_is_signed_in_signs_nobody_out(walk):
    ask_to_sign_up(walk.person())
    other = sign_up(walk.person(), walk.mailbox, STRANGER)
    walk.person().open("/accounts/password/reset/").write("E-mail", EMAIL).press("Send the link")
    other.open(walk.link("/accounts/password/reset/key/"))
    assert other.has_button("Save the new password")
    assert is_signed_in(other, email=STRANGER)


def test_a_guests_yes_on_an_orders_page_comes_by_mail_in_the_switchs_words(walk):
    number = buy(walk.person(), email=EMAIL)
    Order.objects.filter(number=number).update(placed_at=timezone.now() - timedelta(days=1))
    title = purposes.get_purpose(purposes.MAIL_ORDER_DISPATCHED).title
    walk.person().open(walk.link("/open/")).press("Yes, turn it on")
    walk.scan()
    walk.nothing_is_proved()
    assert title in walk.mailbox.latest(EMAIL).text
    walk.person().open(walk.link("/consents/confirm/")).press("Yes, turn it on")
    assert consent.allows(walk.is_proved(), purposes.MAIL_ORDER_DISPATCHED)
