"""Staff see that a refund failed, send it again by one button, or note that they gave it back by hand."""

from decimal import Decimal

import pytest
from django.utils import timezone

from orders.models import Order, Refund
from orders.payments import failed_refunds, refunds
from tests import builders
from tests.backoffice.steps import buttons, page_of, said, take

pytestmark = pytest.mark.django_db
LOOK = "/admin/orders/order/?queue=look"


@pytest.fixture(autouse=True)
def _stripe_does_not_answer(monkeypatch):
    for module in (refunds, failed_refunds):
        monkeypatch.setattr(module, "try_send_refund", lambda refund_id: None)


@pytest.fixture
def order() -> Order:
    made = builders.placed_order(builders.variant(price="20.00"))
    refunds.refund_order(made.pk, amount=Decimal(5), actor="Sam", reason="A scratch")
    Refund.objects.update(status=Refund.Status.FAILED, settled_at=timezone.now(), problem="expired_or_canceled_card")
    return made


def test_a_failed_refund_says_what_to_do_and_is_sent_again_by_one_button(staff, order):
    page = staff.get(page_of(order))
    assert buttons(page)[:2] == ["Send again", "Mark given back by hand"]
    words = " ".join(page.text.split())
    assert "It did not reach the buyer. “Send again” tries once more" in words
    assert "Ask the buyer where to transfer it to" in words
    assert "Send again" in staff.get(LOOK).text
    assert f"Sent again: {order.number}." in said(take(staff, "send_refund_again", order))
    again = Refund.objects.get(again_of__isnull=False)
    assert (again.amount, again.reason, again.actor) == (5, "A scratch", "Sam")
    page = staff.get(page_of(order))
    assert "Send again" not in buttons(page)
    assert "It did not reach the buyer" not in page.text
    assert order.number not in staff.get(LOOK).text
    [words] = said(take(staff, "send_refund_again", order))
    assert "seen to already" in words
    assert Refund.objects.count() == 2


def test_given_back_by_hand_it_says_so(staff, order):
    assert said(take(staff, "mark_given_back", order)) == [f"Given back by hand: {order.number}."]
    assert Refund.objects.get(again_of__isnull=False).is_by_hand
    assert "refunded, by hand" in " ".join(staff.get(page_of(order)).text.split())
    [words] = said(take(staff, "mark_given_back", order))
    assert "nothing of it is to be given back by hand" in words
    assert Refund.objects.count() == 2


def test_an_order_of_which_nothing_failed_has_no_such_button(staff):
    fine = builders.placed_order()
    assert "Send again" not in buttons(staff.get(page_of(fine)))
    [words] = said(take(staff, "send_refund_again", fine))
    assert "no refund of it has failed" in words
    assert not Refund.objects.exists()
