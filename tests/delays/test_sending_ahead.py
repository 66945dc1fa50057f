"""The news of a delay offers a third answer: what is here is sent first, and its buyer waits for the rest."""

import re

import pytest
from django.core.cache import cache

from orders import cancellation
from orders.delays.answering import NOT_SENT_AHEAD, accept_delay, send_ahead
from orders.delays.finding import see_to_delays
from orders.events import BUYER
from orders.fulfilment import splitting, transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import DelayNotice, Order, OrderEvent
from orders.order_access import build_delay_link
from orders.timeline import build_timelines
from shop.catalog.models import StockRecord
from tests import builders
from tests.delays.late import DAY, TODAY, fresh, goods_come, late_order, open_by_mail, told
from tests.delays.two_parcels import approve, get_kettle, get_scarf, order_in_two
from tests.orders.test_splitting import facts, together
from tests.paying import check_stock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("standin")]

Kind, Answer, Rule = OrderEvent.Kind, DelayNotice.Answer, DelayNotice.Rule
BUTTON = "Send what is here, the rest when it comes"


@pytest.fixture(autouse=True)
def _fresh_limits():
    cache.clear()


def expect_kettles(in_days: int | None) -> None:
    day = None if in_days is None else TODAY() + in_days * DAY
    StockRecord.objects.filter(variant__product__title="Kettle").update(restock_on=day)


def asked(*, in_days: int | None = 20, **fields) -> Order:
    """A scarf is here; its buyer was told that the kettle comes later, by a day or by none."""
    order = together(TODAY() + 2 * DAY, **fields)
    expect_kettles(in_days)
    approve(order)
    see_to_delays()
    return fresh(order)


def choose(order: Order) -> DelayNotice:
    return send_ahead(order.pk, number=order.delay_notices.get(is_current=True, is_of_first=False).number)


def says_no(order: Order, why: str, *, number: int = 1) -> bool:
    before = facts(order), list(order.delay_notices.values_list("answer", "ended_at"))
    with pytest.raises(TransitionRefused, match=re.escape(why)):
        send_ahead(order.pk, number=number)
    return (facts(order), list(order.delay_notices.values_list("answer", "ended_at"))) == before


def list_kinds(order: Order) -> list[str]:
    return list(order.events.values_list("kind", flat=True))


# -- Chosen ----------------------------------------------------------------------------------------------------


def test_one_button_sends_what_is_here_and_the_buyer_waits_for_the_rest():
    order = asked()
    before = order.total, order.shipping_total, order.promised_by_on
    person = open_by_mail(order)
    assert person.sees("We can send the Scarf ahead, with you by")
    assert person.sees("and you pay nothing more. The rest, the Kettle, follows by")
    person.press(BUTTON)
    assert person.sees("What is here goes first, and the rest when it comes.")
    now = fresh(order)
    assert now.ships_as_ready
    assert (now.total, now.shipping_total, now.promised_by_on) == before
    assert TODAY() < get_scarf(order).promised_by_on < get_kettle(order).promised_by_on == now.promised_by_on
    assert order.delay_notices.get().answer == Answer.WAIT
    assert list_kinds(order)[-2:] == [Kind.SPLIT, Kind.DELAY_ACCEPTED]
    assert set(order.events.order_by("-pk")[:2].values_list("actor", flat=True)) == {BUYER}
    check_stock()


def test_the_story_says_who_chose():
    chosen, divided = asked(), asked()
    choose(chosen)
    splitting.split_order(divided.pk, actor="Sam")
    for order, words in (
        (chosen, "You chose that. First: Scarf. Then: Kettle."),
        (divided, "First: Scarf. Then: Kettle."),
    ):
        for story in build_timelines(fresh(order)):
            assert [step.text for step in story.steps if step.title == "In two parcels"] == [words]


def test_to_follow_the_link_or_only_look_changes_nothing(client):
    order = asked()
    before = facts(order)
    path = re.sub(r"^https?://[^/]+", "", build_delay_link(order))
    for method in (client.get, client.head):
        method(path, follow=True)
        assert method(f"/orders/{order.number}/delay/", {"answer": "ahead", "number": "1"}).status_code == 200
    assert facts(order) == before
    assert order.delay_notices.get().answer == ""


def test_who_said_they_wait_may_still_have_it_sent_ahead():
    order = asked()
    accept_delay(order.pk, number=1)
    open_by_mail(order).press(BUTTON)
    assert fresh(order).ships_as_ready
    assert (list_kinds(order).count(Kind.SPLIT), list_kinds(order).count(Kind.DELAY_ACCEPTED)) == (1, 1)
    assert BUTTON not in open_by_mail(order).text


def test_chosen_twice_it_is_divided_once():
    order = asked()
    for _ in range(2):
        assert choose(order).answer == Answer.WAIT
    assert (list_kinds(order).count(Kind.SPLIT), list_kinds(order).count(Kind.DELAY_ACCEPTED)) == (1, 1)
    assert order.shipments.count() == 2


def test_where_staff_were_first_it_is_a_yes_to_the_day_of_the_rest():
    order = asked()
    splitting.split_order(order.pk, actor="Sam")
    assert choose(order).answer == Answer.WAIT
    assert order.events.get(kind=Kind.SPLIT).actor == "Sam"
    assert order.shipments.count() == 2


# -- What the yes is worth -------------------------------------------------------------------------------------


def test_silence_ends_nothing_any_more():
    order = asked(in_days=None)
    assert order.delay_notices.get().rule == Rule.SILENCE_CANCELS
    choose(order)
    DelayNotice.objects.update(deadline_on=TODAY() - DAY)
    see_to_delays()
    assert {line.open_quantity for line in order.lines.all()} == {1}
    assert fresh(order).status == Order.Status.CONFIRMED


def test_a_yes_without_a_day_is_for_the_rest_however_long():
    order = asked(in_days=None)
    choose(order)
    expect_kettles(40)
    assert told(order).rule == Rule.AGREED


def test_what_goes_first_is_asked_about_anew_where_it_slips_after_all():
    order = asked(in_days=None)
    choose(order)
    order.lines.filter(title="Scarf").update(promised_by_on=TODAY() + 2 * DAY)
    see_to_delays()
    assert order.delay_notices.get(is_of_first=True).rule == Rule.SILENCE_CANCELS


def test_the_rest_can_still_be_cancelled_alone():
    order = asked()
    choose(order)
    person = open_by_mail(order)
    assert person.sees("You said that you wait. You can still cancel that parcel until it leaves us.")
    person.press("Cancel that parcel and refund it")
    assert person.sees("That parcel is cancelled.")
    assert (get_scarf(order).open_quantity, get_kettle(order).open_quantity) == (1, 0)


def test_divided_by_staff_the_question_is_about_the_rest_and_says_so(buyer_page):
    order = asked(in_days=None)
    splitting.split_order(order.pk, actor="Sam")
    for person in (open_by_mail(order), buyer_page(order)):
        assert person.sees("we cancel the Kettle and give the money for that back.")
        assert not person.sees("give your money back")
    open_by_mail(order).press("Cancel that parcel and refund it")
    assert (get_scarf(order).open_quantity, get_kettle(order).open_quantity) == (1, 0)


@pytest.fixture
def buyer_page():
    """The order's own page, by the way of the mail."""
    return lambda order: open_by_mail(order).open(f"/orders/{order.number}/")


# -- Not offered, and refused ----------------------------------------------------------------------------------


def test_where_all_of_it_is_late_together_nothing_is_offered():
    order = late_order()
    told(order)
    person = open_by_mail(order)
    assert person.has_button("Wait")
    assert not person.has_button(BUTTON)
    assert says_no(order, NOT_SENT_AHEAD)


def test_of_what_was_bought_in_two_parcels_nothing_is_offered():
    order = order_in_two(TODAY() + 2 * DAY, TODAY() + 60 * DAY)
    see_to_delays()
    assert not open_by_mail(order).has_button(BUTTON)
    assert says_no(order, NOT_SENT_AHEAD)


@pytest.mark.parametrize(
    "happens",
    [
        lambda order: goods_come(),
        lambda order: order.shipments.update(stage="picking"),
        lambda order: Order.objects.filter(pk=order.pk).update(hold="warning"),
        lambda order: Order.objects.filter(pk=order.pk).update(pickup_store=builders.store()),
    ],
    ids=["all of it is here", "it is being picked", "it is on hold", "it is collected"],
)
def test_what_changed_since_the_page_was_shown_is_not_divided(happens):
    order = asked()
    person = open_by_mail(order)
    happens(order)
    before = facts(order)
    person.press(BUTTON)
    assert person.sees(NOT_SENT_AHEAD)
    assert not person.has_button(BUTTON)
    assert facts(order) == before
    assert says_no(order, NOT_SENT_AHEAD)


def test_what_has_ended_is_not_divided():
    order = asked()
    cancellation.cancel_order(order.pk, actor="Sam")
    assert says_no(order, "has ended already")


def test_an_answer_to_older_news_divides_nothing():
    order = asked()
    expect_kettles(30)
    see_to_delays()
    assert says_no(order, "newer news")


@pytest.mark.parametrize("data", [{"answer": "ahead"}, {"answer": "ahead", "number": "7"}, {"answer": "AHEAD"}])
def test_what_no_page_sends_divides_nothing(client, data):
    order = asked()
    before = facts(order)
    client.get(re.sub(r"^https?://[^/]+", "", build_delay_link(order)))
    assert client.post(f"/orders/{order.number}/delay/", data).status_code == 303
    assert facts(order) == before


def test_strangers_divide_nothing(client):
    order = asked()
    before = facts(order)
    assert client.post(f"/orders/{order.number}/delay/", {"answer": "ahead", "number": 1}).status_code == 404
    assert facts(order) == before


def test_sent_ahead_it_leaves_and_the_rest_follows():
    order = asked()
    choose(order)
    first = order.shipments.get(lines__order_line__title="Scarf")
    transitions.mark_shipment_picked(first.pk, actor="Sam")
    with pytest.raises(TransitionRefused, match="waits for goods"):
        transitions.mark_shipment_picked(order.shipments.exclude(pk=first.pk).get().pk, actor="Sam")
