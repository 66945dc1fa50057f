from django.db import models
from django.db.models import Q

from shop.catalog.models.product import Product
from shop.catalog.models.variant import Variant
from shop.events import EventRow


class CatalogEvent(EventRow):
    """What happened to goods that somebody may want to hear of. Written by `shop.catalog.events`, with the change.

    `data` of a price that changed: `old_price`, `old_currency`, `new_price`, `new_currency`, amounts as text.
    """

    class Kind(models.TextChoices):
        RELEASED = "released", "In the shop for the first time"
        RESTOCKED = "restocked", "Back in stock"
        PRICE_CHANGED = "price_changed", "Price changed"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="events")
    variant = models.ForeignKey(
        Variant, on_delete=models.CASCADE, null=True, related_name="events", help_text="None when it is of the product."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product"], condition=Q(kind="released"), name="product_released_once")
        ]
        indexes = [models.Index(fields=["id"], condition=Q(relayed_at=None), name="catalog_event_unrelayed")]

    def __str__(self) -> str:
        return f"{self.variant or self.product}: {self.kind}"
