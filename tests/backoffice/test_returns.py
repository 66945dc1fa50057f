"""The staff's queue of returns: what comes, what they find, and how it ends."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessLogEntry
from orders.fulfilment import transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Allocation, Order, OrderEvent, Refund, ReturnAuthorization, ReturnLabel, Withdrawal
from orders.returns import handling, steps
from orders.returns.declaring import Declaration, declare_withdrawal
from orders.returns.refusal import ReturnRefused
from orders.returns.requesting import request_return
from orders.returns.restocking import Inspection
from shop.backoffice.dashboard import get_today_summary
from shop.catalog import stock
from shop.catalog.models import StockMovement
from tests import builders
from tests.backoffice.test_access import signed_in, staff_member
from tests.paying import check_out, check_stock, fill, pay, standin, standin_process
from tests.returns.selling import Kind, Reason, Wanted, came, exchanged, returned, take_back, wish

__all__ = ["standin", "standin_process"]

pytestmark = pytest.mark.django_db

LIST = reverse("admin:orders_returnauthorization_changelist")
WITHDRAWALS = reverse("admin:orders_withdrawal_changelist")


@pytest.fixture(autouse=True)
def _policy():
    take_back(return_refund_days=5)


@pytest.fixture
def staff() -> Client:
    return signed_in(staff_member(role="Staff: orders"))


def act(staff: Client, action: str, *chosen, url: str = LIST, **sent: str) -> list[str]:
    pks = [str(each.pk) for each in chosen]
    page = staff.post(url, {"action": action, "_selected_action": pks, **sent}, follow=True)
    return [str(message) for message in page.context["messages"]]


def received(order: Order, **fields) -> ReturnAuthorization:
    return steps.receive_return(returned(order, **fields).pk, actor="Sam")


def kinds(order: Order) -> list[str]:
    return list(order.events.values_list("kind", flat=True))


def tiles() -> dict[str, int]:
    today = get_today_summary()
    return {tile.title: tile.count for tile in (*today.work, *today.alarms)}


def on_hand(order: Order) -> int:
    return order.lines.get().variant.stock.get().on_hand


# -- It comes, and is looked at --------------------------------------------------------------------------------


def test_received_once_with_the_day_by_which_it_is_settled(staff):
    made = returned(came())
    assert "Returns here" not in tiles()
    assert act(staff, "receive", made) == [f"Received: {made.order.number}."]
    made.refresh_from_db()
    assert made.due_on == timezone.localdate() + timedelta(days=5)
    assert "is here already" in act(staff, "receive", made)[0]
    assert kinds(made.order).count(OrderEvent.Kind.RETURN_RECEIVED) == 1
    assert tiles()["Returns here"] == 1


def test_what_is_overdue_is_on_the_first_page_and_in_its_list(staff):
    made, other = received(came()), received(came())
    ReturnAuthorization.objects.filter(pk=made.pk).update(due_on=timezone.localdate() - timedelta(days=1))
    page = staff.get(f"{LIST}?matter=overdue").text
    assert made.number in page
    assert other.number not in page
    assert "(overdue)" in page
    assert tiles()["Returns overdue"] == 1


def test_good_pieces_go_back_on_the_shelf_and_the_rest_is_written_off(staff):
    order = came(quantity=3)
    made = received(order, count=3)
    before = on_hand(order)
    [line] = made.lines.all()
    asked = staff.post(LIST, {"action": "inspect", "_selected_action": str(made.pk)}).text
    assert "of 3. The rest is written off." in asked
    assert act(staff, "inspect", made, confirm="1", **{f"line-{line.pk}": "2"}) == [f"Looked at: {order.number}."]
    line.refresh_from_db()
    assert (line.restocked_quantity, line.written_off_quantity) == (2, 1)
    assert on_hand(order) == before + 2
    moved = StockMovement.objects.filter(reference=made.number).order_by("pk").values_list("kind", "quantity")
    assert list(moved) == [("returned", 2), ("returned", 1), ("written_off", -1)]
    check_stock()
    assert "looked at already" in act(staff, "inspect", made, confirm="1", **{f"line-{line.pk}": "2"})[0]
    assert on_hand(order) == before + 2


@pytest.mark.parametrize("good", ["4", "-1", ""])
def test_more_than_came_is_not_taken_and_nothing_moves(staff, good):
    order = came(quantity=3)
    made = received(order, count=3)
    before = on_hand(order)
    [line] = made.lines.all()
    act_page = staff.post(
        LIST, {"action": "inspect", "_selected_action": str(made.pk), "confirm": "1", f"line-{line.pk}": good}
    )
    assert "errorlist" in act_page.text
    with pytest.raises(TransitionRefused):
        steps.inspect_return(made.pk, {line.pk: Inspection(2, 2)}, actor="Sam")
    assert on_hand(order) == before
    assert not StockMovement.objects.filter(reference=made.number).exists()


def test_nothing_is_looked_at_or_settled_before_it_is_here(staff):
    made = returned(came())
    [line] = made.lines.all()
    for action, sent in (
        ("inspect", {"confirm": "1", f"line-{line.pk}": "1"}),
        ("send_instead", {}),
        ("repaired", {}),
        ("settle_otherwise", {}),
    ):
        assert "is not here yet" in act(staff, action, made, **sent)[0]
    made.refresh_from_db()
    assert (made.inspected_at, made.settled_at) == (None, None)


def test_withdrawn_goods_are_looked_at_in_the_same_way(staff):
    order = came(quantity=2)
    made = declare_withdrawal(order.pk, Declaration("Pat", order.email), way=Withdrawal.Way.ORDER).withdrawal
    [line] = made.lines.all()
    sent = {"confirm": "1", f"line-{line.pk}": "1"}
    before = on_hand(order)
    assert "not back yet" in act(staff, "inspect_goods", made, url=WITHDRAWALS, **sent)[0]
    assert on_hand(order) == before
    handling.mark_goods_back(made.pk, actor="Sam")
    assert act(staff, "inspect_goods", made, url=WITHDRAWALS, **sent) == [f"Looked at: {order.number}."]
    assert on_hand(order) == before + 1
    assert OrderEvent.Kind.WITHDRAWN_INSPECTED in kinds(order)
    assert "looked at already" in act(staff, "inspect_goods", made, url=WITHDRAWALS, **sent)[0]
    assert on_hand(order) == before + 1
    check_stock()


# -- How it ends -----------------------------------------------------------------------------------------------


def bought(client: Client, standin) -> Order:
    """Paid for at the stand-in, two of one thing, and come."""
    fill(client, builders.product("Tin mug", price="14.00").variants.get(), quantity=2)
    order = pay(client, standin, check_out(client))
    builders.sent_parcel(order, delivered_at=timezone.now())
    return order


def test_the_money_goes_back_by_the_one_door_and_settles_it(client, staff, standin):
    order = bought(client, standin)
    made = received(order)
    asked = staff.post(LIST, {"action": "give_money_back", "_selected_action": str(made.pk)}).text
    assert 'value="14.00"' in asked
    sent = {"confirm": "1", "amount": "14.00", "seen_left": str(order.total), "reason": "You sent it back."}
    act(staff, "give_money_back", made, **sent)
    made.refresh_from_db()
    assert (made.refund.amount, made.refund.status, made.settled_as) == (14, "succeeded", Wanted.REFUND)
    again = {**sent, "seen_left": str(order.total - 14)}
    assert "settled already" in act(staff, "give_money_back", made, **again)[0]
    assert Refund.objects.count() == 1


def test_a_refund_that_fails_leaves_it_to_see_to(staff, standin):
    made = received(came())  # of a payment that Stripe knows nothing of
    steps.refund_return(made.pk, amount=None, actor="Sam")
    assert Refund.objects.get().status == Refund.Status.FAILED
    assert ReturnAuthorization.objects.unsettled().get() == made
    assert "Refund failed" in staff.get(f"{LIST}?matter=here").text


def test_more_than_was_paid_is_not_refunded(staff):
    made = received(came())
    page = staff.post(
        LIST,
        {
            "action": "give_money_back", "_selected_action": str(made.pk),
            "confirm": "1", "amount": "99", "seen_left": "14.00",
        },
    )  # fmt: skip
    assert "£14.00 is left." in page.text
    assert not Refund.objects.exists()
    assert ReturnAuthorization.objects.unsettled().exists()


def test_an_exchange_is_an_order_like_any_other_that_costs_nothing(staff):
    order = came()
    made = steps.receive_return(exchanged(order).pk, actor="Sam")
    act(staff, "send_instead", made)
    made.refresh_from_db()
    sent = made.exchange_order
    [line] = sent.lines.all()
    assert (sent.total, sent.payment_status, line.variant.size, line.quantity) == (0, "paid", "M", 1)
    assert (sent.full_name, sent.email, sent.customer) == (order.full_name, order.email, order.customer)
    assert Allocation.objects.get(order_line=line).quantity == 1
    assert made.exchange_amount == 14
    assert not Refund.objects.exists()
    parcel = sent.shipments.get()
    for step in (transitions.mark_shipment_picked, transitions.mark_shipment_packed):
        step(parcel.pk, actor="Sam")
    transitions.dispatch_shipment(parcel.pk, actor="Sam", carrier="royal_mail", tracking_number="")
    transitions.mark_shipment_delivered(parcel.pk, actor="Sam")
    sent.refresh_from_db()
    assert sent.status == Order.Status.COMPLETED
    assert "settled already" in act(staff, "send_instead", made)[0]
    assert Order.objects.filter(source=Order.Source.EXCHANGE).count() == 1


def test_what_costs_less_gives_the_difference_back(staff, standin):
    order = came()
    line = order.lines.get()
    other = line.product.variants.exclude(pk=line.variant_id).get()
    other.price = 10
    other.save()
    made = steps.receive_return(exchanged(order).pk, actor="Sam")
    act(staff, "send_instead", made)
    made.refresh_from_db()
    assert Refund.objects.get().amount == 4
    assert made.exchange_amount == 10


def test_what_was_sent_in_exchange_goes_back_for_what_went_into_it(staff, standin):
    order = came(quantity=2)
    made = steps.receive_return(exchanged(order, count=2).pk, actor="Sam")
    sent = steps.send_exchange(made.pk, actor="Sam")
    sent.shipments.update(stage="delivered", delivered_at=timezone.now())
    again = steps.receive_return(request_return(sent.pk, wish(sent, count=1)).made.pk, actor="Sam")
    assert again.goods_amount == 14
    steps.refund_return(again.pk, amount=None, actor="Sam")
    assert Refund.objects.get().payment.order == order


def test_gone_meanwhile_the_exchange_says_so_and_nothing_is_written(staff):
    order = came()
    made = steps.receive_return(exchanged(order).pk, actor="Sam")
    other = made.lines.get().exchange_variant
    stock.receive_stock(other.stock.get().pk, quantity=-10, kind="counted")
    assert "there is not enough left" in act(staff, "send_instead", made)[0]
    made.refresh_from_db()
    assert made.settled_at is None
    assert Order.objects.count() == 1


def test_refused_for_a_reason_the_buyer_reads(staff):
    made = received(came())
    assert act(staff, "refuse", made, confirm="1") == []
    act(staff, "refuse", made, confirm="1", reason="It was worn outdoors.")
    made.refresh_from_db()
    assert made.refused_reason == "It was worn outdoors."
    assert "was refused" in act(staff, "send_instead", made)[0]
    assert not Refund.objects.exists()


# -- Something is wrong with it --------------------------------------------------------------------------------


@pytest.mark.parametrize(("country", "grows"), [("DE", True), ("GB", False)])
def test_a_repair_makes_the_guarantee_a_year_longer_where_the_law_says_so(staff, country, grows):
    order = came(country=country)
    made = received(order, kind=Kind.FAULTY, reason=Reason.BROKE)
    act(staff, "repaired", made)
    made.refresh_from_db()
    assert made.settled_as == Wanted.REPAIR
    arrived = timezone.localdate(order.shipments.get().delivered_at)
    assert (made.guarantee_until is not None) == grows
    if grows:
        assert (made.guarantee_until.year, made.guarantee_until.month) == (arrived.year + 3, arrived.month)
    assert returned(order, kind=Kind.FAULTY, words="Again").pk  # it is theirs again


def test_what_was_sent_back_by_choice_is_not_repaired(staff):
    made = received(came())
    assert "is no repair" in act(staff, "repaired", made)[0]
    made.refresh_from_db()
    assert made.settled_at is None


def test_a_replacement_is_the_same_again(staff):
    order = came()
    made = received(order, kind=Kind.FAULTY, wanted=Wanted.REPLACEMENT)
    act(staff, "send_instead", made)
    made.refresh_from_db()
    assert made.settled_as == Wanted.REPLACEMENT
    assert made.exchange_order.lines.get().sku == order.lines.get().sku
    with pytest.raises(ReturnRefused):
        request_return(order.pk, wish(order, kind=Kind.FAULTY, words="Again"))


# -- Who sees it -----------------------------------------------------------------------------------------------


def test_the_number_on_the_slip_finds_it(staff):
    made, other = returned(came()), returned(came())
    page = staff.get(LIST, {"q": made.number}).text
    assert made.number in page
    assert other.number not in page


@pytest.mark.parametrize("role", ["Staff: privacy", "Staff: catalogue"])
def test_other_roles_see_no_returns_and_take_no_steps(role):
    made = returned(came())
    client = signed_in(staff_member(role=role))
    assert client.get(LIST).status_code == 403
    client.post(LIST, {"action": "receive", "_selected_action": str(made.pk)})
    made.refresh_from_db()
    assert made.received_at is None


def test_a_look_at_a_return_is_in_the_buyers_access_log(staff):
    made = returned(came())
    staff.get(reverse("admin:orders_returnauthorization_change", args=[made.pk]))
    assert AccessLogEntry.objects.filter(order_number=made.order.number, about=f"The return {made.number}").exists()


def test_its_page_says_how_it_stands_with_the_label_and_what_that_cost(staff):
    made = returned(came())
    page = reverse("admin:orders_returnauthorization_change", args=[made.pk])
    assert "none asked for" in staff.get(page).text
    label = ReturnLabel.objects.create(return_authorization=made, requested_at=timezone.now())
    assert "none asked for" not in staff.get(page).text
    refused = {"refused_at": timezone.now(), "refused_reason": "The address is not complete."}
    ReturnLabel.objects.filter(pk=label.pk).update(**refused)
    assert "refused: The address is not complete." in staff.get(page).text
    bought = {"carrier": "Royal Mail", "tracking_number": "RB1", "cost": Decimal("3.35"), "file": "x"}
    ReturnLabel.objects.filter(pk=label.pk).update(refused_at=None, made_at=timezone.now(), **bought)
    assert "Royal Mail RB1, £3.35" in staff.get(page).text


@pytest.mark.parametrize("is_paid_back", [True, False])
def test_sending_what_costs_more_says_what_it_waits_for_and_whether_money_goes_back(staff, is_paid_back):
    builders.shipping_method()
    order = came()
    line = order.lines.get()
    line.product.variants.exclude(pk=line.variant_id).update(price=line.unit_price + 4)
    made = steps.receive_return(exchanged(order).pk, actor="Sam")
    if is_paid_back:
        payment = order.payments.get()
        Refund.objects.create(payment=payment, amount=payment.amount, currency="GBP", status=Refund.Status.SUCCEEDED)
    said = act(staff, "send_instead", made)
    made.refresh_from_db()
    assert said[-1].startswith(f"It costs more: {made.exchange_order.number} waits for £18.00; a mail has the link.")
    assert ("The money for what came goes back." in said[-1]) is not is_paid_back
