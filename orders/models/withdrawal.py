from datetime import date
from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.people.email_addresses import EmailAddressField
from orders.models.order import Order
from orders.models.order_line import OrderLine
from orders.models.payment import Refund
from shop.money import format_amount

LONGEST_WORDS = 500
MONEY_IS_BACK = (Order.PaymentStatus.REFUNDED, Order.PaymentStatus.CHARGED_BACK)


class WithdrawalQuerySet(models.QuerySet["Withdrawal"]):
    def standing(self) -> "WithdrawalQuerySet":
        """Those that staff have not set aside."""
        return self.filter(set_aside_at=None)

    def unsettled(self) -> "WithdrawalQuerySet":
        """Those that wait for staff: neither set aside nor settled, and the order's money is not back as it is.

        Each found from its own few rows: as conditions joined by OR they would be asked of every one there was.
        """
        every = Withdrawal.objects.order_by().standing()
        failed = every.filter(refund__status=Refund.Status.FAILED)
        found = every.filter(settled_at=None).values("pk").union(failed.values("pk"))
        return self.filter(pk__in=found).exclude(order__payment_status__in=MONEY_IS_BACK)

    def overdue(self, today: date) -> "WithdrawalQuerySet":
        """As `Withdrawal.is_overdue` has it, of those that are not settled."""
        may_wait = Q(has_left=True, goods_back_at=None, posting_seen_at=None)
        return self.unsettled().filter(~may_wait, is_late=False, due_on__lt=today)


class Withdrawal(models.Model):
    """A buyer's declaration that they withdraw from an order or from some of it. It counts from `declared_at`.

    `contents` is a copy of what was declared, in words. The amounts are what is owed for it as things stood then; both
    empty where the buyer named goods in `words` of their own, which staff have to read. `ends_on`: the last day of the
    period, as it was known then; empty while not every parcel was known to be delivered.
    """

    class Way(models.TextChoices):
        ORDER = "order", "From the order or its mail"
        FORM = "form", "By number and e-mail"
        STAFF = "staff", "Entered by the shop"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="withdrawals")
    way = models.CharField(max_length=8, choices=Way)
    entered_by = models.CharField(
        max_length=80,
        blank=True,
        default="",
        db_default="",
        help_text="Who of the shop entered it for the buyer; empty if they did.",
    )
    full_name = models.CharField(max_length=80, blank=True)
    acknowledged_to = EmailAddressField(blank=True, help_text="Where the acknowledgement goes.")
    contents = models.TextField()
    words = models.CharField(max_length=LONGEST_WORDS, blank=True, help_text="The goods, in the buyer's words.")
    piece_count = models.PositiveIntegerField(default=0)
    declared_at = models.DateTimeField()
    ends_on = models.DateField(null=True)
    is_late = models.BooleanField(default=False, help_text="Declared after the period had ended.")

    has_left = models.BooleanField(help_text="Whether any of the order had left when it was declared.")

    currency = models.CharField(max_length=3)
    goods_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    delivery_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    due_on = models.DateField(help_text="The last day for the money.")
    goods_back_at = models.DateTimeField(null=True)
    posting_seen_at = models.DateTimeField(null=True, help_text="When staff saw proof that the goods were sent back.")
    inspected_at = models.DateTimeField(null=True, help_text="When staff had looked at what came back.")
    refund = models.ForeignKey(Refund, on_delete=models.SET_NULL, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=80, blank=True)
    set_aside_at = models.DateTimeField(null=True)
    set_aside_by = models.CharField(max_length=80, blank=True)
    set_aside_reason = models.CharField(max_length=200, blank=True)

    objects = WithdrawalQuerySet.as_manager()

    class Meta:
        ordering = ["declared_at", "id"]
        indexes = [
            models.Index(
                fields=["declared_at"], condition=Q(settled_at=None, set_aside_at=None), name="withdrawal_unsettled"
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(goods_amount=None, delivery_amount=None)
                | Q(
                    goods_amount__gte=0,
                    delivery_amount__gte=0,
                    goods_amount__isnull=False,
                    delivery_amount__isnull=False,
                ),
                name="withdrawal_amounts_both_or_none",
            ),
            models.CheckConstraint(
                condition=Q(settled_at=None) | Q(set_aside_at=None), name="withdrawal_settled_or_set_aside"
            ),
            models.CheckConstraint(
                condition=Q(is_late=False) | Q(ends_on__isnull=False), name="withdrawal_late_after_an_end"
            ),
            models.CheckConstraint(
                condition=Q(words="", piece_count__gt=0) | (~Q(words="") & Q(piece_count=0)),
                name="withdrawal_names_lines_or_words",
            ),
            models.CheckConstraint(
                condition=(Q(way="staff") & ~Q(entered_by="")) | (~Q(way="staff") & Q(entered_by="")),
                name="withdrawal_entered_by_whom_of_the_shop",
            ),
        ]

    def __str__(self) -> str:
        return f"Withdrawal from {self.order}"

    @property
    def owed(self) -> Decimal | None:
        """What goes back for it; None where staff have to read the buyer's words first."""
        if self.goods_amount is None or self.delivery_amount is None:
            return None
        return self.goods_amount + self.delivery_amount

    @property
    def owed_text(self) -> str:
        return "" if self.owed is None else format_amount(self.owed, self.currency)

    @property
    def is_settled(self) -> bool:
        """Whether its money is on its way or back. Reads `refund`."""
        return self.settled_at is not None and not (self.refund and self.refund.status == Refund.Status.FAILED)

    @property
    def may_wait(self) -> bool:
        """Whether the money may wait: goods are out, and neither they nor proof of their posting have come."""
        return self.has_left and not (self.goods_back_at or self.posting_seen_at)

    def is_overdue(self, today: date | None = None) -> bool:
        """Whether the last day for the money has passed, and nothing allows to wait."""
        return not (self.is_late or self.may_wait) and self.due_on < (today or timezone.localdate())


class WithdrawalLine(models.Model):
    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.CASCADE, related_name="lines")
    order_line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, related_name="withdrawal_lines")
    quantity = models.PositiveIntegerField()
    restocked_quantity = models.PositiveIntegerField(default=0, db_default=0)
    written_off_quantity = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["withdrawal", "order_line"], name="withdrawal_line_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="withdrawal_line_some"),
            models.CheckConstraint(
                condition=Q(quantity__gte=F("restocked_quantity") + F("written_off_quantity")),
                name="withdrawal_line_no_more_than_came",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.order_line.title}"


class WithdrawalStatementQuerySet(models.QuerySet["WithdrawalStatement"]):
    def stray(self) -> "WithdrawalStatementQuerySet":
        """Those that fit no order, and that staff have not seen to."""
        return self.filter(withdrawal=None, looked_up_at__isnull=False, cleared_at=None)


class WithdrawalStatement(models.Model):
    """What somebody declared by order number and e-mail, as it came. It counts from `declared_at`.

    A job finds its order a moment later and makes it a `withdrawal` from it; so the answer takes the same time whether
    or not there is such an order. What fits none waits for staff, and nobody is mailed about it. Each stays a bounded
    time, so that what is said again on that day takes the same way too.
    """

    number = models.CharField(max_length=60)
    email = EmailAddressField()
    full_name = models.CharField(max_length=80)
    words = models.CharField(max_length=LONGEST_WORDS, blank=True)
    declared_at = models.DateTimeField()
    digest = models.CharField(max_length=64, unique=True, help_text="The same, said again that day, is one statement.")
    looked_up_at = models.DateTimeField(null=True)
    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.CASCADE, null=True, related_name="statements")
    cleared_at = models.DateTimeField(null=True, help_text="When staff had seen to one that fits no order.")
    cleared_by = models.CharField(max_length=80, blank=True)

    objects = WithdrawalStatementQuerySet.as_manager()

    class Meta:
        ordering = ["declared_at", "id"]
        indexes = [
            models.Index(fields=["id"], condition=Q(looked_up_at=None), name="withdrawal_statement_waiting"),
            models.Index(fields=["email"], name="withdrawal_statement_by_email"),
        ]

    def __str__(self) -> str:
        return f"Withdrawal stated for {self.number}"
