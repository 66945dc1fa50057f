from collections.abc import Collection
from datetime import date, timedelta

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_safe

from accounts.current import customer_of
from recommendations import picks
from shop.catalog.models import Product
from shop.storefront import shelves
from shop.storefront.shelves import Shelf

SHELF = 8
AHEAD = timedelta(days=14)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    customer = customer_of(request)
    context = {
        "greeting": f"Good to see you, {customer.name}." if customer and customer.name else "",
        "personal": [shelves.for_customer(customer)],
        "news": _news(),
        "canonical_url": f"{settings.SITE_URL}/",
    }
    response = render(request, "storefront/home.html", context)
    if customer:
        add_never_cache_headers(response)
    return response


def _news() -> list[Shelf]:
    """What came last, what comes next, what sells well: two queries, the same for everybody."""
    today = timezone.localdate()
    popular = [pick.product_id for pick in picks.popular(limit=SHELF)]
    found = _goods(popular, today)
    coming = [product for product in found if product.released_on and product.released_on > today]
    fresh = [product for product in found if product not in coming][:SHELF]
    by_id = {product.id: product for product in found if product not in fresh}
    return [
        Shelf("Just in", shelves.cards(fresh)),
        Shelf("Out soon", shelves.cards(coming[::-1]), note="Order now; it leaves us as soon as it is out."),
        Shelf("What people come back for", shelves.cards(by_id[each] for each in popular if each in by_id)),
    ]


def _goods(ids: Collection[int], today: date) -> list[Product]:
    """The newest things, those released next, and those with these ids; the newest first."""
    published = Product.objects.published()
    newest = published.released().newest()
    next_out = published.filter(released_on__gt=today, released_on__lte=today + AHEAD).order_by("released_on", "id")
    shown = Q(id__in=ids) | Q(id__in=newest.values("id")[:SHELF]) | Q(id__in=next_out.values("id")[:SHELF])
    return list(published.for_cards().filter(shown).newest())
