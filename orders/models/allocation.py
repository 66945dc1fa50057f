import pgtrigger
from django.db import models
from django.db.models import Q

from orders.models.order_line import OrderLine
from shop.catalog.models import StockRecord

IS_STANDING = Q(released_at=None, consumed_at=None)


class AllocationQuerySet(models.QuerySet["Allocation"]):
    def awaiting(self) -> "AllocationQuerySet":
        """Those whose goods are still to come."""
        return self.filter(IS_STANDING, awaits_goods=True)


class Allocation(models.Model):
    """Stock promised to an order line from the moment its payment begins, until it is released or leaves.

    Promised of what the shelf does not hold, it `awaits_goods`; `orders.fulfilment.backorders` gives it what comes.
    """

    order_line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, related_name="allocations")
    record = models.ForeignKey(StockRecord, on_delete=models.PROTECT, related_name="+")
    quantity = models.PositiveIntegerField()
    awaits_goods = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="The shelf does not hold it yet. Kept by the shop."
    )
    came_at = models.DateTimeField(
        null=True, editable=False, help_text="Since when what it waited for is here, and its buyer was not told."
    )
    released_at = models.DateTimeField(null=True, blank=True)
    consumed_at = models.DateTimeField(null=True, blank=True)

    objects = AllocationQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["record"], condition=IS_STANDING, name="allocation_standing"),
            models.Index(
                fields=["record", "order_line"],
                condition=IS_STANDING & Q(awaits_goods=True),
                name="allocation_awaiting",
            ),
            models.Index(fields=["came_at"], condition=Q(came_at__isnull=False), name="allocation_came"),
        ]
        triggers = [
            # By whatever door it is promised: whoever does holds the record's row, on which it is counted already.
            pgtrigger.Trigger(
                name="allocation_awaits_goods",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.released_at IS NULL AND NEW.consumed_at IS NULL"),
                func="""
                    NEW.awaits_goods = EXISTS (
                        SELECT FROM catalog_stockrecord r WHERE r.id = NEW.record_id AND r.allocated > r.on_hand);
                    RETURN NEW;""",
            )
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.record}"
