"""Statements that a connection plans once: the same answer as without, whatever becomes of the connection."""

import gc
import importlib
import pkgutil
import re
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from orders.models import CartLine, OrderLine, ShopSettings
from shop import prepared
from shop.catalog import listing
from shop.catalog.models import StockRecord
from shop.model_rows import RowStatement
from shop.prepared import PreparedStatement
from shop.storefront import page_cache
from tests import builders
from tests.paying import form, standin, standin_process

__all__ = ["standin", "standin_process"]

pytestmark = pytest.mark.django_db(transaction=True)

ROOMS = ("shop", "accounts", "orders", "notifications", "recommendations")
TWICE = PreparedStatement("SELECT %(number)s::int * 2, %(words)s::text[]")
ANSWER = [(6, ["it's", "50 %"])]
SECRETS = re.compile(r"[\w+/=-]{22,}")  # of forms and of scripts, another in each page
VALUES = {"number": 3, "words": ["it's", "50 %"], "unused": object}


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def plans() -> dict[str, tuple[int, int]]:
    """Of each statement this connection has prepared: how often it ran by the plan for all values, and by another."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, generic_plans, custom_plans FROM pg_prepared_statements")
        return {name: (generic, custom) for name, generic, custom in cursor.fetchall()}


@pytest.fixture(autouse=True)
def fresh_connection() -> None:
    connection.close()


def test_a_statement_is_planned_once_for_all_values():
    for number in range(3):
        assert TWICE.fetch_rows(VALUES | {"number": number})[0][0] == number * 2
    assert plans() == {TWICE.name: (3, 0)}


def test_the_server_can_plan_every_statement_of_the_shop():
    """Without its values: what the types of a parameter are, it has to see from the text."""
    for room in ROOMS:
        for module in pkgutil.walk_packages([room], prefix=f"{room}."):
            if not {"local", "migrations", "start", "__main__"} & set(module.name.split(".")):
                importlib.import_module(module.name)
    every = gc.get_objects()  # asked for their type: some answer `isinstance` by becoming what they stand for
    rows = [each.statement for each in every if issubclass(type(each), RowStatement)]
    found = {each.name: each for each in [*every, *rows] if issubclass(type(each), PreparedStatement)}
    assert len(found) > 30
    with connection.cursor() as cursor:
        for statement in found.values():
            statement.prepare(cursor)


def test_a_new_connection_prepares_anew():
    assert TWICE.fetch_rows(VALUES) == ANSWER
    connection.close()
    assert plans() == {}
    assert TWICE.fetch_rows(VALUES) == ANSWER
    assert plans() == {TWICE.name: (1, 0)}


@pytest.mark.parametrize("forgetting", ["DISCARD ALL", "DEALLOCATE ALL"])
def test_a_server_that_forgot_it_answers_all_the_same_and_is_told_again(forgetting):
    TWICE.fetch_rows(VALUES)
    run(forgetting)
    assert TWICE.fetch_rows(VALUES) == ANSWER
    assert TWICE.fetch_rows(VALUES) == ANSWER
    assert plans() == {TWICE.name: (1, 0)}


def test_a_migration_that_changes_the_types_of_a_result_breaks_nothing():
    run("CREATE TEMPORARY TABLE parcel (weight int); INSERT INTO parcel VALUES (7)")
    weigh = PreparedStatement("SELECT * FROM parcel WHERE weight > %(least)s")
    assert weigh.fetch_rows({"least": 1}) == [(7,)]
    run("ALTER TABLE parcel ADD COLUMN label text DEFAULT 'heavy'")
    assert weigh.fetch_rows({"least": 1}) == [(7, "heavy")]
    assert weigh.fetch_rows({"least": 1}) == [(7, "heavy")]
    assert plans() == {weigh.name: (1, 0)}


def test_a_name_that_another_client_of_the_pooler_prepared_is_used_as_it_is():
    run(f"PREPARE {TWICE.name} AS SELECT $1::int * 2, $2::text[]")
    assert TWICE.fetch_rows(VALUES) == ANSWER
    assert plans()[TWICE.name] != (0, 0)


def test_a_percent_sign_of_its_own_is_written_twice():
    remainder = PreparedStatement("SELECT 7 %% %(by)s::int")
    assert remainder.fetch_rows({"by": 4}) == [(3,)]
    with transaction.atomic():
        assert remainder.fetch_rows({"by": 4}) == [(3,)]
    assert plans() == {remainder.name: (1, 0)}


def test_a_connection_keeps_only_so_many(monkeypatch):
    monkeypatch.setattr(prepared, "MOST_PREPARED", 3)
    statements = [PreparedStatement(f"SELECT %(number)s::int + {more}") for more in range(5)]
    for _ in range(2):
        assert [each.fetch_rows({"number": 1}) for each in statements] == [[(1 + more,)] for more in range(5)]
        assert 1 <= len(plans()) <= 3
    assert all(custom == 0 for _, custom in plans().values())


def test_inside_a_transaction_it_runs_as_it_stands():
    with transaction.atomic():
        assert TWICE.fetch_rows(VALUES) == ANSWER
        assert plans() == {}
    TWICE.fetch_rows(VALUES)
    with transaction.atomic():
        run("DEALLOCATE ALL")
        assert TWICE.fetch_rows(VALUES) == ANSWER  # an error here would cost the whole transaction
    assert plans() == {}


def test_a_transaction_that_can_begin_again_plans_once():
    for _ in range(3):
        assert prepared.run_in_transaction(lambda: TWICE.fetch_rows(VALUES), statements=[TWICE]) == ANSWER
    assert plans() == {TWICE.name: (3, 0)}


@pytest.mark.parametrize("forgetting", ["DISCARD ALL", "DEALLOCATE ALL"])
def test_a_transaction_whose_statement_was_forgotten_begins_again_and_does_everything_once(forgetting):
    run("DROP TABLE IF EXISTS parcel; CREATE TABLE parcel (weight int)")
    TWICE.fetch_rows(VALUES)
    run(forgetting)

    def weigh() -> list[tuple[Any, ...]]:
        run("INSERT INTO parcel VALUES (7)")
        return TWICE.fetch_rows(VALUES)

    try:
        assert prepared.run_in_transaction(weigh, statements=[TWICE]) == ANSWER
        assert PreparedStatement("SELECT count(*) FROM parcel WHERE weight = %(of)s").fetch_rows({"of": 7}) == [(1,)]
    finally:
        run("DROP TABLE parcel")


def test_inside_another_transaction_it_runs_as_it_stands_and_a_refusal_takes_back_no_more_than_its_own():
    TWICE.fetch_rows(VALUES)
    with transaction.atomic():
        run("DEALLOCATE ALL")
        assert prepared.run_in_transaction(lambda: TWICE.fetch_rows(VALUES), statements=[TWICE]) == ANSWER
        with pytest.raises(ZeroDivisionError):
            prepared.run_in_transaction(lambda: 1 // 0, statements=[TWICE])
        run("SELECT 1")


def test_after_a_transaction_that_could_begin_again_the_next_one_runs_statements_as_they_stand():
    with pytest.raises(ZeroDivisionError):
        prepared.run_in_transaction(lambda: 1 // 0, statements=[TWICE])
    with transaction.atomic():
        run("DEALLOCATE ALL")
        assert TWICE.fetch_rows(VALUES) == ANSWER


def test_switched_off_nothing_is_prepared(settings):
    settings.PREPARED_STATEMENTS = False
    assert TWICE.fetch_rows(VALUES) == ANSWER
    assert prepared.run_in_transaction(lambda: TWICE.fetch_rows(VALUES), statements=[TWICE]) == ANSWER
    assert plans() == {}


@pytest.mark.usefixtures("standin")
def test_a_guest_buys_all_the_same_when_the_server_forgot_what_it_had_planned(client):
    mug = builders.product("Tin mug", on_hand=5).variants.get()
    for quantity in (1, 2):  # the first prepares
        client.post("/cart/lines/", {"variant": mug.pk, "quantity": quantity})
        run("DEALLOCATE ALL")
    assert CartLine.objects.get().quantity == 3
    assert client.post("/checkout/", form()).status_code == 303
    assert StockRecord.objects.get(variant=mug).allocated == 3
    assert OrderLine.objects.get().quantity == 3


def test_an_error_of_its_own_is_told_and_the_next_one_runs():
    divide = PreparedStatement("SELECT 6 / %(by)s::int")
    with pytest.raises(DatabaseError, match="division by zero"):
        divide.fetch_rows({"by": 0})
    assert divide.fetch_rows({"by": 3}) == [(2,)]
    with pytest.raises(DatabaseError, match="no_such_table"):
        PreparedStatement("SELECT * FROM no_such_table").fetch_rows({})
    assert divide.fetch_rows({"by": 2}) == [(3,)]


def test_pages_say_the_same_as_without_and_plan_nothing_twice(client, settings):
    ShopSettings.current().save()
    builders.shipping_method()
    socks = builders.product("Wool socks", slug="wool-socks", sizes=("9", "10"))
    builders.product("Cotton socks", maker=None, on_hand=0).goes_with.add(socks)
    listing.refresh_listings()
    client.post("/cart/lines/", {"variant": socks.variants.first().pk, "quantity": 2})
    paths = ["/", "/category/socks/", "/category/socks/?size=9&sort=price", "/product/wool-socks/", "/cart/"]
    paths += ["/search/?q=socks", "/search/?q=sosks&sort=name", "/category/socks/?in_stock=1&price=2-50&sort=price"]
    for path in paths:  # what is asked or said once comes here
        client.get(path)
    said: dict[bool, list[str]] = {}
    for is_on in (False, True):
        settings.PREPARED_STATEMENTS = is_on
        page_cache.clear()
        said[is_on] = [SECRETS.sub("", client.get(path).text) for path in paths * 3]
    assert said[True] == said[False]
    assert all("ool socks" in page for page in said[True])
    assert len(plans()) >= 10
    assert all(custom == 0 for _, custom in plans().values())
