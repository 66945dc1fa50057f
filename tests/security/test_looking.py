"""Looking changes nothing, and what is private stays out of caches and out of strangers' sight."""

import pytest

from tests.security.visits import Furnished, Watch, furnish, paths

pytestmark = pytest.mark.django_db


@pytest.fixture
def furnished() -> Furnished:
    return furnish()


PRIVATE = ("/account", "/orders/", "/admin/", "/checkout/", "/cart/")


@pytest.mark.parametrize("who", ["a visitor", "a customer", "staff"])
def test_looking_at_an_address_changes_nothing_and_keeps_nothing_private_in_a_cache(furnished, who):
    client, watch = furnished.everybody[who], Watch()
    every = paths(furnished)
    assert len(every) > 60
    for path in every:
        answer = client.get(path)
        assert answer.status_code < 500, f"{path} gave {answer.status_code}"
        if answer.status_code == 200 and path.startswith(PRIVATE):
            assert "no-store" in answer.get("Cache-Control", ""), path
        assert watch.changed() == [], f"{who} looked at {path}"


def test_asking_for_the_headers_alone_changes_nothing(furnished):
    client, watch = furnished.customer, Watch()
    for path in paths(furnished):
        assert client.head(path).status_code < 500, path
    assert watch.changed() == []


def test_what_isnt_yours_looks_exactly_like_what_isnt_there(furnished):
    number = furnished.order.number
    for client in (furnished.visitor, furnished.staff):
        for path in ("/orders/{}/", "/orders/{}/paid/", "/orders/{}/unpaid/", "/orders/{}/open/abc:def/"):
            real, imagined = client.get(path.format(number)), client.get(path.format("SW-AAAA-AAAA-AA"))
            assert (real.status_code, imagined.status_code) == (404, 404), path
            assert real.content == imagined.content
    assert furnished.customer.get(f"/orders/{number}/").status_code == 200


def test_only_staff_see_the_back_office(furnished):
    for path in paths(furnished):
        if path.startswith("/admin/") and not path.startswith(("/admin/login", "/admin/logout")):
            for client in (furnished.visitor, furnished.customer):
                assert client.get(path).status_code in (301, 302, 403, 404), path


def test_files_carry_the_same_headers_as_pages(furnished, settings):
    for path in ("/static/css/say-when.css", "/static/nothing.css", "/media/nothing.svg", "/media/../shop/settings.py"):
        answer = furnished.visitor.get(path)
        for name in (
            "Content-Security-Policy",
            "X-Content-Type-Options",
            "Cross-Origin-Resource-Policy",
            "Cross-Origin-Opener-Policy",
            "Referrer-Policy",
            "Permissions-Policy",
        ):
            assert name in answer, f"{name} is missing from {path} ({answer.status_code})"


def test_each_answer_has_a_nonce_of_its_own_where_it_has_one(furnished):
    policies = {furnished.visitor.get("/")["Content-Security-Policy"] for _ in range(3)}
    nonces = {part for policy in policies for part in policy.split() if part.startswith("'nonce-")}
    assert len(nonces) in (0, 3)
    assert not any("unsafe" in policy for policy in policies)
