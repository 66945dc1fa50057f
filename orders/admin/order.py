import re
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    BooleanField,
    CharField,
    ExpressionWrapper,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    prefetch_related_objects,
)
from django.db.models.functions import Cast, JSONObject, Replace, Upper
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.customer_filter import ByCustomerFilter
from accounts.admin.masked import MaskedAdmin, ReasonForm
from accounts.people.email_addresses import normalize_searched_address
from accounts.privacy.access_log import DataSubject, mask_email
from orders.admin.action_pages import build_order_subject, get_return_url
from orders.admin.actions import approve, make_step_action, release
from orders.admin.address import change_address
from orders.admin.backordered import SOONEST_PROMISED, BackorderedColumns, annotate_awaited
from orders.admin.by_hand import (
    WHAT_ELSE,
    find_undelivered_refunds,
    mark_given_back,
    mark_paid,
    send_refund_again,
)
from orders.admin.delay_steps import mark_essential, say_late, unmark_essential
from orders.admin.delivery_filters import CountryFilter, DelayedFilter, MethodFilter
from orders.admin.dividing import divide_parcel
from orders.admin.entered_returns import enter_fault, enter_return, enter_withdrawal
from orders.admin.entry import enter_order
from orders.admin.figures import FigureFilter
from orders.admin.gift_note import change_note
from orders.admin.invoices import build_invoice_urls, describe_issued
from orders.admin.line_actions import cancel_lines, change_lines, refund_parts
from orders.admin.next_steps import list_next_steps, list_quick_steps
from orders.admin.order_action_forms import cancel, complete_address, correct_tracking, refund, ship
from orders.admin.paging import DeepPaginator
from orders.admin.pickup_steps import hand_over
from orders.admin.road_steps import paste_tracking_page, settle_denial
from orders.admin.sheets import packing_slips, pick_list
from orders.admin.splitting import send_together, send_what_is_here
from orders.admin.status_badges import (
    format_delay_badge,
    format_denial_badge,
    format_dispute_badges,
    format_refund_badge,
    get_status_badge,
)
from orders.admin.taking_back import take_back
from orders.admin.workbench import build_workbench_urls, list_queue_pages
from orders.carrier_contact import build_carrier_contact
from orders.delays.delayed_orders import build_delayed_filter
from orders.fulfilment import holds, queue
from orders.fulfilment.packing import TO_PACK
from orders.models import Invoice, Order, OrderEvent, Payment, Refund, Shipment, StripeRecord
from orders.order_access import build_order_link
from orders.papers.issuing import is_invoiceable
from orders.stages import (
    DISPATCHED_STATUSES,
    EVERY_STAGE,
)
from orders.status import get_customer_status_label
from orders.timeline import build_timelines

OWN_STEPS = {
    "approve": approve,
    "ship": ship,
    "hand_over": hand_over,
}  # before there are parcels; with a page that asks
STEPS = [OWN_STEPS.get(row.button.action) or make_step_action(row) for row in EVERY_STAGE]
CHECKBOX = '<input type="checkbox" name="_selected_action" value="{}" class="action-select" aria-label="Choose {}">'
BARE_POSTCODE = Replace(Upper("postcode"), Value(" "), Value(""))
KINDS = dict(OrderEvent.Kind.choices)
OUR_NUMBER = re.compile(r"SW([0-9A-Z]{4})([0-9A-Z]{4})([0-9A-Z]{2})")


class QueueFilter(admin.SimpleListFilter):
    """Everything that was paid, unless one queue is asked for; `any` shows what was never paid too."""

    title = "queue"
    parameter_name = "queue"
    template = "admin/orders/order/tabs.html"
    ANY = "any"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [*((key, each.title) for key, each in queue.QUEUES.items()), (self.ANY, "Unpaid too")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        wanted = self.value()
        if wanted in queue.QUEUES:
            found = queue.filter_by_queue(queryset, wanted)
            return annotate_awaited(found) if wanted == queue.BACKORDERED.key else found
        return queryset if wanted == self.ANY else queryset.filter(placed_at__isnull=False)


@admin.register(Order)
class OrderAdmin(BackorderedColumns, MaskedAdmin):
    """The queue. Nothing is typed over: orders move by steps, which the actions and buttons take."""

    list_display = ["number", "state", "full_name", "goes", "placed", "leaves_by", "amount"]
    list_filter = [
        QueueFilter,
        MethodFilter,
        CountryFilter,
        DelayedFilter,
        FigureFilter,
        "payment_status",
        "source",
        ByCustomerFilter,
    ]
    view_on_site = False  # an order's page is its buyer's
    sortable_by = ["placed"]
    search_fields = ["full_name"]
    search_help_text = "Order number, whole e-mail address, name or whole postcode"
    list_per_page = 50
    list_max_show_all = 50
    paginator = DeepPaginator
    actions = [
        *STEPS,
        correct_tracking,
        paste_tracking_page,
        settle_denial,
        take_back,
        change_address,
        release,
        say_late,
        mark_essential,
        unmark_essential,
        complete_address,
        cancel,
        cancel_lines,
        change_lines,
        change_note,
        send_what_is_here,
        send_together,
        divide_parcel,
        refund,
        refund_parts,
        enter_return,
        enter_fault,
        enter_withdrawal,
        mark_paid,
        mark_given_back,
        send_refund_again,
        pick_list,
        packing_slips,
    ]
    change_form_template = "admin/orders/order/change_form.html"

    def subject(self, order: Order) -> DataSubject:
        return build_order_subject(order)

    def get_urls(self) -> list[URLPattern]:
        entering = path(
            "enter/", self.admin_site.admin_view(partial(enter_order, model_admin=self)), name="orders_order_enter"
        )
        return [entering, *build_workbench_urls(self), *build_invoice_urls(self), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Order | None = None) -> list[str]:
        return [field.name for field in self.opts.fields]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        parcels = Shipment.objects.filter(order=OuterRef("pk")).values(standing=queue.build_standing())
        orders: QuerySet[Order] = super().get_queryset(request)
        captured = Refund.objects.filter(payment__order=OuterRef("pk"), payment__status=Payment.Status.CAPTURED)
        refunds = captured.exclude(status=Refund.Status.FAILED).order_by("pk")
        amount = Cast("amount", CharField())
        back = refunds.values(row=JSONObject(amount=amount, reason="reason"))
        disputes = StripeRecord.objects.standing_disputes().filter(
            payment__order=OuterRef("pk"), payment__status=Payment.Status.CAPTURED
        )
        at_bank = disputes.order_by("pk").values(row=JSONObject(amount=amount, currency="currency", status="status"))
        late_lines = queue.find_lines_late_to_leave().filter(order=OuterRef("pk")).order_by("ships_on")
        issued = Invoice.objects.filter(order=OuterRef("pk")).order_by("pk")
        return orders.annotate(
            parcel_stages=ArraySubquery(parcels),
            refunds_made=ArraySubquery(back),
            disputes_standing=ArraySubquery(at_bank),
            is_delayed=ExpressionWrapper(build_delayed_filter(), BooleanField()),
            first_late_on=Subquery(late_lines.values("ships_on")[:1]),
            invoices_issued=ArraySubquery(
                issued.values(
                    row=JSONObject(number="number", total=Cast("total", CharField()), supplied_on="supplied_on")
                )
            ),
        )

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        """In a queue whoever has waited longest comes first; in the archive the newest order."""
        wanted = request.GET.get(QueueFilter.parameter_name)
        if wanted == queue.BACKORDERED.key:
            return SOONEST_PROMISED
        if wanted in queue.QUEUES:
            return ("placed_at", "pk")
        return ("-placed_at", "-pk")

    @admin.display(description="")
    def action_checkbox(self, order: Order) -> SafeString:
        """As Django's, without a form widget's template: that took a third of the page's time."""
        return format_html(CHECKBOX, order.pk, order.number)

    @admin.display(description="placed", ordering="placed_at")
    def placed(self, order: Order) -> str:
        moment = order.placed_at
        return format_placed_at(timezone.localtime(moment)) if moment else "not paid"

    @admin.display(description="goes by, to")
    def goes(self, order: Order) -> str:
        return " · ".join(filter(None, [order.shipping_name, str(order.country.name)]))

    @admin.display(description="where it stands")
    def state(self, order: Order) -> SafeString:
        kind, text = get_status_badge(order, order.parcel_stages)  # type: ignore[attr-defined]
        back = format_refund_badge(order, order.refunds_made)  # type: ignore[attr-defined]
        at_bank = format_dispute_badges(order.disputes_standing)  # type: ignore[attr-defined]
        denied = format_denial_badge(order, beside=text)
        delayed = format_delay_badge(is_delayed=order.is_delayed, beside=text)  # type: ignore[attr-defined]
        return format_html('<span class="badge {}">{}</span>{}{}{}{}', kind, text, delayed, denied, at_bank, back)

    @admin.display(description="due by")
    def leaves_by(self, order: Order) -> str | SafeString:
        """Of two parcels the last one's day, or the first one's once that has passed."""
        late_on = order.first_late_on  # type: ignore[attr-defined]
        leaves_on = late_on or order.ships_on
        if not leaves_on:
            return ""
        day = date_format(leaves_on, "D j M")
        return (
            format_html('<span class="badge out">{} (late)</span>', day) if late_on or queue.is_past_due(order) else day
        )

    @admin.display(description="total")
    def amount(self, order: Order) -> str:
        return order.total_text

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """A number, however it is typed, or an address is looked up by its index; only a name is searched for.

        What the list does not show is found whole or not at all: by its parts it could be spelled out.
        """
        term = search_term.strip()
        if "@" in term:
            return queryset.filter(email=normalize_searched_address(term)), False
        ours = OUR_NUMBER.fullmatch(re.sub(r"[^0-9A-Z]", "", term.upper()))
        if ours:
            return queryset.filter(number=f"SW-{'-'.join(ours.groups())}"), False
        return queryset.alias(bare_postcode=BARE_POSTCODE).filter(
            _build_search_filter(term)
        ) if term else queryset, False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """A step taken from an order's own page leads back there."""
        shown = request.GET.get(QueueFilter.parameter_name, "")
        context = {
            "title": "Orders",
            "quick_steps": list_quick_steps(shown),
            "queue_pages": list_queue_pages(request, shown),
        }
        response = super().changelist_view(request, {**(extra_context or {}), **context})
        back = get_return_url(request)
        return HttpResponseRedirect(back) if back and isinstance(response, HttpResponseRedirect) else response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        order = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if order:
            context = build_order_page_context(order, may_act=self.has_change_permission(request, order))
            context["contact"] = build_contact_details(order, is_unmasked=self.is_unmasked(request, order))
            context["reason_form"] = ReasonForm()
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})


def _build_search_filter(term: str) -> Q:
    """Orders to somebody whose name has each of these words in it, or to this postcode, or of this old number."""
    by_name = Q(*(Q(full_name__icontains=word) for word in term.split()))
    return by_name | Q(bare_postcode="".join(term.upper().split())) | Q(external_reference__iexact=term)


def format_placed_at(moment: datetime) -> str:
    """The year only where it is not this one."""
    is_this_year = moment.year == timezone.localdate().year
    return date_format(moment, "D j M, H:i" if is_this_year else "j M Y, H:i")


def build_order_page_context(order: Order, *, may_act: bool) -> dict[str, Any]:
    """What an order's page shows; the buttons for those who may take steps."""
    prefetch_related_objects(
        [order],
        *("lines", "events", "pickup_store", "shipments__store", "shipments__lines__order_line", "shipments__scans"),
    )
    prefetch_related_objects([order], "payments__refunds", "payments__stripe_records")
    parcels = list(order.shipments.all())
    standings = queue.list_standings(parcels)
    undelivered = find_undelivered_refunds(order)
    kind, text = get_status_badge(order, standings)
    return {
        "title": f"Order {order.number}",
        "subtitle": None,
        "order": order,
        "state": {
            "kind": kind,
            "text": text,
            "for_customer": get_customer_status_label(order),
            "is_late": queue.is_late_to_leave(order),
        },
        "lines": order.lines.all(),
        "adjustments": order.adjustments.all(),
        "parcels": parcels,
        "to_pack": TO_PACK if may_act else (),
        "payments": order.payments.all(),
        "undelivered": undelivered,
        "what_else": WHAT_ELSE,
        "invoices": [describe_issued(row) for row in order.invoices_issued],  # type: ignore[attr-defined]
        "may_issue": may_act and is_invoiceable(order),
        "hold": holds.explain_hold(order),
        "pay_url": build_order_link(order) if may_act and order.is_payable_by_link and not order.email else "",
        "has_parcel_here": order.status == Order.Status.CONFIRMED
        and order.fulfilment_status not in DISPATCHED_STATUSES,
        "events": [(event, KINDS.get(event.kind, event.kind)) for event in order.events.all()],
        "stories": build_timelines(order),
        "steps": list_next_steps(order, parcels, standings, undelivered) if may_act else {},
        "list_url": f"{reverse('admin:orders_order_changelist')}?queue={QueueFilter.ANY}",
    }


def build_contact_details(order: Order, *, is_unmasked: bool) -> dict[str, Any]:
    """Where the order goes and whom to write to: while there is work to do on it, or once somebody has said why."""
    if order.status == Order.Status.CONFIRMED or is_unmasked:
        return {
            "is_whole": True,
            "lines": [*order.address_lines, *([order.phone] if order.phone else [])],
            "email": order.email,
            "gift_note": order.gift_note,
            "business": order.business_lines,
            "carrier": None if order.pickup_store_id else build_carrier_contact(order),
        }
    return {"is_whole": False, "lines": [order.full_name], "email": mask_email(order.email), "gift_note": ""}
