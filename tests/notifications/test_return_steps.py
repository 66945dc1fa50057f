"""Mail about a return: to whoever ticked it, at each step; to nobody else."""

import pytest

from accounts.consent import purposes
from notifications.models import OutgoingEmail
from orders.events import BUYER
from orders.models import Order
from orders.models.order import draw_pickup_code
from orders.returns import steps
from orders.returns.requesting import request_return
from orders.returns.return_wording import TO_PAY_WORDS
from orders.returns.wording import ENTERED_FOR_BUYER
from tests import builders
from tests.notifications import acts
from tests.returns.selling import Kind, Wanted, came, exchanged, returned, take_back, wish

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _policy():
    take_back()


def take_all_steps(order: Order) -> None:
    first, second = returned(order), returned(order, words="Another")
    steps.receive_return(first.pk, actor="Sam")
    steps.settle_return(first.pk, actor="Sam")
    steps.refuse_return(second.pk, actor="Sam", reason="It was worn.")


def sent_topics() -> list[str]:
    found = OutgoingEmail.objects.filter(topic__startswith="return_").exclude(state="skipped")
    return sorted(found.values_list("topic", flat=True))


def test_it_comes_at_each_step_to_those_who_ticked_it(sink):
    buyer = builders.customer("pat@example.com", ticks=(purposes.MAIL_ORDER_RETURN,))
    order = came(quantity=2, customer=buyer)
    take_all_steps(order)
    acts.relay_and_deliver()
    for _ in range(6):
        acts.relay_and_deliver()
    numbers = list(order.returns.values_list("number", flat=True))
    said = [mail for mail in sink.received if mail.topic.startswith("return_")]
    assert sorted(mail.topic for mail in said) == [
        "return_received", "return_refused", "return_requested", "return_requested", "return_settled",
    ]  # fmt: skip
    assert all(any(number in mail.text for number in numbers) for mail in said)
    assert "It was worn." in next(mail.text for mail in said if mail.topic == "return_refused")


def test_it_comes_to_a_guest_who_ticked_it_for_that_order():
    order = came(quantity=2)
    acts.tick(order, purposes.MAIL_ORDER_RETURN)
    take_all_steps(order)
    acts.relay_and_deliver()
    assert len(sent_topics()) == 5


@pytest.mark.parametrize("actor", ["Sam", BUYER])
def test_of_what_staff_entered_it_says_so(sink, actor):
    order = came()
    acts.tick(order, purposes.MAIL_ORDER_RETURN)
    request_return(order.pk, wish(order), actor=actor)
    acts.relay_and_deliver()
    [mail] = [mail for mail in sink.received if mail.topic == "return_requested"]
    for part in (mail.text, mail.html):
        assert (ENTERED_FOR_BUYER in part) is (actor == "Sam")


def test_it_comes_to_nobody_else():
    everything_else = tuple(key for key in purposes.NEWS_OF_ORDERS if key != purposes.MAIL_ORDER_RETURN)
    take_all_steps(came(quantity=2, customer=builders.customer("pat@example.com", ticks=everything_else)))
    take_all_steps(came(quantity=2))
    acts.relay_and_deliver()
    assert sent_topics() == []


@pytest.mark.parametrize("is_collected", [True, False])
def test_of_what_is_collected_it_does_not_say_that_the_replacement_travels(sink, is_collected):
    method = builders.pickup_method()
    way = {"pickup_store": method.store, "pickup_code": draw_pickup_code(), "shipping_method": method}
    order = came(**(way if is_collected else {}))
    acts.tick(order, purposes.MAIL_ORDER_RETURN)
    made = returned(order, kind=Kind.FAULTY, wanted=Wanted.REPLACEMENT)
    steps.receive_return(made.pk, actor="Sam")
    steps.send_exchange(made.pk, actor="Sam")
    for _ in range(4):
        acts.relay_and_deliver()
    [said] = [mail for mail in sink.received if mail.topic == "return_settled"]
    assert ("The replacement is being made ready" in said.text) is is_collected
    assert ("The replacement is on its way" in said.text) is not is_collected
    assert "its own mail has the dates." in said.text


def test_of_what_costs_more_it_says_that_it_waits_for_its_payment(sink):
    builders.shipping_method()
    order = came()
    acts.tick(order, purposes.MAIL_ORDER_RETURN)
    line = order.lines.get()
    line.product.variants.exclude(pk=line.variant_id).update(price=line.unit_price + 4)
    made = steps.receive_return(exchanged(order).pk, actor="Sam")
    steps.send_exchange(made.pk, actor="Sam")
    for _ in range(4):
        acts.relay_and_deliver()
    [said] = [mail for mail in sink.received if mail.topic == "return_settled"]
    for part in (said.text, said.html):
        assert TO_PAY_WORDS in part
        assert "its own mail has the link to pay it by." in " ".join(part.split())
