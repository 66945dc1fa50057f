from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import address_book
from accounts.address_forms import AddressForm
from accounts.current import customer_of
from accounts.models import Address, Customer


def _customer(request: HttpRequest) -> Customer:
    customer = customer_of(request)
    assert customer is not None  # noqa: S101  (behind login_required)
    return customer


@never_cache
@require_safe
@login_required
def addresses(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/addresses.html", {"addresses": _customer(request).addresses.all()})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new_address(request: HttpRequest) -> HttpResponse:
    return _edit(request, Address(full_name=_customer(request).name, country=settings.COUNTRY), "Add an address")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit_address(request: HttpRequest, pk: int) -> HttpResponse:
    return _edit(request, get_object_or_404(_customer(request).addresses, pk=pk), "Change the address")


def _edit(request: HttpRequest, address: Address, title: str) -> HttpResponse:
    form = AddressForm(request.POST or None, instance=address)
    if request.method == "POST" and form.is_valid():
        address_book.keep(_customer(request), form.save(commit=False))
        messages.success(request, "Saved in your address book.")
        return redirect("addresses")
    return render(request, "accounts/address_form.html", {"form": form, "title": title})


@require_POST
@login_required
def remove_address(request: HttpRequest, pk: int) -> HttpResponse:
    address_book.remove(get_object_or_404(_customer(request).addresses, pk=pk))
    messages.success(request, "Taken out of your address book. Orders keep the address they were sent to.")
    return redirect("addresses")
