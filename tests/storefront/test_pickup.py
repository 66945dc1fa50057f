"""Collecting an order in a store: who is offered it, what it asks for, when it is ready, from which shelf it comes."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.consent import consent, purposes
from orders import pickup, stages
from orders.confirmation import renew_promise
from orders.fulfilment import transitions
from orders.fulfilment.uncollected import remind_uncollected
from orders.models import Allocation, Order, Shipment, ShippingMethod
from orders.models.order import ALPHABET
from orders.promise import format_promise
from orders.shop_terms import Calendar, PickupPlace, load_terms
from shop.catalog import listing
from shop.catalog.models import OpeningHours, SpecialHours, StockRecord, Store, Variant
from shop.catalog.opening_hours import StoreCalendar
from tests import builders, cast
from tests.notifications.acts import relay_and_deliver
from tests.notifications.conftest import sink
from tests.page import read_words
from tests.paying import check_books, check_out, fill, form, pay, standin, standin_process

__all__ = ["sink", "standin", "standin_process"]

pytestmark = pytest.mark.django_db

NO_ADDRESS = dict.fromkeys(("line1", "line2", "city", "postcode", "region"), "")


def read(response) -> str:
    return " ".join(read_words(response.text).split())


@pytest.fixture
def barn() -> Store:
    """A store that ships nothing, open every day, where one may collect for nothing."""
    made = Store.objects.create(
        name="The barn", address="2 Mill Lane, Leeds", ships_orders=False, welcomes_visitors=True, position=9
    )
    for day in range(7):
        OpeningHours.objects.create(store=made, weekday=day, opens_at=time(10), closes_at=time(18))
    builders.tax_rate()
    builders.shipping_method(position=1)
    ShippingMethod.objects.create(name="Collect at the barn", store=made, price=0, position=2)
    return made


def put_into(store: Store, variant: Variant, *, on_hand: int) -> StockRecord:
    return StockRecord.objects.create(store=store, variant=variant, on_hand=on_hand)


def choose(store: Store, **fields: str) -> dict[str, str]:
    return {"method": str(ShippingMethod.objects.get(store=store).pk), **fields}


@pytest.fixture
def mug(client, barn) -> Variant:
    """In the cart, two of it; five are in the barn."""
    made = builders.product("Tin mug", price="9.00").variants.get()
    put_into(barn, made, on_hand=5)
    listing.refresh_listings()
    fill(client, made, quantity=2)
    return made


def test_a_store_that_has_all_of_it_is_offered_with_its_hours(client, mug):
    page = read(client.get("/checkout/"))
    assert "Collect at the barn free Ready" in page
    assert "2 Mill Lane, Leeds" in page


@pytest.mark.parametrize(
    "reason", ["too few", "one thing is missing", "nobody may come", "not in use", "not out yet", "promised to others"]
)
def test_a_store_is_not_offered_where_not_all_of_it_is_there(client, barn, mug, reason):
    assert "Collect at the barn" in read(client.get("/checkout/"))
    if reason == "too few":
        StockRecord.objects.filter(store=barn).update(on_hand=1, backorder_limit=9)
    elif reason == "one thing is missing":
        other = builders.variant()
        listing.refresh_listings()
        fill(client, other)
    elif reason == "nobody may come":
        Store.objects.filter(pk=barn.pk).update(welcomes_visitors=False)
    elif reason == "not in use":
        ShippingMethod.objects.filter(store=barn).update(is_active=False)
    elif reason == "not out yet":
        mug.product.released_on = timezone.localdate() + timedelta(days=3)
        mug.product.save()
    else:
        StockRecord.objects.filter(store=barn).update(allocated=4)
    assert "Collect at the barn" not in read(client.get("/checkout/"))


def test_it_is_never_what_a_date_or_a_price_starts_from(client, barn, mug):
    ShippingMethod.objects.filter(store=barn).update(position=0)
    assert "arrives" in read(client.get("/cart/"))
    assert [each.name for each in load_terms().methods] == ["Royal Mail"]
    page = read(client.get("/checkout/"))
    assert "Royal Mail £3.50" in page[page.index("Your order") :]


def test_who_collects_gives_no_address_and_pays_the_tax_of_the_store(client, barn, mug, standin):
    Store.objects.filter(pk=barn.pk).update(country="IE")
    builders.tax_rate("IE", "0.2300")
    shown = read(client.post("/checkout/", {**form(**NO_ADDRESS, **choose(barn)), "reprice": "1"}))
    assert "Total £18.00" in shown
    order = pay(client, standin, check_out(client, **NO_ADDRESS, **choose(barn)))
    assert (order.status, order.shipping_total, order.total) == ("confirmed", 0, Decimal("18.00"))
    assert (str(order.country), order.line1, order.city, order.postcode) == ("IE", "", "", "")
    assert order.full_name
    assert order.email
    assert order.pickup_store == barn
    assert len(order.pickup_code) == 6
    assert set(order.pickup_code) <= set(ALPHABET)
    assert timezone.localdate(order.pickup_ready_at) == order.promised_by_on
    assert order.lines.get().tax_rate == Decimal("0.2300")
    check_books(standin)


def test_the_address_of_a_door_is_asked_for_only_where_it_is_sent(client, barn, mug):
    refused = client.post("/checkout/", form(**NO_ADDRESS))
    assert "Please give the house and the street." in refused.text
    assert not Order.objects.exists()


def test_what_is_collected_comes_from_that_shelf_alone(client, barn, mug, standin):
    order = pay(client, standin, check_out(client, **NO_ADDRESS, **choose(barn)))
    assert Allocation.objects.get(order_line__order=order).record.store == barn
    here = StockRecord.objects.get(variant=mug, store=barn)
    elsewhere = StockRecord.objects.exclude(store=barn).get(variant=mug)
    assert (here.allocated, elsewhere.allocated) == (2, 0)


def test_coming_back_from_the_payment_page_the_last_ones_are_still_there(client, barn, mug, standin):
    StockRecord.objects.filter(store=barn).update(on_hand=2)
    check_out(client, **NO_ADDRESS, **choose(barn))
    assert "Collect at the barn" in read(client.get("/checkout/"))


def test_goods_that_left_the_store_meanwhile_are_refused_and_nothing_is_ordered(client, barn, mug, monkeypatch):
    """The page offered them; in the transaction they are gone."""
    monkeypatch.setattr(pickup, "filter_pickups", lambda places, lines: list(places))
    StockRecord.objects.filter(store=barn).update(on_hand=1)
    refused = client.post("/checkout/", form(**NO_ADDRESS, **choose(barn)))
    assert refused.status_code == 409
    assert "Not all of it is in that store any more." in read(refused)
    monkeypatch.setattr(pickup, "holds_all", lambda place, lines: True)
    refused = client.post("/checkout/", form(**NO_ADDRESS, **choose(barn)))
    assert (refused.status_code, Order.objects.count()) == (409, 0)
    assert set(StockRecord.objects.values_list("allocated", flat=True)) == {0}


def place(weekly: dict, special: dict | None = None) -> PickupPlace:
    method = ShippingMethod(name="Collect", store_id=1, price=0)
    return PickupPlace(method, "The barn", "", "", "GB", StoreCalendar(weekly, special or {}))


NINE_TO_SIX = {day: [(time(9), time(18))] for day in range(6)}


def at(day: int, hour: int, minute: int = 0, *, month: int = 12) -> datetime:
    return timezone.make_aware(datetime.combine(date(2026, month, day), time(hour, minute)))


@pytest.mark.parametrize(
    ("handling_days", "asked_at", "hours", "ready_at"),
    [
        (1, at(30, 10, month=11), NINE_TO_SIX, at(1, 15)),
        (1, at(30, 16, month=11), NINE_TO_SIX, at(2, 15)),
        (0, at(30, 10, month=11), NINE_TO_SIX, at(30, 15, month=11)),
        (0, at(30, 14, 20, month=11), NINE_TO_SIX, at(30, 16, month=11)),
        (1, at(30, 10, month=11), {2: [(time(11), time(12))]}, at(2, 11)),
        (1, at(30, 10, month=11), {1: [(time(9), time(12)), (time(14), time(15))]}, at(8, 9)),
        (1, at(30, 10, month=11), {}, at(1, 15)),
    ],
    ids=["tomorrow", "past the cut-off", "today", "an hour to pack", "once it opens", "not as it shuts", "no hours"],
)
def test_it_is_ready_once_it_is_packed_and_the_store_is_open(handling_days, asked_at, hours, ready_at):
    calendar = Calendar(cutoff_hour=15, handling_days=handling_days, ships_on_saturday=False)
    promised = pickup.compute_pickup_promise(place(hours), calendar, asked_at)
    assert promised is not None
    assert promised.ready_at == ready_at
    assert promised.ships_on == promised.from_on == promised.by_on == timezone.localdate(ready_at)


def test_ready_is_said_as_people_say_it():
    calendar = Calendar(cutoff_hour=15, handling_days=1, ships_on_saturday=False)
    now = at(30, 10, month=11)
    promised = pickup.compute_pickup_promise(place(NINE_TO_SIX), calendar, now)
    assert format_promise(promised, now=now) == "Ready tomorrow from 3 pm."


def test_a_store_that_stays_shut_promises_nothing():
    calendar = Calendar(cutoff_hour=15, handling_days=1, ships_on_saturday=False)
    shut = {date(2026, 11, 30) + timedelta(days=ahead): [] for ahead in range(30)}
    now = at(30, 10, month=11)
    assert pickup.compute_pickup_promise(place(NINE_TO_SIX, shut), calendar, now) is None


def test_a_special_day_of_the_store_moves_the_moment(barn):
    before = load_terms().pickups[0]
    calendar, now = load_terms().get_calendar("GB"), timezone.now()
    ready_at = pickup.compute_pickup_promise(before, calendar, now).ready_at
    SpecialHours.objects.create(store=barn, falls_on=timezone.localdate(ready_at))
    [after] = load_terms().pickups
    assert pickup.compute_pickup_promise(after, calendar, now).ready_at > ready_at


def test_money_that_comes_days_later_moves_the_moment_too(client, barn, mug, standin):
    order = pay(client, standin, check_out(client, **NO_ADDRESS, **choose(barn)))
    Order.objects.filter(pk=order.pk).update(
        ships_on=timezone.localdate() - timedelta(days=5), pickup_ready_at=timezone.now() - timedelta(days=5)
    )
    order.refresh_from_db()
    renew_promise(order)
    order.refresh_from_db()
    assert order.pickup_ready_at > timezone.now()
    assert order.ships_on == order.promised_by_on == timezone.localdate(order.pickup_ready_at)


def test_a_business_that_collects_is_on_the_order_and_its_number_is_checked_too(client, barn, mug, standin):
    wrong = choose(barn, company_name="Otter & Sons", vat_id="GB980780685", **NO_ADDRESS)  # pragma: allowlist secret
    page = client.post("/checkout/", form(**wrong))
    assert "That is not a VAT number" in read(page)
    assert not Order.objects.exists()
    order = check_out(client, **{**wrong, "vat_id": "980 7806 84"}).order
    assert (order.pickup_store, order.company_name, order.vat_id) == (barn, "Otter & Sons", "980780684")


def test_its_buyer_reads_where_when_and_the_code(client, barn, mug, standin):
    order = pay(client, standin, check_out(client, **NO_ADDRESS, **choose(barn)))
    page = read(client.get(order.get_absolute_url()))
    for words in ("You collect it The barn , 2 Mill Lane, Leeds", "Ready", f"code there: {order.pickup_code}", "10 am"):
        assert words in page
    assert "Goes to" not in page
    assert "With you" not in page
    assert "Change where it goes" not in page
    assert "You can until 14 days after you have collected all of it." in page


def test_once_it_is_collected_or_called_off_the_code_is_gone(client, barn, mug, standin):
    order = pay(client, standin, check_out(client, **NO_ADDRESS, **choose(barn)))
    for status, fulfilment in [("completed", "delivered"), ("cancelled", "in_progress")]:
        Order.objects.filter(pk=order.pk).update(status=status, fulfilment_status=fulfilment)
        assert order.pickup_code not in read(client.get(order.get_absolute_url()))


def make_ready(order: Order) -> Shipment:
    transitions.approve_order(order.pk, actor="Sam")
    pk = order.shipments.get().pk
    for verb in ("mark_shipment_picked", "mark_shipment_packed", "mark_shipment_ready"):
        getattr(transitions, verb)(pk, actor="Sam")
    return order.shipments.get()


@pytest.mark.parametrize("ticks", [{"mail_order_ready": "on"}, {}], ids=["ticked", "not ticked"])
def test_mail_says_that_it_is_ready_to_whoever_ticked_that(client, barn, mug, standin, sink, ticks):
    order = pay(client, standin, check_out(client, **NO_ADDRESS, **choose(barn, **ticks)))
    make_ready(order)
    relay_and_deliver()
    told = [mail for mail in sink.received if mail.topic == "order_ready"]
    assert len(told) == len(ticks)
    for mail in told:
        words = " ".join(mail.text.split())
        assert "To collect at The barn, 2 Mill Lane, Leeds" in words
        assert "Monday to Sunday: 10 am to 6 pm" in words
        assert order.pickup_code not in words


@pytest.mark.parametrize("ticks", [{"mail_order_ready": "on"}, {}], ids=["ticked", "not ticked"])
@pytest.mark.parametrize("is_collected", [False, True], ids=["still there", "collected before the mail went"])
def test_one_reminder_goes_to_whoever_ticked_that(client, barn, mug, standin, sink, ticks, is_collected):
    order = pay(client, standin, check_out(client, **NO_ADDRESS, **choose(barn, **ticks)))
    parcel = make_ready(order)
    Shipment.objects.update(ready_at=timezone.now() - timedelta(days=8))
    assert remind_uncollected() == 1
    if is_collected:
        transitions.hand_over_shipment(parcel.pk, actor="Sam", code=order.pickup_code)
    relay_and_deliver()
    told = [mail for mail in sink.received if mail.topic == "order_uncollected"]
    assert len(told) == (0 if is_collected else len(ticks))
    for mail in told:
        assert "To collect at The barn, 2 Mill Lane, Leeds" in " ".join(mail.text.split())
        assert order.pickup_code not in mail.text


def test_the_receipt_says_where_it_is_collected_and_from_when(client, barn, mug, standin, sink):
    order = pay(client, standin, check_out(client, **NO_ADDRESS, **choose(barn)))
    relay_and_deliver()
    [receipt] = [mail for mail in sink.received if mail.topic == "receipt"]
    words = " ".join(receipt.text.split())
    assert "Ready to collect" in words
    assert "To collect at The barn, 2 Mill Lane, Leeds" in words
    assert "Going to:" not in words
    assert "after you have collected all of it, you can change your mind" in words
    assert order.pickup_code not in words


@pytest.mark.parametrize("more", [{}, {"reprice": "1"}])
def test_to_see_who_may_collect_it_the_cart_is_read_no_second_time(client, mug, more):
    fill(client, mug)
    ask = (lambda: client.post("/checkout/", form() | more)) if more else (lambda: client.get("/checkout/"))
    assert "Collect at the barn" in ask().text
    with CaptureQueriesContext(connection) as queries:
        ask()
    assert sum("orders_cartline" in query["sql"] for query in queries) == 1


ROAD_NEWS = sorted(stages.NEWS_OF_DELIVERIES)


def read_tick_classes(client) -> dict[str, str]:
    return {field.name: way for field, way in client.get("/checkout/").context["form"].ticks}


def test_news_stands_beside_the_way_it_is_about(client, mug):
    ways = read_tick_classes(client)
    assert ways[purposes.MAIL_ORDER_READY] == "comes"
    assert {ways[key] for key in ROAD_NEWS} == {"door"}
    assert {ways[key] for key in set(ways) - set(ROAD_NEWS) - stages.NEWS_OF_PICKUPS} == {""}
    assert purposes.MAIL_ORDER_PACKED in ways


def test_what_no_store_has_is_offered_no_news_of_collecting(client, barn, mug):
    StockRecord.objects.filter(store=barn).update(on_hand=1)
    assert purposes.MAIL_ORDER_READY not in read_tick_classes(client)


@pytest.mark.parametrize("is_collected", [True, False])
def test_a_tick_for_the_other_way_is_no_answer(client, barn, mug, standin, is_collected):
    ticks = dict.fromkeys((*ROAD_NEWS, purposes.MAIL_ORDER_READY, purposes.MAIL_ORDER_PACKED), "on")
    way = choose(barn) if is_collected else {}
    order = check_out(client, **ticks, **way).order
    kept = set(order.ticks.values_list("purpose", flat=True))
    fitting = stages.NEWS_OF_PICKUPS if is_collected else stages.NEWS_OF_DELIVERIES
    assert kept == {*fitting, purposes.MAIL_ORDER_PACKED}


def test_a_customers_switch_that_was_out_of_sight_stays_as_it_was(client, barn, mug, standin):
    bob = cast.bob()
    client.force_login(bob.user)
    consent.set_consent(bob, purposes.MAIL_ORDER_DISPATCHED, granted=True, source="test")
    shown = client.get("/checkout/").context["form"]["shown"].value()
    check_out(client, shown=shown, **{purposes.MAIL_ORDER_DELIVERED: "on"}, **choose(barn))
    assert consent.allows(bob, purposes.MAIL_ORDER_DISPATCHED)
    assert not consent.allows(bob, purposes.MAIL_ORDER_DELIVERED)
