"""Stock as staff see and move it: never typed over, always by a movement with a name on it."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from shop.admin_queries import StrictAdmin
from shop.catalog import stock
from shop.catalog.admin.forms import StockQuantityForm, StockRecordForm
from shop.catalog.models import StockMovement, StockRecord

MOST_AT_ONCE = 100  # records on one page of numbers


def get_staff_name(request: HttpRequest) -> str:
    """How the person at work signs: their first name, or their address."""
    user = request.user
    return getattr(user, "first_name", "") or getattr(user, "email", "")


class StockLeftFilter(admin.SimpleListFilter):
    title = "what is left"
    parameter_name = "left"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("none", "Nothing"), ("few", "Five or fewer"), ("late", "Promised beyond what is here")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StockRecord]) -> QuerySet[StockRecord]:
        conditions: dict[str, dict[str, Any]] = {
            "none": {"on_hand__lte": F("allocated")},
            "few": {"on_hand__lte": F("allocated") + 5},
            "late": {"on_hand__lt": F("allocated")},
        }
        return queryset.filter(**conditions.get(self.value() or "", {}))


class MovementInline(admin.TabularInline):
    """The latest movements, for reading."""

    model = StockMovement
    fields = ["created_at", "kind", "quantity", "reference", "actor"]
    readonly_fields = ["created_at", "kind", "quantity", "reference", "actor"]
    extra = max_num = 0
    can_delete = False
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockMovement]:
        record_id = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
        found = super().get_queryset(request)
        latest = StockMovement.objects.filter(record_id=record_id or 0).order_by("-id").values("id")[:50]
        return found.filter(id__in=latest)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.action(description="Receive", permissions=["change"])
def receive(model_admin: "StockRecordAdmin", request: HttpRequest, records: QuerySet[StockRecord]) -> Any:
    """Asks how many of each came in, and adds them."""
    return _ask_quantities(model_admin, request, records, title="Receive", least=1, move=_save_received)


@admin.action(description="Count", permissions=["change"])
def count(model_admin: "StockRecordAdmin", request: HttpRequest, records: QuerySet[StockRecord]) -> Any:
    """Asks how many of each are there, and writes the difference."""
    return _ask_quantities(model_admin, request, records, title="Count", least=0, move=_save_counted)


def _ask_quantities(
    model_admin: "StockRecordAdmin", request: HttpRequest, records: QuerySet[StockRecord], *, title: str, **how: Any
) -> HttpResponse | None:
    chosen = list(records.select_related("variant__product", "store").order_by("variant_id")[: MOST_AT_ONCE + 1])
    if len(chosen) > MOST_AT_ONCE:
        messages.error(request, f"Choose at most {MOST_AT_ONCE} at once. Nothing was changed.")
        return None
    is_sent = "confirm" in request.POST
    data = request.POST if is_sent else None
    forms = [StockQuantityForm(data, prefix=str(each.pk), record=each, least=how["least"]) for each in chosen]
    are_valid = [form.is_valid() for form in forms]  # each, so that every mistake is said
    if is_sent and all(are_valid):
        for form in forms:
            if form.cleaned_data["quantity"] is not None:
                how["move"](request, form)
        return None
    context = {"opts": model_admin.opts, "title": title, "forms": forms, "action": request.POST.get("action", "")}
    page = {**model_admin.admin_site.each_context(request), **context}
    return TemplateResponse(request, "admin/catalog/stockrecord/pieces.html", page)


def _save_received(request: HttpRequest, form: StockQuantityForm) -> None:
    quantity, reference = form.cleaned_data["quantity"], form.cleaned_data["reference"]
    with transaction.atomic():
        stock.receive_stock(form.record.pk, quantity=quantity, reference=reference, actor=get_staff_name(request))
    messages.success(request, f"{form.record}: {quantity} received.")


def _save_counted(request: HttpRequest, form: StockQuantityForm) -> None:
    record, quantity = form.record, form.cleaned_data["quantity"]
    with transaction.atomic():
        changed, _ = stock.record_stocktake(
            {record.variant_id: quantity},
            store_id=record.store_id,
            reference=form.cleaned_data["reference"],
            actor=get_staff_name(request),
        )
    record.refresh_from_db()
    if changed:
        messages.success(request, f"{record}: {quantity} counted.")
    elif record.on_hand == quantity:
        messages.info(request, f"{record}: {quantity} counted, as written.")
    else:
        why = f"{record.allocated} are promised to orders, so {quantity} cannot be all there is. Nothing was changed."
        messages.error(request, f"{record}: {why}")


@admin.register(StockRecord)
class StockRecordAdmin(StrictAdmin):
    form = StockRecordForm
    actions = [receive, count]
    inlines = [MovementInline]
    list_display = ["variant", "sku", "store", "on_hand", "allocated", "available", "restock_on"]
    list_filter = [StockLeftFilter, "store"]
    list_select_related = ["variant__product", "store"]
    search_fields = ["variant__sku", "variant__product__title"]
    autocomplete_fields = ["variant"]
    readonly_fields = ["on_hand", "allocated", "available"]
    ordering = ["variant__product__title", "variant__position", "id"]

    @admin.display(description="SKU", ordering="variant__sku")
    def sku(self, record: StockRecord) -> str:
        return record.variant.sku

    def get_readonly_fields(self, request: HttpRequest, obj: StockRecord | None = None) -> list[str]:
        fixed = ["variant", "store"] if obj else []
        return [*fixed, *self.readonly_fields]

    def has_delete_permission(self, request: HttpRequest, obj: StockRecord | None = None) -> bool:
        return False


@admin.register(StockMovement)
class StockMovementAdmin(StrictAdmin):
    """What happened to the stock, for reading."""

    list_display = ["created_at", "record", "kind", "quantity", "reference", "actor"]
    list_filter = ["kind"]
    list_select_related = ["record__variant", "record__store"]
    search_fields = ["record__variant__sku", "reference"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: StockMovement | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: StockMovement | None = None) -> bool:
        return False
