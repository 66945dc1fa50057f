"""The same headers on every answer, whatever it says (promises: security)."""

import pytest

from tests import builders

pytestmark = pytest.mark.django_db

EXPECTED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def check(answer) -> None:
    for name, value in EXPECTED.items():
        assert answer[name] == value
    assert "camera=()" in answer["Permissions-Policy"]
    policy = answer["Content-Security-Policy"]
    for part in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"):
        assert part in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/account/", 302), ("/nothing/", 404), ("/search/", 200), ("/healthz", 200), ("/admin/", 302)],
)
def test_every_answer_carries_the_same_headers(client, path, status):
    answer = client.get(path)
    assert answer.status_code == status
    check(answer)


def test_a_page_that_fails_says_so_in_the_shops_own_voice_with_the_same_headers(client, monkeypatch):
    from shop.storefront import page_cache

    def broken() -> None:
        raise RuntimeError("the database has gone")

    monkeypatch.setattr(page_cache, "get_cached_tree", broken)
    client.raise_request_exception = False
    answer = client.get("/")
    assert answer.status_code == 500
    assert "Something fell off the shelf" in answer.content.decode()
    check(answer)


def test_a_refused_form_has_them_too(client):
    from django.test import Client

    builders.variant()
    answer = Client(enforce_csrf_checks=True).post("/cart/lines/", {"variant": 1})
    assert answer.status_code == 403
    check(answer)
