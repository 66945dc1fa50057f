"""“Send what is here”: staff let go ahead what lies on the shelf, or take that back, and see before what that is."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from orders.admin.action_pages import render_step_page
from orders.admin.actions import get_actor_name, try_each_order
from orders.admin.order_action_forms import SENT
from orders.fulfilment import rejoining, splitting
from orders.models import Order
from orders.stages import StaffButton

SEND_HERE = StaffButton("send_what_is_here", "Send what is here")
SEND_TOGETHER = StaffButton("send_together", "Send it together again")
NOTHING = "there is nothing to send ahead: some of it must be here and not begun, and some still to come."


@admin.action(description=SEND_HERE.label, permissions=["change"])
def send_what_is_here(
    model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]
) -> HttpResponse | None:
    if SENT in request.POST:
        actor = get_actor_name(request)
        try_each_order(
            request, orders, lambda order: splitting.split_order(order.pk, actor=actor), done="Goes in two parcels"
        )
        return None
    found = {order: splitting.find_parts(order) for order in orders.prefetch_related("lines", "shipments__lines")}
    divided = [(order, parts) for order, parts in found.items() if parts]
    if not divided:
        for order in found:
            messages.error(request, f"{order.number}: {NOTHING}")
        return None
    seen = [order for order, _ in divided]
    return render_step_page(
        model_admin,
        request,
        orders,
        "split",
        seen=seen,
        title=SEND_HERE.label,
        divided=divided,
        others=set(found) - set(seen),
    )


@admin.action(description=SEND_TOGETHER.label, permissions=["change"])
def send_together(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    if SENT in request.POST:
        actor = get_actor_name(request)
        try_each_order(
            request, orders, lambda order: rejoining.rejoin_order(order.pk, actor=actor), done="Goes in one parcel"
        )
        return None
    found = list(orders.prefetch_related("events", "lines", "shipments"))
    joined = [order for order in found if rejoining.may_rejoin(order)]
    if not joined:
        for order in found:
            messages.error(request, f"{order.number} {rejoining.find_objection(order)}")
        return None
    return render_step_page(
        model_admin,
        request,
        orders,
        "rejoin",
        seen=joined,
        title=SEND_TOGETHER.label,
        joined=joined,
        others=[order for order in found if order not in joined],
    )
