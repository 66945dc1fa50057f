from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_safe

from accounts.current import customer_of
from accounts.interests import Hidden
from recommendations import picks
from recommendations.effects import Place
from shop.catalog import cards as listed
from shop.catalog.cards import Listed
from shop.storefront import shelves
from shop.storefront.shelves import Shelf

SHELF = 8
AHEAD = timedelta(days=14)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    customer = customer_of(request)
    told = shelves.told_by(customer)
    place = Place.HOME if request.method == "GET" else None
    mine = shelves.for_customer(customer, told=told, place=place) if customer else shelves.for_visitor(request)
    context = {
        "greeting": f"Good to see you, {customer.name.split()[0]}." if customer and customer.name.strip() else "",
        "personal": [mine],
        "news": _news(told.hidden),
        "canonical_url": f"{settings.SITE_URL}/",
    }
    response = render(request, "storefront/home.html", context)
    if customer or mine.cards:
        add_never_cache_headers(response)
    return response


def _news(hidden: Hidden) -> list[Shelf]:
    """What came last, what comes next, what sells well: two queries, the same for all but for what they hide."""
    today = timezone.localdate()
    popular = [pick.product_id for pick in picks.popular(limit=SHELF, hidden=hidden)]
    found = listed.news(today, until=today + AHEAD, limit=SHELF, ids=popular)
    loved = [found.others[each] for each in popular if each in found.others]
    return [
        Shelf("Just in", shelves.cards(_shown(found.fresh, hidden), eager=4)),
        Shelf(
            "Out soon",
            shelves.cards(_shown(found.coming, hidden)),
            note="Order now; it leaves us as soon as it is out.",
        ),
        Shelf("What people come back for", shelves.cards(loved)),
    ]


def _shown(goods: list[Listed], hidden: Hidden) -> list[Listed]:
    return [each for each in goods if not hidden.hides(each.id, category_id=each.category_id, maker=each.maker)]
