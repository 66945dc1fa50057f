import uuid

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce

from orders.models.order import Order
from orders.models.order_line import OrderLine
from shop.money import format_amount


class Payment(models.Model):
    """One attempt to be paid for an order: a Stripe Checkout session, or money taken by hand."""

    class Status(models.TextChoices):
        CREATED = "created", "Being set up"  # the row exists; Stripe may or may not know of it yet
        OPEN = "open", "Waiting for the buyer"
        PROCESSING = "processing", "On its way from the bank"  # a bank debit, say: it takes days
        CAPTURED = "captured", "Paid"
        EXPIRED = "expired", "Expired"
        FAILED = "failed", "Not paid by the bank"
        FLAGGED = "flagged", "Needs a look"  # paid, but not what was owed

    class Provider(models.TextChoices):
        STRIPE = "stripe", "Stripe"
        BY_HAND = "by_hand", "Taken by hand"  # cash, a transfer: money goes back by hand too

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="payments")
    provider = models.CharField(max_length=20, choices=Provider, default=Provider.STRIPE)
    note = models.CharField(max_length=120, blank=True, db_default="", help_text="How money taken by hand came.")
    idempotency_key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    provider_reference = models.CharField(max_length=120, null=True, blank=True, unique=True)
    payment_intent = models.CharField(max_length=120, blank=True, db_index=True)
    redirect_url = models.TextField(blank=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, choices=Status, default=Status.CREATED)
    problem = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    captured_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(
        null=True, blank=True, help_text="When Stripe was last asked about a payment that is on its way."
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(status="captured"), name="payment_one_captured_per_order"
            )
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(status__in=["created", "open"]), name="payment_unsettled"),
            models.Index(fields=["order"], condition=Q(status="flagged"), name="payment_flagged"),
            models.Index(fields=["created_at"], condition=Q(status="processing"), name="payment_processing"),
        ]

    def __str__(self) -> str:
        return f"{format_amount(self.amount, self.currency)}, {self.get_status_display()}"

    @property
    def is_by_hand(self) -> bool:
        return self.provider == self.Provider.BY_HAND


class RefundQuerySet(models.QuerySet["Refund"]):
    def undelivered(self) -> "RefundQuerySet":
        """Those that failed, and since then nothing was given back in their place: neither the same again nor anew."""
        failed_at = Coalesce(OuterRef("settled_at"), OuterRef("created_at"))
        anew = Q(again_of=None, created_at__gt=failed_at) & ~Q(pk=OuterRef("pk"))
        since = Refund.objects.filter(anew | Q(again_of=OuterRef("pk")), payment=OuterRef("payment"))
        return self.filter(~Exists(since), status=Refund.Status.FAILED)


class Refund(models.Model):
    """`again_of`: the one that failed and that this one repeats, part for part.

    `is_by_hand`: staff gave it back themselves, such as by transfer. `is_credited`: its credit note is the one of what
    it repeats, which had reached the buyer's bank first.
    """

    class Status(models.TextChoices):
        REQUESTED = "requested", "Requested"
        SUCCEEDED = "succeeded", "Refunded"
        FAILED = "failed", "Failed"

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    idempotency_key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When Stripe first got the request's present key.")
    key_count = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How many keys were given up for their age."
    )
    provider_reference = models.CharField(max_length=120, null=True, blank=True, unique=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    delivery_amount = models.DecimalField(
        max_digits=12, decimal_places=2, default=0, db_default=0, help_text="How much of it is for delivery."
    )
    goodwill_amount = models.DecimalField(
        max_digits=12, decimal_places=2, default=0, db_default=0, help_text="How much of it is for no goods at all."
    )
    reason = models.CharField(max_length=200, blank=True)
    for_cancellation = models.BooleanField(
        default=False, db_default=False, help_text="The order was cancelled with it."
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.REQUESTED)
    problem = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    cleared_at = models.DateTimeField(
        null=True, blank=True, help_text="When staff released the order although its money had gone back."
    )
    cleared_by = models.CharField(max_length=80, blank=True, default="", db_default="")
    again_of = models.OneToOneField("self", on_delete=models.SET_NULL, null=True, related_name="sent_again")
    is_by_hand = models.BooleanField(default=False, db_default=False)
    is_credited = models.BooleanField(default=False, db_default=False)

    objects = RefundQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount_positive"),
            models.CheckConstraint(
                condition=Q(delivery_amount__gte=0, goodwill_amount__gte=0), name="refund_parts_not_negative"
            ),
        ]
        indexes = [
            models.Index(fields=["payment"], condition=Q(status__in=["requested", "failed"]), name="refund_not_given"),
        ]

    def __str__(self) -> str:
        return f"{format_amount(self.amount, self.currency)}, {self.get_status_display()}"


class RefundLine(models.Model):
    """Goods that a refund is for, and what of the sum is theirs. Of a mere sum there are none.

    `quantity`: of how many pieces the money goes back here first; 0 where it is for their price alone, as of what was
    exchanged for less.
    """

    refund = models.ForeignKey(Refund, on_delete=models.CASCADE, related_name="lines")
    order_line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, related_name="refund_lines")
    quantity = models.PositiveIntegerField()
    amount = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["refund", "order_line"], name="refund_line_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="refund_line_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.order_line.title}"


class StripeEvent(models.Model):
    """A signed webhook as it came. Stored first, answered, then processed from this row; the id makes it once."""

    event_id = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=80)
    object_id = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(help_text="Stripe's own time.")
    received_at = models.DateTimeField(auto_now_add=True)
    processed_at = models.DateTimeField(null=True, blank=True)
    attempt_count = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["received_at"], condition=Q(processed_at=None), name="stripe_event_waiting")]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"
