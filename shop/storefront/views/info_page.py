"""Pages of words: delivery, returns, terms, contact, and what staff add."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from orders.models import InfoPage
from shop.storefront import info_pages, page_cache


@require_safe
def info_page(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(InfoPage, slug=slug, is_published=True)
    terms = page_cache.get_cached_terms()
    shows_delivery = found.facts == InfoPage.Facts.DELIVERY
    context = {
        "info": found,
        "words": info_pages.render_markdown(found.body),
        "delivery": info_pages.get_delivery_facts(terms) if shows_delivery else [],
        "shows_delivery": shows_delivery,
        "shows_contact": found.facts == InfoPage.Facts.CONTACT,
        "calendar": terms.calendar,
        "crumbs": [("Home", "/"), (found.title, "")],
        "canonical_url": settings.SITE_URL + found.get_absolute_url(),
    }
    return render(request, "storefront/info.html", context)
