from django.db import models
from django.db.models import Exists, OuterRef, Q

from orders.models.order import Order
from orders.models.shipment import Shipment, ShipmentLine

LONGEST_WORDS = 300
Fulfilment = Order.FulfilmentStatus


class DelayNoticeQuerySet(models.QuerySet["DelayNotice"]):
    def unanswered(self) -> "DelayNoticeQuerySet":
        """The last word to a buyer who may still choose and has not: of an open order that has not all left."""
        asks = [DelayNotice.Rule.SILENCE_WAITS, DelayNotice.Rule.SILENCE_CANCELS]
        some_here = [Fulfilment.UNFULFILLED, Fulfilment.IN_PROGRESS, Fulfilment.PARTLY_SENT, Fulfilment.PARTLY_HERE]
        first = ShipmentLine.objects.filter(order_line__order=OuterRef("order"), order_line__goes_first=True)
        left = first.filter(shipment__dispatched_at__isnull=False)
        here = first.filter(shipment__dispatched_at__isnull=True).exclude(shipment__stage=Shipment.Stage.CANCELLED)
        return self.exclude(Q(is_of_first=True) & Exists(left) & ~Exists(here)).filter(
            is_current=True,
            answer="",
            rule__in=asks,
            order__status=Order.Status.CONFIRMED,
            order__fulfilment_status__in=some_here,
        )


class DelayNotice(models.Model):
    """What a buyer was told of a later day, and what they said to it. `orders.delays` writes it.

    `number` counts the notices of an order; the last of them `is_current`, of two parcels that of each. `rule`: what
    silence means, as `orders.delays.silence` decided when it was written, and `deadline_on` the last day for an answer.
    """

    class Reason(models.TextChoices):
        BEHIND = "behind", "We are behind"
        GOODS = "goods", "The goods come later"
        ROAD = "road", "On the way, and slower"
        STAFF = "staff", "Said by staff"
        CARRIER = "carrier", "On the way: its carrier says later"
        LANE = "lane", "On the way: parcels there take longer"
        SILENT = "silent", "On the way: its carrier says nothing of it"

    ON_THE_ROAD = frozenset({Reason.ROAD, Reason.CARRIER, Reason.LANE, Reason.SILENT})  # of what has left

    class Rule(models.TextChoices):
        SILENCE_WAITS = "silence_waits", "Silence means: they wait"
        SILENCE_CANCELS = "silence_cancels", "Silence means: cancel and refund"
        AGREED = "agreed", "They agreed to wait, however long"
        ENDS = "ends", "The day was essential: it ends at once"
        HAS_LEFT = "has_left", "It has left: nothing to choose"

    class Answer(models.TextChoices):
        WAIT = "wait", "They wait"
        CANCEL = "cancel", "Cancel and refund"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="delay_notices")
    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, null=True, related_name="+")
    is_of_first = models.BooleanField(
        default=False, db_default=False, help_text="About the first parcel of an order that goes in two."
    )
    number = models.PositiveSmallIntegerField()
    is_current = models.BooleanField(default=True)
    reason = models.CharField(max_length=8, choices=Reason)
    words = models.CharField(max_length=LONGEST_WORDS, blank=True, help_text="What staff wrote to the customer.")
    actor = models.CharField(max_length=80, blank=True)
    was_by_on = models.DateField(null=True, help_text="The day promised before; empty where no day was known.")
    new_by_on = models.DateField(null=True, help_text="The day promised now; empty where nobody knows.")
    rule = models.CharField(max_length=16, choices=Rule)
    deadline_on = models.DateField(null=True, help_text="The last day for an answer, where silence cancels.")
    created_at = models.DateTimeField(auto_now_add=True)
    answer = models.CharField(max_length=8, choices=Answer, blank=True)
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="When the order was cancelled by the rule.")

    objects = DelayNoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["order", "number"], name="delay_notice_once"),
            models.UniqueConstraint(
                fields=["order", "is_of_first"], condition=Q(is_current=True), name="delay_notice_one_current"
            ),
            models.CheckConstraint(
                condition=Q(answer="", answered_at=None) | (~Q(answer="") & Q(answered_at__isnull=False)),
                name="delay_notice_answered_when",
            ),
        ]
        indexes = [
            models.Index(
                fields=["deadline_on"], condition=Q(is_current=True, answer=""), name="delay_notice_unanswered"
            )
        ]

    def __str__(self) -> str:
        return f"Delay {self.number} of {self.order}"
