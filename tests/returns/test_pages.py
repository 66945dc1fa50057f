"""“Withdraw from contract here”, over HTTP and without JavaScript: who finds it, and what it answers."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts.models import Customer
from orders import order_access
from orders.models import Order, OrderEvent, Withdrawal, WithdrawalStatement
from orders.returns import statements
from tests import builders, cast
from tests.guest import let_in
from tests.page import read_words
from tests.person import ClientRoad, Person

pytestmark = pytest.mark.django_db

HERE = "Withdraw from contract here"
CONFIRM = "Confirm withdrawal"


@pytest.fixture(autouse=True)
def _fresh_limits():
    cache.clear()


def delivered(**fields) -> Order:
    fields.setdefault("email", "pat@example.com")
    return builders.sent_order(builders.product("Tin mug").variants.get(), delivered_at=timezone.now(), **fields)


def person_of(customer: Customer) -> Person:
    road = ClientRoad()
    road.client.force_login(customer.user)
    return Person(road=road)


# -- Who finds it ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/search/?q=mug", "/privacy/", "/accounts/login/", "/cart/", "/nowhere/"])
def test_every_pages_foot_leads_there(path):
    person = Person().open(path).click(HERE)
    assert (person.status, person.path) == (200, "/withdrawal/")


def test_from_the_order_page_it_takes_two_clicks_and_nothing_typed():
    alice = cast.alice()
    order = delivered(customer=alice, email="alice@example.com")
    person = person_of(alice).open(f"/orders/{order.number}/")
    person.click(HERE).press(CONFIRM)
    made = Withdrawal.objects.get()
    assert (made.order, made.contents, made.full_name) == (order, "1 × Tin mug", "Pat Reader")
    assert made.acknowledged_to == "alice@example.com"
    assert person.sees("We received your withdrawal on")
    assert person.sees("1 × Tin mug")


def test_from_the_mail_it_takes_two_clicks_and_nothing_typed_without_a_login():
    order = delivered()
    person = Person().open(order_access.build_withdrawal_link(order))
    assert person.path == f"/orders/{order.number}/withdrawal/"
    person.press(CONFIRM)
    assert Withdrawal.objects.get().acknowledged_to == "pat@example.com"


def test_opening_the_mailed_link_declares_nothing():
    Person().open(order_access.build_withdrawal_link(delivered()))
    assert not Withdrawal.objects.exists()


def test_a_forged_link_and_a_strangers_order_are_not_found():
    order, other = delivered(), delivered()
    link = order_access.build_withdrawal_link(order)
    for url in (link.replace(order.number, other.number), f"{link[:-2]}x/", f"/orders/{order.number}/withdrawal/"):
        assert Person().open(url).status == 404
    stranger = ClientRoad().client
    stranger.handler.enforce_csrf_checks = False
    assert stranger.post(f"/orders/{order.number}/withdrawal/").status_code == 404
    assert not Withdrawal.objects.exists()


def test_some_of_it_is_chosen_by_lowering_a_number():
    order = delivered()
    order.lines.update(quantity=3)
    person = Person().open(order_access.build_withdrawal_link(order))
    person.write("Tin mug", "2").press(CONFIRM)
    assert Withdrawal.objects.get().contents == "2 × Tin mug"


@pytest.mark.parametrize("count", ["0", "4", "-1", "many"])
def test_what_cannot_be_withdrawn_from_is_said_and_nothing_is_declared(count):
    order = delivered()
    order.lines.update(quantity=3)
    person = Person().open(order_access.build_withdrawal_link(order)).write("Tin mug", count).press(CONFIRM)
    assert person.status == 200
    assert 'class="errorlist' in person.text
    assert not Withdrawal.objects.exists()


def test_pressed_again_the_page_says_when_it_was_received_and_nothing_more_is_written(client):
    order = delivered()
    client.get(order_access.build_withdrawal_link(order).removeprefix("http://localhost:8000"))
    path, line = f"/orders/{order.number}/withdrawal/", order.lines.get()
    data = {"full_name": "Pat", "email": "pat@example.com", f"line-{line.pk}": "1"}
    for _ in range(3):
        page = client.post(path, data, follow=True)
    assert "You declared this before" in page.text
    assert Withdrawal.objects.count() == 1
    assert order.events.filter(kind=OrderEvent.Kind.WITHDRAWN).count() == 1


def test_once_all_is_withdrawn_from_the_order_page_offers_it_no_more():
    alice = cast.alice()
    order = delivered(customer=alice)
    person = person_of(alice).open(f"/orders/{order.number}/withdrawal/").press(CONFIRM)
    assert CONFIRM not in person.words
    person.open(f"/orders/{order.number}/")
    assert "/withdrawal/" not in person.text.replace('href="/withdrawal/"', "")
    assert person.sees("You withdrew")
    assert person.sees("£14.00 back with you by")


def test_before_it_has_left_the_page_says_that_cancelling_is_faster_and_refuses_nothing():
    order = builders.placed_order(email="pat@example.com")
    person = Person().open(order_access.build_withdrawal_link(order))
    assert person.sees("cancelling is faster")
    person.press(CONFIRM)
    assert person.sees("Nothing had left us")
    assert Withdrawal.objects.get().order == order


def test_too_late_it_says_so_politely_and_is_kept_all_the_same():
    order = delivered()
    order.shipments.update(delivered_at=timezone.now() - timedelta(days=40))
    person = Person().open(order_access.build_withdrawal_link(order))
    assert person.sees("The 14 days ended with")
    person.press(CONFIRM)
    assert person.sees("somebody here reads it and writes to you")
    assert Withdrawal.objects.get().is_late
    person.open(f"/orders/{order.number}/")
    assert HERE not in [words for words, href in person.page.links if "orders" in href]


def test_a_cancelled_order_says_that_there_is_nothing_to_withdraw_from():
    order = delivered()
    Order.objects.filter(pk=order.pk).update(status=Order.Status.CANCELLED)
    person = Person().open(order_access.build_withdrawal_link(order))
    assert person.sees("nothing to withdraw from")
    assert CONFIRM not in person.words


@pytest.mark.parametrize("who", ["customer", "guest by link", "guest let in"])
def test_whoever_may_see_orders_finds_them_behind_the_foot(who):
    customer = builders.customer(with_login=who == "customer")
    order = delivered(customer=customer)
    delivered(email="lee@example.com")
    road = ClientRoad()
    if who == "customer":
        road.client.force_login(customer.user)
    if who == "guest let in":
        let_in(road.client, customer)
    person = Person(road=road)
    if who == "guest by link":
        person.open(order_access.build_withdrawal_link(order))
    person.open("/withdrawal/").click(f"Withdraw from {order.number}").press(CONFIRM)
    assert Withdrawal.objects.get().order == order


# -- By number and e-mail --------------------------------------------------------------------------------------


def state(number: str, email: str, *, words: str = "") -> Person:
    person = Person().open("/withdrawal/")
    person.write("Your name", "Pat Reader").write("Order number", number).write("E-mail you ordered with", email)
    if words:
        person.write("Only some of it? Say what", words)
    return person.press(CONFIRM)


def shape(person: Person, *typed: str) -> tuple[int, str]:
    """The answer without what was typed, the moment, and what is new in every answer."""
    text = re.sub(r'\w+day \d+ \w+ \d{4}, \d\d:\d\d:\d\d \w+|datetime="[^"]*"', "", person.words)
    for each in typed:
        text = text.replace(each, "")
    return person.status, text


def test_the_answer_is_the_same_whether_or_not_there_is_such_an_order(django_assert_num_queries):
    real = delivered()
    cancelled = delivered()
    Order.objects.filter(pk=cancelled.pk).update(status=Order.Status.CANCELLED)
    answers = set()
    for number, email in (
        (real.number, "pat@example.com"),
        (real.number, "lee@example.com"),
        ("SW-AAAA-AAAA-AA", "pat@example.com"),
        (cancelled.number, "pat@example.com"),
        (real.number, "pat@example.com"),
    ):
        answers.add(shape(state(number, email), number, email))
        statements.bring_statements_to_orders()
    assert len(answers) == 1
    assert Withdrawal.objects.get().order == real


def test_answering_asks_the_database_the_same_whether_or_not_there_is_such_an_order(client, capture_statements):
    real = delivered()
    asked = set()
    for number in (real.number, "SW-AAAA-AAAA-AA", real.number):
        said = {"number": number, "email": "pat@example.com", "full_name": "Pat"}
        with capture_statements() as made:
            assert client.post("/withdrawal/", said).status_code == 200
        asked.add(tuple(made))
        statements.bring_statements_to_orders()
    assert len(asked) == 1


@pytest.fixture
def capture_statements():
    from contextlib import contextmanager

    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from shop.storefront import page_cache

    @contextmanager
    def capture():
        page_cache.clear()
        with CaptureQueriesContext(connection) as queries:
            made: list[str] = []
            yield made
        made += [re.sub(r"'[^']*'", "?", query["sql"]) for query in queries]

    return capture


def test_it_counts_from_when_it_came_however_it_is_typed():
    order, before = delivered(), timezone.now()
    state(f" {order.number.lower().replace('-', ' ')} ", "PAT@example.com")
    came_at = timezone.now()
    statements.bring_statements_to_orders()
    made = Withdrawal.objects.get()
    assert (made.order, made.contents, made.way) == (order, "1 × Tin mug", Withdrawal.Way.FORM)
    assert before < made.declared_at < came_at
    assert made.acknowledged_to == "pat@example.com"


def test_goods_named_in_words_are_kept_as_they_were_said():
    order = delivered()
    state(order.number, "pat@example.com", words="Only the lid")
    statements.bring_statements_to_orders()
    assert Withdrawal.objects.get().contents == "Only the lid"


def test_said_twenty_times_it_is_one():
    order = delivered()
    for _ in range(19):
        state(order.number, "pat@example.com")
        statements.bring_statements_to_orders()
    assert Withdrawal.objects.count() == WithdrawalStatement.objects.count() == 1
    assert order.events.filter(kind=OrderEvent.Kind.WITHDRAWN).count() == 1


def test_what_fits_no_order_stays_for_staff_and_mails_nobody():
    order = delivered()
    state(order.number, "lee@example.com")
    statements.bring_statements_to_orders()
    kept = WithdrawalStatement.objects.get()
    assert kept.withdrawal is None
    assert kept.looked_up_at is not None
    assert not OrderEvent.objects.filter(kind=OrderEvent.Kind.WITHDRAWN).exists()


@pytest.mark.parametrize("missing", ["Your name", "Order number", "E-mail you ordered with"])
def test_what_is_missing_is_named_and_nothing_is_written(missing):
    fields = {"Your name": "Pat", "Order number": "SW-AAAA-AAAA-AA", "E-mail you ordered with": "pat@example.com"}
    person = Person().open("/withdrawal/")
    for label, value in fields.items():
        if label != missing:
            person.write(label, value)
    person.press(CONFIRM)
    assert "Please give" in person.words
    assert not WithdrawalStatement.objects.exists()


@pytest.mark.parametrize("way", ["form", "order"])
def test_more_than_a_few_a_minute_from_one_address_are_refused_and_nothing_is_written(client, settings, way):
    settings.WITHDRAWALS_PER_MINUTE = 2
    order = delivered()
    client.get(order_access.build_withdrawal_link(order).removeprefix("http://localhost:8000"))
    path = "/withdrawal/" if way == "form" else f"/orders/{order.number}/withdrawal/"
    said = {"number": order.number, "email": "pat@example.com", "full_name": "Pat", f"line-{order.lines.get().pk}": 1}
    assert [client.post(path, {**said, "words": str(n)}).status_code for n in range(3)][2] == 429
    assert WithdrawalStatement.objects.count() == (2 if way == "form" else 0)


def test_the_order_page_asks_at_most_one_query_more(client, django_assert_max_num_queries):
    order = delivered()
    client.get(order_access.build_withdrawal_link(order).removeprefix("http://localhost:8000"))
    client.get(f"/orders/{order.number}/")
    with django_assert_max_num_queries(14) as asked:
        page = client.get(f"/orders/{order.number}/")
    assert HERE in read_words(page.text)
    assert sum("orders_withdrawal" in query["sql"] for query in asked) == 1
