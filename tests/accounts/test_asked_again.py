"""What opens an account changes only at the hands of somebody who gave the password, or second factor, just now."""

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from django.urls import get_resolver

from accounts.models import Customer, User
from accounts.privacy import export
from tests import builders, cast
from tests.login import sign_in
from tests.security.visits import _patterns, changed, fingerprint

pytestmark = pytest.mark.django_db

ASKS = "/accounts/reauthenticate/"
NEW = "new@example.com"
WAITS = "waits@example.com"
CHANGES: dict[str, tuple[str, dict[str, str]]] = {
    "another address": ("/accounts/email/", {"email": NEW, "action_add": ""}),
    "an address that waits, let go": ("/accounts/email/", {"email": WAITS, "action_remove": ""}),
    "an address made the first": ("/accounts/email/", {"email": WAITS, "action_primary": ""}),
    "a second factor": ("/accounts/2fa/totp/activate/", {"code": "123456"}),
    "no second factor": ("/accounts/2fa/totp/deactivate/", {}),
    "a passkey": ("/accounts/2fa/webauthn/add/", {"name": "Key", "credential": "{}"}),
    "a passkey's name": ("/accounts/2fa/webauthn/keys/1/edit/", {"name": "Mine"}),
    "no passkey": ("/accounts/2fa/webauthn/keys/1/remove/", {}),
    "new recovery codes": ("/accounts/2fa/recovery-codes/generate/", {}),
    "a sign-in ended": ("/accounts/sessions/", {"session": "others"}),
    "being erased": ("/account/data/erasure/", {"when": "now", "word": "erase"}),
}
SECRETS = ("/accounts/2fa/recovery-codes/", "/accounts/2fa/recovery-codes/download/")
# What changes how an account opens and asks by itself, or is for those who are not signed in.
EXCUSED = {
    "accounts/password/change/": "its form asks for the password now in use",
    "accounts/password/set/": "for logins without a password; they are asked for another factor",
    "accounts/password/reset/": "by a mailed link",
    "accounts/2fa/": "shows, and changes nothing",
    "accounts/2fa/webauthn/": "shows, and changes nothing",
    "accounts/email/": "above",
}


@pytest.fixture
def alice() -> Customer:
    alice = builders.customer("alice@example.com")
    EmailAddress.objects.create(user=alice.user, email=alice.email, verified=True, primary=True)
    return alice


def equip(alice: Customer, path: str) -> None:
    """With what the page changes: allauth adds no factor beside an address that waits to be proved."""
    if "email" in path:
        EmailAddress.objects.create(user=alice.user, email=WAITS)
    elif "totp/activate" not in path:
        for pk, kind, data in (
            (1, "webauthn", {"name": "Key", "credential": {}}),
            (2, "totp", {"secret": "x"}),
            (3, "recovery_codes", {"seed": "x", "used_mask": 0}),
        ):
            Authenticator.objects.create(pk=pk, user=alice.user, type=kind, data=data)


@pytest.mark.parametrize(("path", "data"), CHANGES.values(), ids=CHANGES.keys())
def test_after_a_while_each_change_asks_for_the_password_and_does_nothing_before(alice, path, data):
    equip(alice, path)
    client = sign_in(Client(), alice.user, minutes_ago=6)
    before = fingerprint()
    answer = client.post(path, data)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(ASKS)
    assert [table for table in changed(before) if table != "django_session"] == []
    assert mail.outbox == []


@pytest.mark.parametrize("path", SECRETS)
def test_after_a_while_what_opens_the_account_is_not_shown_either(alice, path):
    equip(alice, path)
    answer = sign_in(Client(), alice.user, minutes_ago=6).get(path)
    assert answer.headers["Location"].startswith(ASKS)


def test_a_change_waits_for_the_password_and_then_happens(alice, django_capture_on_commit_callbacks):
    client = sign_in(Client(), alice.user, minutes_ago=6)
    asked = client.post("/accounts/email/", {"email": NEW, "action_add": ""})
    wrong = client.post(asked.headers["Location"], {"password": "not that one at all", "next": "/accounts/email/"})
    assert wrong.status_code == 200
    assert not EmailAddress.objects.filter(email=NEW).exists()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(asked.headers["Location"], {"password": builders.PASSWORD, "next": "/accounts/email/"})
    assert EmailAddress.objects.filter(email=NEW, verified=False).exists()
    assert [message.to for message in mail.outbox] == [[NEW]]


def test_whoever_has_just_signed_in_is_not_asked_again(alice):
    client = sign_in(Client(), alice.user, minutes_ago=1)
    assert client.post("/accounts/email/", {"email": NEW, "action_add": ""}).headers["Location"] == "/accounts/email/"
    assert EmailAddress.objects.filter(email=NEW).exists()


def test_every_page_that_changes_how_an_account_opens_is_tried_here():
    opening = ("accounts/email", "accounts/password", "accounts/2fa", "accounts/sessions")
    entrance = ("authenticate/", "login/", "confirm-email", "key", "done", "trust", "signup")
    found = {path for path in _patterns(get_resolver()) if path.startswith(opening)}
    found = {path for path in found if not any(word in path.partition("/")[2] for word in entrance)}
    paths = (*(path for path, _ in CHANGES.values()), *SECRETS)
    tried = {path.replace("/1/", "/<int:pk>/").lstrip("/") for path in paths}
    assert found - tried - EXCUSED.keys() == set()


def test_a_copy_of_everything_is_given_out_to_nobody_who_finds_a_browser_open(alice):
    export.request_export(alice)
    export.build_waiting_exports(controller={}, privacy_url="")
    path = f"/account/data/copies/{alice.data_exports.get().pk}/"
    late = sign_in(Client(), alice.user, minutes_ago=6).get(path)
    assert late.headers["Location"].startswith(ASKS)
    given = sign_in(Client(), alice.user).get(path)
    given.close()
    assert given.status_code == 200


@pytest.mark.parametrize(
    "data",
    [
        {"action": "remove_second_factor"},
        {"action": "send_password_link"},
    ],
)
def test_staff_who_change_somebodys_login_are_asked_as_well(alice, data):
    equip(alice, "")
    client = sign_in(Client(), cast.sam(), minutes_ago=6)
    answer = client.post("/admin/accounts/user/?who=customers", {**data, "_selected_action": str(alice.user.pk)})
    assert answer.headers["Location"].startswith(ASKS)
    assert Authenticator.objects.filter(user=alice.user).count() == 3
    assert mail.outbox == []


def test_staff_who_give_themselves_a_colleague_are_asked_as_well():
    client = sign_in(Client(), cast.sam(), minutes_ago=6)
    answer = client.post("/admin/accounts/user/add/", {"email": NEW, "is_staff": "on", "is_active": "on"})
    assert answer.headers["Location"].startswith(ASKS)
    assert not User.objects.filter(email=NEW).exists()
