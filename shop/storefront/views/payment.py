"""The page between checkout and payment, for whoever has to wait there: it goes on by itself."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from orders import order_access
from orders.models import Order, Payment
from orders.payments import checkout_sessions
from orders.views.redirects import see_other

LONG_WAIT = timedelta(seconds=45)  # after which the page says that it takes longer than it should
ASKED_KEY = "payment_asked"  # in the session: the order whose payment page was just asked for, too slowly
REFRESH_SECONDS, REFRESH_SECONDS_WHEN_LONG = 2, 10
REFUSED = (
    "The payment page could not be opened. Nothing was charged and your cart is as it was. "
    "Please try again, or write to us."
)

FAILED = (
    "Our payment service failed to open the payment page. Nothing was charged and your cart is as it was. "
    "Please press “Continue to payment” once more."
)
NOT_OPENED = "The payment page could not be opened. Nothing was charged. Please try again, or write to us."


@never_cache
@require_safe
def payment_page(request: HttpRequest, number: str) -> HttpResponse:
    """Leads on to Stripe's page as soon as there is one, and to the order when there is nothing to pay any more."""
    order = order_access.get_order_or_404(request, number)
    payment = order.payments.select_related("order").order_by("-id").first()
    if order.status != Order.Status.PENDING or payment is None or payment.status not in checkout_sessions.LIVE:
        return see_other("order", number)
    was_asked = request.session.pop(ASKED_KEY, "") == number  # a moment ago: first they see this page
    if was_asked and payment.status == Payment.Status.CREATED:
        return _render_waiting_page(request, order, payment)
    try:
        return see_other(checkout_sessions.open_checkout_session(payment, waits_for_others=False).redirect_url)
    except checkout_sessions.StripeRefused:
        return _send_back(request, order, REFUSED)
    except checkout_sessions.StripeUnreachable:
        payment.refresh_from_db()
        if payment.problem:  # Stripe failed, and would go on saying so: the next try at checkout asks anew
            return _send_back(request, order, FAILED)
        return _render_waiting_page(request, order, payment)


def _send_back(request: HttpRequest, order: Order, words: str) -> HttpResponse:
    """To where the buyer came from: the checkout, or the page of an order that staff entered."""
    if order.pay_by_at:
        messages.error(request, NOT_OPENED)
        return see_other("order", order.number)
    messages.error(request, words)
    return see_other("checkout")


def _render_waiting_page(request: HttpRequest, order: Order, payment: Payment) -> HttpResponse:
    is_long = timezone.now() - payment.created_at > LONG_WAIT
    context = {
        "order": order,
        "is_long": is_long,
        "refresh_seconds": REFRESH_SECONDS_WHEN_LONG if is_long else REFRESH_SECONDS,
    }
    return render(request, "storefront/payment.html", context)
