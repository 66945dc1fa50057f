"""Postcodes that take longer, cost more or are not reached: in terms, dates, sums and what an order notes."""

from datetime import datetime, time, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from orders import confirmation, pricing
from orders.addresses import zone_words
from orders.checkout import CheckoutDetails, NotDeliveredThere, start_checkout
from orders.contracting import snapshot_terms
from orders.delays.announcing import set_later_day
from orders.delays.finding import find_slips
from orders.lane_windows import read_deliveries
from orders.models import DeliveryZone, LaneWindow, Order, ShippingMethod
from orders.promise import Promise, compute_promise
from orders.returns.amounts import compute_ordinary_delivery
from orders.shop_terms import Terms, load_terms
from orders.staff_orders import Channel, DraftLine, DraftRefused, OrderDraft, create_draft_order, price_draft
from shop.catalog.availability import Availability
from tests import builders
from tests.paying import BUYER

pytestmark = pytest.mark.django_db

MONDAY = datetime(2027, 6, 7, 9, tzinfo=timezone.get_default_timezone())
IN_STOCK = Availability(9, None, 9)
ISLAND, MAINLAND = "HS1 2AA", "LS1 1AA"
FOUR = Decimal("4.00")


@pytest.fixture
def post() -> ShippingMethod:
    return builders.shipping_method("Post", price="3.50", days_min=2, days_max=3, delivers_on_saturday=False)


def promise_to(postcode: str, method: ShippingMethod) -> Promise:
    calendar = load_terms().get_calendar("GB", postcode)
    found = compute_promise(calendar, method, availability=IN_STOCK, now=MONDAY)
    assert found
    return found


def agree(postcode: str, method: ShippingMethod, terms: Terms, **choice: bool) -> dict[str, object]:
    """What an order to that postcode notes."""
    zone = terms.find_zone("GB", postcode, method)
    totals = pricing.compute_totals([], method, "GB", terms=terms, zone=zone, **choice)
    return snapshot_terms({"country": "GB", "postcode": postcode}, method, totals, promise_to(postcode, method), terms)


def ordered(postcode: str, method: ShippingMethod, **fields) -> Order:
    order = builders.placed_order()
    noted = agree(postcode, method, load_terms())
    sums = {"subtotal", "total", "tax_total", "currency"}
    kept = {name: value for name, value in noted.items() if name not in sums}
    Order.objects.filter(pk=order.pk).update(**kept | fields)
    order.refresh_from_db()
    return order


def test_terms_are_read_in_one_statement_with_the_zones(post, django_assert_num_queries):
    builders.delivery_zone()
    load_terms()
    with django_assert_num_queries(1):
        [zone] = load_terms().zones
    assert (zone.surcharge, zone.extra_days, zone.country.code) == (FOUR, 2, "GB")
    assert zone == DeliveryZone.objects.get()


def test_a_zones_days_count_from_and_by_which_it_arrives_and_no_other_place_waits(post):
    plain = promise_to(ISLAND, post)
    builders.delivery_zone()
    there = promise_to(ISLAND, post)
    assert (plain.from_on.isoformat(), plain.by_on.isoformat()) == ("2027-06-10", "2027-06-11")
    assert (there.from_on.isoformat(), there.by_on.isoformat()) == ("2027-06-14", "2027-06-15")
    assert there.ships_on == plain.ships_on
    for elsewhere in (MAINLAND, "", "KW15 1AA"):
        assert promise_to(elsewhere, post) == plain


def test_a_zone_of_one_method_counts_before_that_of_all_and_for_no_other(post):
    courier = builders.shipping_method("Courier", price="9.00", position=1)
    builders.delivery_zone(name="Islands")
    builders.delivery_zone("HS1", name="Lewis", method=courier, extra_days=5, surcharge=0)
    terms = load_terms()
    assert terms.find_zone("GB", ISLAND, courier).name == "Lewis"
    assert terms.find_zone("GB", ISLAND, post).name == "Islands"
    assert terms.find_zone("GB", "IV1 1AA", courier).name == "Islands"
    assert terms.get_calendar("GB", ISLAND).get_zone_days(courier) == 5
    assert terms.get_calendar("GB", ISLAND).get_zone_days(post) == 2
    assert terms.find_zone("FR", ISLAND, post) is None


def test_a_slower_country_counts_before_an_address_is_known_and_postcodes_count_before_it(post):
    courier = builders.shipping_method("Courier", price="9.00", position=1)
    plain = promise_to("", post)
    builders.delivery_zone("", name="All of it", extra_days=1, surcharge=0)
    builders.delivery_zone("", name="By courier", method=courier, extra_days=4, surcharge=0)
    builders.delivery_zone(name="Islands")
    terms = load_terms()
    assert [terms.get_calendar("GB").get_zone_days(method) for method in (post, courier)] == [1, 4]
    assert terms.calendar.get_zone_days(post) == 1, "what cards are dated by"
    assert promise_to("", post).by_on > plain.by_on
    assert promise_to(MAINLAND, post) == promise_to("", post)
    assert {terms.find_zone("GB", ISLAND, method).name for method in (post, courier)} == {"Islands"}
    assert terms.get_calendar("GB", ISLAND).get_zone_days(courier) == 2
    assert terms.get_calendar("FR").get_zone_days(post) == 0


def test_whoever_collects_waits_for_no_carrier_to_the_country(post):
    builders.delivery_zone("", name="All of it", extra_days=3, surcharge=0)
    collected = builders.pickup_method()
    assert load_terms().get_calendar("GB").get_zone_days(collected) == 0
    assert load_terms().get_calendar("GB").get_zone_days(post) == 3


def test_the_surcharge_is_delivery_taxed_like_it_and_charged_once_an_order():
    builders.tax_rate()
    method = builders.shipping_method("Post", price="3.50", extra_parcel_price="2.00")
    zone, terms = builders.delivery_zone(), load_terms()
    totals = pricing.compute_totals([], method, "GB", terms=terms, zone=zone, in_two=True)
    assert (totals.shipping, totals.plain_shipping, totals.surcharge) == (Decimal("9.50"), Decimal("5.50"), FOUR)
    assert totals.tax == pytest.approx(Decimal("9.50") / 6, abs=Decimal("0.01"))


def test_where_delivery_is_free_the_surcharge_is_still_paid():
    method, zone = builders.shipping_method("Post", price="3.50", free_from=Decimal(0)), builders.delivery_zone()
    totals = pricing.compute_totals([], method, "GB", terms=load_terms(), zone=zone)
    assert (totals.plain_shipping, totals.shipping) == (0, FOUR)


def test_the_surcharge_of_the_cheapest_way_there_belongs_to_what_ordinary_delivery_costs(post):
    courier = builders.shipping_method("Courier", price="9.00", position=1)
    builders.delivery_zone()
    builders.delivery_zone("HS", name="Lewis", method=courier, surcharge="1.00")
    terms = load_terms()
    assert agree(ISLAND, post, terms)["ordinary_shipping_total"] == Decimal("7.50")
    assert agree(ISLAND, courier, terms)["ordinary_shipping_total"] == Decimal("7.50")
    assert agree(MAINLAND, post, terms)["ordinary_shipping_total"] == Decimal("3.50")


def test_a_way_that_does_not_go_there_is_no_ordinary_way(post):
    courier = builders.shipping_method("Courier", price="9.00", position=1)
    builders.delivery_zone("HS", name="Lewis", method=post, is_refused=True)
    assert agree(ISLAND, courier, load_terms())["ordinary_shipping_total"] == Decimal("9.00")


@pytest.mark.parametrize("noted", [Decimal("7.50"), None], ids=["noted", "not noted"])
def test_withdrawn_from_all_of_it_the_surcharge_goes_back_too(post, noted):
    builders.delivery_zone()
    order = ordered(ISLAND, post, ordinary_shipping_total=noted)
    assert compute_ordinary_delivery(order, [post]) == order.shipping_total == Decimal("7.50")


def test_an_order_notes_its_zone_as_it_was_agreed(post):
    builders.delivery_zone()
    noted = agree(ISLAND, post, load_terms())
    assert (noted["zone_name"], noted["zone_days"], noted["zone_surcharge"]) == ("Scottish islands", 2, FOUR)
    elsewhere = agree(MAINLAND, post, load_terms())
    assert (elsewhere["zone_name"], elsewhere["zone_days"], elsewhere["zone_surcharge"]) == ("", 0, 0)


def test_a_lane_is_measured_from_the_zones_own_days(post):
    """Else every parcel to an island would seem late, and the dates of all others move."""
    builders.delivery_zone(extra_days=9)
    places = (ISLAND, MAINLAND)
    plain = {place: promise_to(place, post).by_on for place in places}
    shares = {"parcel_count": 90, "plain_share": 0.7, "moved_share": 0.9, "added_days": 4}
    LaneWindow.objects.create(country="GB", method=post, days=4, computed_at=timezone.now(), **shares)
    for place in places:
        came = datetime.combine(plain[place], time(12), tzinfo=timezone.get_default_timezone())
        order, noted = builders.sent_order(delivered_at=came), agree(place, post, load_terms())
        assert noted["promised_by_on"] > plain[place]
        kept = ("promised_by_on", "moved_days", "zone_days", "shipping_method")
        Order.objects.filter(pk=order.pk).update(country="GB", **{name: noted[name] for name in kept})
    assert read_deliveries().history.lateness.tolist() == [0, 0]


def test_days_that_staff_add_to_a_zone_make_no_order_late_that_was_promised_before(post):
    zone = builders.delivery_zone(extra_days=1)
    promised = compute_promise(load_terms().get_calendar("GB", ISLAND), post, availability=IN_STOCK, now=timezone.now())
    order = ordered(ISLAND, post, promised_by_on=promised.by_on, ships_on=promised.ships_on)
    DeliveryZone.objects.filter(pk=zone.pk).update(extra_days=20)
    assert list(find_slips()) == []
    Order.objects.filter(pk=order.pk).update(zone_days=20)
    assert [found.order_id for found, _ in find_slips()] == [order.pk], "as its own days would"


def test_a_later_day_that_staff_name_is_counted_with_the_zones_days(post):
    builders.delivery_zone()
    order, other = ordered(ISLAND, post), ordered(MAINLAND, post)
    leaves_on = timezone.localdate() + timedelta(days=400)
    there, here = (set_later_day(each.pk, leaves_on=leaves_on, words="", actor="Sam") for each in (order, other))
    assert there.new_by_on > here.new_by_on


def test_money_that_comes_late_counts_the_zones_days_again(post):
    builders.delivery_zone()
    late = timezone.localdate() - timedelta(days=90)
    order, other = ordered(ISLAND, post, ships_on=late), ordered(MAINLAND, post, ships_on=late)
    for each in (order, other):
        confirmation.renew_promise(each)
    assert order.promised_by_on > other.promised_by_on


def test_an_order_to_a_refused_zone_is_not_taken_whatever_the_page_let_through(post):
    builders.delivery_zone("HS", is_refused=True, name="Lewis")
    cart = builders.cart(builders.variant())
    address = {**BUYER, "postcode": ISLAND}
    with pytest.raises(NotDeliveredThere, match="Post does not go to Lewis"):
        start_checkout(cart, CheckoutDetails("a@example.com", address, post), customer=None, terms=load_terms())
    assert not Order.objects.exists()
    assert cart.lines.count() == 1


def test_staff_who_enter_an_order_have_the_zone_in_its_sum_and_its_refusal(post):
    builders.delivery_zone()
    builders.delivery_zone("ZE", is_refused=True, name="Shetland")

    def draft(postcode: str) -> OrderDraft:
        return OrderDraft([DraftLine(builders.variant(), 1)], {**BUYER, "postcode": postcode}, post, Channel.PHONE)

    assert price_draft(draft(ISLAND), load_terms()).surcharge == FOUR
    order = create_draft_order(draft(ISLAND), actor="Sam", terms=load_terms())
    assert (order.zone_name, order.zone_surcharge, order.shipping_total) == ("Scottish islands", FOUR, Decimal("7.50"))
    with pytest.raises(DraftRefused, match="Post does not go to Shetland"):
        create_draft_order(draft("ZE1 0AA"), actor="Sam", terms=load_terms())
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"extra_days": 0, "surcharge": 0}, "Say what is different there"),
        ({"is_refused": True, "extra_days": 2}, "no days and no surcharge"),
        ({"postcodes": "HS, IV1"}, "“IV1” overlaps “IV” of the zone Scottish islands"),
        ({"postcodes": ""}, "can only take longer"),
        ({"postcodes": "", "is_refused": True, "extra_days": 0, "surcharge": 0}, "can only take longer"),
        ({"surcharge": "-1"}, "greater than or equal to 0"),
        ({"extra_days": 61}, "less than or equal to 60"),
    ],
    ids=str,
)
def test_a_zone_that_cannot_be_meant_is_refused_in_words(fields, words):
    builders.delivery_zone("IV")
    with pytest.raises(ValidationError, match=words):
        builders.delivery_zone(**{"postcodes": "ZE", "name": "Shetland"} | fields)
    assert DeliveryZone.objects.count() == 1


def test_a_country_is_slower_once_for_each_method(post):
    builders.delivery_zone("", name="All of it", surcharge=0)
    with pytest.raises(ValidationError, match="The whole country is the zone All of it already"):
        builders.delivery_zone("", name="Again", surcharge=0)
    builders.delivery_zone("", name="By post", method=post, surcharge=0)
    builders.delivery_zone("", name="Elsewhere", country="FR", surcharge=0)
    assert DeliveryZone.objects.count() == 3


def test_a_zone_for_a_method_that_does_not_go_to_the_country_is_refused():
    bicycle = builders.shipping_method("Bicycle", countries=["FR"])
    with pytest.raises(ValidationError, match="Bicycle does not go to that country at all"):
        builders.delivery_zone(method=bicycle)
    assert not DeliveryZone.objects.exists()


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ([], ""),
        ([{"surcharge": 0}], "Some postcodes take longer."),
        ([{}], "Some postcodes take longer or cost more."),
        ([{}, {"is_refused": True}], "Some postcodes take longer, cost more or cannot be delivered to."),
    ],
)
def test_before_an_address_is_known_the_words_say_what_some_postcodes_have(post, kinds, words):
    for place, fields in zip(("HS", "ZE"), kinds, strict=False):
        builders.delivery_zone(place, **fields)
    assert zone_words.describe_zones(load_terms(), "GB") == words
    builders.delivery_zone("", country="FR", surcharge=0)
    assert zone_words.describe_zones(load_terms(), "FR") == "", "its dates say it"
