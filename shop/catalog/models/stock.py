import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import LessThanOrEqual

from shop.catalog.models.store import Store
from shop.catalog.models.variant import Variant


class StockRecord(models.Model):
    """How many of a variant a store holds (`on_hand`), and how many of those are promised (`allocated`).

    Changed only by `shop.catalog.stock`; the constraints are the last guard behind it.
    """

    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="stock")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="stock")
    on_hand = models.IntegerField(default=0, editable=False)
    allocated = models.IntegerField(default=0, editable=False)
    backorder_limit = models.PositiveIntegerField(default=0, help_text="How many may be sold before they arrive.")
    restock_on = models.DateField(null=True, blank=True, help_text="When more are expected.")
    bin_location = models.CharField(
        "place",
        max_length=20,
        blank=True,
        default="",
        db_default="",
        help_text="Where it stands, such as A-3. The pick list goes by it.",
    )
    is_sold_out = models.GeneratedField(
        expression=LessThanOrEqual(F("on_hand") + F("backorder_limit"), F("allocated")),
        output_field=models.BooleanField(),
        db_persist=True,
        help_text="Nothing is left to sell here, goods still to arrive included. Written by the database.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["variant", "store"], name="stock_once_per_store"),
            models.CheckConstraint(condition=Q(on_hand__gte=0), name="stock_on_hand_not_negative"),
            models.CheckConstraint(
                condition=Q(allocated__gte=0) & Q(allocated__lte=F("on_hand") + F("backorder_limit")),
                name="stock_allocated_within_hand",
            ),
        ]
        indexes = [models.Index(fields=["restock_on", "variant"], condition=Q(is_sold_out=True), name="stock_sold_out")]

    def __str__(self) -> str:
        return f"{self.variant.sku} at {self.store}"

    @property
    def available(self) -> int:
        return self.on_hand + self.backorder_limit - self.allocated


class StockMovement(models.Model):
    """One change of `on_hand`; a record's on_hand is always the sum of its movements. Append-only."""

    class Kind(models.TextChoices):
        OPENING = "opening", "Opening stock"
        RECEIVED = "received", "Received"
        DISPATCHED = "dispatched", "Dispatched"
        RETURNED = "returned", "Returned"
        COUNTED = "counted", "Counted"
        WRITTEN_OFF = "written_off", "Written off"

    record = models.ForeignKey(StockRecord, on_delete=models.CASCADE, related_name="movements")
    kind = models.CharField(max_length=12, choices=Kind)
    quantity = models.IntegerField(help_text="Signed: what was added to on_hand.")
    reference = models.CharField(max_length=60, blank=True, help_text="A shipment or import, say.")
    actor = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        triggers = [pgtrigger.Protect(name="stock_movements_append_only", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.quantity:+d}"
