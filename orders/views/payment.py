"""Where the buyer of an order that staff entered goes on to pay it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from orders import order_access, staff_orders
from orders.payments.checkout_sessions import StripeUnreachable
from orders.views.redirects import see_other


@require_POST
def pay_staff_order(request: HttpRequest, number: str) -> HttpResponse:
    order = order_access.get_order_or_404(request, number)
    try:
        staff_orders.start_link_payment(order.pk)
    except staff_orders.DraftRefused as refusal:
        messages.error(request, str(refusal))
        return see_other("order", number)
    except StripeUnreachable:
        messages.error(
            request, "Our payment service does not answer just now. Nothing was charged; please try again in a minute."
        )
        return see_other("order", number)
    return see_other("order_payment", number)
