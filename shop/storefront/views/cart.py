from dataclasses import replace
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_countries.fields import Country

from accounts.people.auth import get_customer
from orders import carts, pricing, promise
from orders.addresses import zone_words
from orders.checkout import plan_cart_parcels
from orders.customs import describe_charges_before_buying, reaches_over_customs
from orders.models import CartLine, DeliveryZone, ShippingMethod
from orders.parcel_plan import ParcelPlan, format_plan
from orders.promise import Promise, PromiseWords
from orders.shop_terms import Terms
from orders.views.cart import AddToCartForm
from orders.views.redirects import see_other
from shop.catalog.models import Variant
from shop.money import format_amount
from shop.storefront import consent_prompts, page_cache, shelves
from shop.storefront.cart_rows import CartItem, CartRow
from shop.storefront.checkout_form import list_country_choices, write_country_select
from shop.storefront.consent_prompts import PromptPlace
from shop.storefront.delivery_options import format_arrival, has_different_days
from shop.storefront.destination import Destination, find_destination, remember_country

OVER_A_BORDER = (
    "Sent over a customs border, a parcel may cost tax or duty there, on top of this, for whoever receives it. "
    "Choose the country, and it says which."
)


@never_cache
@require_safe
def cart(request: HttpRequest) -> HttpResponse:
    found = carts.get_cart_for_request(request)
    lines = carts.get_priced_lines(found) if found else []
    carts.store_session_count(request, sum(line.quantity for line in lines))
    ask = consent_prompts.get_prompt_for_page(request, PromptPlace.CART) if lines else None
    context = {"cart": found, "removed": _find_removed_item(request), "ask": ask}
    return render(request, "storefront/cart.html", context | _build_contents(request, lines))


@require_POST
def choose_country(request: HttpRequest) -> HttpResponse:
    """Pages name prices and days for it from then on, and the checkout begins with it."""
    agreed, country = page_cache.get_fresh_terms(request), request.POST.get("country", "")
    if country in dict(list_country_choices(agreed.methods)):
        remember_country(request, country, terms=agreed)
    else:
        messages.error(request, "We do not deliver there. Nothing was changed.")
    return see_other("cart")


def _build_contents(request: HttpRequest, lines: list[CartLine]) -> dict[str, Any]:
    if not lines:
        return {"rows": []}
    now, token, agreed = timezone.now(), get_token(request), page_cache.get_fresh_terms(request)
    to = find_destination(agreed)
    country, zone = to.country, to.find_zone(agreed)
    method = next(iter(pricing.filter_shipping_methods(to.methods, country)), None)
    plan = plan_cart_parcels(lines, method, agreed, country=country, postcode=to.postcode) if method else None
    days = plan.promises if plan else [None] * len(lines)
    dated = zip(lines, days, strict=True)
    rows = _align_promises([_make_cart_row(line, day, agreed, now, to.abroad) for line, day in dated], plan)
    sellable = [line for line in lines if line.is_sellable]
    totals = pricing.compute_totals(sellable, method, country, terms=agreed, zone=zone)
    return {
        "rows": rows,
        "items": [CartItem(row, token) for row in rows],
        "totals": totals,
        "method": method,
        "country": Country(country),
        "country_select": write_country_select(agreed, country),
        "until_free": _format_until_free(method, totals),
        "tax_name": agreed.tax_names.get(country, ""),
        "arrival": format_arrival(lines, plan, now=now) if plan else "",
        "unserved": to.unserved_words,
        "zone_words": _describe_zone(agreed, to, zone) if method else "",
        "second_parcel": _describe_second_parcel(plan, method, now),
        "customs_note": _describe_customs(agreed, to),
        "has_gift": any(line.is_gift for line in lines),
        "shelf": shelves.beside_cart(lines, customer=get_customer(request)),
        "is_ready": not any(item.problem for item in rows),
    }


def _describe_zone(agreed: Terms, to: Destination, zone: DeliveryZone | None) -> str:
    if to.postcode:
        return zone_words.describe_zone(zone)
    some = zone_words.describe_zones(agreed, to.country)
    return f"{some} The checkout says which, before you pay." if some else ""


def _describe_customs(agreed: Terms, to: Destination) -> str:
    """What the border asks of whoever receives it; while nobody chose another country, that there may be one."""
    if to.abroad:
        return describe_charges_before_buying(to.country, agreed)
    return OVER_A_BORDER if reaches_over_customs(agreed.methods, to.country) else ""


def _format_until_free(method: ShippingMethod | None, totals: pricing.Totals) -> str:
    """How much more makes delivery free; empty where nothing does, or it is."""
    if method is None or method.free_from is None or not totals.plain_shipping:
        return ""
    return format_amount(method.free_from - totals.subtotal, totals.currency)


def _describe_second_parcel(plan: ParcelPlan | None, method: ShippingMethod | None, now: datetime) -> str:
    """That what is here need not wait for the rest, with the days of both; empty where nothing waits."""
    if plan is None or method is None or not plan.may_split:
        return ""
    extra = method.extra_parcel_price
    cost = f"for {format_amount(extra, method.currency)} more" if extra else "at no extra cost"
    return f"Or in two parcels, {cost}. {format_plan(plan, in_two=True, now=now)} You choose at checkout."


def _make_cart_row(line: CartLine, promised: Promise | None, agreed: Terms, now: datetime, abroad: str) -> CartRow:
    released_on = line.variant.product.released_on
    limit = agreed.settings.quantity_limit
    words = promise.describe_product_promise(
        promised, availability=line, now=now, quantity=line.quantity, released_on=released_on, abroad=abroad
    )
    most = max(1, min(line.available, limit - line.other_line_count))
    return CartRow(line, words, promised, _describe_problem(line, limit), most, _get_tint(line))


def _get_tint(line: CartLine) -> int:
    branch = page_cache.get_cached_tree().by_id.get(line.variant.product.category_id)
    return branch.tint if branch else 1


def _describe_problem(line: CartLine, limit: int) -> str:
    if not line.is_sellable:
        return "No longer for sale. Remove it to check out with the rest."
    if not line.is_short:
        too_many = f"We sell at most {limit:,} of one thing in one order. Make it {limit:,} to check out."
        return too_many if line.quantity + line.other_line_count > limit else ""
    if line.available == 0:
        return "Sold out since you put it in. Remove it to check out with the rest."
    return f"Only {line.available} left. Make it {line.available} to check out."


def _align_promises(rows: list[CartRow], plan: ParcelPlan | None) -> list[CartRow]:
    """The same, but where one thing comes later than another no line names a day: all of it waits for the last."""
    last = plan.together if plan else None
    if plan is None or last is None or not has_different_days(plan.promises):
        return rows
    return [replace(each, words=_describe_waiting(each, last)) if each.promised else each for each in rows]


def _describe_waiting(row: CartRow, last: Promise) -> PromiseWords:
    ships, arrives = ("and the rest", "waits for it") if _is_last_to_arrive(row, last) else ("travels with", "the rest")
    return PromiseWords(row.words.kind, row.words.stock, ships=ships, arrives=arrives)


def _is_last_to_arrive(row: CartRow, last: Promise) -> bool:
    return row.promised is not None and row.promised.by_on == last.by_on


def _find_removed_item(request: HttpRequest) -> dict[str, Any] | None:
    """What was just taken out, so that it can be put back by adding it again."""
    form = AddToCartForm({**request.GET.dict(), "variant": request.GET.get("removed", "")})
    if "removed" not in request.GET or not form.is_valid():
        return None
    variant = Variant.objects.sellable().select_related("product").filter(pk=form.cleaned_data["variant"]).first()
    return {**form.cleaned_data, "variant": variant} if variant else None
