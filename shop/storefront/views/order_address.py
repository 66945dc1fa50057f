"""Where an order goes, changed by its buyer until somebody starts picking it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from orders import address_change, order_access
from orders.address_change import OrderAddressChangeForm
from orders.fulfilment.transitions import TransitionRefused
from orders.views.order import BUYER, WRITE
from orders.views.redirects import see_other


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def order_address(request: HttpRequest, number: str) -> HttpResponse:
    order = order_access.get_order_or_404(request, number)
    if not address_change.may_change_address(order):
        return _refuse(request, number)
    form = OrderAddressChangeForm(request.POST if request.method == "POST" else None, instance=order)
    if not form.is_valid():
        return render(request, "storefront/order_address.html", {"form": form, "number": number})
    try:
        is_changed = address_change.change_address(order.pk, form.address, actor=BUYER)
    except TransitionRefused:
        return _refuse(request, number)
    messages.success(request, "It goes to the new address." if is_changed else "The address is as it was.")
    return see_other("order", number)


def _refuse(request: HttpRequest, number: str) -> HttpResponse:
    messages.error(request, f"The address of this order can no longer be changed here. {WRITE}")
    return see_other("order", number)
