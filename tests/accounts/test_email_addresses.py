"""One check of addresses for every door: what no mail can reach is refused in words, and equal addresses are one."""

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import models
from django.test import Client

from accounts.consent import purposes, requests
from accounts.models import Customer, User
from accounts.people import fresh_links
from accounts.people.customers import get_or_create_proved_customer
from accounts.people.email_addresses import EmailAddressField, UnreachableAddressError, normalize_address
from orders.models import Order, ShopSettings
from tests import builders, cast
from tests.login import sign_in
from tests.paying import fill, form
from tests.security.visits import changed, fingerprint

UNREACHABLE = {
    "a letter that only looks plain": "mıke@example.com",
    "an accent before the @": "josé@example.com",
    "wide letters before the @": "ａlice@example.com",
    "a Kelvin sign": "\u212aate@example.com",
    "what a wrong decoding leaves": "jos\ufffd@example.com",
    "a number in brackets": "a@[127.0.0.1]",
    "a bare number": "a@127.0.0.1",
    "quotation marks": '"a,b@x"@example.com',
    "two addresses": "a@example.com;b@example.com",
    "two of them": "a@example.com@example.org",
    "a name beside it": "Alice <a@example.com>",
    "a dot at the end": "a@example.com.",
    "a dot before the @": "a.@example.com",
    "two dots": "a..b@example.com",
    "no dot": "a@localhost",
    "a name nobody can own": "a@shop.invalid",
    "a name too long before the @": f"{'a' * 65}@example.com",
    "a part too long after the @": f"a@{'b' * 64}.com",
    "longer than an address can be": f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 20}.com",
    "an underscore after the @": "a@b_c.com",
    "a hyphen at an end": "a@-example.com",
    "false punycode": "a@xn--a.com",
    "a drawing": "a@☃.com",
    "a space inside": "a b@example.com",
    "a zero-width space": "a@exam\u200bple.com",
    "a zero-width space in front": "\u200ba@example.com",
    "a soft hyphen": "a@exam\u00adple.com",
    "a mark of direction": "a@example.com\u202e",
    "a mark that nobody sees": "a@exam\ufe0fple.com",
    "a new line": "a@example.com\nBcc: b@example.com",
    "a control character": "a\x07@example.com",
    "nothing before the @": "@example.com",
}
NORMAL = {
    " Mike@Example.COM ": "mike@example.com",
    "a@BÜCHER.example": "a@xn--bcher-kva.example",
    "a@bu\u0308cher.example": "a@xn--bcher-kva.example",
    "a@xn--bcher-kva.example": "a@xn--bcher-kva.example",
    "a@пример.рф": "a@xn--e1afmkfd.xn--p1ai",
    "a@ｅｘａｍｐｌｅ．com": "a@example.com",
    "o'neil+shop@example.co.uk": "o'neil+shop@example.co.uk",
    f"{'a' * 64}@example.com": f"{'a' * 64}@example.com",
}


@pytest.mark.parametrize("address", UNREACHABLE.values(), ids=UNREACHABLE.keys())
def test_what_no_mail_can_reach_is_no_address(address):
    with pytest.raises(UnreachableAddressError, match=r"[a-z]\.$"):
        normalize_address(address)


@pytest.mark.parametrize(("typed", "kept"), NORMAL.items())
def test_equal_addresses_are_kept_as_one_text(typed, kept):
    assert normalize_address(typed) == kept
    assert normalize_address(kept) == kept


def test_every_column_for_an_address_has_the_one_check():
    ours = [model for model in apps.get_models() if model.__module__.split(".")[0] not in ("allauth", "django")]
    columns = [field for model in ours for field in model._meta.fields if isinstance(field, models.EmailField)]
    assert len(columns) >= 7
    assert [field for field in columns if not isinstance(field, EmailAddressField)] == []


# The doors: each is handed an address as somebody would type it and returns the words it answers.

Door = Callable[[str], str]


def _at_checkout(address: str) -> str:
    client = Client()
    fill(client)
    return client.post("/checkout/", form(email=address)).text


def _at_sign_up(address: str) -> str:
    return Client().post("/accounts/signup/", {"email": address, "password1": "a long enough phrase"}).text


def _at_sign_in(address: str) -> str:
    return Client().post("/accounts/login/", {"login": address, "password": builders.PASSWORD}).text


def _at_a_forgotten_password(address: str) -> str:
    return Client().post("/accounts/password/reset/", {"email": address}).text


def _at_the_page_that_asks_who_you_are(address: str) -> str:
    return Client().post("/account/link/", {"email": address}).text


def _at_a_change_of_address(address: str) -> str:
    bob = Customer.objects.filter(email="bob@example.com").first() or cast.bob()
    EmailAddress.objects.get_or_create(user=bob.user, email=bob.email, verified=True, primary=True)
    client = Client()
    client.post("/accounts/login/", {"login": bob.email, "password": builders.PASSWORD})
    return client.post("/accounts/email/", {"email": address, "action_add": ""}).text


def _staff() -> Client:
    return sign_in(Client(), User.objects.filter(is_superuser=True).first() or cast.sam())


def _at_staffs_list_of_logins(address: str) -> str:
    return _staff().post("/admin/accounts/user/add/", {"email": address, "is_staff": "on", "is_active": "on"}).text


def _at_staffs_list_of_refusals(address: str) -> str:
    return _staff().post("/admin/notifications/suppression/add/", {"address": address, "reason": "staff"}).text


def _at_the_shops_own_settings(address: str) -> str:
    shop = ShopSettings.objects.first() or ShopSettings.objects.create()
    fields = {"name": "Say When", "default_country": "GB", "contact_email": address}
    return _staff().post(f"/admin/orders/shopsettings/{shop.pk}/change/", fields).text


def _at_the_command_for_the_first_owner(address: str) -> str:
    try:
        call_command("createsuperuser", interactive=False, email=address)
    except (CommandError, ValidationError) as refusal:
        return str(refusal)
    return ""


def _in_code(makes: Callable[[], object]) -> str:
    try:
        makes()
    except UnreachableAddressError as refusal:
        return str(refusal)
    return ""


PAGES: dict[str, Door] = {
    "checkout": _at_checkout,
    "sign-up": _at_sign_up,
    "sign-in": _at_sign_in,
    "a forgotten password": _at_a_forgotten_password,
    "the page that asks who you are": _at_the_page_that_asks_who_you_are,
    "a change of address": _at_a_change_of_address,
    "staff's list of logins": _at_staffs_list_of_logins,
    "staff's list of refusals": _at_staffs_list_of_refusals,
    "the shop's own settings": _at_the_shops_own_settings,
    "the command for the first owner": _at_the_command_for_the_first_owner,
    "a newsletter asked for": lambda address: _in_code(
        lambda: requests.request_consent(address, purposes.NEWSLETTER, source="checkout")
    ),
    "a login made by code": lambda address: _in_code(lambda: User.objects.create_user(address)),
    "a customer made by code": lambda address: _in_code(lambda: get_or_create_proved_customer(address)),
    "a fresh link asked for by code": lambda address: _in_code(
        lambda: fresh_links.request_fresh_link(None, address, leads_to="/")  # type: ignore[arg-type]
    ),
}
TRIED = ("mıke@example.com", "a@[127.0.0.1]", '"a,b@x"@example.com', "a@example.com.", "a@exam\u200bple.com")
# Sessions, carts and goods that the way to a door leaves.
ON_THE_WAY = (
    "django_session",
    "usersessions_",
    "orders_cart",
    "catalog_",
    "orders_shippingmethod",
    "accesslogentry",
    "accounts_user",
)


@pytest.mark.django_db
@pytest.mark.parametrize("door", PAGES.values(), ids=PAGES.keys())
def test_each_door_says_why_and_nothing_comes_of_it(door):
    door("not an address")  # makes what stands on the way
    before, logins = fingerprint(), set(User.objects.values_list("email", flat=True))
    for address in TRIED:
        words = door(address).replace("&quot;", '"')
        assert _reason(address) in words, address
        assert User.objects.exclude(email__in=logins).count() == 0
        assert not Order.objects.exists()
        assert mail.outbox == []
    assert [table for table in changed(before) if not any(part in table for part in ON_THE_WAY)] == []


def _reason(address: str) -> str:
    with pytest.raises(UnreachableAddressError) as refusal:
        normalize_address(address)
    return str(refusal.value)


@pytest.mark.django_db
def test_an_address_with_letters_of_any_script_after_the_at_is_one_person_however_it_is_typed(
    client, django_capture_on_commit_callbacks
):
    for typed in ("Ada@BÜCHER.example", "ada@xn--bcher-kva.example"):
        with django_capture_on_commit_callbacks(execute=True):
            answer = client.post("/accounts/signup/", {"email": typed, "password1": "a long enough phrase"})
        assert answer.status_code == 302
        client.session.flush()
    assert User.objects.get().email == "ada@xn--bcher-kva.example"
    assert EmailAddress.objects.get().email == "ada@xn--bcher-kva.example"
    assert {tuple(message.to) for message in mail.outbox} == {("ada@xn--bcher-kva.example",)}
