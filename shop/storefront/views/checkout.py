"""Checkout on one page. GET shows it; POST continues to payment or reworks it (`reprice`, `use_address`, `add`)."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from accounts.consent import consent
from accounts.models import Address, Customer
from accounts.models.address import ADDRESS_FIELDS
from accounts.people import address_book
from accounts.people.auth import get_customer, get_login_customer
from orders import carts, order_access, pickup, pricing, rate_limits
from orders.addresses import zone_words
from orders.checkout import CheckoutRefused, find_pending_order, plan_cart_parcels, start_checkout
from orders.customs import describe_charges_before_buying
from orders.models import Cart, CartLine, Payment
from orders.payments import checkout_sessions
from orders.returns.policy import build_policy, describe_for_cart
from orders.shop_terms import Terms
from orders.views.redirects import see_other
from shop.storefront import page_cache, shelves
from shop.storefront.checkout_additions import Addition, add_to_order
from shop.storefront.checkout_form import (
    ADDRESS_OF_A_DOOR,
    IN_TWO,
    CheckoutForm,
    build_initial_values,
    get_address_values,
    read_typed_values,
)
from shop.storefront.delivery_options import format_arrival, list_deliveries, list_parcel_options
from shop.storefront.destination import get_chosen_country, remember_country
from shop.storefront.guarantee_notice import build_notice_for
from shop.storefront.views.payment import ASKED_KEY

TOO_MANY = (
    "That was a great many orders from your network within a minute. Nothing was ordered or charged; "
    "please try again in a minute."
)
STRIPE_UNAVAILABLE = (
    "We could not reach our payment service just now. Nothing was charged and your cart is as it was. "
    "Please try again in a minute."
)
EARLIER_PAYMENT_ENDING = (
    "You went to the payment page before, and our payment service has not told us yet that nothing was paid there. "
    "Nothing was charged and your cart is as it was. Please press “Continue to payment” again in a minute."
)
STRIPE_REFUSED = (
    "The payment page could not be opened. Nothing was charged and your cart is as it was. "
    "Please try again, or write to us."
)


@dataclass(frozen=True)
class CheckoutContext:
    """What a request to check out works with."""

    cart: Cart
    customer: Customer | None
    book: list[Address]
    granted: frozenset[str]
    terms: Terms


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    cart = carts.get_cart_for_request(request)
    if cart is None:
        return _lead_to_cart(request)
    desk = _load_checkout_context(request, cart)
    if request.method != "POST":
        known = _get_initial_values(request, desk)
        return _show_checkout(request, desk, known | _restore_earlier_values(request, desk))
    if "reprice" in request.POST or "use_address" in request.POST:
        values = _read_reworked_values(request, desk)
        remember_country(request, values.get("country", ""), terms=desk.terms)
        return _show_checkout(request, desk, values)
    if "add" in request.POST:
        return _add(request, desk)
    lines = carts.get_priced_lines(desk.cart) if desk.terms.pickups else []
    form = _make_checkout_form(desk, lines, data=request.POST)
    if not form.is_valid():
        return _render_checkout(request, desk, form)
    if not rate_limits.is_within_rate_limit(request, "checkout", most_per_minute=settings.CHECKOUTS_PER_MINUTE):
        return _render_checkout(request, desk, form, problem=TOO_MANY, status=429)
    return _place_order(request, desk, form)


def _load_checkout_context(request: HttpRequest, cart: Cart) -> CheckoutContext:
    customer = get_login_customer(request)
    return CheckoutContext(
        cart=cart,
        customer=customer,
        book=list(customer.addresses.all()) if customer else [],
        granted=consent.get_granted_purposes(customer),
        terms=page_cache.get_fresh_terms(request),
    )


def _show_checkout(
    request: HttpRequest, desk: CheckoutContext, values: dict[str, Any], *, addition: Addition | None = None
) -> HttpResponse:
    """The page with these values. What is in the cart is read once, for the form and for the page."""
    lines = carts.get_priced_lines(desk.cart)
    form = _make_checkout_form(desk, lines, initial=values)
    return _render_checkout(request, desk, form, lines=lines, addition=addition)


def _make_checkout_form(desk: CheckoutContext, lines: list[CartLine], **given: Any) -> CheckoutForm:
    """With the stores that have all of the cart now, to collect it from."""
    pickups = pickup.filter_pickups(desk.terms.pickups, lines)
    return CheckoutForm(terms=desk.terms, pickups=pickups, customer=desk.customer, **given)


def _get_initial_values(request: HttpRequest, desk: CheckoutContext) -> dict[str, Any]:
    """With the country that was chosen in the cart, and an address there if one is known."""
    chosen = get_chosen_country(request)
    return build_initial_values(
        desk.customer,
        [each for each in desk.book if chosen in ("", each.country.code)],
        country=chosen or str(desk.terms.settings.default_country),
        granted=desk.granted,
        gift_note=desk.cart.gift_note,
    )


def _restore_earlier_values(request: HttpRequest, desk: CheckoutContext) -> dict[str, Any]:
    """What was typed before, for who turned back from the payment page."""
    order = find_pending_order(desk.cart)
    if order is None or not order_access.may_see_order(request, order):
        return {}
    values: dict[str, Any] = {
        "email": order.email,
        "method": str(order.shipping_method_id),
        "carrier_may_write": order.carrier_may_write,
        "company_name": order.company_name,
        "vat_id": order.vat_id,
        "parcels": IN_TWO if order.ships_as_ready else "",
        **get_address_values(order),
    }
    values["gift_note"] = desk.cart.gift_note or order.gift_note
    if desk.customer is None:
        values |= dict.fromkeys(order.ticks.filter(granted=True).values_list("purpose", flat=True), True)
    chosen = get_chosen_country(request)
    if chosen not in ("", values["country"]):  # in the cart, since: the door is another, who lives there is not
        for name in (*ADDRESS_OF_A_DOOR, "method"):
            values.pop(name, None)
    return values


def _read_reworked_values(request: HttpRequest, desk: CheckoutContext) -> dict[str, Any]:
    """The page again with all that was typed, and another address from the book if one was asked for."""
    wanted = request.POST.get("use_address", "")
    chosen = next((address for address in desk.book if str(address.pk) == wanted), None)
    return read_typed_values(request.POST.dict()) | (get_address_values(chosen) if chosen else {})


def _add(request: HttpRequest, desk: CheckoutContext) -> HttpResponse:
    """The page again with one thing more in the cart, or with the reason why not, and with all that was typed."""
    addition, count = add_to_order(desk.cart, request.POST["add"])
    if count is not None:
        carts.store_session_count(request, count)
    return _show_checkout(request, desk, _read_reworked_values(request, desk), addition=addition)


def _lead_to_cart(request: HttpRequest) -> HttpResponse:
    """To the cart's page as a whole, also from a part of this one."""
    is_part = getattr(request, "htmx", False)
    return HttpResponseClientRedirect(reverse("cart")) if is_part else see_other("cart")


def _place_order(request: HttpRequest, desk: CheckoutContext, form: CheckoutForm) -> HttpResponse:
    """Switches and address book first, each for itself; then the order; then its payment page."""
    if desk.customer is not None:
        _save_answers(desk.customer, form, desk.book)
    try:
        begun = start_checkout(desk.cart, form.details(), customer=desk.customer, terms=desk.terms)
    except CheckoutRefused as refusal:
        return _render_checkout(request, desk, form, problem=str(refusal), status=409)
    except checkout_sessions.StripeUnreachable:
        return _render_checkout(request, desk, form, problem=EARLIER_PAYMENT_ENDING, status=503)
    order_access.grant_order_access(request, begun.order)
    remember_country(request, form.chosen_country, terms=desk.terms)
    if begun.payment is None:
        carts.refresh_session_count(request, desk.cart)
        return see_other("order", begun.order.number)
    return _redirect_to_payment(request, desk, form, begun.payment)


def _redirect_to_payment(
    request: HttpRequest, desk: CheckoutContext, form: CheckoutForm, payment: Payment
) -> HttpResponse:
    """To Stripe's page at once; where that takes longer than a request can wait, to a page that goes on by itself."""
    try:
        return see_other(checkout_sessions.open_checkout_session(payment).redirect_url)
    except checkout_sessions.StripeSlow:
        request.session[ASKED_KEY] = payment.order.number
        return see_other("order_payment", payment.order.number)
    except checkout_sessions.StripeRefused:
        return _render_checkout(request, desk, form, problem=STRIPE_REFUSED, status=503)
    except checkout_sessions.StripeUnreachable:
        return _render_checkout(request, desk, form, problem=STRIPE_UNAVAILABLE, status=503)


def _save_answers(customer: Customer, form: CheckoutForm, book: list[Address]) -> None:
    for key, granted in form.get_changed_switches().items():
        consent.set_consent(customer, key, granted=granted, source="checkout")
    if form.cleaned_data["remember"] and form.chosen_pickup is None:
        address = form.address()
        if get_address_values(address) not in [get_address_values(known) for known in book]:
            address_book.save_address(customer, address)


def _render_checkout(
    request: HttpRequest,
    desk: CheckoutContext,
    form: CheckoutForm,
    *,
    lines: list[CartLine] | None = None,
    problem: str = "",
    addition: Addition | None = None,
    status: int = 200,
) -> HttpResponse:
    if lines is None:  # something was tried since they were read, if they were
        lines = carts.get_priced_lines(desk.cart)
    if not lines:
        carts.store_session_count(request, 0)
        return _lead_to_cart(request)
    form.pickups = pickup.filter_pickups(form.pickups, lines)  # something was added, or has just gone
    now, sellable = timezone.now(), [line for line in lines if line.is_sellable]
    country, postcode = form.taxed_country, form.chosen_postcode
    refusal, zone = form.refusal, form.chosen_zone
    method = None if refusal else form.chosen_method  # where nothing goes, nothing is summed up
    plan = None
    if method:
        plan = plan_cart_parcels(sellable, method, desk.terms, country=country, postcode=postcode)
    in_two = form.wants_two and plan is not None and plan.may_split
    totals = pricing.compute_totals(sellable, method, country, terms=desk.terms, zone=zone, in_two=in_two)
    context = {
        "form": form,
        "customer": desk.customer,
        "book": [address for address in desk.book if get_address_values(address) != _read_form_address(form)],
        "lines": lines,
        "deliveries": list_deliveries(form, lines, desk.terms),
        "totals": totals,
        "method": method,
        "zone": zone,
        "refusal": "" if form.errors.get("postcode") else refusal,
        "is_refused": bool(refusal),
        "zone_words": _describe_zone(form, desk.terms),
        "has_zones": bool(desk.terms.zones),
        "tax_name": desk.terms.tax_names.get(country, ""),
        "in_two": in_two,
        "parcel_options": list_parcel_options(plan, method, now=now, in_two=in_two) if plan and method else [],
        "arrival": format_arrival(sellable, plan, in_two=in_two, now=now) if plan else "",
        "guarantee": build_notice_for(country, desk.terms.settings),
        "customs_note": "" if form.chosen_pickup else describe_charges_before_buying(form.chosen_country, desk.terms),
        "returns": _describe_returns(lines),
        "has_gift": any(line.is_gift for line in lines),
        "problem": problem,
        "shelf": shelves.beside_checkout(lines, customer=get_customer(request)),
        "addition": addition,
    }
    return render(request, "storefront/checkout.html", context, status=status)


def _describe_zone(form: CheckoutForm, terms: Terms) -> str:
    """What is different at the postcode; before there is one, whether some are."""
    if not form.chosen_postcode:
        return zone_words.describe_zones(terms, form.chosen_country)
    return "" if form.refusal else zone_words.describe_zone(form.chosen_zone)


def _describe_returns(lines: list[CartLine]) -> str:
    """Whether it may be sent back by choice, until when and who pays."""
    rule = page_cache.work_out("return policy", build_policy)
    return describe_for_cart(rule, [line.variant.product for line in lines])


def _read_form_address(form: CheckoutForm) -> dict[str, str]:
    """The address now in the fields."""
    return {name: str(form[name].value() or "") if name in form.fields else "" for name in ADDRESS_FIELDS}
