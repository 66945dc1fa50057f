from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from orders import cancellation, queue
from orders.admin.actions import ACTIONS
from orders.admin.paging import FarPaginator
from orders.models import Order, Shipment
from orders.status import words
from orders.timeline import timelines

Stage = Shipment.Stage

# the step a parcel waits for, by its stage: (action, button)
NEXT_STEP = {
    Stage.WAITING: ("start_picking", "Start picking"),
    Stage.PICKING: ("mark_picked", "Mark picked"),
    Stage.PICKED: ("mark_packed", "Mark packed"),
    Stage.PACKED: ("ship", "Ship"),
    Stage.DISPATCHED: ("mark_delivered", "Mark delivered"),
    Stage.IN_TRANSIT: ("mark_delivered", "Mark delivered"),
    Stage.OUT_FOR_DELIVERY: ("mark_delivered", "Mark delivered"),
}


class QueueFilter(admin.SimpleListFilter):
    title = "queue"
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(key, title) for key, (title, _) in queue.QUEUES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        wanted = self.value()
        return queue.in_queue(queryset, wanted) if wanted in queue.QUEUES else queryset


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    """The queue. Nothing is typed over: orders move by steps, which the actions and buttons take."""

    list_display = ["number", "placed_at", "full_name", "state", "total_text", "promised_by_on"]
    list_filter = [QueueFilter, "status", "payment_status", "source"]
    search_fields = ["number", "email", "full_name"]
    search_help_text = "Order number, e-mail address or name"
    ordering = ["-placed_at", "-pk"]
    list_per_page = 50
    show_full_result_count = False
    paginator = FarPaginator
    actions = ACTIONS
    actions_on_bottom = True
    fields = ()
    change_form_template = "admin/orders/order/change_form.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Order | None = None) -> list[str]:
        return [field.name for field in self.opts.fields]

    @admin.display(description="where it stands")
    def state(self, order: Order) -> str:
        return words(order)

    @admin.display(description="total", ordering="total")
    def total_text(self, order: Order) -> str:
        return order.total_text

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """A number or an address is looked up by its index; only a name is searched for."""
        term = search_term.strip()
        if "@" in term:
            return queryset.filter(email=term.lower()), False
        if term.upper().startswith("SW-"):
            return queryset.filter(number=term.upper()), False
        return super().get_search_results(request, queryset, search_term)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """A step taken from an order's own page leads back there."""
        response = super().changelist_view(request, extra_context)
        back = request.POST.get("back", "")
        is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
        if isinstance(response, HttpResponseRedirect) and back and is_ours:
            return HttpResponseRedirect(back)
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        order = self.get_object(request, object_id)
        context = self._page_of(order) if order else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def _page_of(self, order: Order) -> dict[str, Any]:
        parcels = list(order.shipments.prefetch_related("lines__order_line").select_related("store"))
        waiting = {NEXT_STEP[stage] for parcel in parcels if (stage := Stage(parcel.stage)) in NEXT_STEP}
        steps = [step for step in dict.fromkeys(NEXT_STEP.values()) if step in waiting]
        if order.status == Order.Status.CONFIRMED and not order.approved_at:
            steps = [("approve", "Approve")]
        return {
            "title": f"Order {order.number}",
            "subtitle": None,
            "order": order,
            "state": words(order),
            "lines": order.lines.all(),
            "timelines": timelines(order),
            "parcels": parcels,
            "payments": order.payments.prefetch_related("refunds"),
            "events": order.events.all(),
            "steps": steps,
            "may_cancel": cancellation.may_cancel(order),
            "may_refund": order.payment_status in {Order.PaymentStatus.PAID, Order.PaymentStatus.PARTIALLY_REFUNDED},
            "list_url": reverse("admin:orders_order_changelist"),
            "show_save": False,
            "show_save_and_continue": False,
            "show_close": False,
        }
