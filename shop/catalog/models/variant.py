import re
from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models

from shop.catalog.gtins import LONGEST_GTIN
from shop.catalog.models.product import Product
from shop.catalog.unit_prices import Content, ContentUnit, format_unit_price
from shop.money import format_amount, get_shop_currency

BARE_SIZE = re.compile(r"\d{1,2}(½|\.5)?|M|X{0,3}[SL]")  # says nothing without the word beside it


def join_options(*options: str) -> str:
    return ", ".join(option for option in options if option)


class VariantQuerySet(models.QuerySet["Variant"]):
    def sellable(self) -> "VariantQuerySet":
        """On sale in a published product."""
        return self.filter(is_active=True, product__is_published=True)


class Variant(models.Model):
    """The thing with a SKU, a price and stock. A product without options has exactly one."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="variants")
    sku = models.CharField("SKU", max_length=60, unique=True)
    size = models.CharField(max_length=40, blank=True)
    colour = models.CharField(max_length=40, blank=True)
    style = models.CharField(max_length=40, blank=True, help_text="Any other choice: grind, scent, binding.")
    gtin = models.CharField(
        "GTIN",
        max_length=LONGEST_GTIN,
        blank=True,
        default="",
        db_default="",
        help_text="The number under its barcode: EAN, UPC or GTIN-14.",
    )
    price = models.DecimalField(max_digits=10, decimal_places=2, help_text="Tax included.")
    currency = models.CharField(max_length=3, default=get_shop_currency)
    content_amount = models.DecimalField(
        "content",
        max_digits=9,
        decimal_places=3,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.001"))],
        help_text="Of what is sold by weight, volume or length: how much is in it. The price of a kilogram follows.",
    )
    content_unit = models.CharField("of what", max_length=2, choices=ContentUnit, blank=True, default="", db_default="")
    is_active = models.BooleanField("on sale", default=True)
    position = models.PositiveSmallIntegerField(default=0)

    objects = VariantQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(price__gte=0), name="variant_price_not_negative"),
            models.CheckConstraint(
                condition=models.Q(content_amount=None, content_unit="")
                | models.Q(content_amount__isnull=False, content_amount__gt=0, content_unit__in=ContentUnit.values),
                name="variant_content_with_unit",
            ),
            models.UniqueConstraint(
                fields=["gtin"],
                condition=~models.Q(gtin=""),
                name="variant_gtin_once",
                violation_error_message="Another option has this GTIN: each thing has its own.",
            ),
            models.CheckConstraint(
                condition=models.Q(gtin="") | models.Q(gtin__regex=r"^([0-9]{8}|[0-9]{13,14})$"),
                name="variant_gtin_of_digits",
            ),
        ]
        indexes = [
            models.Index(fields=["size"], name="variant_by_size", condition=~models.Q(size="")),
            models.Index(fields=["position", "id"], name="variant_in_order"),  # staff's list
        ]

    def __str__(self) -> str:
        return f"{self.product.title}, {self.label}" if self.label else self.product.title

    @property
    def label(self) -> str:
        """Its options for people: "Rust, size 13"; empty when there is nothing to choose."""
        size = f"size {self.size}" if BARE_SIZE.fullmatch(self.size) else self.size
        return ", ".join(part for part in (self.colour, self.style, size) if part)

    @property
    def content(self) -> Content | None:
        return Content(self.content_amount, self.content_unit) if self.content_amount else None

    @property
    def unit_price_text(self) -> str:
        """“£32.00 per kg”; empty for what is not sold by measure."""
        return format_unit_price(self.price, self.currency, self.content)

    @property
    def price_text(self) -> str:
        return format_amount(self.price, self.currency)
