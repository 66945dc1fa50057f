"""The step that takes a step back: asked on a page of its own, which says which one it would be."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from orders.admin.action_pages import render_step_page
from orders.admin.actions import get_actor_name, try_each_order
from orders.admin.order_action_forms import SENT
from orders.fulfilment import undoing
from orders.models import Order
from orders.stages import StaffButton

TAKE_BACK = StaffButton("take_back", "Take back the last step")


@admin.action(description=TAKE_BACK.label, permissions=["change"])
def take_back(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    """Shows the last step of each order; the one that was shown is taken back, and no other."""
    if SENT in request.POST:
        try_each_order(request, orders, lambda order: _take_back(request, order), done="Taken back")
        return None
    chosen = list(orders.prefetch_related("events", "shipments"))
    steps = [(order, undoing.find_last_step(order)) for order in chosen]
    if not any(last for _, last in steps):
        messages.error(request, "There is no step to take back here: not approved, or it has left.")
        return None
    return render_step_page(
        model_admin, request, orders, TAKE_BACK.action, seen=chosen, title=TAKE_BACK.label, steps=steps
    )


def _take_back(request: HttpRequest, order: Order) -> None:
    shown = request.POST.get(f"seen-{order.pk}", "")
    undoing.take_back_step(order.pk, actor=get_actor_name(request), seen=int(shown) if shown.isdecimal() else 0)
