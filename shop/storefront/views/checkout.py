"""Checkout on one page. GET shows it; POST continues to payment or reworks it (`reprice`, `use_address`, `add`)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_countries.fields import Country
from django_htmx.http import HttpResponseClientRedirect

from accounts import address_book, consent
from accounts.current import get_customer, get_login_customer
from accounts.models import Address, Customer
from orders import cart as carts
from orders import checkout as ordering
from orders import guests, limits, payments, pricing, promise, terms
from orders.checkout import CheckoutRefused
from orders.customs import crosses_customs
from orders.models import Cart, CartLine, Order, Payment, ShippingMethod
from orders.terms import Terms
from orders.views.answers import see_other
from shop.money import format_amount
from shop.storefront import shelves
from shop.storefront.checkout_additions import Addition, add_to_order
from shop.storefront.checkout_form import CheckoutForm, address_values, first_values, typed
from shop.storefront.views.cart import arrival, row
from shop.storefront.views.payment import ASKED

TOO_MANY = (
    "That was a great many orders from your network within a minute. Nothing was ordered or charged; "
    "please try again in a minute."
)
STRIPE_IS_AWAY = (
    "We could not reach our payment service just now. Nothing was charged and your cart is as it was. "
    "Please try again in a minute."
)
EARLIER_IS_ENDING = (
    "You went to the payment page before, and our payment service has not told us yet that nothing was paid there. "
    "Nothing was charged and your cart is as it was. Please press “Continue to payment” again in a minute."
)
STRIPE_REFUSED = (
    "The payment page could not be opened. Nothing was charged and your cart is as it was. "
    "Please try again, or write to us."
)


@dataclass(frozen=True)
class Delivery:
    """One way for the parcel to go, as the page offers it."""

    method: ShippingMethod
    price: str
    arrival: str
    is_chosen: bool


@dataclass(frozen=True)
class Desk:
    """What a request to check out works with."""

    cart: Cart
    customer: Customer | None
    book: list[Address]
    granted: frozenset[str]
    terms: Terms


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    cart = carts.of(request)
    if cart is None:
        return _lead_to_cart(request)
    desk = _desk(request, cart)
    if request.method != "POST":
        return _page(request, desk, _form(desk, initial=_first(desk) | _left_off(request, desk)))
    if "reprice" in request.POST or "use_address" in request.POST:
        return _page(request, desk, _form(desk, initial=_reworked(request, desk)))
    if "add" in request.POST:
        return _add(request, desk)
    form = _form(desk, data=request.POST)
    if not form.is_valid():
        return _page(request, desk, form)
    if not limits.within(request, "checkout", most_per_minute=settings.CHECKOUTS_PER_MINUTE):
        return _page(request, desk, form, problem=TOO_MANY, status=429)
    return _continue(request, desk, form)


def _desk(request: HttpRequest, cart: Cart) -> Desk:
    customer = get_login_customer(request)
    return Desk(
        cart=cart,
        customer=customer,
        book=list(customer.addresses.all()) if customer else [],
        granted=consent.get_granted_purposes(customer),
        terms=terms.for_request(request),
    )


def _form(desk: Desk, **given: Any) -> CheckoutForm:
    return CheckoutForm(methods=desk.terms.methods, customer=desk.customer, **given)


def _first(desk: Desk) -> dict[str, Any]:
    return first_values(
        desk.customer,
        desk.book,
        country=str(desk.terms.settings.default_country),
        granted=desk.granted,
        gift_note=desk.cart.gift_note,
    )


def _left_off(request: HttpRequest, desk: Desk) -> dict[str, Any]:
    """What was typed before, for who turned back from the payment page."""
    order = Order.objects.filter(cart=desk.cart, status=Order.Status.PENDING).order_by("-pk").first()
    if order is None or not guests.may_see(request, order):
        return {}
    values: dict[str, Any] = {"email": order.email, "method": str(order.shipping_method_id), **address_values(order)}
    values["gift_note"] = desk.cart.gift_note or order.gift_note
    if desk.customer is None:
        values |= dict.fromkeys(order.ticks.filter(granted=True).values_list("purpose", flat=True), True)
    return values


def _reworked(request: HttpRequest, desk: Desk) -> dict[str, Any]:
    """The page again with all that was typed, and another address from the book if one was asked for."""
    wanted = request.POST.get("use_address", "")
    chosen = next((address for address in desk.book if str(address.pk) == wanted), None)
    return typed(request.POST.dict()) | (address_values(chosen) if chosen else {})


def _add(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The page again with one thing more in the cart, or with the reason why not, and with all that was typed."""
    addition, count = add_to_order(desk.cart, request.POST["add"])
    if count is not None:
        carts.remember_count(request, count)
    return _page(request, desk, _form(desk, initial=_reworked(request, desk)), addition=addition)


def _lead_to_cart(request: HttpRequest) -> HttpResponse:
    """To the cart's page as a whole, also from a part of this one."""
    is_part = getattr(request, "htmx", False)
    return HttpResponseClientRedirect(reverse("cart")) if is_part else see_other("cart")


def _continue(request: HttpRequest, desk: Desk, form: CheckoutForm) -> HttpResponse:
    """Switches and address book first, each for itself; then the order; then its payment page."""
    if desk.customer is not None:
        _keep_answers(desk.customer, form, desk.book)
    try:
        begun = ordering.begin(desk.cart, form.details(), customer=desk.customer, terms=desk.terms)
    except CheckoutRefused as refusal:
        return _page(request, desk, form, problem=str(refusal), status=409)
    except payments.Unreachable:
        return _page(request, desk, form, problem=EARLIER_IS_ENDING, status=503)
    guests.grant(request, begun.order)
    if begun.payment is None:
        carts.keep_count(request, desk.cart)
        return see_other("order", begun.order.number)
    return _lead_to_payment(request, desk, form, begun.payment)


def _lead_to_payment(request: HttpRequest, desk: Desk, form: CheckoutForm, payment: Payment) -> HttpResponse:
    """To Stripe's page at once; where that takes longer than a request can wait, to a page that goes on by itself."""
    try:
        return see_other(payments.start(payment).redirect_url)
    except payments.Slow:
        request.session[ASKED] = payment.order.number
        return see_other("order_payment", payment.order.number)
    except payments.Refused:
        return _page(request, desk, form, problem=STRIPE_REFUSED, status=503)
    except payments.Unreachable:
        return _page(request, desk, form, problem=STRIPE_IS_AWAY, status=503)


def _keep_answers(customer: Customer, form: CheckoutForm, book: list[Address]) -> None:
    for key, granted in form.changed_switches().items():
        consent.set_consent(customer, key, granted=granted, source="checkout")
    if form.cleaned_data["remember"]:
        address = form.address()
        if address_values(address) not in [address_values(known) for known in book]:
            address_book.save_address(customer, address)


def _page(
    request: HttpRequest,
    desk: Desk,
    form: CheckoutForm,
    *,
    problem: str = "",
    addition: Addition | None = None,
    status: int = 200,
) -> HttpResponse:
    lines = carts.lines_with_prices(desk.cart)
    if not lines:
        carts.remember_count(request, 0)
        return _lead_to_cart(request)
    now, sellable = timezone.now(), [line for line in lines if line.is_sellable]
    country = form.chosen_country
    method = form.chosen_method
    totals = pricing.price(sellable, method, country, terms=desk.terms)
    context = {
        "form": form,
        "customer": desk.customer,
        "book": [address for address in desk.book if address_values(address) != _shown(form)],
        "lines": lines,
        "deliveries": deliveries(form, lines, desk.terms),
        "totals": totals,
        "method": method,
        "tax_name": desk.terms.tax_names.get(country, ""),
        "arrival": arrival([row(line, desk.terms, method, now) for line in sellable], now) if method else "",
        "customs_note": _format_customs_note(form, desk.terms),
        "has_gift": any(line.is_gift for line in lines),
        "problem": problem,
        "shelf": shelves.beside_checkout(lines, customer=get_customer(request)),
        "addition": addition,
    }
    return render(request, "storefront/checkout.html", context, status=status)


def _format_customs_note(form: CheckoutForm, agreed: Terms) -> str:
    """What a parcel over a customs border may cost on top; empty within it."""
    country = form.chosen_country
    if not crosses_customs(str(agreed.settings.default_country), country):
        return ""
    opening = f"Going to {Country(country).name}, the parcel passes customs."
    if agreed.rate(country):
        return f"{opening} {agreed.tax_names[country]} is in the price; duty may be asked of you there."
    return f"{opening} Tax and duty may be asked of you there; they are not in the price."


def _shown(form: CheckoutForm) -> dict[str, str]:
    """The address now in the fields."""
    return {name: str(form[name].value() or "") if name in form.fields else "" for name in ordering.ADDRESS}


def deliveries(form: CheckoutForm, lines: list[CartLine], agreed: Terms) -> list[Delivery]:
    now = timezone.now()
    subtotal = pricing.price([line for line in lines if line.is_sellable], None, "", terms=agreed)
    chosen = form.chosen_method
    return [
        Delivery(
            method=each,
            price=_price(each, subtotal),
            arrival=_arrival(lines, each, agreed, now),
            is_chosen=each == chosen,
        )
        for each in form.methods
    ]


def _price(method: ShippingMethod, goods: pricing.Totals) -> str:
    amount = method.price_for(goods.subtotal)
    return format_amount(amount, goods.currency) if amount else "free"


def _arrival(lines: list[CartLine], method: ShippingMethod, agreed: Terms, now: datetime) -> str:
    promised = ordering.promised_for(lines, method, agreed)
    return promise.sentence(promised, now=now) if promised else ""
