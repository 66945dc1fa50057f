from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce

from accounts.consent import consent
from accounts.models import ForgottenPast
from orders.models.order import Order
from shop.catalog.models import Product, Variant
from shop.catalog.models.variant import BARE_SIZE


class OrderLineQuerySet(models.QuerySet["OrderLine"]):
    def bought(self) -> "OrderLineQuerySet":
        """Lines of orders that were paid for and not cancelled, and of which something was not cancelled alone."""
        return self.filter(
            order__status__in=[Order.Status.CONFIRMED, Order.Status.COMPLETED], cancelled_quantity__lt=F("quantity")
        )

    def usable_for(self, purpose_key: str) -> "OrderLineQuerySet":
        """The lines a purpose may read: consent given, no gift, not excluded, not returned or cancelled, not forgotten.

        The only way `recommendations` reads what people bought.
        """
        allowed = consent.build_consent_filter(purpose_key, customer="order__customer")
        return self.steering().filter(allowed, ~build_forgotten_filter(purpose_key))

    def steering(self) -> "OrderLineQuerySet":
        """Bought, for oneself, kept, and not excluded: what a purpose could read if it were allowed."""
        return self.bought().filter(is_gift=False, is_excluded=False, is_returned=False, product__isnull=False)


# In a size that says something of whom it fits: “13” and “L”, not lengths and weights; still called as when it was
# bought; and no money given back, since after a refund nobody knows for which line.
IN_A_SIZE = Q(
    Q(options="") | Q(options__contains=F("variant__size")),
    order__payment_status=Order.PaymentStatus.PAID,
    variant__size__regex=f"^({BARE_SIZE.pattern})$",
)
KEPT_IN_A_SIZE = IN_A_SIZE & Q(order__fulfilment_status=Order.FulfilmentStatus.DELIVERED)


def build_forgotten_filter(purpose_key: str) -> Exists:
    """The buyer told this purpose to forget what they had bought by then, and has not taken it back."""
    bought_at = Coalesce(OuterRef("order__placed_at"), OuterRef("order__created_at"))
    told = ForgottenPast.objects.filter(
        purpose=purpose_key, customer=OuterRef("order__customer"), taken_back_at=None, before_at__gte=bought_at
    )
    return Exists(told.filter(Q(after_at=None) | Q(after_at__lt=bought_at)))


class OrderLine(models.Model):
    """One SKU of an order, as contracted: title, price and tax are copies."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.SET_NULL, null=True, related_name="+")
    variant = models.ForeignKey(Variant, on_delete=models.SET_NULL, null=True, related_name="+")
    sku = models.CharField("SKU", max_length=60)
    title = models.CharField(max_length=200)
    options = models.CharField(max_length=100, blank=True, help_text="Such as “Rust, 13”.")
    quantity = models.PositiveIntegerField()
    cancelled_quantity = models.PositiveIntegerField(
        default=0, db_default=0, help_text="How many of them were cancelled alone, before they left."
    )
    ships_on = models.DateField(
        null=True, editable=False, help_text="Its own days, where it travels apart; all three empty: the order's."
    )
    promised_from_on = models.DateField(null=True, editable=False)
    promised_by_on = models.DateField(null=True, editable=False)
    first_promised_by_on = models.DateField(
        null=True, editable=False, help_text="Of its own days the one promised at first, where a delay moved it."
    )
    goes_first = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="In the first parcel of an order that goes in two."
    )
    unit_price = models.DecimalField(max_digits=10, decimal_places=2)
    price_reason = models.CharField(
        max_length=120, blank=True, db_default="", help_text="Why staff sold it at a price of their own."
    )
    tax_rate = models.DecimalField(max_digits=5, decimal_places=4, default=0)
    tax_amount = models.DecimalField(max_digits=13, decimal_places=3, default=0, help_text="Inside the line total.")
    guarantee_years = models.PositiveSmallIntegerField(
        "maker's guarantee, in years", null=True, blank=True, help_text="As its maker gave it when it was bought."
    )
    is_gift = models.BooleanField(default=False)
    is_excluded = models.BooleanField(default=False, help_text="The customer asked not to use this purchase.")
    is_left_out_of_returns = models.BooleanField(
        null=True, editable=False, help_text="Not taken back by choice, as said when bought; empty: as it is now."
    )
    is_returned = models.BooleanField(default=False, db_default=False, help_text="All of it goes back.")
    set_aside_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="Since when it may steer nothing any more, though it once could. Kept by the database.",
    )

    objects = OrderLineQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["product"], name="order_line_by_product"),
            models.Index(fields=["ships_on"], condition=Q(ships_on__isnull=False), name="order_line_own_day"),
            models.Index(fields=["set_aside_at"], condition=Q(set_aside_at__isnull=False), name="order_line_set_aside"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(cancelled_quantity__lte=F("quantity")), name="order_line_cancelled_within_quantity"
            )
        ]
        triggers = [
            # Whoever marks a line, and by whatever door: what was computed from it must be hidden from that moment.
            pgtrigger.Trigger(
                name="order_line_set_aside",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "((OLD.is_gift, OLD.is_excluded, OLD.is_returned, OLD.product_id, OLD.cancelled_quantity) "
                    "IS DISTINCT FROM "
                    "(NEW.is_gift, NEW.is_excluded, NEW.is_returned, NEW.product_id, NEW.cancelled_quantity))"
                ),
                func="""
                    NEW.set_aside_at = CASE WHEN NEW.is_gift OR NEW.is_excluded OR NEW.is_returned
                            OR NEW.product_id IS NULL OR NEW.cancelled_quantity >= NEW.quantity
                        THEN COALESCE(OLD.set_aside_at, clock_timestamp()) END;
                    RETURN NEW;""",
            )
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.title}"

    @property
    def open_quantity(self) -> int:
        """How many of them the contract still is about."""
        return self.quantity - self.cancelled_quantity

    @property
    def line_total(self) -> Any:
        """As contracted, whatever was cancelled since."""
        return self.unit_price * self.quantity
