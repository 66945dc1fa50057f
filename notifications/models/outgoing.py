import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.consent.purposes import MailKind
from accounts.models import ConsentRecord, Customer
from accounts.people.email_addresses import EmailAddressField
from orders.models import Order, OrderTick
from shop.catalog.models import Product


class SkipReason(models.TextChoices):
    """Why a mail or a part of it did not go."""

    NOT_OPTED_IN = "not_opted_in", "Never asked for it"
    WITHDRAWN = "withdrawn", "Said no"
    UNPROVED = "unproved", "Not an address they have confirmed"
    SUPPRESSED = "suppressed", "The address refuses our mail"
    NO_ADDRESS = "no_address", "No e-mail address"
    NOTHING_LEFT = "nothing_left", "Nothing left to say"
    TOO_FEW = "too_few", "Fewer than three things worth sending"
    NOT_FOR_SALE = "not_for_sale", "Sold out, or not sold any more"
    ORDER_CHANGED = "order_changed", "The order has moved on"
    GATHERED = "gathered", "Told in a digest instead"
    OVER_CEILING = "over_ceiling", "Their weekly ceiling was reached"
    TOO_SOON = "too_soon", "Not wanted that often"
    OVERTAKEN = "overtaken", "A newer one took its place"


class OutgoingEmail(models.Model):
    """One mail: asked for, decided on, and handed to the mail server at most once by `notifications.delivery`.

    `key` names what it is for (event and recipient), so the same thing is never queued twice. The body is rendered
    at hand-off from `context` (ids, never personal data).
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        CLAIMED = "claimed", "Reserved by a worker"
        SENDING = "sending", "Being handed over"
        SENT = "sent", "Sent"
        SKIPPED = "skipped", "Not sent"
        FAILED = "failed", "Refused by the mail server"
        UNCERTAIN = "uncertain", "Perhaps sent: look before you act"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=160)
    topic = models.CharField(max_length=60)
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in MailKind])
    to_address = EmailAddressField("to")
    customer = models.ForeignKey(
        Customer, on_delete=models.SET_NULL, null=True, blank=True, related_name="emails", db_index=False
    )
    order = models.ForeignKey(Order, on_delete=models.SET_NULL, null=True, blank=True, related_name="emails")
    context = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    skip_reason = models.CharField(max_length=20, choices=SkipReason, blank=True)
    subject = models.CharField(max_length=200, blank=True, help_text="As sent.")

    claim_token = models.UUIDField(null=True, blank=True, editable=False)
    due_at = models.DateTimeField(
        default=timezone.now,
        help_text="From when a worker may take it: at once, after a pause, or when another worker's lease has run out.",
    )
    attempt_count = models.PositiveSmallIntegerField(default=0)
    unanswered_count = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="Hand-offs of which nobody knows whether the mail server took it.",
    )
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "mail"
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(state__in=["queued", "claimed", "sending"]) & ~Q(kind="promotional"),
                name="outgoing_waiting",
            ),
            models.Index(
                fields=["due_at"],
                condition=Q(state__in=["queued", "claimed", "sending"], kind="promotional"),
                name="outgoing_waiting_promotional",
            ),
            models.Index(fields=["customer", "-created_at"], name="outgoing_by_customer"),
            models.Index(fields=["-created_at"], name="outgoing_newest"),
        ]
        # a constraint, and not `unique`, which would bring a second index for LIKE
        constraints = [models.UniqueConstraint(fields=["key"], name="outgoing_once")]

    def __str__(self) -> str:
        return f"{self.topic} ({self.get_state_display()})"


class OutgoingItem(models.Model):
    """One block or item of a mail, and what it stands on: a consent record, an order's tick, or nothing (essential)."""

    email = models.ForeignKey(OutgoingEmail, on_delete=models.CASCADE, related_name="items")
    block = models.CharField(max_length=40, help_text="Which part of the mail: body, offer, pick.")
    position = models.PositiveSmallIntegerField(default=0)
    product = models.ForeignKey(Product, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    news = models.ForeignKey(
        OutgoingEmail,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="told_in",
        help_text="For a part of a digest: the mail it would have been alone.",
    )
    order = models.ForeignKey(
        Order, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", help_text="The order the news is of."
    )
    why = models.CharField(max_length=300, blank=True, help_text="The reason the reader is given.")
    purpose = models.CharField(max_length=60, blank=True)
    consent_record = models.ForeignKey(
        ConsentRecord, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    order_tick = models.ForeignKey(OrderTick, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    is_essential = models.BooleanField(default=False)
    stands_since_at = models.DateTimeField(
        null=True, blank=True, help_text="When the yes it stands on was given. A later yes is another one."
    )
    is_dropped = models.BooleanField(default=False)
    drop_reason = models.CharField(max_length=20, choices=SkipReason, blank=True)

    class Meta:
        ordering = ["position", "id"]
        verbose_name = "part of a mail"
        verbose_name_plural = "parts of the mail"
        constraints = [models.UniqueConstraint(fields=["email", "position"], name="outgoing_item_position")]

    def __str__(self) -> str:
        return self.block
