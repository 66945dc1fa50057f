from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_safe

from accounts.people.auth import get_customer
from recommendations.explanations import Place
from recommendations.picks import Page
from shop.storefront import shelves


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    customer = get_customer(request)
    reader = shelves.read_shelf_reader(request, customer)
    place = Place.HOME if request.method == "GET" else None
    personal = shelves.build_personal_shelves(Page.HOME, reader, place=place)
    own = reader.leave_out(pick.product_id for shelf in personal for pick in shelf.picks)
    context = {
        "greeting": f"Good to see you, {customer.name.split()[0]}." if customer and customer.name.strip() else "",
        "personal": personal,
        "news": shelves.build_news_shelves(own.told.hidden),
        "canonical_url": f"{settings.SITE_URL}/",
    }
    response = render(request, "storefront/home.html", context)
    if customer or any(shelf.cards for shelf in personal):
        add_never_cache_headers(response)
    return response
