"""From paid to the doorstep: every step from every standing, what it leaves behind, and what it refuses."""

from collections.abc import Callable

import pytest

from accounts.consent.purposes import MailKind
from notifications.topics import TOPICS
from orders import cancellation, stages, status
from orders.fulfilment import approval_rule, transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Allocation, Order, OrderEvent, Refund, Shipment, ShopSettings
from orders.payments import checkout_sessions
from shop.catalog import stock
from shop.catalog.models import StockMovement, StockRecord, Store
from tests import builders
from tests.orders.lifecycle_page import DocumentedStep, read_documented_steps
from tests.paying import check_stock

pytestmark = pytest.mark.django_db

Stage = Shipment.Stage
Kind = OrderEvent.Kind


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    """Refunds stay noted; what Stripe makes of them is tested with the refunds."""
    monkeypatch.setattr(checkout_sessions, "try_send_refund", lambda refund_id: None)


def parcel(order: Order) -> int:
    return order.shipments.get().pk


TYPED = {
    Stage.PACKED: {"note": "Hello", "packed_by": "Sam"},
    Stage.DISPATCHED: {"carrier": "dpd", "tracking_number": "15501234567890"},
}


def step_to(row: stages.ParcelStage) -> Callable[[Order], object]:
    verb, typed = getattr(transitions, row.verb), TYPED.get(row.stage, {})
    if row is stages.ROAD[0]:
        return lambda order: verb(order.pk, actor="Sam")
    return lambda order: verb(parcel(order), actor="Sam", **typed)


VERBS: dict[str, Callable[[Order], object]] = {row.button.action: step_to(row) for row in stages.ROAD}
VERBS["cancel"] = lambda order: cancellation.cancel_order(order.pk, actor="Sam", reason="Asked to")
STEPS = read_documented_steps()  # not the shop's own table: that one is what is tried
ACTION_OF = {row.verb: row.button.action for row in stages.ROAD}
ACTIONS = [ACTION_OF[step.verb] for step in STEPS]
TO_THE_TRUCK = ACTIONS[: ACTIONS.index("ship")]


def find_actions_to(step: DocumentedStep) -> list[str]:
    """By the steps the page has, each the nearest before the next; of what scans usually tell, none in between."""
    way = [step]
    while way[0].follows:
        before = [each for each in STEPS[: STEPS.index(way[0])] if each.leads_to in way[0].follows]
        usual = [each for each in before if each.leads_to in {row.stage for row in stages.USUAL_ROAD}]
        way.insert(0, (usual or before)[-1])
    return [ACTION_OF[each.verb] for each in way]


def steps_from(at: int) -> set[str]:
    """What the page lets be done with a parcel that has come so far."""
    onward = {ACTION_OF[step.verb] for step in STEPS if STEPS[at].leads_to in step.follows}
    return onward | ({"cancel"} if at < len(TO_THE_TRUCK) else set())


# where an order stands: (steps that lead there, what may be done from there)
STANDINGS: dict[str, tuple[list[str], set[str]]] = {
    "pending": ([], set()),
    "placed": ([], {"approve", "cancel"}),
    **{step.leads_to: (find_actions_to(step), steps_from(at)) for at, step in enumerate(STEPS)},
    "cancelled": (["approve", "cancel"], set()),
}
NEEDS_A_PARCEL = set(VERBS) - {"approve", "cancel"}
EVENT_OF = {ACTION_OF[step.verb]: step.event for step in STEPS} | {"cancel": Kind.CANCELLED}


def order_standing(standing: str) -> Order:
    order = builders.placed_order(builders.variant(on_hand=5), quantity=2)
    for step in STANDINGS[standing][0]:
        VERBS[step](order)
    if standing == "pending":
        Order.objects.update(status=Order.Status.PENDING, placed_at=None, payment_status="unpaid")
        order.payments.update(status="open")
    order.refresh_from_db()
    return order


def everything() -> list[object]:
    """All that a step could change."""
    tables = [Order, Shipment, OrderEvent, Refund, Allocation, StockRecord, StockMovement]
    return [list(table.objects.order_by("pk").values()) for table in tables]


CASES = [
    (standing, verb)
    for standing in STANDINGS
    for verb in VERBS
    if verb not in NEEDS_A_PARCEL or standing not in ("pending", "placed")
]


@pytest.mark.parametrize(("standing", "verb"), CASES)
def test_each_step_is_taken_where_it_follows_and_refused_elsewhere(standing, verb):
    order = order_standing(standing)
    before, events = everything(), order.events.count()
    if verb in STANDINGS[standing][1]:
        VERBS[verb](order)
        assert order.events.count() == events + 1
        newest = order.events.latest("pk")
        assert (newest.kind, newest.actor) == (EVENT_OF[verb], "Sam")
    else:
        with pytest.raises(TransitionRefused, match=order.number):
            VERBS[verb](order)
        assert everything() == before
    check_stock()


def test_the_page_about_the_road_tells_each_step_as_it_is():
    topic_of = {topic.event: topic.key for topic in TOPICS.values() if topic.kind is MailKind.SERVICE}
    assert [
        DocumentedStep(
            row.verb,
            row.button.label,
            row.follows,
            row.stage,
            row.event,
            topic_of[row.event] if row.mail_purpose else "",
        )
        for row in stages.ROAD
    ] == STEPS


def test_a_step_taken_twice_says_so():
    order = order_standing("waiting")
    with pytest.raises(TransitionRefused, match="approved already"):
        VERBS["approve"](order)
    VERBS["start_picking"](order)
    with pytest.raises(TransitionRefused, match="“being picked” already"):
        VERBS["start_picking"](order)
    VERBS["cancel"](order)
    with pytest.raises(TransitionRefused, match="cancelled already"):
        VERBS["cancel"](order)


def test_goods_are_promised_until_they_leave_and_then_are_gone():
    order = order_standing("packed")
    record = StockRecord.objects.get()
    assert (record.on_hand, record.allocated) == (5, 2)
    VERBS["ship"](order)
    record.refresh_from_db()
    assert (record.on_hand, record.allocated) == (3, 0)
    movement = StockMovement.objects.get(kind=StockMovement.Kind.DISPATCHED)
    assert (movement.quantity, movement.reference, movement.actor) == (-2, order.number, "Sam")


@pytest.mark.parametrize("standing", ["placed", "waiting", "packed"])
def test_cancelling_before_it_leaves_frees_the_goods_and_asks_for_the_money_back(standing):
    order = order_standing(standing)
    VERBS["cancel"](order)
    order.refresh_from_db()
    record = StockRecord.objects.get()
    assert (order.status, record.on_hand, record.allocated) == ("cancelled", 5, 0)
    assert set(order.shipments.values_list("stage", flat=True)) <= {Stage.CANCELLED}
    assert Refund.objects.get().amount == order.total
    assert order.events.get(kind=Kind.CANCELLED).data == {"reason": "Asked to", "amount": "28.00"}


def test_after_it_has_left_nothing_can_be_cancelled():
    order = order_standing("dispatched")
    with pytest.raises(TransitionRefused, match="has left"):
        VERBS["cancel"](order)
    assert not Refund.objects.exists()
    assert Order.objects.get().status == "confirmed"


def test_each_store_packs_a_parcel_of_its_own():
    here, there = builders.variant(on_hand=3), builders.variant(on_hand=3)
    barn = Store.objects.create(name="The barn", position=5)
    there.stock.update(store=barn)
    order = builders.placed_order(here, there)
    VERBS["approve"](order)
    first, second = order.shipments.order_by("store__position")
    assert [line.order_line.variant for line in first.lines.all()] == [here]
    assert [line.order_line.variant for line in second.lines.all()] == [there]
    for shipment in (first, second):
        transitions.mark_shipment_picked(shipment.pk, actor="Sam")
        transitions.mark_shipment_packed(shipment.pk, actor="Sam")
    transitions.dispatch_shipment(first.pk, actor="Sam", carrier="dpd", tracking_number="1")
    assert there.stock.get().allocated == 1  # the other parcel is still here
    order.refresh_from_db()
    assert order.fulfilment_status == "partly_sent"
    transitions.dispatch_shipment(second.pk, actor="Sam", carrier="dpd", tracking_number="2")
    transitions.mark_shipment_delivered(first.pk, actor="Sam")
    order.refresh_from_db()
    assert (order.status, order.fulfilment_status) == ("confirmed", "dispatched")
    transitions.mark_shipment_delivered(second.pk, actor="Sam")
    order.refresh_from_db()
    assert (order.status, order.fulfilment_status) == ("completed", "delivered")
    check_stock()


def test_goods_that_have_not_arrived_cannot_leave():
    variant = builders.variant(on_hand=1)
    variant.stock.update(backorder_limit=5)
    order = builders.placed_order(variant)
    for step in TO_THE_TRUCK:
        VERBS[step](order)
    stock.receive_stock(variant.stock.get().pk, quantity=-1, kind="counted")  # it was never there
    before = everything()
    with pytest.raises(TransitionRefused, match="not in stock yet"):
        VERBS["ship"](order)
    assert everything() == before
    stock.receive_stock(variant.stock.get().pk, quantity=1)
    VERBS["ship"](order)
    check_stock()


def test_an_order_with_nothing_set_aside_is_not_approved():
    order = builders.paid_order()
    with pytest.raises(TransitionRefused, match="Nothing is set aside"):
        VERBS["approve"](order)
    order.refresh_from_db()
    assert order.approved_at is None


@pytest.mark.parametrize(("limit", "is_approved"), [(None, False), ("13.99", False), ("14.00", True), ("99", True)])
def test_orders_up_to_the_limit_approve_themselves(limit, is_approved):
    ShopSettings.objects.update_or_create(pk=1, defaults={"approve_up_to": limit})
    order = builders.placed_order(builders.variant(price="14.00"))
    approval_rule.approve_by_rule(order)
    assert order.shipments.exists() is is_approved
    assert list(order.events.filter(kind=Kind.APPROVED).values_list("actor", flat=True)) == ["rule"] * is_approved


def test_what_the_rule_cannot_approve_waits_for_staff():
    ShopSettings.objects.update_or_create(pk=1, defaults={"approve_up_to": "99"})
    order = builders.paid_order()
    approval_rule.approve_by_rule(order)
    order.refresh_from_db()
    assert (order.status, order.approved_at) == ("confirmed", None)


def test_who_packed_it_signs_the_note():
    order = order_standing("packed")
    shipment = order.shipments.get()
    assert (shipment.packing_note, shipment.packed_by) == ("Hello", "Sam")


@pytest.mark.parametrize("standing", STANDINGS)
def test_the_stored_axes_are_those_the_rules_give(standing):
    order = order_standing(standing)
    before = (order.payment_status, order.fulfilment_status)
    status.recalculate(order)
    order.refresh_from_db()
    assert (order.payment_status, order.fulfilment_status) == before
