"""The shop's questions to itself before it starts."""

import pytest
from django.core.checks import run_checks

from accounts.consent import purposes, uses
from accounts.consent.uses import PurposeUse, UseKind
from shop import checks


def ids(found) -> list[str]:
    return [message.id for message in found]


def test_nothing_is_amiss_with_the_shop_as_it_is(db):
    assert run_checks(databases=["default"]) == []


def test_a_purpose_that_switches_nothing_is_found(monkeypatch):
    left = {key: use for key, use in uses._uses.items() if use.purpose != purposes.NEWSLETTER}
    monkeypatch.setattr(uses, "_uses", left)
    assert ids(checks.check_purposes_are_used(None)) == ["shop.E001"]


def test_a_shelf_without_a_purpose_is_found(monkeypatch):
    monkeypatch.setitem(uses._uses, "secret", PurposeUse("watch_everything", UseKind.SHELF, "Secret"))
    assert ids(checks.check_purposes_are_used(None)) == ["shop.E002"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://shop.example", []),
        ("http://localhost:8000", []),
        ("http://127.0.0.1:8000", []),
        ("http://[::1]:8000", []),
        ("http://shop.example", ["shop.E003"]),
        ("http://localhost.shop.example", ["shop.E003"]),
        ("http://192.168.1.5", ["shop.E003"]),
        ("ftp://localhost", ["shop.E003"]),
    ],
)
def test_plain_http_is_for_this_machine_alone(settings, address, expected):
    settings.SITE_URL = address
    assert ids(checks.check_site_url_is_https(None)) == expected


@pytest.mark.parametrize(("version", "expected"), [(14, ["shop.E004"]), (15, []), (18, []), (19, ["shop.W001"])])
def test_the_database_must_be_one_we_know(monkeypatch, version, expected):
    monkeypatch.setattr(checks, "_get_postgres_version", lambda alias: version)
    assert ids(checks.check_database_version(None, databases=["default"])) == expected
