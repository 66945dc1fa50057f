"""An order that was to go together: what is here is sent ahead, and the rest keeps its own day."""

import pytest

from orders import line_cancellation
from orders.arrivals import list_arrivals
from orders.delays.finding import see_to_delays
from orders.fulfilment import splitting, transitions, undoing
from orders.fulfilment.transitions import TransitionRefused
from orders.models import DelayNotice, Order, OrderEvent, Shipment
from orders.status import get_customer_status_label
from orders.timeline import build_timelines
from shop.catalog.models import Product, StockRecord
from tests import builders
from tests.backoffice.conftest import staff
from tests.backoffice.steps import buttons, page_of, said, take
from tests.delays.late import DAY, TODAY, fresh, goods_come, order_due
from tests.delays.two_parcels import approve, get_kettle, get_parcel, get_scarf, send
from tests.paying import check_stock

__all__ = ["staff"]

pytestmark = pytest.mark.django_db
Kind, Stage = OrderEvent.Kind, Shipment.Stage
FAR = TODAY() + 40 * DAY
BUTTON = "Send what is here"


def together(by_on=FAR, *, kettles_here: int = 0, **fields) -> Order:
    """A scarf that is here, and a kettle that is still to come."""
    builders.tax_rate()
    scarf = builders.product("Scarf", price="10.00").variants.get()
    kettle = builders.product("Kettle", price="25.00", on_hand=kettles_here).variants.get()
    StockRecord.objects.filter(variant=kettle).update(backorder_limit=9)
    return order_due(by_on, scarf, kettle, **fields)


def split(order: Order) -> None:
    splitting.split_order(order.pk, actor="Sam")


def says_no(order: Order, why: str) -> bool:
    """Refused with that sentence, not offered, and nothing has changed."""
    before = facts(order)
    with pytest.raises(TransitionRefused, match=why):
        split(order)
    return facts(order) == before and splitting.find_parts(fresh(order)) is None


def facts(order: Order) -> tuple[object, ...]:
    days = order.lines.order_by("pk").values_list("goes_first", "ships_on", "promised_by_on")
    inside = order.shipments.order_by("pk").values_list("stage", "lines__order_line", "lines__quantity")
    return fresh(order).ships_as_ready, list(days), list(inside), order.events.count()


@pytest.mark.parametrize("is_approved", [False, True])
def test_what_is_here_leaves_and_the_rest_keeps_its_day(is_approved):
    order = together()
    if is_approved:
        approve(order)
    split(order)
    now, scarf, kettle = fresh(order), get_scarf(order), get_kettle(order)
    assert (now.promised_by_on, now.first_promised_by_on, kettle.promised_by_on) == (FAR, None, FAR)
    assert TODAY() < scarf.promised_by_on < FAR
    assert scarf.ships_on < kettle.ships_on == order.ships_on
    assert (scarf.goes_first, kettle.goes_first, now.ships_as_ready) == (True, False, True)
    assert [titles for _, titles in list_arrivals(now)] == [["Scarf"], ["Kettle"]]
    if not is_approved:
        approve(order)
    assert get_parcel(scarf).pk < get_parcel(kettle).pk
    assert {get_parcel(line).stage for line in (scarf, kettle)} == {Stage.WAITING}
    send(scarf)
    assert get_customer_status_label(fresh(order)) == "Partly on its way"
    with pytest.raises(TransitionRefused, match="waits for goods"):
        transitions.mark_shipment_picked(get_parcel(kettle).pk, actor="Sam")
    goods_come()
    send(kettle)
    assert fresh(order).fulfilment_status == Order.FulfilmentStatus.DISPATCHED
    check_stock()


def test_it_stands_once_in_the_story_where_it_happened_and_nobody_is_mailed():
    order = together()
    approve(order)
    split(order)
    [event] = order.events.filter(kind=Kind.SPLIT)
    assert (event.actor, event.data) == ("Sam", {"what": ["Scarf"], "rest": ["Kettle"]})
    for story in build_timelines(fresh(order)):
        titles = [step.title for step in story.steps]
        assert titles.count("In two parcels") == 1
        assert titles.index("Placed and paid") < titles.index("In two parcels") < titles.index("Picked")
        assert "First: Scarf. Then: Kettle." in {step.text for step in story.steps}


def test_nothing_is_charged_and_no_sum_moves():
    order = together()
    before = order.total, order.shipping_total, order.tax_total
    split(order)
    assert (fresh(order).total, fresh(order).shipping_total, fresh(order).tax_total) == before


def test_what_is_here_is_never_promised_later_than_it_was():
    order = together(TODAY() + 2 * DAY)
    split(order)
    assert get_scarf(order).promised_by_on == TODAY() + 2 * DAY


def test_where_nobody_knew_a_day_what_is_here_has_one_and_the_rest_none():
    order = together(None)
    split(order)
    assert get_scarf(order).promised_by_on > TODAY()
    assert (get_kettle(order).promised_by_on, fresh(order).promised_by_on) == (None, None)


def test_what_is_not_out_yet_is_the_rest_though_it_lies_on_the_shelf():
    order = together(kettles_here=5)
    Product.objects.filter(title="Kettle").update(released_on=TODAY() + 9 * DAY)
    split(order)
    assert (get_scarf(order).goes_first, get_kettle(order).goes_first) == (True, False)


def test_an_open_delay_is_of_the_rest_alone_and_silence_ends_no_more():
    order = together(TODAY() + 2 * DAY)
    approve(order)
    see_to_delays()
    notice = order.delay_notices.get()
    assert notice.rule == DelayNotice.Rule.SILENCE_CANCELS
    split(order)
    DelayNotice.objects.update(deadline_on=TODAY() - DAY)
    see_to_delays()
    assert (get_scarf(order).open_quantity, get_kettle(order).open_quantity) == (1, 0)
    assert fresh(order).status == Order.Status.CONFIRMED


@pytest.mark.parametrize("was_told", [True, False])
def test_what_is_here_slips_again_where_its_buyer_was_told_of_a_delay_before_it_was_divided(was_told):
    order = together(TODAY() + 2 * DAY if was_told else FAR)
    approve(order)
    see_to_delays()
    assert order.delay_notices.exists() == was_told
    split(order)
    order.lines.filter(title="Scarf").update(promised_by_on=TODAY() + 2 * DAY)
    see_to_delays()
    notice = order.delay_notices.get(is_of_first=True)
    assert notice.rule == (DelayNotice.Rule.SILENCE_CANCELS if was_told else DelayNotice.Rule.SILENCE_WAITS)


def test_where_approval_is_taken_back_it_still_goes_in_two():
    order = together()
    approve(order)
    split(order)
    undoing.take_back_step(order.pk, actor="Sam", seen=order.events.get(kind=Kind.APPROVED).pk)
    approve(order)
    live = order.shipments.exclude(stage=Stage.CANCELLED)
    assert [[line.order_line.title for line in parcel.lines.all()] for parcel in live] == [["Scarf"], ["Kettle"]]


# -- Refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_approved", [False, True])
def test_where_all_of_it_is_here_or_none_it_goes_together(is_approved):
    whole, none = together(kettles_here=5), together()
    StockRecord.objects.filter(variant=get_scarf(none).variant).update(on_hand=0, backorder_limit=9)
    get_scarf(none).allocations.update(awaits_goods=True)
    if is_approved:
        approve(whole)
        approve(none)
    assert says_no(whole, "is all here")
    assert says_no(none, "nothing of it is here")


@pytest.mark.parametrize("stage", [Stage.PICKING, Stage.PICKED, Stage.PACKED])
def test_once_somebody_picks_it_it_goes_as_it_is(stage):
    order = together(kettles_here=5)
    Product.objects.filter(title="Kettle").update(released_on=TODAY() + 9 * DAY)
    approve(order)
    order.shipments.update(stage=stage)
    assert says_no(order, "being made ready already")


def test_split_twice_it_is_split_once():
    order = together()
    approve(order)
    split(order)
    assert says_no(order, "two parcels already")
    assert order.shipments.count() == 2


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"hold": "warning"}, "on hold"), ({"status": "cancelled"}, "not open"), ({"status": "pending"}, "not open")],
)
def test_what_is_on_hold_or_not_open_is_not_divided(fields, why):
    order = together()
    Order.objects.filter(pk=order.pk).update(**fields)
    assert says_no(order, why)


def test_what_is_collected_lies_ready_all_together():
    order = together()
    Order.objects.filter(pk=order.pk).update(pickup_store=builders.store())
    assert says_no(order, "collected by its buyer")


def test_of_several_pieces_of_one_thing_all_wait_for_the_last():
    item = builders.variant(on_hand=2)
    StockRecord.objects.filter(variant=item).update(backorder_limit=9)
    assert says_no(builders.placed_order(item, quantity=3), "nothing of it is here")


def test_what_was_cancelled_meanwhile_leaves_nothing_to_divide():
    order = together()
    line_cancellation.cancel_lines(order.pk, {get_scarf(order).pk: 1}, actor="Sam", seen_cancelled=0)
    assert says_no(order, "nothing of it is here")


# -- By staff --------------------------------------------------------------------------------------------------


def test_staff_see_what_goes_first_and_send_it(staff):
    order = together()
    approve(order)
    assert BUTTON in buttons(staff.get(page_of(order)))
    asked = " ".join(take(staff, "send_what_is_here", order).text.split())
    assert "First: Scarf. The rest: Kettle, still promised by" in asked
    assert order.shipments.count() == 1
    assert said(take(staff, "send_what_is_here", order, confirm="1")) == [f"Goes in two parcels: {order.number}."]
    page = staff.get(page_of(order))
    assert BUTTON not in buttons(page)
    assert buttons(page)[0] == "Start picking"
    assert "What is here goes ahead" in page.text
    assert order.events.get(kind=Kind.SPLIT).actor == "Sam"


def test_staff_are_told_where_there_is_nothing_to_send_ahead(staff):
    order, mixed = together(kettles_here=5), together()
    assert BUTTON not in buttons(staff.get(page_of(order)))
    [words] = said(take(staff, "send_what_is_here", order))
    assert words.startswith(f"{order.number}: there is nothing to send ahead")
    assert f"{order.number}</strong> stays as it is" in take(staff, "send_what_is_here", order, mixed).text
    assert sorted(said(take(staff, "send_what_is_here", order, mixed, confirm="1"))) == sorted(
        [f"{order.number} is all here, so it goes in one parcel.", f"Goes in two parcels: {mixed.number}."]
    )
    assert [fresh(each).ships_as_ready for each in (order, mixed)] == [False, True]
