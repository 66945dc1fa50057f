"""Visitors whose browser sends Global Privacy Control are told that it is honoured, and nobody else is."""

import pytest

from orders.models import InfoPage
from shop.storefront import page_cache
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("who", ["a visitor", "a customer"])
@pytest.mark.parametrize("path", ["/account/preferences/", "/privacy/"])
@pytest.mark.parametrize(("signal", "is_said"), [("1", True), ("0", False), ("", False)])
def test_it_is_said_at_the_switches_and_on_the_privacy_page(client, who, path, signal, is_said):
    if who == "a customer":
        client.force_login(cast.bob().user)
    page = client.get(path, headers={"sec-gpc": signal} if signal else {}).text
    assert ("GPC honoured." in page) is is_said


def test_the_accessibility_statement_is_a_page_of_words_in_the_foot_once_it_is_written(client):
    page, _ = InfoPage.objects.get_or_create(slug="accessibility", defaults={"title": "Accessibility"})
    page_cache.clear()
    assert client.get("/pages/accessibility/").status_code == 404
    assert "/pages/accessibility/" not in client.get("/").text
    InfoPage.objects.filter(pk=page.pk).update(is_published=True, body="We build to **EN 301 549**.")
    page_cache.clear()
    assert "<strong>EN 301 549</strong>" in client.get("/pages/accessibility/").text
    assert "/pages/accessibility/" in client.get("/").text
