"""A product's page says which stores have it, and when they are open; staff keep the hours."""

from datetime import date, time

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from shop.catalog import stock
from shop.catalog.models import OpeningHours, SpecialHours, StockRecord, Store
from tests import builders, cast
from tests.backoffice.test_access import signed_in, staff_member
from tests.page import read_words

pytestmark = pytest.mark.django_db


def open_store(name: str = "Harbour Row", **fields) -> Store:
    store = builders.store(name)
    Store.objects.filter(pk=store.pk).update(welcomes_visitors=True, address="1 Harbour Row", **fields)
    for day in range(7):
        OpeningHours.objects.create(store=store, weekday=day, opens_at=time(0), closes_at=time(23, 59, 59))
    return store


def read_page(slug: str = "boot") -> str:
    return " ".join(read_words(Client().get(f"/product/{slug}/").text).split())


def test_the_page_names_the_store_its_sizes_and_its_hours():
    open_store(phone="01632 960 110")
    boot = builders.product("Boot", slug="boot", sizes=("9", "10", "11"))
    StockRecord.objects.filter(variant=boot.variants.get(size="10")).update(allocated=10)
    page = read_page()
    assert "See it in our store" in page
    assert "Harbour Row: 9 · 11 Open today until 11:59 pm" in page
    assert "1 Harbour Row" in page
    assert "Call 01632 960 110" in page
    assert "Monday to Sunday midnight to 11:59 pm" in page


def test_a_closing_day_is_told():
    today = timezone.localdate()
    SpecialHours.objects.create(store=open_store(), falls_on=today)
    builders.product("Boot", slug="boot")
    page = read_page()
    assert "Opens tomorrow at midnight" in page
    assert f"{today:%A} {today.day} {today:%B} closed" in page


def test_a_store_nobody_may_come_to_is_not_spoken_of():
    builders.product("Boot", slug="boot")
    assert "See it in our" not in read_page()


def test_a_store_that_has_none_left_is_not_spoken_of():
    open_store()
    builders.product("Boot", slug="boot", on_hand=0)
    sold = builders.product("Shoe", slug="shoe", on_hand=1)
    StockRecord.objects.filter(variant__product=sold).update(allocated=1)
    assert "See it in our" not in read_page()
    assert "See it in our" not in read_page("shoe")


def test_a_store_that_ships_nothing_is_named_and_sells_nothing_online():
    open_store("Mill Lane", ships_orders=False)
    boot = builders.product("Boot", slug="boot", on_hand=0)
    record = StockRecord.objects.create(variant=boot.variants.get(), store=builders.store("Mill Lane"))
    stock.receive_stock(record.pk, quantity=1)
    page = read_page()
    assert "Mill Lane" in page
    assert "Out of stock" in page


def test_stores_cost_the_page_no_statement():
    builders.product("Boot", slug="boot")
    Client().get("/product/boot/")
    counts = []
    for name in ("Harbour Row", "Mill Lane"):
        with CaptureQueriesContext(connection) as seen:
            Client().get("/product/boot/")
        counts.append(len(seen))
        open_store(name)
    assert "See it in our store" in read_page()
    assert counts[0] == counts[1]


def name_fields(prefix: str, names: tuple[str, ...], values: tuple[str, ...]) -> dict[str, str]:
    return {f"{prefix}-{name}": value for name, value in zip(names, values, strict=True)}


def send_hours(client: Client, store: Store, *hours: tuple[str, str, str], special: tuple[str, str, str] | None = None):
    rows = {"name": store.name, "address": "", "phone": "", "position": "0", "ships_orders": "on"}
    rows |= {"opening_hours-TOTAL_FORMS": str(len(hours)), "opening_hours-INITIAL_FORMS": "0"}
    for number, row in enumerate(hours):
        rows |= name_fields(f"opening_hours-{number}", ("weekday", "opens_at", "closes_at"), row)
    rows |= {"special_hours-TOTAL_FORMS": str(int(special is not None)), "special_hours-INITIAL_FORMS": "0"}
    if special:
        rows |= name_fields("special_hours-0", ("falls_on", "opens_at", "closes_at"), special)
    return client.post(reverse("admin:catalog_store_change", args=[store.pk]), rows)


def test_staff_of_the_catalogue_keep_the_hours():
    client = signed_in(staff_member(role="Staff: catalogue"))
    store = builders.store()
    answer = send_hours(client, store, ("0", "10:00", "13:00"), ("0", "13:00", "18:00"), special=("2026-12-24", "", ""))
    assert answer.status_code == 302, answer.text
    assert [str(each) for each in store.opening_hours.all()] == ["Monday 10:00–13:00", "Monday 13:00–18:00"]
    assert [str(each) for each in store.special_hours.all()] == ["24 Dec 2026, closed"]
    page = client.get(reverse("admin:catalog_store_change", args=[store.pk])).text
    assert 'value="13:00"' in page


@pytest.mark.parametrize(
    ("hours", "special", "said"),
    [
        ([("0", "10:00", "09:00")], None, "It opens at 10:00: give a later time than that."),
        ([("0", "10:00", "14:00"), ("0", "13:00", "18:00")], None, "Monday has hours already that these overlap."),
        ([], ("2026-12-24", "10:00", ""), "Give both times, or neither where it is closed that day."),
    ],
)
def test_hours_that_cannot_be_are_refused_with_a_sentence(hours, special, said):
    client = Client()
    client.force_login(cast.sam())
    store = builders.store()
    answer = send_hours(client, store, *hours, special=special)
    assert said in answer.text
    assert not OpeningHours.objects.exists()
    assert not SpecialHours.objects.exists()


def test_the_database_refuses_hours_that_end_before_they_begin():
    store = builders.store()
    with pytest.raises(IntegrityError), transaction.atomic():
        OpeningHours.objects.create(store=store, weekday=0, opens_at=time(18), closes_at=time(10))
    with pytest.raises(IntegrityError), transaction.atomic():
        SpecialHours.objects.create(store=store, falls_on=date(2026, 12, 24), opens_at=time(10))
    assert not OpeningHours.objects.exists()
    assert not SpecialHours.objects.exists()
