"""What staff do with orders, one or many at a time, always through the domain's own verbs.

A step is tried on every chosen order; what a verb refuses is said, order by order, and the rest goes on.
"""

from collections.abc import Callable, Iterable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from orders import cancellation, fulfilment
from orders.admin.forms import CancelForm, RefundForm, ShipForm
from orders.fulfilment import TransitionRefused
from orders.models import Order, Shipment
from orders.payments import RefundRefused, refund

Stage = Shipment.Stage


def actor_of(request: HttpRequest) -> str:
    """How the person at work signs: their first name, or their address."""
    user = request.user
    return getattr(user, "first_name", "") or getattr(user, "email", "")


def _each(request: HttpRequest, orders: Iterable[Order], step: Callable[[Order], object], *, done: str) -> None:
    """Tries `step` on each order; it may raise a refusal."""
    succeeded = []
    for order in orders:
        try:
            step(order)
        except (TransitionRefused, RefundRefused) as refusal:
            messages.error(request, str(refusal))
        else:
            succeeded.append(order.number)
    if succeeded:
        messages.success(request, f"{done}: {', '.join(succeeded)}.")


def _each_parcel(
    request: HttpRequest,
    orders: QuerySet[Order],
    verb: Callable[[int], object],
    *,
    stages: Iterable[Shipment.Stage],
    done: str,
) -> None:
    def step(order: Order) -> None:
        parcels = list(order.shipments.filter(stage__in=list(stages)).values_list("pk", flat=True))
        if not parcels:
            raise TransitionRefused(f"{order.number} has no parcel at that point.")
        for pk in parcels:
            verb(pk)

    _each(request, orders, step, done=done)


@admin.action(description="Approve", permissions=["change"])
def approve(_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> None:
    _each(request, orders, lambda order: fulfilment.approve(order.pk, actor=actor_of(request)), done="Approved")


@admin.action(description="Start picking", permissions=["change"])
def start_picking(_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> None:
    _each_parcel(
        request,
        orders,
        lambda pk: fulfilment.start_picking(pk, actor=actor_of(request)),
        stages=[Stage.WAITING],
        done="Being picked",
    )


@admin.action(description="Mark picked", permissions=["change"])
def mark_picked(_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> None:
    _each_parcel(
        request,
        orders,
        lambda pk: fulfilment.mark_picked(pk, actor=actor_of(request)),
        stages=[Stage.WAITING, Stage.PICKING],
        done="Picked",
    )


@admin.action(description="Mark packed", permissions=["change"])
def mark_packed(_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> None:
    note = request.POST.get("note", "").strip()[:280]
    _each_parcel(
        request,
        orders,
        lambda pk: fulfilment.mark_packed(pk, actor=actor_of(request), note=note),
        stages=[Stage.PICKED],
        done="Packed",
    )


@admin.action(description="Ship", permissions=["change"])
def ship(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    """Asks for each parcel's carrier and number, then sends them off."""
    parcels = Shipment.objects.filter(order__in=orders, stage=Stage.PACKED).select_related("order")
    if not parcels:
        messages.error(request, "None of these has a packed parcel.")
        return None
    is_sent = "confirm" in request.POST
    forms = [ShipForm(request.POST if is_sent else None, parcel=parcel, prefix=str(parcel.pk)) for parcel in parcels]
    are_valid = [form.is_valid() for form in forms]
    if is_sent and all(are_valid):
        for form in forms:
            _each(request, [form.parcel.order], form.dispatcher(actor=actor_of(request)), done="Shipped")
        return None
    return _page(model_admin, request, orders, "ship", title="Ship", forms=forms)


@admin.action(description="Mark delivered", permissions=["change"])
def mark_delivered(_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> None:
    _each_parcel(
        request,
        orders,
        lambda pk: fulfilment.mark_delivered(pk, actor=actor_of(request)),
        stages=[Stage.DISPATCHED, Stage.IN_TRANSIT, Stage.OUT_FOR_DELIVERY],
        done="Delivered",
    )


@admin.action(description="Cancel", permissions=["change"])
def cancel(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    form = CancelForm(request.POST if "confirm" in request.POST else None)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        _each(
            request,
            orders,
            lambda order: cancellation.cancel(order.pk, actor=actor_of(request), reason=reason),
            done="Cancelled; the money goes back",
        )
        return None
    return _page(model_admin, request, orders, "cancel", title="Cancel", form=form)


@admin.action(description="Refund", permissions=["change"])
def refund_orders(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    """Gives money back on its own, without touching goods: for one order any amount, for several all of it."""
    single = orders.get() if orders.count() == 1 else None
    form = RefundForm(request.POST if "confirm" in request.POST else None, order=single)
    if form.is_valid():
        amount, reason = form.cleaned_data.get("amount"), form.cleaned_data["reason"]
        _each(
            request,
            orders,
            lambda order: refund(order.pk, amount=amount, reason=reason, actor=actor_of(request)),
            done="Refunded",
        )
        return None
    return _page(model_admin, request, orders, "refund", title="Refund", form=form)


@admin.action(description="Print the pick list", permissions=["view"])
def pick_list(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse:
    """What to fetch, by SKU, for all chosen orders together, and then parcel by parcel."""
    parcels = (
        Shipment.objects.filter(order__in=orders, stage__in=[Stage.WAITING, Stage.PICKING])
        .select_related("order", "store")
        .prefetch_related("lines__order_line")
    )
    fetched: dict[tuple[str, str], int] = {}
    for parcel in parcels:
        for line in parcel.lines.all():
            item = line.order_line
            place = (item.sku, ", ".join(part for part in (item.title, item.options) if part))
            fetched[place] = fetched.get(place, 0) + line.quantity
    items = [(sku, title, quantity) for (sku, title), quantity in sorted(fetched.items())]
    return _page(model_admin, request, orders, "pick_list", title="Pick list", parcels=parcels, items=items)


def _page(
    model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order], name: str, **context: object
) -> TemplateResponse:
    return TemplateResponse(
        request,
        f"admin/orders/order/{name}.html",
        {
            **model_admin.admin_site.each_context(request),
            "opts": model_admin.opts,
            "orders": orders,
            "action": request.POST.get("action", ""),
            "back": request.POST.get("back", ""),
            **context,
        },
    )


ACTIONS = [
    approve,
    start_picking,
    mark_picked,
    mark_packed,
    ship,
    mark_delivered,
    cancel,
    refund_orders,
    pick_list,
]
