"""What was declared by order number and e-mail; staff see to what fits no order."""

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from accounts.admin.audit import AuditedAdmin, ReadOnlyAdmin
from accounts.models import AccessKind
from accounts.privacy.access_log import DataSubject, mask_email
from orders.admin.action_pages import build_order_subject, get_return_url, log_order_access
from orders.admin.actions import get_actor_name
from orders.admin.forms import focus_first_error
from orders.admin.order_action_forms import SENT
from orders.models import WithdrawalStatement
from orders.models.withdrawal import WithdrawalStatementQuerySet
from orders.returns import statements
from orders.returns.declaring import WithdrawalRefused


class StatementMatterFilter(admin.SimpleListFilter):
    title = "matter"
    parameter_name = "matter"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("stray", "Of no order here, not seen to")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[WithdrawalStatement]) -> QuerySet[WithdrawalStatement]:
        if self.value() == "stray" and isinstance(queryset, WithdrawalStatementQuerySet):
            return queryset.stray()
        return queryset


class OrderNumberForm(forms.Form):
    number = forms.CharField(
        label="Order number",
        max_length=60,
        help_text="It counts from the day it was sent, and is acknowledged to that order's own address.",
        error_messages={"required": "Type the order's number."},
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )


@admin.action(description="Seen to", permissions=["settle"])
def clear(_admin: admin.ModelAdmin, request: HttpRequest, chosen: QuerySet[WithdrawalStatement]) -> None:
    """Somebody has answered it, or it was none: it leaves the first page."""
    stray = WithdrawalStatement.objects.stray().filter(pk__in=chosen.values("pk"))
    count = stray.update(cleared_at=timezone.now(), cleared_by=get_actor_name(request))
    if count:
        messages.success(request, f"Seen to: {count}.")
    else:
        messages.warning(request, "Nothing was done: what you chose has its order, or was seen to before.")


@admin.action(description="It belongs to an order", permissions=["settle"])
def assign(
    model_admin: admin.ModelAdmin, request: HttpRequest, chosen: QuerySet[WithdrawalStatement]
) -> HttpResponse | None:
    """Asks for the order's number; one at a time."""
    if chosen.count() != 1:
        messages.error(request, "Choose one statement.")
        return None
    only = chosen.get()
    form = OrderNumberForm(request.POST if SENT in request.POST else None)
    if form.is_valid() and _assign(request, only, form):
        return None
    focus_first_error([form], "number")
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "orders": [only],  # what the form sends again, as the page it is built on calls it
        "action": request.POST.get("action", ""),
        "back": get_return_url(request) or request.get_full_path(),
        "title": "It belongs to an order",
        "form": form,
    }
    return TemplateResponse(request, "admin/orders/withdrawal/assign.html", context)


def _assign(request: HttpRequest, statement: WithdrawalStatement, form: OrderNumberForm) -> bool:
    try:
        made = statements.assign_statement(statement.pk, number=form.cleaned_data["number"])
    except WithdrawalRefused as refusal:
        form.add_error("number", str(refusal))
        return False
    log_order_access(request, [made.order], what=AccessKind.CHANGE, detail="Withdrawal assigned")
    messages.success(request, f"It is a withdrawal from {made.order.number} now.")
    return True


@admin.register(WithdrawalStatement)
class WithdrawalStatementAdmin(AuditedAdmin, ReadOnlyAdmin):
    list_display = ["number", "who", "words", "declared_at", "found", "cleared_at"]
    list_filter = [StatementMatterFilter]
    list_select_related = ["withdrawal__order"]
    sortable_by = ["declared_at"]
    ordering = ["-declared_at", "-pk"]
    search_fields = ["=number"]
    search_help_text = "Order number, as it was typed"
    actions = [assign, clear]
    fields = (
        "number", "address", "full_name", "words", "declared_at", "looked_up_at", "found", "cleared_at", "cleared_by",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: WithdrawalStatement | None = None) -> list[str]:
        return list(self.fields)

    @admin.display(description="e-mail")
    def who(self, statement: WithdrawalStatement) -> str:
        return mask_email(statement.email)

    @admin.display(description="e-mail")
    def address(self, statement: WithdrawalStatement) -> str:
        """Whole while somebody has to answer it."""
        is_stray = statement.withdrawal_id is None and statement.cleared_at is None
        return statement.email if is_stray else mask_email(statement.email)

    @admin.display(description="withdrawal")
    def found(self, statement: WithdrawalStatement) -> str:
        return str(statement.withdrawal) if statement.withdrawal else "fits no order"

    def subject(self, statement: WithdrawalStatement) -> DataSubject:
        about = f"A withdrawal stated for {statement.number}"
        if statement.withdrawal is not None:
            return build_order_subject(statement.withdrawal.order, about=about)
        return DataSubject(None, statement.number, about)

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.change_order")
