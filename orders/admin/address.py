"""Another address for an order, typed by staff until somebody starts picking it."""

from collections.abc import Iterable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from orders import stages
from orders.addresses import address_change
from orders.addresses.address_change import AddressChange, OrderAddressChangeForm
from orders.admin.action_pages import render_step_page
from orders.admin.actions import get_actor_name, try_each_order
from orders.admin.forms import focus_first_error
from orders.admin.order_action_forms import SENT
from orders.models import Order
from orders.stages import StaffButton

CHANGE_ADDRESS = StaffButton("change_address", "Change the address")


def _tell_new_day(request: HttpRequest, changes: Iterable[AddressChange | None]) -> None:
    for change in changes:
        if change and change.moved_day:
            told = change.was_by_on and change.moved_day > change.was_by_on
            mail = " Its buyer gets a mail that says so." if told else ""
            messages.info(request, f"It arrives by {change.moved_day:%a %d %b} there.{mail}")


@admin.action(description=CHANGE_ADDRESS.label, permissions=["change"])
def change_address(model_admin: admin.ModelAdmin, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    """One at a time, by the form that buyers have; to another country only staff send it, where no sum moves."""
    order = orders.first() if orders.count() == 1 else None
    if order is None or not address_change.may_change_address(order):
        messages.error(request, "Choose one open order that nobody picks yet: the others keep their address.")
        return None
    typed = request.POST if SENT in request.POST else None
    form = OrderAddressChangeForm(typed, instance=order, may_leave_country=True)
    if form.is_valid():
        actor = get_actor_name(request)
        changes: list[AddressChange | None] = []
        try_each_order(
            request,
            [order],
            lambda each: changes.append(
                address_change.change_address(each.pk, form.address, actor=actor, may_leave_country=True)
            ),
            done="The address is changed",
        )
        _tell_new_day(request, changes)
        return None
    focus_first_error([form], "full_name")
    title = CHANGE_ADDRESS.label
    has_left = stages.has_any_left(order)
    return render_step_page(
        model_admin, request, orders, "address", seen=[order], title=title, form=form, is_for_rest=has_left
    )
