"""A customer as staff see one: who they are, where parcels go, what they have allowed. Only the name is edited."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts import purposes
from accounts.models import Address, Consent, Customer


class ToLookAt(admin.TabularInline):
    """Rows that staff read and the customer alone changes."""

    extra = 0
    can_delete = False
    classes = ["to-look-at"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ConsentInline(ToLookAt):
    """The switches as they stand now. They are the customer's: staff read them to answer "why did I get this?"."""

    model = Consent
    fields = readonly_fields = ("switch", "granted", "changed_at", "source")
    verbose_name_plural = "What they have answered (no row: never asked, so no)"
    ordering = ["purpose"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Consent]:
        answers: QuerySet[Consent] = super().get_queryset(request)
        return answers.defer("record")

    @admin.display(description="switch")
    def switch(self, consent: Consent) -> str:
        try:
            return purposes.get(consent.purpose).title
        except KeyError:
            return consent.purpose


class AddressInline(ToLookAt):
    model = Address
    fields = readonly_fields = ("written_out", "phone", "is_default")
    verbose_name_plural = "Address book"

    @admin.display(description="address")
    def written_out(self, address: Address) -> str:
        return ", ".join(address.address_lines)


@admin.register(Customer)
class CustomerAdmin(admin.ModelAdmin):
    list_display = ["email_or_reference", "name", "has_login", "email_proved_at", "created_at"]
    list_display_links = ["email_or_reference"]
    list_filter = [
        ("user", admin.EmptyFieldListFilter),
        ("email_proved_at", admin.EmptyFieldListFilter),
    ]
    search_fields = ["name", "=external_reference"]
    search_help_text = "E-mail address, name or reference"
    ordering = ["-pk"]
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    fields = ["name", "email", "email_proved_at", "external_reference", "has_login", "created_at", "orders_link"]
    readonly_fields = ["email", "email_proved_at", "external_reference", "has_login", "created_at", "orders_link"]
    inlines = [ConsentInline, AddressInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        """An address is looked up by its index; only a name is searched for."""
        if "@" in search_term:
            return queryset.filter(email__iexact=search_term.strip()), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="customer")
    def email_or_reference(self, customer: Customer) -> str:
        reference = f"Reference {customer.external_reference}" if customer.external_reference else ""
        return customer.email or reference or "No address yet"

    @admin.display(description="has a login", boolean=True)
    def has_login(self, customer: Customer) -> bool:
        return not customer.is_guest

    @admin.display(description="orders")
    def orders_link(self, customer: Customer) -> str | SafeString:
        try:
            orders = reverse("admin:orders_order_changelist")
        except NoReverseMatch:
            return ""
        return format_html('<a href="{}?customer__id__exact={}">See their orders</a>', orders, customer.pk)
