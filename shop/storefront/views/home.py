from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_safe

from accounts.people.auth import get_customer
from recommendations.explanations import Place
from shop.storefront import shelves


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    customer = get_customer(request)
    reader = shelves.read_shelf_reader(request, customer)
    place = Place.HOME if request.method == "GET" else None
    personal, news = shelves.build_home_shelves(reader, place=place)
    context = {
        "greeting": f"Good to see you, {customer.name.split()[0]}." if customer and customer.name.strip() else "",
        "personal": personal,
        "news": news,
        "canonical_url": f"{settings.SITE_URL}/",
    }
    response = render(request, "storefront/home.html", context)
    if customer or any(shelf.cards for shelf in personal):
        add_never_cache_headers(response)
    return response
