"""Who answers for the data, as receipts, copies and the privacy page name them."""

from django.conf import settings
from django.urls import reverse

from shop.storefront import page_cache


def get_controller() -> dict[str, str]:
    shop = page_cache.get_cached_terms().settings
    return {"name": shop.name, "address": shop.postal_address, "contact": shop.contact_email}


def build_privacy_url() -> str:
    return settings.SITE_URL + reverse("privacy")
