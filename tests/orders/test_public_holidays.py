"""Public holidays: offered by country, kept by staff, and counted where the parcel goes."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from orders import promise, public_holidays, shop_terms
from orders.models import Holiday
from shop.catalog.availability import get_availability
from tests import builders, cast
from tests.backoffice.test_access import signed_in, staff_member
from tests.page import read_words
from tests.paying import form

pytestmark = pytest.mark.django_db

OFFERED = reverse("admin:orders_holiday_offered")
TODAY = date(2026, 11, 27)


@pytest.fixture
def staff(client):
    client.force_login(cast.sam())
    return client


def offered(country: str = "GB", part: str = "") -> dict[date, public_holidays.OfferedDay]:
    days = public_holidays.list_offered_days(country, part, own_country="GB", today=TODAY)
    return {day.falls_on: day for day in days}


def test_the_coming_years_days_are_offered_ticked_until_staff_have_said_otherwise():
    days = offered()
    assert date(2026, 12, 25) in days
    assert date(2027, 11, 28) not in days
    assert all(day.stops_delivery and day.closes_shop for day in days.values())
    public_holidays.save_days("GB", days.values(), undelivered=[date(2026, 12, 25)], closed=[])
    again = offered()
    assert [day for day, each in again.items() if each.stops_delivery] == [date(2026, 12, 25)]
    assert not any(each.closes_shop for each in again.values())


def test_abroad_nothing_closes_the_shop():
    assert not any(day.closes_shop for day in offered("DE").values())
    assert all(day.stops_delivery for day in offered("DE").values())


def test_a_part_of_a_country_has_days_of_its_own():
    saint_andrew = date(2026, 11, 30)
    assert saint_andrew not in offered()
    assert saint_andrew in offered("GB", "SCT")


def test_a_day_kept_for_everywhere_stays_as_it_is():
    christmas = Holiday.objects.create(falls_on=date(2026, 12, 25), name="Christmas", closes_shop=False)
    days = offered()
    assert days[christmas.falls_on].is_everywhere
    public_holidays.save_days("GB", days.values(), undelivered=[], closed=[])
    assert list(Holiday.objects.all()) == [christmas]


def test_days_that_are_unticked_are_let_go_and_those_of_others_stay():
    Holiday.objects.create(falls_on=date(2026, 12, 28), country="IE", name="Stephen")
    public_holidays.save_days("GB", offered().values(), undelivered=list(offered()), closed=[])
    public_holidays.save_days("GB", offered().values(), undelivered=[], closed=[])
    assert [str(each.country) for each in Holiday.objects.all()] == ["IE"]


def test_a_holiday_there_delays_a_parcel_there_and_no_other():
    builders.tax_rate("DE")
    today = timezone.localdate()
    far_off = [today + timedelta(days=each) for each in range(1, 11)]
    Holiday.objects.bulk_create(Holiday(falls_on=day, country="DE", name="Rest", closes_shop=False) for day in far_off)
    terms = shop_terms.load_terms()
    method = builders.shipping_method()
    goods = builders.product().variants.get()

    def arrives(country: str) -> date:
        availability = get_availability([goods.pk])[goods.pk]
        found = promise.compute_promise(
            terms.get_calendar(country), method, availability=availability, now=timezone.now()
        )
        return found.by_on

    assert arrives("DE") > far_off[-1]
    assert arrives("GB") == arrives("FR") < far_off[-1]
    assert terms.calendar == terms.get_calendar("GB")


def test_the_checkout_says_the_day_of_the_country_chosen(client):
    goods = builders.product("Tin mug").variants.get()
    method = builders.shipping_method()
    today = timezone.localdate()
    days = [today + timedelta(days=each) for each in range(1, 31)]
    Holiday.objects.bulk_create(Holiday(falls_on=day, country="DE", name="Rest", closes_shop=False) for day in days)
    client.post("/cart/lines/", {"variant": goods.pk, "quantity": 1})
    places = {"GB": "LS1 1AA", "DE": "10115"}
    pages = {
        country: read_words(
            client.post("/checkout/", form(country=country, postcode=postcode, method=str(method.pk), reprice="1")).text
        )
        for country, postcode in places.items()
    }
    arrival = {country: page.split("arrives", 1)[1].split(".", 1)[0] for country, page in pages.items()}
    assert arrival["GB"] != arrival["DE"]


def test_staff_see_a_country_and_keep_its_days(staff):
    builders.tax_rate("DE")
    page = read_words(staff.get(OFFERED, {"country": "DE"}).text)
    assert "German Unity Day" in page
    assert "We are closed" not in page
    ticked = [day.isoformat() for day in offered_now("DE")][:2]
    sent = {"country": "DE", "part": "", "undelivered": [*ticked, "1999-01-01", "x"], "closed": ticked}
    answer = staff.post(OFFERED, sent, follow=True)
    assert "2 days are kept" in answer.text
    assert Holiday.objects.filter(country="DE", stops_delivery=True, closes_shop=False).count() == 2


def offered_now(country: str) -> list[date]:
    days = public_holidays.list_offered_days(country, "", own_country="GB", today=timezone.localdate())
    return [day.falls_on for day in days]


@pytest.mark.parametrize("place", [{"country": "ZZ"}, {"country": "GB", "part": "XX"}, {}])
def test_a_place_there_is_not_shows_one_there_is(staff, place):
    assert "United Kingdom" in staff.get(OFFERED, place).text


def test_an_address_that_no_page_makes_is_refused(staff):
    assert staff.get(OFFERED, {"user__password": "x"}).status_code == 400


def test_who_may_not_keep_holidays_keeps_none(client):

    reader = signed_in(staff_member(role="Staff: catalogue"))
    assert reader.post(OFFERED, {"country": "GB", "undelivered": ["2026-12-25"]}).status_code == 403
    assert not Holiday.objects.exists()
