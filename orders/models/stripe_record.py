from typing import Any

from django.db import models
from django.db.models import Count, Min, Q

from orders.models.payment import Payment
from shop.money import format_amount

# A dispute in any state that is not one of these is open, words that Stripe may yet invent included.
CLOSED_DISPUTES = frozenset({"won", "lost", "warning_closed", "prevented"})

OPEN_DISPUTE = Q(kind="dispute") & ~Q(status__in=CLOSED_DISPUTES)
LOST_DISPUTE = Q(kind="dispute", status="lost")
STRAY = Q(payment=None, cleared_at=None)


def describe_dispute(status: str, sum_text: str) -> str:
    """What the buyer's bank does with the sum, as staff read it; empty when it leaves the money with us.

    `status`: in Stripe's words.
    """
    if status == "lost":
        return f"Lost: {sum_text} went back by the bank"
    if status in CLOSED_DISPUTES:
        return ""
    return f"The bank asks about {sum_text}" if status.startswith("warning_") else f"The bank disputes {sum_text}"


class StripeRecordQuerySet(models.QuerySet["StripeRecord"]):
    def open_disputes(self) -> "StripeRecordQuerySet":
        """Disputes and inquiries that are not decided; somebody answers them at Stripe."""
        return self.filter(OPEN_DISPUTE)

    def standing_disputes(self) -> "StripeRecordQuerySet":
        """Those not decided, and the lost ones: what `describe_dispute` has words for."""
        return self.filter(OPEN_DISPUTE | LOST_DISPUTE)

    def lost(self) -> "StripeRecordQuerySet":
        """Disputes by which the bank gave the buyer money back."""
        return self.filter(LOST_DISPUTE)

    def stray(self) -> "StripeRecordQuerySet":
        """What belongs to no payment of this shop, and nobody has looked at."""
        return self.filter(STRAY)

    def count_open_matters(self) -> dict[str, Any]:
        """How many `disputes` and `stray` ones there are, since when the first dispute stands (`disputed_at`), and
        `answer_by` when the first wants its answer.
        """
        return self.filter(OPEN_DISPUTE | STRAY).aggregate(
            disputes=Count("pk", filter=OPEN_DISPUTE),
            disputed_at=Min("created_at", filter=OPEN_DISPUTE),
            answer_by=Min("due_at", filter=OPEN_DISPUTE),
            stray=Count("pk", filter=STRAY),
        )


class StripeRecord(models.Model):
    """A charge, refund, dispute or early fraud warning as Stripe last showed it, whoever made it: one row for each.

    `payment` is empty for what belongs to no payment of this shop. Its order keeps still (`Order.hold`) for some of
    them, until staff clear the row or Stripe closes the matter.
    """

    class Kind(models.TextChoices):
        CHARGE = "charge", "Charge"
        REFUND = "refund", "Refund"
        DISPUTE = "dispute", "Dispute"
        WARNING = "warning", "Early fraud warning"

    kind = models.CharField(max_length=8, choices=Kind)
    reference = models.CharField(max_length=120, unique=True)
    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, null=True, related_name="stripe_records")
    charge = models.CharField(max_length=120, db_index=True, help_text="The charge it is about.")
    payment_intent = models.CharField(max_length=120, blank=True)
    amount = models.DecimalField(max_digits=13, decimal_places=3, default=0)
    currency = models.CharField(max_length=3, blank=True)
    status = models.CharField(max_length=40, blank=True, help_text="In Stripe's words.")
    reason = models.CharField(max_length=80, blank=True, help_text="In Stripe's words.")
    is_refundable = models.BooleanField(
        default=True, help_text="Of a dispute: whether Stripe still refunds the charge."
    )
    due_at = models.DateTimeField(null=True, blank=True, help_text="Until when Stripe takes an answer to a dispute.")
    created_at = models.DateTimeField(help_text="Stripe's own time.")
    recorded_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(help_text="When Stripe was asked; an older answer changes nothing.")
    cleared_at = models.DateTimeField(null=True, blank=True)
    cleared_by = models.CharField(max_length=80, blank=True)

    objects = StripeRecordQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = "record from Stripe"
        verbose_name_plural = "records from Stripe"
        indexes = [
            models.Index(fields=["created_at"], name="stripe_record_by_time"),
            models.Index(fields=["kind"], condition=Q(payment=None, cleared_at=None), name="stripe_record_stray"),
            models.Index(fields=["status"], condition=Q(kind="dispute"), name="stripe_record_disputes"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.reference}"

    @property
    def is_open_dispute(self) -> bool:
        """A dispute or an inquiry that somebody still has to answer, or that the bank still thinks about."""
        return self.kind == self.Kind.DISPUTE and self.status not in CLOSED_DISPUTES

    @property
    def dispute_text(self) -> str:
        """As `describe_dispute`; empty for what is no dispute."""
        is_dispute = self.kind == self.Kind.DISPUTE
        return describe_dispute(self.status, format_amount(self.amount, self.currency)) if is_dispute else ""

    @property
    def status_text(self) -> str:
        return self.status.replace("_", " ")

    @property
    def reason_text(self) -> str:
        return self.reason.replace("_", " ")


class StripeFeed(models.Model):
    """How far Stripe's own list of events has been read: one row."""

    read_until_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Read until {self.read_until_at:%Y-%m-%d %H:%M}"
