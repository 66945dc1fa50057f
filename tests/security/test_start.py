"""A production start: nothing guessed, everything locked."""

import json
import os
import subprocess
import sys

import pytest

from shop.local.check import build_production_environment
from shop.local.home import CHECKOUT
from tests import builders
from tests.reliability.stack import database_url

NEEDED = (
    "SECRET_KEY",
    "SITE_URL",
    "DATABASE_URL",
    "REDIS_URL",
    "EMAIL_URL",
    "DEFAULT_FROM_EMAIL",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "CARRIER_WEBHOOK_SECRET",
)
LOOK = """
import json, django
django.setup()
from django.test import Client
seen = {}
for path, secure in (("/accounts/login/", True), ("/nothing/", True), ("/account/", True), ("/search/", False)):
    scheme = "https" if secure else "http"
    answer = Client(headers={"host": "shop.saywhen.example", "x-forwarded-proto": scheme}).get(path)
    cookies = {name: dict(morsel) for name, morsel in answer.cookies.items()}
    seen[path] = [answer.status_code, dict(answer.items()), cookies]
print(json.dumps(seen))
"""


def environment(**changes: str) -> dict[str, str]:
    base = build_production_environment(database_url=os.environ["DATABASE_URL"], redis_url=os.environ["REDIS_URL"])
    return {**base, **changes}


def python(*arguments: str, **changes: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=CHECKOUT,
        env=environment(**changes),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", NEEDED)
def test_a_start_without_what_it_needs_names_what_is_missing(name):
    said = python("-c", "import shop.settings", **{name: ""})
    assert said.returncode != 0
    assert f"Set {name} in the environment" in said.stderr
    assert "ImproperlyConfigured" in said.stderr


def test_the_deployment_check_has_nothing_to_say():
    said = python("-W", "error", "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert said.returncode == 0, said.stdout + said.stderr


def test_plain_http_in_production_is_refused_by_the_check():
    said = python("manage.py", "check", SITE_URL="http://shop.saywhen.example")
    assert said.returncode != 0
    assert "shop.E003" in said.stderr


def test_over_https_cookies_are_bound_to_the_host_and_browsers_stay_on_https(transactional_db):
    said = python("-c", LOOK, DATABASE_URL=database_url(), STATIC_STORAGE=os.environ["STATIC_STORAGE"])
    assert said.returncode == 0, said.stderr
    seen = json.loads(said.stdout)
    assert [seen[path][0] for path in seen] == [200, 404, 302, 301]
    for status, headers, cookies in seen.values():
        if status != 301:  # over http the header would mean nothing
            assert headers["Strict-Transport-Security"].startswith("max-age=63072000; includeSubDomains")
        for name, cookie in cookies.items():
            assert name.startswith("__Host-"), name
            assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
            assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert "__Host-csrf" in seen["/accounts/login/"][2]
    assert seen["/search/"][1]["Location"].startswith("https://shop.saywhen.example/")


@pytest.mark.parametrize("server", ["shop.wsgi", "shop.asgi"])
def test_a_shop_whose_goods_are_priced_in_another_currency_does_not_start(transactional_db, server):
    builders.variant()
    said = python("-c", f"import {server}", DATABASE_URL=database_url(), CURRENCY="JPY")
    assert said.returncode != 0
    assert "CURRENCY is JPY, but the shop holds 1 variant in GBP" in said.stderr
    assert python("-c", f"import {server}", DATABASE_URL=database_url()).returncode == 0


@pytest.mark.parametrize("currency", ["POUNDS", "£", "DEM", "XXX"])
def test_a_currency_that_is_none_stops_the_start(currency):
    said = python("-c", "import shop.settings", CURRENCY=currency)
    assert said.returncode != 0
    assert "three letters of one in use" in said.stderr


def test_a_currency_cards_cannot_be_charged_in_is_refused_by_the_check():
    said = python("manage.py", "check", CURRENCY="LYD")
    assert said.returncode != 0
    assert "shop.E005" in said.stderr


def test_a_database_out_of_reach_does_not_keep_the_shop_from_starting():
    said = python("-c", "import shop.wsgi", DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    assert said.returncode == 0, said.stderr
    assert "Could not look at the prices" in said.stderr
