from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Address, Customer
from accounts.people import address_book
from accounts.people.address_forms import AddressBookForm
from accounts.people.auth import customer_required


@never_cache
@require_safe
@customer_required
def addresses(request: HttpRequest, customer: Customer) -> HttpResponse:
    return render(request, "accounts/addresses.html", {"addresses": customer.addresses.all()})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def new_address(request: HttpRequest, customer: Customer) -> HttpResponse:
    return _handle_address_form(
        request, customer, Address(full_name=customer.name, country=settings.COUNTRY), "Add an address"
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def edit_address(request: HttpRequest, customer: Customer, pk: int) -> HttpResponse:
    return _handle_address_form(request, customer, get_object_or_404(customer.addresses, pk=pk), "Change the address")


def _handle_address_form(request: HttpRequest, customer: Customer, address: Address, title: str) -> HttpResponse:
    form = AddressBookForm(request.POST or None, instance=address)
    if request.method == "POST" and form.is_valid():
        address_book.save_address(customer, form.save(commit=False))
        messages.success(request, "Saved in your address book.")
        return redirect("addresses")
    return render(request, "accounts/address_form.html", {"form": form, "title": title})


@require_POST
@customer_required
def remove_address(request: HttpRequest, customer: Customer, pk: int) -> HttpResponse:
    address_book.delete_address(get_object_or_404(customer.addresses, pk=pk))
    messages.success(request, "Taken out of your address book. Orders keep the address they were sent to.")
    return redirect("addresses")
