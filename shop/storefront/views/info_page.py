"""Pages of words: delivery, returns, terms, contact, and what staff add."""

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from orders.legal_guarantee import LEAST_YEARS
from orders.models import InfoPage
from orders.models.info_page import ACCESSIBILITY
from orders.returns.deadlines import WITHDRAWAL_PERIOD
from orders.returns.policy import build_policy
from shop.storefront import info_pages, page_cache


@require_safe
def info_page(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(InfoPage.objects.filter(Q(is_published=True) | Q(slug=ACCESSIBILITY)), slug=slug)
    terms = page_cache.get_cached_terms()
    shows_delivery = found.facts == InfoPage.Facts.DELIVERY
    context = {
        "info": found,
        "words": info_pages.render_markdown(found.body) if found.is_published else "",
        "awaits_statement": found.awaits_statement,
        "delivery": info_pages.get_delivery_facts(terms) if shows_delivery else [],
        "zones": info_pages.list_zone_facts(terms) if shows_delivery else [],
        "shows_delivery": shows_delivery,
        "shows_returns": found.facts == InfoPage.Facts.RETURNS,
        "policy": build_policy(terms),
        "guarantee_years": LEAST_YEARS,
        "withdrawal_period": WITHDRAWAL_PERIOD,
        "shows_contact": found.facts == InfoPage.Facts.CONTACT,
        "calendar": terms.calendar,
        "crumbs": [("Home", "/"), (found.title, "")],
        "canonical_url": settings.SITE_URL + found.get_absolute_url(),
    }
    return render(request, "storefront/info.html", context)
