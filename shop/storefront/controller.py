"""Who answers for the data, as receipts, copies and the privacy page name them."""

from django.conf import settings
from django.urls import reverse

from shop.storefront import frame


def who() -> dict[str, str]:
    shop = frame.terms().settings
    return {"name": shop.name, "address": shop.postal_address, "contact": shop.contact_email}


def privacy_url() -> str:
    return settings.SITE_URL + reverse("privacy")
