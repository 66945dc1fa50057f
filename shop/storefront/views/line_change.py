"""“Change a size or colour”: a buyer has something else of what they ordered, until somebody starts picking it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from orders import line_change, order_access
from orders.events import BUYER
from orders.fulfilment.transitions import TransitionRefused
from orders.line_change import LineChangeForm
from orders.views.order import WRITE
from orders.views.redirects import see_other


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change_own_lines(request: HttpRequest, number: str) -> HttpResponse:
    order = order_access.get_order_or_404(request, number)
    if order.invoices.exists() or not line_change.may_change_lines(order, order.lines.all()):
        messages.error(request, f"What is in this order can no longer be changed here. {WRITE}")
        return see_other("order", number)
    choices = line_change.list_choices(order)
    form = LineChangeForm(request.POST if request.method == "POST" else None, choices=choices)
    if not choices or not form.is_valid():
        return render(request, "storefront/line_change.html", {"order": order, "form": form if choices else None})
    try:
        changed = line_change.change_lines(order.pk, form.chosen, actor=BUYER)
    except TransitionRefused:
        messages.error(request, "That could not be changed any more. This is how the order stands now.")
        return see_other("order", number)
    messages.success(request, f"Changed. {changed}." if changed else "It is so already.")
    return see_other("order", number)
