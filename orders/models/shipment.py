from django.db import models

from orders.models.order import Order, OrderLine
from shop.catalog.models import Store


class Shipment(models.Model):
    """A parcel on its way, from the shelf to the door. Its `stage` moves by the table in `orders.fulfilment`."""

    class Stage(models.TextChoices):
        WAITING = "waiting", "Waiting to be picked"
        PICKING = "picking", "Being picked"
        PICKED = "picked", "Picked"
        PACKED = "packed", "Packed"
        DISPATCHED = "dispatched", "On the truck"
        IN_TRANSIT = "in_transit", "In transit"
        OUT_FOR_DELIVERY = "out_for_delivery", "Out for delivery"
        DELIVERED = "delivered", "Delivered"
        CANCELLED = "cancelled", "Cancelled"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="shipments")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(max_length=16, choices=Stage, default=Stage.WAITING)
    carrier = models.CharField(max_length=40, blank=True)
    tracking_number = models.CharField(max_length=60, blank=True)
    packing_note = models.CharField(max_length=280, blank=True)
    packed_by = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    dispatched_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["stage", "id"], name="shipment_queue")]

    def __str__(self) -> str:
        return f"Parcel of {self.order}"


class ShipmentLine(models.Model):
    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="lines")
    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="shipment_lines")
    quantity = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.quantity} × {self.order_line.title}"
