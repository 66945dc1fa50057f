import secrets
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.core.files.storage import default_storage
from django.db import models
from django.db.models import Q

from accounts.models import Customer
from shop.catalog.models import Variant
from shop.money import is_price


def cart_token() -> str:
    return secrets.token_urlsafe(24)


class Cart(models.Model):
    """What somebody means to buy: a customer's (one each), or a visitor's, found by the token in their session.

    A cart reserves nothing; checkout does.
    """

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, null=True, blank=True, related_name="cart")
    token = models.CharField(max_length=40, unique=True, default=cart_token, editable=False)
    gift_note = models.CharField(max_length=280, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"Cart {self.pk}"


class LineStock(NamedTuple):
    """Of the store that a line would come from; all None where no store has a record of it. `most`: what any one store
    may sell, goods still to arrive included. `restock_on`: never in the past.
    """

    free: int | None
    most: int | None
    restock_on: date | None


class CartLine(models.Model):
    """So many of a variant, for oneself or as a gift: a cart may have a line of either kind."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField()
    is_gift = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    # what `orders.cart_lines` reads along
    stock_now: LineStock
    reserved_count: int  # held for the cart's own unfinished payment
    other_line_count: int  # what the cart's other line of the variant takes: one is a gift, one is not
    quantity_limit: int | None  # as staff have set it, if they have
    stock_by_store: dict[str, int]  # on the shelves of those stores where buyers collect, by the store's key

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["cart", "variant", "is_gift"], name="cart_line_once_per_kind"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="cart_line_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.variant}"

    @property
    def line_total(self) -> Decimal:
        return self.variant.price * self.quantity

    @property
    def on_shelf(self) -> int:
        return max(0, (self.stock_now.free or 0) + self.reserved_count - self.other_line_count)

    @property
    def available(self) -> int:
        """How many this line could have now, beside its twin, in one parcel from one store."""
        return max(0, (self.stock_now.most or 0) + self.reserved_count - self.other_line_count)

    def count_in_store(self, store_id: int) -> int:
        """How many this line could have from that store's shelf, beside its twin."""
        return max(0, self.stock_by_store.get(str(store_id), 0) - self.other_line_count)

    @property
    def restock_on(self) -> date | None:
        return self.stock_now.restock_on

    @property
    def is_offered(self) -> bool:
        """On sale in a published product, as `Variant.objects.sellable()`."""
        return self.variant.is_active and self.variant.product.is_published

    @property
    def is_sellable(self) -> bool:
        return self.is_offered and is_price(self.variant.price, self.variant.currency)

    @property
    def is_short(self) -> bool:
        return self.is_sellable and self.available < self.quantity

    @property
    def image_url(self) -> str:
        image = self.variant.product.card_image
        return default_storage.url(image) if image else ""
