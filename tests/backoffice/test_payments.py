"""Payments as staff see them: to look at, and to ask Stripe about."""

import pytest
from django.urls import reverse

from orders.models import Payment
from tests import cast
from tests.backoffice.test_access import signed_in, staff_member
from tests.paying import check_out, fill, standin, standin_process

__all__ = ["standin", "standin_process"]
pytestmark = pytest.mark.django_db

LIST = reverse("admin:orders_payment_changelist")


def ask(staff, payment):
    response = staff.post(LIST, {"action": "settle", "_selected_action": payment.pk}, follow=True)
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def begun(client, standin) -> Payment:
    """Somebody went to the payment page."""
    fill(client)
    return check_out(client)


def test_staff_ask_stripe_and_learn_that_it_was_paid(begun, standin):
    staff = signed_in(cast.sam())
    assert ask(staff, begun) == [f"{begun.order.number}: waiting for the buyer."]
    standin.pay(begun.provider_reference)
    assert ask(staff, begun) == [f"{begun.order.number}: paid."]
    begun.order.refresh_from_db()
    assert begun.order.status == "confirmed"


def test_when_stripe_gives_no_answer_nothing_changes(begun, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"
    (said,) = ask(signed_in(cast.sam()), begun)
    assert "Stripe gives no answer" in said
    begun.refresh_from_db()
    assert begun.status == "open"


def test_whoever_may_only_look_at_payments_asks_nothing(begun, standin):
    standin.pay(begun.provider_reference)
    user = staff_member()
    user.user_permissions.set(user.user_permissions.model.objects.filter(codename="view_payment"))
    ask(signed_in(user), begun)
    begun.refresh_from_db()
    assert begun.status == "open"
