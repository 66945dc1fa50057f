"""Visitors whose browser sends Global Privacy Control are told that it is honoured, and nobody else is."""

import pytest

from orders.models import InfoPage, ShopSettings
from orders.models.settings import ONLY_ROW
from shop.storefront import page_cache
from tests import cast
from tests.page import read_words

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("who", ["a visitor", "a customer"])
@pytest.mark.parametrize("path", ["/account/preferences/", "/privacy/"])
@pytest.mark.parametrize(("signal", "is_said"), [("1", True), ("0", False), ("", False)])
def test_it_is_said_at_the_switches_and_on_the_privacy_page(client, who, path, signal, is_said):
    if who == "a customer":
        client.force_login(cast.bob().user)
    page = client.get(path, headers={"sec-gpc": signal} if signal else {}).text
    assert ("GPC honoured." in page) is is_said


def test_the_accessibility_page_says_how_to_reach_the_shop_until_its_statement_is_published(client):
    page, _ = InfoPage.objects.get_or_create(slug="accessibility", defaults={"title": "Accessibility"})
    InfoPage.objects.filter(pk=page.pk).update(is_published=False, body="A draft")
    ShopSettings.objects.update_or_create(pk=ONLY_ROW, defaults={"contact_email": "help@shop.example"})
    page_cache.clear()
    meanwhile = client.get("/pages/accessibility/").text
    words = read_words(meanwhile[meanwhile.index("<article") : meanwhile.index("</article")])
    assert "Tell us what it is" in words
    assert "help@shop.example" in words
    assert "A draft" not in meanwhile
    assert "/pages/accessibility/" in client.get("/").text
    InfoPage.objects.filter(pk=page.pk).update(is_published=True, body="We build to **EN 301 549**.")
    page_cache.clear()
    written = client.get("/pages/accessibility/").text
    assert "<strong>EN 301 549</strong>" in written
    assert "Tell us what it is" not in written
    assert "/pages/accessibility/" in client.get("/").text
