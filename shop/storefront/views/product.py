from collections.abc import Sequence
from functools import partial
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from accounts.people.auth import get_customer, get_login_customer
from accounts.preferences import interests
from accounts.preferences.interests import Interests
from orders.addresses import zone_words
from orders.models import InfoPage
from orders.returns.policy import build_policy, describe_for_product
from orders.shop_terms import Terms
from recommendations import visitors
from recommendations.history import record_customer_view
from shop.catalog import details
from shop.catalog.details import ProductDetails
from shop.storefront import (
    consent_prompts,
    info_pages,
    list_query,
    page_cache,
    product_display,
    shelves,
    store_display,
    structured_data,
)
from shop.storefront.consent_prompts import PromptPlace
from shop.storefront.destination import Destination, find_destination
from shop.storefront.product_display import VariantOption


@require_safe
def product(request: HttpRequest, slug: str) -> HttpResponse:
    found = details.read_product_details(slug)
    if found is None:
        raise Http404
    if request.method == "GET":
        record_customer_view(get_login_customer(request), found.pk)  # writes only where that switch is on
        visitors.record_visitor_view(request, found.pk)  # likewise
    customer = get_customer(request)
    context = _build_product_context(
        found, wanted=request.GET.get("variant", ""), told=shelves.get_customer_interests(customer)
    )
    if request.method == "GET" and context["fit"]:
        interests.record_interest_use(context["fit"])  # writes only where that switch is on
    response = render(
        request,
        "storefront/product.html",
        context | {"ask": consent_prompts.get_prompt_for_page(request, PromptPlace.PRODUCT)},
    )
    if customer:
        add_never_cache_headers(response)
    return response


def _build_product_context(found: ProductDetails, *, wanted: str, told: Interests) -> dict[str, Any]:
    now = timezone.now()
    tree = page_cache.get_cached_tree()
    path = tree.path(found.category_id)
    sizes = told.sizes_for(found.category_id)
    options = product_display.build_options(found, now=now, wanted=wanted, sizes=[each.words for each in sizes])
    chosen = next((option for option in options if option.is_chosen), None)
    pictures = product_display.list_product_pictures(found)
    canonical_url = settings.SITE_URL + reverse("product", args=[found.slug])
    return {
        "product": found,
        "pictures": pictures,
        "structured_data": structured_data.write_product_data(
            found, options, url=canonical_url, pictures=pictures, today=timezone.localdate(now)
        ),
        "options": options,
        "groups": product_display.group_options(options),
        "lines": product_display.list_promise_lines(options),
        "chosen": chosen,
        "fit": next((each for each in sizes if chosen and not wanted and each.words == chosen.variant.size), None),
        "gone": product_display.describe_sold_out_options(options),
        "unserved": _describe_unserved(options),
        "delivery_words": _find_delivery_words(),
        "return_words": _write_return_words(found),
        "stores": store_display.list_stores(found, now=now),
        "is_sold_out": product_display.is_sold_out(options),
        "lifespan": product_display.format_lifespan(found.lifespan_months),
        "tint": path[-1].tint if path else 1,
        "is_ahead": found.released_on is not None and found.released_on > timezone.localdate(now),
        "shelves": shelves.beside_product(found.pk, hidden=told.hidden),
        "crumbs": list_query.build_breadcrumbs(path[-1] if path else None, tree, found.title),
        "current_category": path[0].slug if path else "",
        "canonical_url": canonical_url,
    }


def _describe_unserved(options: Sequence[VariantOption]) -> str:
    """Whose days they are, where nothing goes to the customer's own country; empty for most, and without a day."""
    has_days = any(option.promised for option in options)
    return find_destination(page_cache.get_cached_terms()).unserved_words if has_days else ""


def _find_delivery_words() -> SafeString:
    to = find_destination(page_cache.get_cached_terms())
    return page_cache.work_out(f"delivery words {to.key}", partial(_write_delivery_words, to=to))


def _write_delivery_words(terms: Terms, *, to: Destination) -> SafeString:
    """What delivery costs to a country, and whether some of its postcodes are different."""
    context = {
        "price": info_pages.format_delivery_price(to.methods),
        "abroad": to.abroad,
        "zone_words": zone_words.describe_zones(terms, to.country),
        "page": _find_page(terms, InfoPage.Facts.DELIVERY),
    }
    return render_to_string("partials/delivery_words.html", context)


def _write_return_words(found: ProductDetails) -> SafeString:
    """Whether it may be sent back by choice, until when and who pays."""
    policy = page_cache.work_out("return policy", build_policy)
    if policy.is_excluded(found.pk, found.category_id):
        return page_cache.work_out("words of no return", _write_no_return)
    return page_cache.work_out("return words", _write_return)


def _write_return(terms: Terms, *, is_excluded: bool = False) -> SafeString:
    context = {
        "words": describe_for_product(build_policy(terms), is_excluded=is_excluded),
        "page": _find_page(terms, InfoPage.Facts.RETURNS),
    }
    return render_to_string("partials/return_words.html", context)


_write_no_return = partial(_write_return, is_excluded=True)


def _find_page(terms: Terms, facts: InfoPage.Facts) -> InfoPage | None:
    return next((page for page in terms.info_pages if page.facts == facts), None)
