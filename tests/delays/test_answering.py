"""What follows: the buyer waits, cancels, or says nothing; over HTTP and by the job."""

import re

import pytest
from django.core.cache import cache

from orders.delays import answering
from orders.delays.answering import accept_delay, cancel_for_delay
from orders.delays.finding import see_to_delays
from orders.fulfilment.transitions import TransitionRefused
from orders.models import DelayNotice, Order, OrderEvent, Refund
from orders.order_access import build_delay_link
from shop.catalog.models import StockRecord
from tests import builders, cast
from tests.delays.late import DAY, TODAY, awaiting, fresh, goods_come, late_order, open_by_mail, packed, ship, told
from tests.person import ClientRoad, Person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("standin")]

Kind, Answer = OrderEvent.Kind, DelayNotice.Answer


@pytest.fixture(autouse=True)
def _fresh_limits():
    cache.clear()


def past_its_deadline(order: Order) -> DelayNotice:
    notice = told(order)
    DelayNotice.objects.filter(pk=notice.pk).update(deadline_on=TODAY() - DAY)
    return DelayNotice.objects.get(pk=notice.pk)


def untouched(order: Order) -> bool:
    notice = order.delay_notices.get(is_current=True)
    stands = fresh(order).status == Order.Status.CONFIRMED and not Refund.objects.exists()
    return stands and not notice.answer and notice.ended_at is None


# -- Verbs -----------------------------------------------------------------------------------------------------


def test_who_waits_waits_and_says_so_once():
    order = late_order()
    number = told(order).number
    for _ in range(2):
        assert accept_delay(order.pk, number=number).answer == Answer.WAIT
    assert order.events.filter(kind=Kind.DELAY_ACCEPTED).count() == 1
    assert fresh(order).status == Order.Status.CONFIRMED


def test_who_cancels_gets_the_money_back_and_the_goods_are_free():
    order = late_order()
    cancel_for_delay(order.pk, number=told(order).number)
    assert fresh(order).status == Order.Status.CANCELLED
    assert Refund.objects.get().amount == order.total
    assert StockRecord.objects.get().allocated == 0
    assert order.delay_notices.get().answer == Answer.CANCEL


def test_who_said_they_wait_can_still_cancel():
    order = late_order()
    number = told(order).number
    accept_delay(order.pk, number=number)
    cancel_for_delay(order.pk, number=number)
    assert fresh(order).status == Order.Status.CANCELLED


def test_who_cancelled_cannot_wait_any_more():
    order = late_order()
    number = told(order).number
    cancel_for_delay(order.pk, number=number)
    with pytest.raises(TransitionRefused):
        accept_delay(order.pk, number=number)
    assert order.delay_notices.get().answer == Answer.CANCEL


@pytest.mark.parametrize("verb", [accept_delay, cancel_for_delay])
def test_an_answer_to_older_news_changes_nothing(verb):
    order = awaiting(TODAY() + 10 * DAY)
    first = told(order)
    StockRecord.objects.update(restock_on=TODAY() + 12 * DAY)
    told(order)
    with pytest.raises(TransitionRefused, match="newer news"):
        verb(order.pk, number=first.number)
    assert untouched(order)
    assert not order.events.filter(kind=Kind.DELAY_ACCEPTED).exists()


def test_what_has_left_is_not_cancelled():
    order = late_order()
    number = told(order).number
    ship(packed(order))
    with pytest.raises(TransitionRefused):
        cancel_for_delay(order.pk, number=number)
    assert untouched(order)


# -- Silence ---------------------------------------------------------------------------------------------------


def test_silence_after_the_last_day_cancels_and_gives_the_money_back():
    order = awaiting(None)
    notice = past_its_deadline(order)
    assert see_to_delays() == 1
    notice.refresh_from_db()
    assert fresh(order).status == Order.Status.CANCELLED
    assert Refund.objects.get().amount == order.total
    assert (notice.answer, notice.ended_at is not None) == ("", True)
    assert order.events.get(kind=Kind.CANCELLED).data["reason"] == answering.CANCELLED_BY_RULE
    assert see_to_delays() == 0


def test_on_the_last_day_itself_there_is_still_time():
    order = awaiting(None)
    notice = told(order)
    DelayNotice.objects.filter(pk=notice.pk).update(deadline_on=TODAY())
    assert see_to_delays() == 0
    assert untouched(order)


def test_silence_over_a_first_short_delay_waits():
    order = late_order()
    assert told(order).deadline_on is None
    assert see_to_delays() == 0
    assert untouched(order)


def test_who_waits_is_not_cancelled():
    order = awaiting(None)
    accept_delay(order.pk, number=past_its_deadline(order).number)
    assert see_to_delays() == 0
    assert fresh(order).status == Order.Status.CONFIRMED
    assert not Refund.objects.exists()


def test_what_left_without_an_answer_is_not_cancelled():
    order = awaiting(None)
    past_its_deadline(order)
    goods_come()
    ship(packed(order))
    see_to_delays()
    assert untouched(order)


def test_what_is_on_hold_waits_for_staff():
    order = awaiting(None)
    past_its_deadline(order)
    Order.objects.filter(pk=order.pk).update(hold=Order.Hold.INQUIRY)
    assert see_to_delays() == 0
    assert untouched(order)


# -- The page --------------------------------------------------------------------------------------------------


def test_a_guest_follows_the_link_and_nothing_changes():
    order = late_order()
    told(order)
    person = open_by_mail(order)
    assert (person.status, person.path) == (200, f"/orders/{order.number}/delay/")
    assert person.sees("We are sorry.")
    assert person.sees("If you say nothing, we take it that you wait until")
    assert untouched(order)


def test_one_button_waits():
    order = late_order()
    told(order)
    person = open_by_mail(order).press("Wait")
    assert person.sees("Thank you for waiting.")
    assert order.delay_notices.get().answer == Answer.WAIT
    again = open_by_mail(order)
    assert again.sees("You said that you wait.")


def test_one_button_cancels():
    order = late_order()
    told(order)
    person = open_by_mail(order).press("Cancel and refund")
    assert person.sees("Your money is on its way back")
    assert fresh(order).status == Order.Status.CANCELLED
    assert open_by_mail(order).sees("This order is cancelled.")


def test_the_orders_page_leads_to_the_choice():
    alice = cast.alice()
    order = late_order(customer=alice)
    told(order)
    road = ClientRoad()
    road.client.force_login(alice.user)
    person = Person(road=road).open(f"/orders/{order.number}/")
    assert person.sees("Later than we promised.")
    person.click("Wait, or cancel and refund").press("Wait")
    person.open(f"/orders/{order.number}/")
    assert not person.sees("Later than we promised.")


def test_once_it_has_left_the_page_offers_nothing():
    order = late_order()
    told(order)
    ship(packed(order))
    person = open_by_mail(order)
    assert person.sees("cannot be cancelled from here")
    assert "Cancel and refund" not in person.text


def test_of_an_order_that_is_not_late_there_is_nothing_to_choose():
    order = builders.placed_order()
    assert open_by_mail(order).sees("nothing to choose")


@pytest.mark.parametrize("data", [{}, {"answer": "burn"}, {"answer": "cancel"}, {"answer": "wait", "number": "²"}])
def test_what_no_page_sends_changes_nothing(client, data):
    order = late_order()
    told(order)
    client.get(re.sub(r"^https?://[^/]+", "", build_delay_link(order)))
    answer = client.post(f"/orders/{order.number}/delay/", data)
    assert answer.status_code == 303
    assert untouched(order)


def test_on_hold_the_button_is_refused(client):
    order = late_order()
    number = told(order).number
    Order.objects.filter(pk=order.pk).update(hold=Order.Hold.WARNING)
    client.get(re.sub(r"^https?://[^/]+", "", build_delay_link(order)))
    client.post(f"/orders/{order.number}/delay/", {"answer": "cancel", "number": number})
    assert untouched(order)


@pytest.mark.parametrize("method", ["get", "post"])
def test_strangers_get_the_404_of_an_order_that_is_not_there(client, method):
    order = late_order()
    told(order)
    assert getattr(client, method)(f"/orders/{order.number}/delay/", {"answer": "cancel"}).status_code == 404
    assert client.get(f"/orders/{order.number}/delay/open/forged/").status_code == 404
    assert untouched(order)
