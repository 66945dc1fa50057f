import secrets
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.files.storage import default_storage
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, JSONObject

from accounts.models import Customer
from orders.models.order import Allocation
from shop.catalog.models import StockRecord, Variant
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


class CartLineQuerySet(models.QuerySet["CartLine"]):
    def with_product_and_stock(self) -> "CartLineQuerySet":
        """Each line with all a page or a checkout needs of it, in one query.

        Goods held for the cart's own unfinished payment count as available to it; what its other line of the same
        variant takes (one is a gift, one is not) does not.
        """
        lines = self.select_related("variant__product__maker").defer(*_UNSHOWN)
        return lines.annotate(
            stock_now=Subquery(_query_best_stock()),
            reserved_count=Coalesce(Subquery(_query_held_quantity()), 0),
            other_line_count=Coalesce(Subquery(_query_twin_quantity()), 0),
        )


_UNSHOWN = tuple(f"variant__product__{name}" for name in ("description", "attributes", "search_text", "search_vector"))


def _query_best_stock() -> models.QuerySet[Any, Any]:
    """Of the shipping store that has the most of it: a line comes whole from one store."""
    records = StockRecord.objects.filter(variant=OuterRef("variant"), store__ships_orders=True)
    most = records.order_by(
        (F("on_hand") - F("allocated") + F("backorder_limit")).desc(), "store__position", "store_id"
    )
    facts = JSONObject(free=F("on_hand") - F("allocated"), backorder="backorder_limit", restock_on="restock_on")
    return most.values(json=facts)[:1]


def _query_held_quantity() -> models.QuerySet[Any, Any]:
    standing = Allocation.objects.filter(
        order_line__order__cart=OuterRef("cart"),
        order_line__order__status="pending",
        order_line__variant=OuterRef("variant"),
        released_at=None,
        consumed_at=None,
    )
    return standing.order_by().values("order_line__variant").annotate(sum=models.Sum("quantity")).values("sum")


def _query_twin_quantity() -> models.QuerySet[Any, Any]:
    """How many the cart's other line of the variant takes."""
    same = CartLine.objects.filter(cart=OuterRef("cart"), variant=OuterRef("variant"))
    return same.exclude(pk=OuterRef("pk")).values("quantity")[:1]


class CartLine(models.Model):
    """So many of a variant, for oneself or as a gift: a cart may have a line of either kind."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField()
    is_gift = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CartLineQuerySet.as_manager()

    # what `with_product_and_stock` reads along
    stock_now: dict[str, Any] | None
    reserved_count: int
    other_line_count: int

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
        return max(0, self._stock_fact("free") + self.reserved_count - self.other_line_count)

    @property
    def available(self) -> int:
        """How many this line could have now, beside its twin, in one parcel from one store."""
        return max(
            0, self._stock_fact("free") + self._stock_fact("backorder") + self.reserved_count - self.other_line_count
        )

    @property
    def restock_on(self) -> date | None:
        due = (self.stock_now or {}).get("restock_on")
        return date.fromisoformat(due) if due else None

    def _stock_fact(self, name: str) -> int:
        return int((self.stock_now or {}).get(name, 0))

    @property
    def is_sellable(self) -> bool:
        is_offered = self.variant.is_active and self.variant.product.is_published
        return is_offered and is_price(self.variant.price, self.variant.currency)

    @property
    def is_short(self) -> bool:
        return self.is_sellable and self.available < self.quantity

    @property
    def image_url(self) -> str:
        image = self.variant.product.card_image
        return default_storage.url(image) if image else ""
