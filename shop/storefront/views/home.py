from dataclasses import replace
from datetime import date, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_safe

from accounts.people.auth import get_customer
from accounts.preferences.interests import Exclusions
from recommendations import picks
from recommendations.beside import Way
from recommendations.explanations import Place
from shop.catalog import product_cards
from shop.catalog.product_cards import ProductCard
from shop.storefront import shelves
from shop.storefront.shelves import Shelf

SHELF_SIZE = 8
COMING_WITHIN = timedelta(days=14)
LATELY = timedelta(days=60)  # as old as a thing may be, and still be “just in”


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    customer = get_customer(request)
    told = shelves.get_customer_interests(customer)
    place = Place.HOME if request.method == "GET" else None
    mine = (
        shelves.build_shelf_for_customer(customer, told=told, place=place)
        if customer
        else shelves.build_shelf_for_visitor(request)
    )
    context = {
        "greeting": f"Good to see you, {customer.name.split()[0]}." if customer and customer.name.strip() else "",
        "personal": [mine],
        "news": _build_news_shelves(_without(told.hidden, mine)),
        "canonical_url": f"{settings.SITE_URL}/",
    }
    response = render(request, "storefront/home.html", context)
    if customer or mine.cards:
        add_never_cache_headers(response)
    return response


def _without(hidden: Exclusions, shelf: Shelf) -> Exclusions:
    """What is on a shelf already stands on no other of the page."""
    return replace(hidden, product_ids=hidden.product_ids.union(pick.product_id for pick in shelf.picks))


def _build_news_shelves(hidden: Exclusions) -> list[Shelf]:
    """What came last, what comes next, what sells well: two queries, the same for all but for what they hide."""
    today = timezone.localdate()
    best = picks.pick_popular(limit=SHELF_SIZE, hidden=hidden)
    found = product_cards.read_new_products(
        today, until=today + COMING_WITHIN, limit=SHELF_SIZE, ids=[pick.product_id for pick in best]
    )
    loved = [found.others[pick.product_id] for pick in best if pick.product_id in found.others]
    return [
        _latest(_drop_excluded(found.fresh, hidden), today),
        Shelf(
            "Out soon",
            shelves.make_cards(_drop_excluded(found.coming, hidden), way=Way.NEW),
            note="Order now; it leaves us as soon as it is out.",
        ),
        Shelf(best[0].why if best else "", shelves.make_cards(loved, way=Way.SELLS)),
    ]


def _latest(fresh: list[ProductCard], today: date) -> Shelf:
    """What came in lately; where nothing did, the latest there is, and the title says no more than that."""
    lately = [each for each in fresh if each.released_on and today - each.released_on < LATELY]
    return Shelf("Just in" if lately else "Newest here", shelves.make_cards(lately or fresh, way=Way.NEW, eager=4))


def _drop_excluded(goods: list[ProductCard], hidden: Exclusions) -> list[ProductCard]:
    return [each for each in goods if not hidden.hides(each.id, category_id=each.category_id, maker=each.maker)]
