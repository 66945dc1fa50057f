import secrets
from decimal import Decimal
from typing import TYPE_CHECKING

import pgtrigger
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import Customer
from accounts.models.address import PostalAddress
from accounts.people.email_addresses import EmailAddressField
from orders.models.cart import Cart
from orders.models.settings import ShippingMethod
from shop.catalog.models import Store
from shop.money import format_amount, get_shop_currency

if TYPE_CHECKING:
    from orders.models.payment import Refund
    from orders.models.stripe_record import StripeRecord

ALPHABET = (
    "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # no 0/O, 1/I: a number is read out on the phone  # pragma: allowlist secret
)
PICKUP_CODE_LENGTH = 6


def draw_pickup_code() -> str:
    """30 bits, and each try is made by staff: nobody guesses it at the counter."""
    return "".join(secrets.choice(ALPHABET) for _ in range(PICKUP_CODE_LENGTH))


def order_number() -> str:
    """A number nobody can guess: SW-7Q4K-2MXP-9T, ten random characters, 50 bits."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(10))
    return f"SW-{drawn[:4]}-{drawn[4:8]}-{drawn[8:]}"


class Order(PostalAddress):
    """A contract with a buyer: a snapshot of what was agreed. Three axes say where it stands.

    `status` is moved by verbs; `payment_status`, `fulfilment_status`, `hold` and `has_denied_delivery` are derived by
    `recalculate`. `customer` stays empty until the address is proved.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting for payment"
        CONFIRMED = "confirmed", "Confirmed"
        COMPLETED = "completed", "Completed"
        CANCELLED = "cancelled", "Cancelled"

    class PaymentStatus(models.TextChoices):
        UNPAID = "unpaid", "Unpaid"
        PROCESSING = "processing", "On its way from the bank"
        PAID = "paid", "Paid"
        PARTIALLY_REFUNDED = "partially_refunded", "Partly refunded"
        REFUNDED = "refunded", "Refunded"
        DISPUTED = "disputed", "Disputed"
        CHARGED_BACK = "charged_back", "Taken back by the bank"

    class Hold(models.TextChoices):
        """Why an order keeps still; `orders.fulfilment.holds` has the rule and the sentences."""

        DISPUTED = "disputed", "Disputed"
        CHARGED_BACK = "charged_back", "Taken back by the bank"
        INQUIRY = "inquiry", "The bank asks"
        WARNING = "warning", "Fraud warning"
        REFUNDED = "refunded", "Refunded"
        WITHDRAWN = "withdrawn", "Buyer withdrew"
        REBUILT = "rebuilt", "Rebuilt after a restore"
        RESTORED = "restored", "Open when a backup was made"

    class FulfilmentStatus(models.TextChoices):
        UNFULFILLED = "unfulfilled", "Not started"
        IN_PROGRESS = "in_progress", "In progress"
        PARTLY_SENT = "partly_sent", "Partly dispatched"
        PARTLY_HERE = "partly_here", "Partly delivered"
        READY = "ready", "Ready to collect"
        DISPATCHED = "dispatched", "Dispatched"
        HELD_UP = "held_up", "Held up on the road"
        RETURNED = "returned", "Sent back to us"
        DELIVERED = "delivered", "Delivered"

    class Source(models.TextChoices):
        WEB = "web", "Web"
        STAFF = "staff", "Entered by staff"
        IMPORT = "import", "Imported"
        REBUILT = "rebuilt", "Rebuilt after a restore"
        EXCHANGE = "exchange", "Sent in exchange"

    number = models.CharField(max_length=40, unique=True, default=order_number, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.SET_NULL, null=True, blank=True, related_name="orders")
    email = EmailAddressField("e-mail", blank=True)
    source = models.CharField(max_length=8, choices=Source, default=Source.WEB)
    external_reference = models.CharField(max_length=60, null=True, blank=True, unique=True)
    cart = models.ForeignKey(Cart, on_delete=models.SET_NULL, null=True, editable=False, related_name="orders")
    cart_fingerprint = models.CharField(max_length=64, blank=True, editable=False)

    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    payment_status = models.CharField(max_length=20, choices=PaymentStatus, default=PaymentStatus.UNPAID)
    fulfilment_status = models.CharField(max_length=12, choices=FulfilmentStatus, default=FulfilmentStatus.UNFULFILLED)
    hold = models.CharField(
        max_length=12, choices=Hold, blank=True, default="", db_default="", help_text="Why it keeps still, if it does."
    )

    currency = models.CharField(max_length=3, default=get_shop_currency)
    subtotal = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    shipping_total = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    ordinary_shipping_total = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        null=True,
        editable=False,
        help_text="What the cheapest way there would have cost; empty where nobody noted it.",
    )
    tax_total = models.DecimalField(max_digits=13, decimal_places=3, default=0, help_text="Inside the total.")
    total = models.DecimalField(max_digits=12, decimal_places=2, default=0)

    shipping_method = models.ForeignKey(ShippingMethod, on_delete=models.SET_NULL, null=True, blank=True)
    shipping_name = models.CharField(max_length=80, blank=True)
    carrier = models.CharField(max_length=40, blank=True)
    pickup_store = models.ForeignKey(
        Store,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name="collected at",
        help_text="Empty: it is sent.",
    )
    pickup_code = models.CharField(
        max_length=PICKUP_CODE_LENGTH,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="What its buyer shows or says when they collect it.",
    )
    pickup_ready_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="From when it was promised to lie ready."
    )
    zone_name = models.CharField(
        "zone",
        max_length=80,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="Of its postcode, where delivery takes longer or costs more.",
    )
    zone_days = models.PositiveSmallIntegerField(
        "more days there", default=0, db_default=0, editable=False, help_text="Working days, inside the promised ones."
    )
    zone_surcharge = models.DecimalField(
        "surcharge there",
        max_digits=10,
        decimal_places=2,
        default=0,
        db_default=0,
        editable=False,
        help_text="Inside what delivery cost.",
    )
    gift_note = models.CharField(max_length=280, blank=True)
    company_name = models.CharField(
        max_length=120, blank=True, default="", db_default="", help_text="Of a buyer who buys for a business."
    )
    vat_id = models.CharField("VAT number", max_length=20, blank=True, default="", db_default="")
    carrier_may_write = models.BooleanField(
        "the carrier may write",
        default=False,
        db_default=False,
        help_text="The buyer’s choice for this order: the carrier gets e-mail and phone too.",
    )
    unsure_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="Since when nobody knows whether it left: a backup was restored.",
    )
    withdrawn_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="Since when its buyer has withdrawn from it, or from some of it, and nobody has looked.",
    )
    ships_as_ready = models.BooleanField(
        default=False, db_default=False, help_text="Each part goes as soon as it is ready, not all together."
    )
    return_window_days = models.PositiveSmallIntegerField(
        null=True, editable=False, help_text="To send its goods back, as said when bought; empty: as it is now."
    )
    pays_return_postage = models.BooleanField(
        null=True, editable=False, help_text="We pay for sending back, as said when bought; empty: as it is now."
    )
    offers_exchange = models.BooleanField(
        null=True, editable=False, help_text="For another size or colour, as said when bought; empty: as it is now."
    )
    return_refund_days = models.PositiveSmallIntegerField(
        null=True, editable=False, help_text="To settle a return, as said when bought; empty: as it is now."
    )
    ships_on = models.DateField(null=True, blank=True)
    promised_from_on = models.DateField(null=True, blank=True)
    promised_by_on = models.DateField(null=True, blank=True)
    first_promised_by_on = models.DateField(
        null=True, blank=True, editable=False, help_text="The day promised at first, where a delay moved it."
    )
    moved_days = models.SmallIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="By how many days the shop's own deliveries moved the day promised at first.",
    )
    has_denied_delivery = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="A parcel of it is said to be delivered, and its buyer says that it did not come.",
    )
    date_is_essential = models.BooleanField(
        "the day is essential",
        default=False,
        db_default=False,
        editable=False,
        help_text="After that day the goods are of no use to the buyer: a delay ends the order.",
    )

    created_at = models.DateTimeField(auto_now_add=True)
    placed_at = models.DateTimeField(null=True, blank=True, help_text="When it was paid.")
    approved_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    pay_by_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="Until when its goods wait for payment, of an order that staff entered; empty for all others.",
    )

    class Meta:
        ordering = ["-placed_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["cart"], condition=Q(status="pending"), name="order_one_pending_per_cart"),
            models.UniqueConstraint(
                fields=["cart_fingerprint"],
                condition=Q(source="staff") & ~Q(cart_fingerprint=""),
                name="order_once_per_staff_form",
            ),
            models.CheckConstraint(condition=Q(total__gte=0), name="order_total_not_negative"),
        ]
        indexes = [
            models.Index(fields=["-placed_at", "-id"], name="order_newest"),  # the admin's list
            models.Index(fields=["customer", "-placed_at"], name="order_by_customer"),
            models.Index(fields=["email"], name="order_by_email"),
            models.Index(fields=["created_at"], condition=Q(status="pending"), name="order_pending"),
            models.Index(
                fields=["pay_by_at"], condition=Q(status="pending", pay_by_at__isnull=False), name="order_pay_by"
            ),
            models.Index(fields=["status", "payment_status"], name="order_by_state"),  # the staff's first page
            models.Index(fields=["placed_at"], condition=~Q(hold=""), name="order_on_hold"),
        ]
        triggers = [
            # Cancelled, or another customer's from now on: its lines tell nothing any more.
            pgtrigger.Trigger(
                name="order_lines_set_aside",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "(OLD.status IN ('confirmed', 'completed') AND OLD.customer_id IS NOT NULL AND ("
                    "NEW.status NOT IN ('confirmed', 'completed') OR NEW.customer_id IS DISTINCT FROM OLD.customer_id))"
                ),
                func="""
                    UPDATE orders_orderline SET set_aside_at = clock_timestamp() WHERE order_id = NEW.id;
                    RETURN NULL;""",
            )
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("order", args=[self.number])

    @property
    def total_text(self) -> str:
        return format_amount(self.total, self.currency)

    @property
    def business_lines(self) -> list[str]:
        """For which business it was bought, as its papers say so; none for anybody else."""
        return [line for line in (self.company_name, self.vat_id and f"VAT number {self.vat_id}") if line]

    @property
    def delivery_name(self) -> str:
        """How it goes, and the zone it goes to: “Royal Mail, Outer Hebrides”."""
        return ", ".join(filter(None, (self.shipping_name, self.zone_name)))

    @property
    def plain_shipping_total(self) -> Decimal:
        """What delivery cost without the surcharge of its zone."""
        return self.shipping_total - self.zone_surcharge

    @property
    def waits_for_link(self) -> bool:
        """Whether staff entered it and its buyer has yet to pay."""
        return self.status == self.Status.PENDING and self.pay_by_at is not None

    @property
    def is_payable_by_link(self) -> bool:
        """Whether that buyer may begin a payment now."""
        return self.waits_for_link and self.pay_by_at is not None and timezone.now() < self.pay_by_at

    @property
    def money_back(self) -> "list[Refund]":
        """The refunds of what was paid for it, those under way included. For lists, prefetch `payments__refunds`."""
        captured = [payment for payment in self.payments.all() if payment.status == "captured"]
        return [refund for payment in captured for refund in payment.refunds.all() if refund.status != "failed"]

    @property
    def standing_disputes(self) -> "list[StripeRecord]":
        """Disputes, open or lost, of what was paid for it. For lists, prefetch `payments__stripe_records`."""
        captured = [payment for payment in self.payments.all() if payment.status == "captured"]
        return [record for payment in captured for record in payment.stripe_records.all() if record.dispute_text]


class Adjustment(models.Model):
    """An amount on an order that is not goods: postage of an imported order, a discount (negative)."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="adjustments")
    label = models.CharField(max_length=120)
    amount = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.label


class OrderTick(models.Model):
    """A guest's tick at checkout. It belongs to this order alone; the gate reads it as it reads consents."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="ticks")
    purpose = models.CharField(max_length=60)
    granted = models.BooleanField()
    wording_version = models.PositiveSmallIntegerField()
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["order", "purpose"], name="order_tick_once")]

    def __str__(self) -> str:
        return f"{self.purpose}: {'yes' if self.granted else 'no'}"
