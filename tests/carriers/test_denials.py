"""“It did not come”: the buyer's word against the carrier's."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from orders.fulfilment import denials, queue, transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, OrderEvent, Shipment
from orders.returns.deadlines import compute_withdrawal_period
from orders.status import get_customer_status_label
from orders.timeline import build_timelines
from tests import builders
from tests.backoffice.steps import LIST, buttons, page_of, said, take
from tests.carriers.telling import outline, scan, sent_parcel, tell
from tests.cast import sam
from tests.login import sign_in

pytestmark = pytest.mark.django_db

DENIED = ("You say it did not come", "wait", "We are looking for it, and write to you. You need do nothing.")


def delivered_parcel(hours: float = 40) -> Shipment:
    parcel = sent_parcel()
    return tell(parcel, scan("delivered", parcel, hours=hours))


def url_of(parcel: Shipment, *, removal: bool = False) -> str:
    return f"/orders/{parcel.order.number}/parcels/{parcel.pk}/denial/{'removal/' if removal else ''}"


@pytest.fixture
def buyer(client):
    """A browser that may see the orders of alice."""
    customer = builders.customer("alice@example.com")
    sign_in(client, customer.user)
    return client, customer


def own(parcel: Shipment, customer) -> Shipment:
    Order.objects.filter(pk=parcel.order_id).update(customer=customer)
    return Shipment.objects.get(pk=parcel.pk)


def test_the_buyer_says_so_once_and_takes_it_back(buyer):
    client, customer = buyer
    parcel = own(delivered_parcel(), customer)
    assert "It did not come" in client.get(parcel.order.get_absolute_url()).text
    for _ in range(2):
        assert client.post(url_of(parcel)).status_code == 303
    parcel.refresh_from_db()
    assert parcel.denied_at is not None
    assert outline(parcel)[-1] == DENIED
    assert parcel.events.filter(kind=OrderEvent.Kind.DELIVERY_DENIED).count() == 1
    page = client.get(parcel.order.get_absolute_url()).text
    assert "It came after all" in page
    assert "It did not come</button>" not in page
    for _ in range(2):
        client.post(url_of(parcel, removal=True))
    parcel.refresh_from_db()
    assert parcel.denied_at is None
    assert outline(parcel)[-1][0] == "At your door"
    assert parcel.events.filter(kind=OrderEvent.Kind.DENIAL_TAKEN_BACK).count() == 1


def test_a_denied_delivery_stands_as_denied_wherever_its_buyer_reads_it(buyer):
    client, customer = buyer
    parcel = own(delivered_parcel(), customer)
    pages = (parcel.order.get_absolute_url(), "/account/orders/")
    for page in pages:
        assert '<span class="badge in">Delivered</span>' in client.get(page).text
    client.post(url_of(parcel))
    for page in pages:
        text = client.get(page).text
        assert '<span class="badge wait">You say it did not come</span>' in text
        assert ">Delivered<" not in text
    client.post(url_of(parcel, removal=True))
    for page in pages:
        assert '<span class="badge in">Delivered</span>' in client.get(page).text


def test_a_denied_delivery_stands_as_denied_in_staffs_list(client):
    parcel = delivered_parcel()
    sign_in(client, sam())
    where = f"{LIST}?q={parcel.order.number}"
    assert '<span class="badge in">Delivered</span>' in client.get(where).text
    denials.deny_delivery(parcel.pk, actor="Pat")
    denied = '<span class="badge out">Said not to have come</span>'
    for page in (where, page_of(parcel.order)):
        text = client.get(page).text
        assert denied in text
        assert ">Delivered</span>" not in text
    denials.settle_denial(parcel.pk, actor="Sam", reason="It was next door.")
    assert '<span class="badge in">Delivered</span>' in client.get(where).text


def test_staff_read_of_a_denied_parcel_beside_what_another_waits_for(client):
    parcel = delivered_parcel()
    Shipment.objects.create(order=parcel.order, store=parcel.store)
    denials.deny_delivery(parcel.pk, actor="Pat")
    sign_in(client, sam())
    shown = client.get(f"{LIST}?q={parcel.order.number}").text
    assert '<span class="badge wait">To pick</span> <span class="badge out">Said not to have come</span>' in shown
    assert get_customer_status_label(Order.objects.get()) == "You say it did not come"


def test_a_denial_says_no_more_once_the_parcel_comes_back_or_the_money_went_back():
    parcel = delivered_parcel()
    denied = denials.deny_delivery(parcel.pk, actor="Pat").order
    assert get_customer_status_label(denied) == "You say it did not come"
    denied.payment_status = Order.PaymentStatus.REFUNDED
    assert get_customer_status_label(denied) == "Refunded"
    tell(parcel, scan("returned", parcel, hours=60))
    back = Order.objects.get()
    assert (back.has_denied_delivery, get_customer_status_label(back)) == (False, "Sent back to us")


def test_of_a_parcel_still_on_its_way_nothing_is_denied(buyer):
    client, customer = buyer
    parcel = own(sent_parcel(), customer)
    assert "It did not come" not in client.get(parcel.order.get_absolute_url()).text
    answer = client.post(url_of(parcel), follow=True)
    assert "still on its way" in answer.text
    parcel.refresh_from_db()
    assert (parcel.denied_at, parcel.events.filter(kind=OrderEvent.Kind.DELIVERY_DENIED).count()) == (None, 0)


def test_nobody_else_and_no_other_site_can_say_it(buyer):
    client, customer = buyer
    own_parcel, others = own(delivered_parcel(), customer), delivered_parcel()
    mixed = url_of(own_parcel).replace(f"/{own_parcel.pk}/", f"/{others.pk}/")
    assert client.post(url_of(others)).status_code == 404
    assert client.post(mixed).status_code == 404
    assert client.get(url_of(own_parcel)).status_code == 405
    strict = type(client)(enforce_csrf_checks=True)
    strict.cookies.update(client.cookies)
    assert strict.post(url_of(own_parcel)).status_code == 403
    assert not Shipment.objects.exclude(denied_at=None).exists()


def test_while_it_is_open_so_is_the_time_to_withdraw():
    parcel = delivered_parcel()
    ends_on = compute_withdrawal_period([parcel], days_off=()).ends_on
    assert ends_on is not None
    denied = denials.deny_delivery(parcel.pk, actor="Pat")
    assert compute_withdrawal_period([denied], days_off=()).ends_on is None
    settled = denials.settle_denial(parcel.pk, actor="Sam", reason="It was next door.")
    assert compute_withdrawal_period([settled], days_off=()).ends_on == ends_on


def test_the_time_to_withdraw_counts_from_the_carriers_moment():
    parcel = delivered_parcel(hours=24)
    assert parcel.dispatched_at is not None
    ends_on = compute_withdrawal_period([parcel], days_off=()).ends_on
    arrived_on = timezone.localdate(parcel.dispatched_at + timedelta(hours=24))
    assert ends_on is not None
    assert ends_on - arrived_on < timedelta(days=17)  # a weekend makes way
    assert ends_on >= arrived_on + timedelta(days=14)


def test_staff_find_it_settle_it_and_the_customer_reads_what_came_of_it(client):
    parcel = delivered_parcel()
    denials.deny_delivery(parcel.pk, actor="Pat")
    sign_in(client, sam())
    found = client.get(f"{LIST}?queue={queue.NOT_RECEIVED.key}")
    assert [each.pk for each in found.context["cl"].result_list] == [parcel.order_id]
    assert {each.queue.key: each.count for each in queue.summarize_queues()}["denied"] == 1
    assert "Settle that it did not come" in buttons(found)
    page = client.get(page_of(parcel.order))
    assert "The customer says that it did not come" in page.text
    asked = take(client, "settle_denial", parcel.order)
    assert "What came of it" in asked.text
    assert Shipment.objects.get().denied_at is not None
    done = take(client, "settle_denial", parcel.order, confirm="1", reason="Your neighbour had it.")
    assert said(done) == [f"Settled: {parcel.order.number}."]
    assert Shipment.objects.get().denied_at is None
    assert ("We looked for your parcel", "done", "Your neighbour had it.") in outline(parcel)
    assert not any(each.count for each in queue.summarize_queues())
    again = take(client, "settle_denial", parcel.order, confirm="1", reason="Again")
    assert said(again) == [f"{parcel.order.number}: nobody says that a parcel of it did not come."]


def denied_parcel(hours: float = 60) -> Shipment:
    """Scanned as delivered after 40 hours; some hours after it left its buyer said that it did not come."""
    parcel = delivered_parcel(hours=40)
    denials.deny_delivery(parcel.pk, actor="Pat")
    denied_at = get_moment(parcel, hours=hours)
    parcel.events.filter(kind=OrderEvent.Kind.DELIVERY_DENIED).update(created_at=denied_at)
    return parcel


def get_moment(parcel: Shipment, *, hours: float) -> datetime:
    assert parcel.dispatched_at is not None
    return parcel.dispatched_at + timedelta(hours=hours)


def settle(parcel: Shipment) -> None:
    denials.settle_denial(parcel.pk, actor="Sam", reason="It was still in the depot.")


def scan_again(parcel: Shipment) -> None:
    tell(parcel, scan("delivered", parcel, hours=90))


@pytest.mark.parametrize("steps", [(settle, scan_again), (scan_again, settle)], ids=["settled first", "scanned first"])
def test_settled_and_delivered_after_all_it_waits_for_nobody_and_came_when_it_was_scanned_again(steps):
    parcel = denied_parcel()
    for step in steps:
        step(parcel)
    parcel.refresh_from_db()
    assert (parcel.stage, parcel.denied_at) == (Shipment.Stage.DELIVERED, None)
    assert parcel.delivered_at == get_moment(parcel, hours=90)
    order = Order.objects.get()
    assert (order.has_denied_delivery, order.status) == (False, Order.Status.COMPLETED)
    assert not any(each.count for each in queue.summarize_queues())
    assert [state for title, state, _ in outline(parcel) if title == "At your door"] == ["done"]
    assert parcel.events.filter(kind=OrderEvent.Kind.DELIVERED).count() == 1


def test_the_time_to_withdraw_counts_from_the_moment_it_came_after_all():
    parcel = denied_parcel()
    scan_again(parcel)
    settle(parcel)
    came = get_moment(parcel, hours=90)
    assert compute_withdrawal_period(Order.objects.get().shipments.all(), days_off=()).ends_on >= timezone.localdate(
        came + timedelta(days=14)
    )


@pytest.mark.parametrize("hours", [41, 59])
def test_a_scan_from_before_it_was_denied_moves_no_moment_however_late_it_is_told(hours):
    parcel = denied_parcel()
    settle(parcel)
    assert tell(parcel, scan("delivered", parcel, hours=hours)).delivered_at == get_moment(parcel, hours=40)


def test_scanned_again_it_stays_open_until_its_buyer_or_staff_say_so():
    parcel = denied_parcel()
    scan_again(parcel)
    assert Order.objects.get().has_denied_delivery
    assert {each.queue.key: each.count for each in queue.summarize_queues()}["denied"] == 1


def test_what_goes_back_is_denied_no_more_and_delivered_after_all_it_is_a_delivery_of_its_own():
    parcel = denied_parcel()
    back = tell(parcel, scan("returned", parcel, hours=70))
    assert (back.stage, back.denied_at) == (Shipment.Stage.RETURNED, None)
    assert not any(each.count for each in queue.summarize_queues() if each.queue.key == queue.NOT_RECEIVED.key)
    transitions.mark_shipment_delivered(parcel.pk, actor="Sam")
    assert not Order.objects.get().has_denied_delivery
    assert denials.deny_delivery(parcel.pk, actor="Pat").denied_at is not None


def test_settling_without_a_word_or_what_nobody_denied_is_refused(client):
    parcel = delivered_parcel()
    with pytest.raises(TransitionRefused, match=parcel.order.number):
        denials.settle_denial(parcel.pk, actor="Sam", reason="x")
    denials.deny_delivery(parcel.pk, actor="Pat")
    sign_in(client, sam())
    assert "This field is required" in take(client, "settle_denial", parcel.order, confirm="1", reason="").text
    assert Shipment.objects.get().denied_at is not None


def test_a_pasted_page_is_where_the_customer_is_led(client):
    parcel = sent_parcel()
    sign_in(client, sam())
    assert "Address of the page" in take(client, "paste_tracking_page", parcel.order).text
    field, page = f"{parcel.pk}-address", "https://follow.example.com/p/7?x=1"
    for wrong in ("http://follow.example.com/", "javascript:alert(1)", "https://a@b.example/", "https://nowhere"):
        answer = take(client, "paste_tracking_page", parcel.order, confirm="1", **{field: wrong})
        assert not answer.redirect_chain
        assert Shipment.objects.get().tracking_page == ""
    done = take(client, "paste_tracking_page", parcel.order, confirm="1", **{field: page})
    assert said(done) == [f"The tracking page is noted: {parcel.order.number}."]
    (story,) = build_timelines(Order.objects.get())
    assert page in [step.link_url for step in story.steps]
    assert said(take(client, "paste_tracking_page", parcel.order, confirm="1", **{field: page})) == [
        "Nothing was changed."
    ]
    take(client, "paste_tracking_page", parcel.order, confirm="1", **{field: ""})
    assert Shipment.objects.get().tracking_page == ""
