from datetime import timedelta

from django.db import models
from django.db.models.functions import Coalesce, Now, Upper

from accounts.models import Address, User
from accounts.models.address import ADDRESS_FIELDS, PostalAddress
from orders.carriers.tracking_numbers import LONGEST_NUMBER, get_bare_number
from orders.carriers.tracking_pages import LONGEST_ADDRESS
from orders.models.allocation import Allocation
from orders.models.order import Order
from orders.models.order_line import OrderLine
from orders.models.settings import PICKUP_DAYS, ShopSettings
from shop.catalog.models import Store

WENT_TO_FIELDS = tuple(name for name in ADDRESS_FIELDS if name != "phone")  # the phone is for the carrier alone


def copy_address(order: Order) -> dict[str, str]:
    """What a parcel keeps of where it went."""
    return {name: str(getattr(order, name)) for name in WENT_TO_FIELDS}


class BareNumber(models.Func):
    """In the database what `get_bare_number` is in Python; indexed for the tracking number."""

    template = "regexp_replace(%(expressions)s, '[^0-9A-Za-z]', '', 'g')"
    output_field = models.TextField()


class ShipmentQuerySet(models.QuerySet["Shipment"]):
    def awaiting(self) -> "ShipmentQuerySet":
        """Those that nobody can pick: something in them is still to come."""
        store = models.OuterRef("store")
        short = Allocation.objects.awaiting().filter(
            order_line__shipment_lines__shipment=models.OuterRef("pk"), record__store=store
        )
        return self.filter(models.Exists(short), stage=Shipment.Stage.WAITING)

    def workable(self) -> "ShipmentQuerySet":
        """All others."""
        return self.exclude(stage=Shipment.Stage.WAITING, pk__in=Shipment.objects.order_by().awaiting().values("pk"))

    def uncollected(self) -> "ShipmentQuerySet":
        """Those that lie ready for longer than the shop keeps them, without orders on hold."""
        kept_for = models.ExpressionWrapper(
            Coalesce(models.Subquery(ShopSettings.objects.values("pickup_days")[:1]), PICKUP_DAYS) * timedelta(days=1),
            output_field=models.DurationField(),
        )
        over = models.ExpressionWrapper(Now() - kept_for, output_field=models.DateTimeField())
        return self.filter(stage=Shipment.Stage.READY, ready_at__lt=over, order__hold="")

    def numbered(self, number: str) -> "ShipmentQuerySet":
        """Those with this tracking number, however it is written."""
        with_number = self.exclude(tracking_number="").alias(bare_number=Upper(BareNumber("tracking_number")))
        return with_number.filter(bare_number=get_bare_number(number))


def list_stage_choices() -> list[tuple[str, str]]:
    """Named by the migrations in place of the stages themselves, so that one more needs none: no column knows them."""
    return Shipment.Stage.choices


class Shipment(models.Model):
    """A parcel on its way, from the shelf to the door. `orders.fulfilment.transitions` moves its `stage`; what each
    stage means is a row of `orders.stages`.
    """

    class Stage(models.TextChoices):
        WAITING = "waiting", "Waiting to be picked"
        PICKING = "picking", "Being picked"
        PICKED = "picked", "Picked"
        PACKED = "packed", "Packed"
        READY = "ready", "Ready to collect"
        COLLECTED = "collected", "Collected"
        DISPATCHED = "dispatched", "On the truck"
        IN_TRANSIT = "in_transit", "In transit"
        OUT_FOR_DELIVERY = "out_for_delivery", "Out for delivery"
        FAILED_ATTEMPT = "failed_attempt", "Delivery tried"
        UNDELIVERABLE = "undeliverable", "Cannot be delivered"
        RETURNED = "returned", "Goes back to us"
        BACK = "back", "Back with us"
        DELIVERED = "delivered", "Delivered"
        CANCELLED = "cancelled", "Cancelled"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="shipments")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(max_length=16, choices=list_stage_choices, default=Stage.WAITING)
    carrier = models.CharField(max_length=40, blank=True)
    tracking_number = models.CharField(max_length=LONGEST_NUMBER, blank=True)
    is_untracked = models.BooleanField(
        default=False, db_default=False, help_text="Whoever shipped it said that it has no tracking number."
    )
    tracking_page = models.CharField(
        max_length=LONGEST_ADDRESS,
        blank=True,
        default="",
        db_default="",
        help_text="Where it is followed, if that is not its carrier’s usual page.",
    )
    went_to = models.JSONField(
        null=True, blank=True, editable=False, help_text="The address it left with; empty until it has."
    )
    packing_note = models.CharField(max_length=280, blank=True)
    packed_by = models.CharField(max_length=80, blank=True)
    packer = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        help_text="Who is packing it now, item by item.",
    )
    packing_begun_at = models.DateTimeField(null=True, blank=True, editable=False)
    weight_grams = models.PositiveIntegerField("weight in grams", null=True, blank=True)
    box_count = models.PositiveSmallIntegerField("boxes", default=1, db_default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    ready_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since when it lies ready to be collected."
    )
    dispatched_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    followed_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since when EasyPost knows its number and tells of it."
    )
    tracker_reference = models.CharField(
        max_length=60,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="What EasyPost calls the tracker by which it follows the parcel; empty where it does not.",
    )
    heard_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When its carrier last told of it, asked or not."
    )
    estimated_on = models.DateField(
        null=True, blank=True, editable=False, help_text="The day on which its carrier means to deliver it."
    )
    estimate_told_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the carrier said so, or took it back."
    )
    denied_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when its buyer says that it did not come, and nobody has settled that."
    )

    objects = ShipmentQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["stage", "id"], name="shipment_queue"),
            models.Index(
                Upper(BareNumber("tracking_number")),
                condition=~models.Q(tracking_number=""),
                name="shipment_bare_number",
            ),
            models.Index(fields=["dispatched_at"], name="shipment_left"),
            models.Index(
                fields=["stage", "heard_at"], condition=~models.Q(tracker_reference=""), name="shipment_heard_of"
            ),
            models.Index(fields=["denied_at"], condition=~models.Q(denied_at=None), name="shipment_denied"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(is_untracked=False) | models.Q(tracking_number=""),
                name="shipment_number_or_none",
            ),
            models.CheckConstraint(
                condition=models.Q(tracking_page="") | models.Q(tracking_page__startswith="https://"),
                name="shipment_secure_page",
            ),
            models.CheckConstraint(condition=models.Q(box_count__gte=1), name="shipment_has_a_box"),
        ]

    def __str__(self) -> str:
        return f"Parcel of {self.order}"

    @property
    def destination(self) -> PostalAddress:
        """Where it went; while it is here, where its order goes. Once its buyer is forgotten, the country alone."""
        return Address(**self.went_to) if self.went_to else self.order

    @property
    def own_address_lines(self) -> list[str]:
        """To be said beside the address of its order: where it went, if that is another by now."""
        lines = self.destination.address_lines
        return lines if lines != self.order.address_lines else []

    @property
    def boxes_text(self) -> str:
        """“2 boxes”; empty for one, which needs no word."""
        return f"{self.box_count} boxes" if self.box_count > 1 else ""


class ShipmentLine(models.Model):
    """How many of an order's line are in a parcel."""

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="lines")
    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="shipment_lines")
    quantity = models.PositiveIntegerField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.order_line.title}"


class PackingScan(models.Model):
    """One thing put into a parcel, as its barcode said. Kept while somebody packs it, and as proof afterwards."""

    shipment_line = models.ForeignKey(ShipmentLine, on_delete=models.CASCADE, related_name="scans")
    scanned_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"One of {self.shipment_line}"
