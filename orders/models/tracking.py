"""What carriers tell of parcels: the messages as they came, and the scans they hold."""

import hashlib

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from orders.carriers.base import (
    LONGEST_PLACE,
    LONGEST_REFERENCE,
    LONGEST_WORDS,
    CarrierScan,
    ScanMeaning,
)
from orders.carriers.tracking_numbers import LONGEST_NUMBER
from orders.models.shipment import Shipment


class CarrierMessage(models.Model):
    """A signed webhook as far as we read it. Stored first, answered, then processed; the sender's id makes it once.

    `number` is bare. `scans`: of each the fields of a `CarrierScan`; names and signatures of people are not among them.
    A message for a number that no parcel has waits a while, should somebody type it later, and is forgotten.
    """

    sender = models.CharField(max_length=20)
    reference = models.CharField(max_length=LONGEST_REFERENCE)
    number = models.CharField(max_length=LONGEST_NUMBER)
    scans = models.JSONField(encoder=DjangoJSONEncoder)
    estimated_on = models.DateField(null=True, help_text="The day on which the carrier means to deliver it.")
    told_at = models.DateTimeField(
        null=True, help_text="Of a message that names that day, or takes it back: when the sender wrote it."
    )
    received_at = models.DateTimeField(auto_now_add=True)
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sender", "reference"], name="carrier_message_once")]
        indexes = [
            models.Index(fields=["received_at"], name="carrier_message_by_time"),
            models.Index(fields=["id"], condition=Q(processed_at=None), name="carrier_message_waiting"),
            models.Index(fields=["number"], name="carrier_message_number"),
        ]

    def __str__(self) -> str:
        return f"{self.sender} {self.reference}"


class TrackingEvent(models.Model):
    """A scan of a parcel, as its carrier tells it: `meaning` is ours, `words` and `place` are the carrier's.

    `key` makes it once, however often it is told.
    """

    class Meaning(models.TextChoices):
        IN_TRANSIT = ScanMeaning.IN_TRANSIT.value, "In transit"
        OUT_FOR_DELIVERY = ScanMeaning.OUT_FOR_DELIVERY.value, "Out for delivery"
        READY_TO_COLLECT = ScanMeaning.READY_TO_COLLECT.value, "Ready to collect"
        FAILED_ATTEMPT = ScanMeaning.FAILED_ATTEMPT.value, "Delivery tried"
        UNDELIVERABLE = ScanMeaning.UNDELIVERABLE.value, "Cannot be delivered"
        RETURNED = ScanMeaning.RETURNED.value, "Goes back to us"
        DELIVERED = ScanMeaning.DELIVERED.value, "Delivered"
        OTHER = ScanMeaning.OTHER.value, "Something else"

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="scans")
    meaning = models.CharField(max_length=20, choices=Meaning)
    words = models.CharField(max_length=LONGEST_WORDS, blank=True)
    place = models.CharField(max_length=LONGEST_PLACE, blank=True)
    happened_at = models.DateTimeField(help_text="The carrier's own time.")
    received_at = models.DateTimeField(auto_now_add=True)
    sender = models.CharField(max_length=20)
    key = models.CharField(max_length=64, editable=False)

    class Meta:
        ordering = ["happened_at", "key"]
        constraints = [models.UniqueConstraint(fields=["shipment", "key"], name="tracking_event_once")]

    def __str__(self) -> str:
        return f"{self.get_meaning_display()}, {self.happened_at:%Y-%m-%d %H:%M}"


def compute_scan_key(scan: CarrierScan) -> str:
    """The same for the same scan, whoever tells it and whenever."""
    said = (scan.meaning.value, scan.happened_at.isoformat(), scan.words, scan.place)
    return hashlib.blake2s("\0".join(said).encode(), digest_size=32).hexdigest()
