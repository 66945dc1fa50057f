"""The queue of returns: what comes back and why, by when it is to be settled, and the steps staff take."""

from collections.abc import Callable, Iterable

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.admin.audit import AuditedAdmin, ReadOnlyAdmin
from accounts.models import AccessKind
from accounts.privacy.access_log import DataSubject
from orders.admin.action_pages import build_order_subject, get_return_url, log_order_access
from orders.admin.actions import get_actor_name, try_each_order
from orders.admin.forms import RefundForm, focus_first_error
from orders.admin.inspection_form import InspectionForm
from orders.admin.order_action_forms import SENT
from orders.models import Order, Refund, ReturnAuthorization, ReturnExclusion, ReturnLabel
from orders.models.return_authorization import ReturnQuerySet
from orders.payments.paid_orders import find_paid_order
from orders.payments.refunds import RefundRefused
from orders.returns import pictures, restocking, steps
from orders.returns.dearer_exchange import is_dearer
from shop.admin_queries import StrictAdmin
from shop.money import format_amount

MATTERS = {
    "here": "Here, to see to",
    "awaited": "On its way",
    "overdue": "Overdue",
    "faulty": "Something wrong",
    "settled": "Settled",
    "refused": "Refused",
}
REASON = "You sent it back."


class ReturnMatterFilter(admin.SimpleListFilter):
    title = "matter"
    parameter_name = "matter"
    template = "admin/orders/order/tabs.html"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return list(MATTERS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[ReturnAuthorization]) -> QuerySet[ReturnAuthorization]:
        every = ReturnAuthorization.objects.all()
        chosen: dict[str | None, ReturnQuerySet] = {
            "here": every.in_hand(),
            "awaited": every.awaited(),
            "overdue": every.overdue(timezone.localdate()),
            "faulty": every.unsettled().filter(kind=ReturnAuthorization.Kind.FAULTY),
            "settled": every.standing().exclude(pk__in=every.unsettled()),
            "refused": every.exclude(refused_at=None),
        }
        wanted = chosen.get(self.value())
        return queryset if wanted is None else queryset.filter(pk__in=wanted.values("pk"))


class RefuseReturnForm(forms.Form):
    reason = forms.CharField(
        max_length=200,
        help_text="The customer reads it.",
        error_messages={"required": "Say why: the customer reads it."},
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )


Chosen = QuerySet[ReturnAuthorization]


@admin.action(description="Received", permissions=["settle"])
def receive(_admin: admin.ModelAdmin, request: HttpRequest, chosen: Chosen) -> None:
    _try_each(request, chosen, lambda pk, actor: steps.receive_return(pk, actor=actor), done="Received")


@admin.action(description="Inspect", permissions=["settle"])
def inspect(model_admin: admin.ModelAdmin, request: HttpRequest, chosen: Chosen) -> HttpResponse | None:
    """Asks for each thing how many go back on the shelf; the rest is written off. One at a time."""
    if (only := _get_only(request, chosen)) is None:
        return None
    lines = steps.list_lines(only)
    form = InspectionForm(request.POST if SENT in request.POST else None, lines=lines)
    if not form.is_valid():
        focus_first_error([form], next(iter(form.fields)))
        return _render_step(model_admin, request, [only], "inspect", title="Inspect", form=form)
    found = restocking.build_inspections(form.good, lines)
    _try_each(request, [only], lambda pk, actor: steps.inspect_return(pk, found, actor=actor), done="Looked at")
    return None


@admin.action(description="Refund", permissions=["settle"])
def give_money_back(model_admin: admin.ModelAdmin, request: HttpRequest, chosen: Chosen) -> HttpResponse | None:
    """Asks for the amount, which starts at what was paid for the goods; one at a time."""
    if (only := _get_only(request, chosen)) is None:
        return None
    form = RefundForm(request.POST if SENT in request.POST else None, order=find_paid_order(only.order))
    form.fields["amount"].initial = min(only.goods_amount, form.left)
    form.fields["reason"].initial = REASON
    if not form.is_valid():
        focus_first_error([form], "amount")
        return _render_step(model_admin, request, [only], "refund", title="Refund", form=form)

    def give_back(return_id: int, actor: str) -> None:
        given = steps.refund_return(return_id, actor=actor, **form.cleaned_data)
        if given.status == given.Status.FAILED:
            raise RefundRefused(f"{only.number}: Stripe refused the refund. {given.problem}")

    _try_each(request, [only], give_back, done="Refunded")
    return None


@admin.action(description="Send the exchange or replacement", permissions=["settle"])
def send_instead(_admin: admin.ModelAdmin, request: HttpRequest, chosen: Chosen) -> None:
    """What costs more than what came waits for its buyer to pay for it first."""
    unpaid: list[Order] = []

    def send(return_id: int, actor: str) -> None:
        sent = steps.send_exchange(return_id, actor=actor)
        if sent.is_payable_by_link:
            unpaid.append(sent)

    _try_each(request, chosen, send, done="Seen to")
    for order in unpaid:
        amount = format_amount(order.total, order.currency)
        mailed = "a mail has the link" if order.email else "give its buyer the link on its page"
        given = order.exchange_of.refund
        back = f" {_describe_money_back(given)}" if given else ""
        is_failed = given is not None and given.status == Refund.Status.FAILED
        level = messages.ERROR if is_failed else messages.INFO
        messages.add_message(request, level, f"It costs more: {order.number} waits for {amount}; {mailed}.{back}")


def _describe_money_back(given: Refund) -> str:
    """What staff are to know of the money for what came."""
    amount, paid = format_amount(given.amount, given.currency), given.payment.order.number
    if given.status == Refund.Status.FAILED:
        return f"Stripe refused the refund of {amount}. {given.problem} Try again on the page of {paid}."
    if given.payment.is_by_hand:
        return f"Give {amount} back by hand, and note it on the page of {paid}."
    return "The money for what came goes back."


@admin.action(description="Repaired and sent back", permissions=["settle"])
def repaired(_admin: admin.ModelAdmin, request: HttpRequest, chosen: Chosen) -> None:
    _try_each(request, chosen, lambda pk, actor: steps.mark_repaired(pk, actor=actor), done="Repaired")


@admin.action(description="Settled another way", permissions=["settle"])
def settle_otherwise(_admin: admin.ModelAdmin, request: HttpRequest, chosen: Chosen) -> None:
    _try_each(request, chosen, lambda pk, actor: steps.settle_return(pk, actor=actor), done="Settled")


@admin.action(description="Refuse", permissions=["settle"])
def refuse(model_admin: admin.ModelAdmin, request: HttpRequest, chosen: Chosen) -> HttpResponse | None:
    form = RefuseReturnForm(request.POST if SENT in request.POST else None)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        _try_each(
            request, chosen, lambda pk, actor: steps.refuse_return(pk, actor=actor, reason=reason), done="Refused"
        )
        return None
    focus_first_error([form], "reason")
    rows = list(chosen.select_related("order"))
    return _render_step(model_admin, request, rows, "refuse", title="Refuse", form=form)


def _get_only(request: HttpRequest, chosen: Chosen) -> ReturnAuthorization | None:
    if chosen.count() == 1:
        return chosen.select_related("order").get()
    messages.error(request, "Choose one return: each has its own goods and its own sum.")
    return None


def _try_each(
    request: HttpRequest,
    chosen: Chosen | Iterable[ReturnAuthorization],
    step: Callable[[int, str], object],
    *,
    done: str,
) -> None:
    """Tries a step on each, and says one by one what was refused."""
    actor = get_actor_name(request)
    waiting = list(chosen.select_related("order") if isinstance(chosen, QuerySet) else chosen)
    ids = iter([each.pk for each in waiting])

    def take(_order: Order) -> None:
        step(next(ids), actor)

    try_each_order(request, [each.order for each in waiting], take, done=done)


def _render_step(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    rows: list[ReturnAuthorization],
    name: str,
    *,
    title: str,
    form: forms.Form,
) -> TemplateResponse:
    log_order_access(request, [each.order for each in rows], what=AccessKind.LOOK, detail=title)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "orders": rows,  # what the form sends again, as the page it is built on calls it
        "action": request.POST.get("action", ""),
        "back": get_return_url(request) or request.get_full_path(),
        "title": title,
        "form": form,
    }
    return TemplateResponse(request, f"admin/orders/returnauthorization/{name}.html", context)


@admin.register(ReturnAuthorization)
class ReturnAuthorizationAdmin(AuditedAdmin, ReadOnlyAdmin):
    """Whoever has waited longest stands first. The slip's QR code types the number into the search."""

    list_display = ["number", "asked", "what", "wants", "due", "state"]
    list_filter = [ReturnMatterFilter]
    list_select_related = ["order", "refund"]
    sortable_by = ["asked", "due"]
    ordering = ["requested_at", "pk"]
    search_fields = ["=number", "=order__number"]
    search_help_text = "Number of the return or of the order"
    actions = [receive, inspect, give_money_back, send_instead, repaired, settle_otherwise, refuse]
    fields = (
        "number", "order_link", "kind", "what", "wants", "reason", "words", "seen", "goods_text", "requested_at",
        "entered_by", "label_state", "received_at", "due_on", "inspected_at", "shelved", "refund", "exchange_link",
        "guarantee_until", "settled_at", "settled_by", "refused_at", "refused_by", "refused_reason",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReturnAuthorization]:
        every: QuerySet[ReturnAuthorization] = super().get_queryset(request)
        return every.prefetch_related("lines__order_line", "lines__exchange_variant__product")

    def get_readonly_fields(self, request: HttpRequest, obj: ReturnAuthorization | None = None) -> list[str]:
        return list(self.fields)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.picture_view)
        return [path("<int:return_id>/pictures/<int:picture_id>/", view, name="return_picture"), *super().get_urls()]

    def picture_view(self, request: HttpRequest, return_id: int, picture_id: int) -> HttpResponseBase:
        """A picture that the buyer sent; the look is in their access log."""
        made = get_object_or_404(ReturnAuthorization.objects.select_related("order"), pk=return_id)
        stored = pictures.read_picture(get_object_or_404(made.pictures, pk=picture_id))
        if not self.has_view_permission(request, made) or stored is None:
            raise Http404
        self.log_access(request, [made], what=AccessKind.LOOK, detail="Picture")
        return FileResponse(stored, content_type="image/webp", headers={"Cache-Control": "no-store"})

    @admin.display(description="order")
    def order_link(self, made: ReturnAuthorization) -> SafeString:
        return _link_order(made.order)

    @admin.display(description="order in exchange")
    def exchange_link(self, made: ReturnAuthorization) -> str | SafeString:
        return _link_order(made.exchange_order) if made.exchange_order else ""

    @admin.display(description="asked for", ordering="requested_at")
    def asked(self, made: ReturnAuthorization) -> str:
        return date_format(timezone.localtime(made.requested_at), "D j M, H:i")

    @admin.display(description="what")
    def what(self, made: ReturnAuthorization) -> str:
        return ", ".join(str(line) for line in made.lines.all())

    @admin.display(description="wants")
    def wants(self, made: ReturnAuthorization) -> str:
        lines = [line for line in made.lines.all() if line.exchange_variant]
        instead = ", ".join(str(line.exchange_variant) for line in lines)
        dearer = " (costs more)" if is_dearer(lines) else ""
        return f"{made.get_wanted_display()}: {instead}{dearer}" if instead else made.get_wanted_display()

    @admin.display(description="paid for it")
    def goods_text(self, made: ReturnAuthorization) -> str:
        return made.goods_text

    @admin.display(description="pictures")
    def seen(self, made: ReturnAuthorization) -> str | SafeString:
        links = (
            (reverse("admin:return_picture", args=[made.pk, picture.pk]), number)
            for number, picture in enumerate(made.pictures.all(), start=1)
        )
        return format_html_join(", ", '<a href="{}">Picture {}</a>', links) or "none"

    @admin.display(description="label")
    def label_state(self, made: ReturnAuthorization) -> str:
        label = ReturnLabel.objects.filter(return_authorization=made).first()
        if label is None:
            return "none asked for"
        if label.refused_at:
            return f"refused: {label.refused_reason}"
        if label.made_at:
            return f"{label.carrier} {label.tracking_number}, {label.cost_text}"
        return "asked for" if made.is_open and made.received_at is None else "asked for, and not made in time"

    @admin.display(description="on the shelf again, written off")
    def shelved(self, made: ReturnAuthorization) -> str:
        if made.inspected_at is None:
            return ""
        lines = list(made.lines.all())
        good, bad = (
            sum(getattr(line, name) for line in lines) for name in ("restocked_quantity", "written_off_quantity")
        )
        return f"{good:,}, {bad:,}"

    @admin.display(description="settle by", ordering="due_on")
    def due(self, made: ReturnAuthorization) -> str | SafeString:
        if made.due_on is None:
            return ""
        day = date_format(made.due_on, "D j M")
        return format_html('<span class="badge out">{} (overdue)</span>', day) if made.is_overdue() else day

    @admin.display(description="where it stands")
    def state(self, made: ReturnAuthorization) -> SafeString:
        return format_html('<span class="badge {}">{}</span>', *describe_state(made))

    def subject(self, made: ReturnAuthorization) -> DataSubject:
        return build_order_subject(made.order, about=f"The return {made.number}")

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.change_order")


def _link_order(order: Order) -> SafeString:
    return format_html('<a href="{}">{}</a>', reverse("admin:orders_order_change", args=[order.pk]), order.number)


def describe_state(made: ReturnAuthorization) -> tuple[str, str]:
    """A badge's colour and words."""
    if made.refused_at:
        return "", "Refused"
    if made.settled_at and not made.is_settled:
        return "out", "Refund failed"
    if made.is_settled:
        return ("in", "Settled") if made.inspected_at or not made.received_at else ("wait", "To look at")
    if made.received_at is None:
        return "", "On its way"
    return "wait", "To settle" if made.inspected_at else "To look at"


@admin.register(ReturnExclusion)
class ReturnExclusionAdmin(StrictAdmin):
    """What the policy leaves out: one row a thing."""

    list_display = ["__str__", "category", "product"]
    list_select_related = ["category", "product"]
    autocomplete_fields = ["category", "product"]
    fields = ["category", "product"]
