"""What staff set is read whole and exact, in one query, whether they ever saved any settings or not."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from orders import shop_terms
from orders.models import Holiday, InfoPage, ShopSettings, TaxRate
from tests import builders, cast

pytestmark = pytest.mark.django_db


def test_terms_are_one_query_before_staff_saved_any_and_after(django_assert_num_queries):
    builders.shipping_method()
    with django_assert_num_queries(1):
        unsaved = shop_terms.load_terms()
    ShopSettings.objects.create(id=1, handling_days=3, default_country="FR", quantity_limit=7)
    with django_assert_num_queries(1):
        saved = shop_terms.load_terms()
    assert (unsaved.calendar.handling_days, str(unsaved.settings.default_country)) == (1, "GB")
    assert (saved.calendar.handling_days, str(saved.settings.default_country)) == (3, "FR")
    assert saved.settings.quantity_limit == 7
    assert saved.settings == ShopSettings.current()


def test_ways_of_delivery_are_those_in_use_in_the_order_staff_gave_them_to_the_penny():
    builders.shipping_method("Late", price="1.10", position=2)
    builders.shipping_method("Dear", price="10.00", position=1)
    builders.shipping_method("Cheap", price="9.99", position=1, free_from=Decimal("60.50"), countries=["GB", "IE"])
    builders.shipping_method("Gone", is_active=False)
    found = shop_terms.load_terms().methods
    assert [each.name for each in found] == ["Cheap", "Dear", "Late"]
    assert [each.price for each in found] == [Decimal("9.99"), Decimal("10.00"), Decimal("1.10")]
    assert (found[0].free_from, found[1].free_from) == (Decimal("60.50"), None)
    assert found[0].reaches("IE")
    assert not found[0].reaches("FR")


def test_days_off_are_those_of_a_month_ago_and_on_and_each_stops_what_it_says():
    today = timezone.localdate()
    Holiday.objects.create(falls_on=today - timedelta(days=32), name="Long past")
    Holiday.objects.create(falls_on=today, name="Stocktaking", stops_delivery=False)
    Holiday.objects.create(falls_on=today + timedelta(days=1), name="Strike", closes_shop=False)
    calendar = shop_terms.load_terms().calendar
    assert calendar.closed == {today}
    assert calendar.undelivered == {today + timedelta(days=1)}


def test_the_pages_of_the_foot_come_along_in_their_order_without_their_words():
    InfoPage.objects.all().delete()
    InfoPage.objects.create(title="Terms", slug="terms", body="Long.", is_published=True, position=2)
    InfoPage.objects.create(title="Delivery", slug="delivery", facts="delivery", is_published=True, position=1)
    InfoPage.objects.create(title="Draft", slug="draft")
    InfoPage.objects.create(title="Accessibility", slug="accessibility", body="A draft.", position=3)
    found = shop_terms.load_terms().info_pages
    assert [(each.title, each.slug, each.facts, each.body) for each in found] == [
        ("Delivery", "delivery", "delivery", ""),
        ("Terms", "terms", "", ""),
        ("Accessibility", "accessibility", "", ""),
    ]


def test_a_rate_of_tax_is_exact_and_a_country_without_one_has_none():
    builders.tax_rate("GB", "0.2025")
    terms = shop_terms.load_terms()
    assert (terms.rate("GB"), terms.rate("FR")) == (Decimal("0.2025"), Decimal(0))
    assert terms.tax_names == {"GB": "VAT"}


@pytest.mark.parametrize(("days", "counts"), [(-400, True), (0, True), (1, False)])
def test_a_rate_counts_from_its_day_on_and_the_youngest_in_force_wins(days, counts):
    today = timezone.localdate()
    builders.tax_rate("GB", "0.1750", valid_from=today - timedelta(days=500))
    builders.tax_rate("GB", "0.2000", valid_from=today + timedelta(days=days))
    builders.tax_rate("GB", "0.1500")
    assert shop_terms.load_terms().rate("GB") == Decimal("0.2000" if counts else "0.1750")


def test_a_country_has_one_rate_a_day():
    builders.tax_rate("GB", "0.2000")
    for day in (None, timezone.localdate()):
        TaxRate.objects.get_or_create(country="GB", valid_from=day, defaults={"rate": "0.2"})
        with pytest.raises(IntegrityError), transaction.atomic():
            TaxRate.objects.create(country="GB", valid_from=day, rate="0.1")
    assert TaxRate.objects.count() == 2


def test_staff_enter_the_rate_of_next_year_today_and_see_which_one_counts(client):
    client.force_login(cast.sam())
    builders.tax_rate("GB", "0.2000")
    typed = {"country": "GB", "tax_class": "standard", "name": "VAT", "rate": "0.22", "valid_from": "2099-01-01"}
    add = reverse("admin:orders_taxrate_add")
    assert client.post(add, typed).status_code == 302
    assert "There is a rate of this country and class from that day already." in client.post(add, typed).text
    page = client.get(reverse("admin:orders_taxrate_changelist")).text
    assert ("22 %" in page, "1 Jan 2099" in page, "always" in page) == (True, True, True)
    assert (page.count('alt="True"'), page.count('alt="False"')) == (1, 1)
    assert shop_terms.load_terms().rate("GB") == Decimal("0.2000")
