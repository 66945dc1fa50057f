"""The notice of the legal guarantee on a page of its own, where mails lead to."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from shop.storefront import page_cache
from shop.storefront.guarantee_notice import build_notice


@require_safe
def legal_guarantee(request: HttpRequest) -> HttpResponse:
    context = {
        "guarantee": build_notice(page_cache.get_cached_terms().settings),
        "crumbs": [("Home", "/"), ("Your legal guarantee", "")],
        "canonical_url": settings.SITE_URL + reverse("legal_guarantee"),
    }
    return render(request, "storefront/legal_guarantee.html", context)
