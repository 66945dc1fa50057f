"""A thing of the shop's as a mail shows it."""

from typing import Any

from notifications import links
from notifications.models import OutgoingItem
from shop.money import format_amount


def build_product_block(item: OutgoingItem) -> dict[str, Any]:
    """What templates/emails/parts/item.* takes. The two links that steer are given with the mail that has them."""
    product = item.product
    if product is None:
        raise ValueError("An item without a product cannot be shown.")
    return {
        "title": product.title,
        "maker": product.maker.name if product.maker else "",
        "price": format_amount(product.price_from, product.currency),
        "url": links.build_absolute_url(f"/product/{product.slug}/"),
        "reason": item.why,
    }
