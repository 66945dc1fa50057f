import secrets

from django.db import models
from django.db.models import Q

from accounts.models import Customer
from shop.catalog.models import Variant


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


class CartLine(models.Model):
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField()
    is_gift = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["cart", "variant"], name="cart_line_once_per_variant"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="cart_line_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.variant}"
