"""The links in our mail: each opens one thing, and whatever isn't yours looks like what isn't there."""

import pytest

from accounts.models import Customer
from accounts.people import tokens
from orders.models import Order, OrderTick
from tests.journeys.walks import TOPIC_OF, buy, link_in, steps_between, work
from tests.person import Person


@pytest.fixture
def link(guest, mailbox) -> str:
    buy(guest)
    return link_in(mailbox.latest("pat@example.com", "receipt"), "/open/")


def test_the_links_token_is_swapped_for_a_grant_for_that_order_alone(guest, link):
    number = Order.objects.get().number
    other = buy(Person(), "tin-mug", email="lee@example.com")
    reader = Person().open(link)
    assert reader.path == f"/orders/{number}/"
    token = link.rstrip("/").rsplit("/", 1)[1]
    assert token not in reader.text
    assert reader.open(f"/orders/{number}/").status == 200
    assert reader.open(f"/orders/{other}/").status == 404
    assert Person().open(f"/orders/{number}/").status == 404


def test_forged_expired_and_strangers_links_all_give_the_same_404(guest, link, monkeypatch):
    number = Order.objects.get().number
    other = buy(Person(), "tin-mug", email="lee@example.com")
    start, token = link.rstrip("/").rsplit("/", 1)
    swapped = token[:-1] + ("A" if token[-1] != "A" else "B")
    wrong_kind = tokens.sign_token("unsubscribe", number=number)
    forged = [
        f"{start}/{swapped}/",
        f"{start}/x/",
        f"{start}/{wrong_kind}/",
        link.replace(number, other),
        link.replace(number, "SW-AAAA-AAAA-AA"),
        f"http://localhost:8000/orders/{other}/",
        "http://localhost:8000/orders/SW-AAAA-AAAA-AA/",
    ]
    customers = Customer.objects.count()
    answers = {_shape(url) for url in forged}
    monkeypatch.setattr("django.core.signing.time.time", lambda: 4_000_000_000)
    answers.add(_shape(link))
    assert len(answers) == 1
    assert answers.pop()[0] == 404
    assert Customer.objects.count() == customers


def _shape(url: str) -> tuple[int, str, tuple[tuple[str, str], ...]]:
    """What a stranger gets to see."""
    stranger = Person().open(url)
    headers = {name: value for name, value in stranger.headers.items() if name != "content-security-policy"}
    return stranger.status, stranger.words, tuple(sorted(headers.items()))


def test_looking_at_an_order_by_its_link_proves_nothing_and_ticks_nothing(link):
    Person().open(link)
    assert not Customer.objects.filter(email="pat@example.com").exists()
    assert Order.objects.get().customer is None


def test_nobody_else_can_cancel_the_order(guest, link):
    number = Order.objects.get().number
    stranger = Person().open("/cart/")
    token = stranger.road.client.cookies["csrf"].value if "csrf" in stranger.road.client.cookies else ""
    answer = stranger.send("POST", f"/orders/{number}/cancellation/", [("csrfmiddlewaretoken", token)])
    assert answer.status in (403, 404)
    assert Order.objects.get().status == "confirmed"


def test_a_stage_mails_unsubscribe_link_stops_the_rest_of_that_kind_for_that_order(guest, staff, mailbox):
    number = buy(guest, ticks=tuple(TOPIC_OF))
    work(staff, number, "Approve")
    leave = link_in(mailbox.latest("pat@example.com", "order_approved"), "/mail/unsubscribe/")
    reader = Person().open(leave)
    assert OrderTick.objects.filter(granted=False).count() == 0
    reader.press(next(button.text for form in reader.page.forms if form.method == "post" for button in form.buttons))
    assert list(OrderTick.objects.filter(granted=False).values_list("purpose", flat=True)) == ["mail_order_approved"]
    assert Person().open(leave).press
    work(staff, number, *steps_between("Start picking", "Mark picked"))
    assert mailbox.topics("pat@example.com") == ["receipt", "order_approved", "order_picked"]


def test_a_forged_unsubscribe_link_changes_nothing(guest, mailbox):
    buy(guest, ticks=tuple(TOPIC_OF))
    token = tokens.sign_token("order", purpose="mail_order_approved", order=Order.objects.get().pk)
    for forged in (token, "x", "a:b:c"):
        assert Person().send("POST", f"/mail/unsubscribe/{forged}/", []).status == 404
    assert not OrderTick.objects.filter(granted=False).exists()
