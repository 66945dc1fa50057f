from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.current import customer_of
from shop.catalog.models import Product
from shop.storefront import shelves
from shop.storefront.shelves import Shelf

SHELF = 8
AHEAD = timedelta(days=14)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    fresh, coming = _news()
    news = [
        Shelf("Just in", shelves.cards(fresh)),
        Shelf("Out soon", shelves.cards(coming), note="Order now and it is posted for release day."),
    ]
    context = {
        "personal": [shelves.for_customer(customer_of(request))],
        "news": news,
        "canonical_url": f"{settings.SITE_URL}/",
    }
    return render(request, "storefront/home.html", context)


def _news() -> tuple[list[Product], list[Product]]:
    """The newest things and those released next, in one query."""
    today = timezone.localdate()
    published = Product.objects.published()
    newest = published.released().newest()
    next_out = published.filter(released_on__gt=today, released_on__lte=today + AHEAD).order_by("released_on", "id")
    shown = Q(id__in=newest.values("id")[:SHELF]) | Q(id__in=next_out.values("id")[:SHELF])
    found = list(Product.objects.for_cards().filter(shown).newest())
    coming = [product for product in found if product.released_on and product.released_on > today]
    return [product for product in found if product not in coming], coming[::-1]
