"""Where an order goes, changed by its buyer until somebody starts picking it."""

from django.contrib import messages
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from orders import order_access, stages
from orders.addresses import address_change
from orders.addresses.address_change import AddressChange, OrderAddressChangeForm
from orders.events import BUYER
from orders.fulfilment.transitions import TransitionRefused
from orders.promise import format_day
from orders.views.order import WRITE
from orders.views.redirects import see_other


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def order_address(request: HttpRequest, number: str) -> HttpResponse:
    order = order_access.get_order_or_404(request, number)
    prefetch_related_objects([order], "shipments")
    if not address_change.may_change_address(order):
        return _refuse(request, number)
    form = OrderAddressChangeForm(request.POST if request.method == "POST" else None, instance=order)
    if not form.is_valid():
        context = {"form": form, "number": number, "is_for_rest": stages.has_any_left(order)}
        return render(request, "storefront/order_address.html", context)
    try:
        change = address_change.change_address(order.pk, form.address, actor=BUYER)
    except TransitionRefused:
        return _refuse(request, number)
    messages.success(request, _describe_change(change, "The rest" if stages.has_any_left(order) else "It"))
    return see_other("order", number)


def _describe_change(change: AddressChange | None, what: str) -> str:
    if change is None:
        return "The address is as it was."
    if not change.is_elsewhere:
        return f"{what} goes to the same address, and what the carrier gets besides is changed."
    if change.moved_day is None:
        return f"{what} goes to the new address."
    day = format_day(change.moved_day, timezone.localdate())
    return f"{what} goes to the new address, and is with you by {day} now. What you paid stays as it is."


def _refuse(request: HttpRequest, number: str) -> HttpResponse:
    messages.error(request, f"The address of this order can no longer be changed here. {WRITE}")
    return see_other("order", number)
