"""The queue of withdrawals: what came, by when its money is due, and the steps staff take."""

from collections.abc import Callable, Iterable

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.audit import AuditedAdmin, ReadOnlyAdmin
from accounts.models import AccessKind
from accounts.privacy.access_log import DataSubject, mask_email
from orders.admin.action_pages import build_order_subject, get_return_url, log_order_access
from orders.admin.actions import get_actor_name, try_each_order
from orders.admin.forms import RefundForm, focus_first_error
from orders.admin.inspection_form import InspectionForm
from orders.admin.order_action_forms import SENT
from orders.models import Order, Withdrawal
from orders.models.withdrawal import MONEY_IS_BACK, WithdrawalQuerySet
from orders.payments.refunds import RefundRefused
from orders.returns import handling, restocking

MATTERS = {
    "open": "To see to",
    "overdue": "Money overdue",
    "late": "Declared too late",
    "settled": "Settled",
    "aside": "Set aside",
}
REASON = "You withdrew from your order."


class WithdrawalMatterFilter(admin.SimpleListFilter):
    title = "matter"
    parameter_name = "matter"
    template = "admin/orders/order/tabs.html"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return list(MATTERS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Withdrawal]) -> QuerySet[Withdrawal]:
        every = Withdrawal.objects.all()
        chosen: dict[str | None, WithdrawalQuerySet] = {
            "open": every.unsettled(),
            "overdue": every.overdue(timezone.localdate()),
            "late": every.unsettled().filter(is_late=True),
            "settled": every.standing().exclude(pk__in=every.unsettled()),
            "aside": every.exclude(set_aside_at=None),
        }
        wanted = chosen.get(self.value())
        return queryset if wanted is None else queryset.filter(pk__in=wanted.values("pk"))


class SetAsideForm(forms.Form):
    reason = forms.CharField(
        max_length=200,
        help_text="The customer reads it.",
        error_messages={"required": "Say why: the customer reads it."},
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )


@admin.action(description="Goods are back", permissions=["settle"])
def goods_back(_admin: admin.ModelAdmin, request: HttpRequest, chosen: QuerySet[Withdrawal]) -> None:
    _try_each(request, chosen, lambda pk, actor: handling.mark_goods_back(pk, actor=actor), done="Goods noted as back")


@admin.action(description="Proof of posting seen", permissions=["settle"])
def posting_seen(_admin: admin.ModelAdmin, request: HttpRequest, chosen: QuerySet[Withdrawal]) -> None:
    _try_each(
        request, chosen, lambda pk, actor: handling.mark_posting_seen(pk, actor=actor), done="Proof noted as seen"
    )


@admin.action(description="Settled another way", permissions=["settle"])
def settle(_admin: admin.ModelAdmin, request: HttpRequest, chosen: QuerySet[Withdrawal]) -> None:
    """Where the money went back by another door: by hand, or it was taken back by the bank."""
    _try_each(request, chosen, lambda pk, actor: handling.settle_withdrawal(pk, actor=actor), done="Settled")


@admin.action(description="Inspect", permissions=["settle"])
def inspect_goods(
    model_admin: admin.ModelAdmin, request: HttpRequest, chosen: QuerySet[Withdrawal]
) -> HttpResponse | None:
    """Asks for each thing how many go back on the shelf; the rest is written off. One at a time."""
    if chosen.count() != 1:
        messages.error(request, "Choose one withdrawal: each has its own goods.")
        return None
    lines = list(chosen.get().lines.select_related("order_line").order_by("pk"))
    if not lines:
        messages.error(request, "Its goods are named in words: put them on the shelf by hand, under Stock.")
        return None
    form = InspectionForm(request.POST if SENT in request.POST else None, lines=lines)
    if not form.is_valid():
        focus_first_error([form], next(iter(form.fields)))
        return _render_step(model_admin, request, chosen, "inspect", title="Inspect", form=form)
    found = restocking.build_inspections(form.good, lines)
    _try_each(
        request,
        chosen,
        lambda pk, actor: handling.inspect_withdrawn_goods(pk, found, actor=actor),
        done="Looked at",
    )
    return None


@admin.action(description="Refund", permissions=["settle"])
def refund_back(
    model_admin: admin.ModelAdmin, request: HttpRequest, chosen: QuerySet[Withdrawal]
) -> HttpResponse | None:
    """Asks for the amount, which starts at what is owed and still there to give back; one at a time."""
    if chosen.count() != 1:
        messages.error(request, "Choose one withdrawal: each has its own sum.")
        return None
    only = chosen.select_related("order").get()
    form = _make_refund_form(request, only)
    if not form.is_valid():
        focus_first_error([form], "amount")
        return _render_step(model_admin, request, chosen, "refund", title="Refund", form=form)

    def give_back(withdrawal_id: int, actor: str) -> None:
        given = handling.refund_withdrawal(withdrawal_id, actor=actor, **form.cleaned_data)
        if given.status == given.Status.FAILED:
            raise RefundRefused(f"{only.order.number}: Stripe refused the refund. {given.problem}")

    _try_each(request, chosen, give_back, done="Refunded")
    return None


def _make_refund_form(request: HttpRequest, withdrawal: Withdrawal) -> RefundForm:
    form = RefundForm(request.POST if SENT in request.POST else None, order=withdrawal.order)
    if withdrawal.owed is not None:
        form.fields["amount"].initial = min(withdrawal.owed, form.left)
    form.fields["reason"].initial = REASON
    return form


@admin.action(description="Set aside", permissions=["settle"])
def set_aside(model_admin: admin.ModelAdmin, request: HttpRequest, chosen: QuerySet[Withdrawal]) -> HttpResponse | None:
    form = SetAsideForm(request.POST if SENT in request.POST else None)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        _try_each(
            request,
            chosen,
            lambda pk, actor: handling.set_withdrawal_aside(pk, actor=actor, reason=reason),
            done="Set aside",
        )
        return None
    focus_first_error([form], "reason")
    return _render_step(model_admin, request, chosen, "set_aside", title="Set aside", form=form)


def _try_each(
    request: HttpRequest, chosen: Iterable[Withdrawal], step: Callable[[int, str], object], *, done: str
) -> None:
    """Tries a step on each, and says order by order what was refused."""
    actor = get_actor_name(request)
    waiting = list(chosen.select_related("order") if isinstance(chosen, QuerySet) else chosen)
    ids = iter([each.pk for each in waiting])

    def take(_order: Order) -> None:
        step(next(ids), actor)

    try_each_order(request, [each.order for each in waiting], take, done=done)


def _render_step(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    chosen: QuerySet[Withdrawal],
    name: str,
    *,
    title: str,
    form: forms.Form,
) -> TemplateResponse:
    rows = list(chosen.select_related("order"))
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
    return TemplateResponse(request, f"admin/orders/withdrawal/{name}.html", context)


@admin.register(Withdrawal)
class WithdrawalAdmin(AuditedAdmin, ReadOnlyAdmin):
    """Whoever has waited longest stands first."""

    list_display = ["order", "declared", "what", "owed_amount", "due", "goods", "state"]
    list_filter = [WithdrawalMatterFilter]
    list_select_related = ["order", "refund"]
    sortable_by = ["declared", "due"]
    ordering = ["declared_at", "pk"]
    search_fields = ["=order__number"]
    search_help_text = "Order number"
    actions = [goods_back, posting_seen, inspect_goods, refund_back, settle, set_aside]
    fields = (
        "order_link", "way", "entered_by", "declared_at", "full_name", "acknowledged", "contents", "ends_on", "is_late",
        "has_left", "owed_amount", "due_on", "goods_back_at", "posting_seen_at", "inspected_at", "refund", "settled_at",
        "settled_by", "set_aside_at", "set_aside_by", "set_aside_reason",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Withdrawal | None = None) -> list[str]:
        return list(self.fields)

    @admin.display(description="order")
    def order_link(self, withdrawal: Withdrawal) -> SafeString:
        url = reverse("admin:orders_order_change", args=[withdrawal.order_id])
        return format_html('<a href="{}">{}</a>', url, withdrawal.order.number)

    @admin.display(description="acknowledged to")
    def acknowledged(self, withdrawal: Withdrawal) -> str:
        return mask_email(withdrawal.acknowledged_to)

    @admin.display(description="declared", ordering="declared_at")
    def declared(self, withdrawal: Withdrawal) -> str:
        return date_format(timezone.localtime(withdrawal.declared_at), "D j M, H:i")

    @admin.display(description="what")
    def what(self, withdrawal: Withdrawal) -> str:
        said = withdrawal.contents.replace("\n", ", ")
        return f"In words: “{said}”" if withdrawal.words else said

    @admin.display(description="owed")
    def owed_amount(self, withdrawal: Withdrawal) -> str:
        if withdrawal.is_late:
            return "nothing: too late"
        return withdrawal.owed_text or "read the words"

    @admin.display(description="money by", ordering="due_on")
    def due(self, withdrawal: Withdrawal) -> str | SafeString:
        if withdrawal.is_late:
            return ""
        day = date_format(withdrawal.due_on, "D j M")
        is_open = not (withdrawal.is_settled or withdrawal.set_aside_at or _is_money_back(withdrawal))
        if is_open and withdrawal.is_overdue():
            return format_html('<span class="badge out">{} (overdue)</span>', day)
        return day

    @admin.display(description="goods")
    def goods(self, withdrawal: Withdrawal) -> str:
        if withdrawal.goods_back_at:
            return "back"
        if withdrawal.posting_seen_at:
            return "posted, proof seen"
        return "awaited" if withdrawal.has_left else "had not left"

    @admin.display(description="where it stands")
    def state(self, withdrawal: Withdrawal) -> SafeString:
        kind, words = _describe_state(withdrawal)
        return format_html('<span class="badge {}">{}</span>', kind, words)

    def subject(self, withdrawal: Withdrawal) -> DataSubject:
        return build_order_subject(withdrawal.order, about=f"The withdrawal from order {withdrawal.order.number}")

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.change_order")


def _is_money_back(withdrawal: Withdrawal) -> bool:
    return withdrawal.order.payment_status in MONEY_IS_BACK


def _describe_state(withdrawal: Withdrawal) -> tuple[str, str]:
    """A badge's colour and words."""
    if withdrawal.set_aside_at:
        return "", "Set aside"
    if withdrawal.is_settled or _is_money_back(withdrawal):
        return "in", "Settled"
    if withdrawal.settled_at:
        return "out", "Refund failed"
    if withdrawal.is_late:
        return "wait", "Too late: answer it"
    return "wait", "May wait" if withdrawal.may_wait else "Money is owed"
