"""A customer as staff see one: what the task in hand needs, and no more.

Name and reference always; e-mail and address book while an order of theirs is in hand, or for a reason given; their
switches, and what they had allowed on a day, to those whose role says so. What somebody looked at, what they told the
shop about themselves and what it makes of it is on no page of the back office.
"""

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.admin.masked import MaskedAdmin, ReasonForm
from accounts.consent import purposes, receipts
from accounts.models import Customer
from accounts.people.email_addresses import normalize_searched_address
from accounts.privacy.access_log import DataSubject, mask_email
from orders.models import Order

MOST_ORDERS = 20


class CustomerDayForm(forms.Form):
    on = forms.DateField(label="On", required=False, widget=forms.DateInput(attrs={"type": "date"}))


class CustomerAdmin(MaskedAdmin):
    list_display = ["name_or_number", "email_in_short", "external_reference", "has_login", "created_at"]
    list_display_links = ["name_or_number"]
    list_filter = [
        ("user", admin.EmptyFieldListFilter),
        ("email_proved_at", admin.EmptyFieldListFilter),
    ]
    search_fields = ["name", "=external_reference"]
    search_help_text = "Whole e-mail address, name or reference"
    ordering = ["-pk"]
    page_parameters = ("on",)
    list_per_page = 50
    fields = ["name", "external_reference", "has_login", "email_proved_at", "created_at"]
    readonly_fields = ["external_reference", "has_login", "email_proved_at", "created_at"]
    change_form_template = "admin/accounts/customer/change_form.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        return False

    def subject(self, customer: Customer) -> DataSubject:
        return DataSubject(customer.pk)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        """An address is looked up whole, by its index; only a name is searched for."""
        if "@" in search_term:
            return queryset.filter(email__iexact=normalize_searched_address(search_term)), False
        return super().get_search_results(request, queryset, search_term)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        customer = self.get_object(request, object_id)
        context = self._get_page_context(request, customer) if customer else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def _get_page_context(self, request: HttpRequest, customer: Customer) -> dict[str, Any]:
        may_see = request.user.has_perm
        in_hand = _find_orders_in_hand(customer) if may_see("orders.view_order") else []
        is_whole = bool(in_hand) or self.is_unmasked(request, customer)
        has_book = is_whole and may_see("accounts.view_address")
        return {
            "title": customer,
            "subtitle": None,
            "customer": customer,
            "in_hand": in_hand,
            "is_whole": is_whole,
            "email": customer.email if is_whole else mask_email(customer.email),
            "addresses": list(customer.addresses.all()) if has_book else None,
            "switches": _list_answered_switches(customer) if may_see("accounts.view_consent") else None,
            **(_get_states_on_day(request, customer) if may_see("accounts.view_consentpayload") else {}),
            "reason_form": ReasonForm(),
        }

    @admin.display(description="customer", ordering="name")
    def name_or_number(self, customer: Customer) -> str:
        return str(customer)

    @admin.display(description="e-mail")
    def email_in_short(self, customer: Customer) -> str:
        return mask_email(customer.email) or "No address yet"

    @admin.display(description="has a login", boolean=True)
    def has_login(self, customer: Customer) -> bool:
        return not customer.is_guest


def _find_orders_in_hand(customer: Customer) -> list[Order]:
    """Their orders that staff have work to do on."""
    return list(Order.objects.filter(customer=customer, status=Order.Status.CONFIRMED)[:MOST_ORDERS])


def _list_answered_switches(customer: Customer) -> list[dict[str, Any]]:
    """What they have answered, in the order of the registry."""
    answers = {answer.purpose: answer for answer in customer.consents.defer("record")}
    known = [purposes.PERSONAL_SHOPPER, *purposes.PURPOSES]
    return [{"title": each.title, "answer": answers[each.key]} for each in known if each.key in answers]


def _get_states_on_day(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    """“What had they allowed on 3 May?”"""
    form = CustomerDayForm(request.GET)
    day: date | None = form.cleaned_data["on"] if form.is_valid() else None
    return {"day_form": form, "day": day, "standings": receipts.get_switch_states_on(customer, day) if day else []}


def register_customer_admin() -> None:
    """Called when the back office is ready: the page joins what lies in several apps."""
    admin.site.register(Customer, CustomerAdmin)
