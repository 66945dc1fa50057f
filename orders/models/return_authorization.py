import secrets
from datetime import date
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from orders.models.order import ALPHABET, Order
from orders.models.order_line import OrderLine
from orders.models.payment import Refund
from shop.catalog.models import Category, Product, Variant
from shop.money import format_amount

LONGEST_REASON = 500


def return_number() -> str:
    """A number nobody can guess: RMA-7Q4K-2MXP-9T, ten random characters, 50 bits."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(10))
    return f"RMA-{drawn[:4]}-{drawn[4:8]}-{drawn[8:]}"


class ReturnQuerySet(models.QuerySet["ReturnAuthorization"]):
    def standing(self) -> "ReturnQuerySet":
        """Those that staff have not refused."""
        return self.filter(refused_at=None)

    def taking(self) -> "ReturnQuerySet":
        """Those whose pieces cannot be sent back or withdrawn from again: not refused, and not come back repaired."""
        return self.standing().exclude(settled_as=ReturnAuthorization.Wanted.REPAIR)

    def leaving(self) -> "ReturnQuerySet":
        """Those whose pieces the buyer does not keep: they are not, or were not, only looked at or repaired."""
        wanted = ReturnAuthorization.Wanted
        is_gone = Q(settled_as__in=[wanted.REFUND, wanted.EXCHANGE, wanted.REPLACEMENT])
        return self.standing().filter(is_gone | Q(kind=ReturnAuthorization.Kind.RETURN))

    def unsettled(self) -> "ReturnQuerySet":
        """Those that are not done: neither refused nor settled, or settled by a refund that failed."""
        return self.filter(pk__in=_find_unsettled())

    def awaited(self) -> "ReturnQuerySet":
        """Those whose goods have not come."""
        return self.unsettled().filter(received_at=None)

    def in_hand(self) -> "ReturnQuerySet":
        """Those that wait for staff: the goods are here, and not looked at or not settled."""
        unseen = ReturnAuthorization.objects.order_by().standing().filter(inspected_at=None)
        return self.filter(pk__in=_find_unsettled().union(unseen.values("pk")), received_at__isnull=False)

    def overdue(self, today: date) -> "ReturnQuerySet":
        """Those of which money or goods should be with the buyer by now."""
        return self.unsettled().filter(due_on__lt=today)


def _find_unsettled() -> "models.QuerySet[ReturnAuthorization, Any]":
    """Each found from its own few rows: as conditions joined by OR they would be asked of every return there was."""
    every = ReturnAuthorization.objects.order_by().standing()
    failed = every.filter(refund__status=Refund.Status.FAILED)
    return every.filter(settled_at=None).values("pk").union(failed.values("pk"))


class ReturnAuthorization(models.Model):
    """Goods that a buyer sends back by the shop's own policy, or because something is wrong with them.

    `goods_amount`: what was paid for the pieces, their share of a discount taken off. `exchange_amount`: how much of it
    went on into the goods sent in exchange. `due_on`: by when money or goods are with the buyer, known once the pieces
    are here. `guarantee_until`: the end of the legal guarantee after a repair, where the law makes it longer.
    """

    class Kind(models.TextChoices):
        RETURN = "return", "Return"
        FAULTY = "faulty", "Something is wrong"

    class Wanted(models.TextChoices):
        REFUND = "refund", "Money back"
        EXCHANGE = "exchange", "Another size or colour"
        REPAIR = "repair", "Repair"
        REPLACEMENT = "replacement", "Replacement"

    class Reason(models.TextChoices):
        TOO_SMALL = "too_small", "Too small"
        TOO_LARGE = "too_large", "Too large"
        NOT_AS_SHOWN = "not_as_shown", "Not as it was shown"
        NOT_NEEDED = "not_needed", "No longer needed"
        DAMAGED = "damaged", "Arrived damaged"
        WRONG = "wrong", "Not what was ordered"
        BROKE = "broke", "Broke or stopped working"
        OTHER = "other", "Something else"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="returns")
    number = models.CharField(max_length=20, unique=True, default=return_number, editable=False)
    kind = models.CharField(max_length=8, choices=Kind)
    wanted = models.CharField(max_length=12, choices=Wanted)
    reason = models.CharField(max_length=12, choices=Reason)
    words = models.CharField(max_length=LONGEST_REASON, blank=True, help_text="In the buyer's words.")
    piece_count = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    goods_amount = models.DecimalField(max_digits=12, decimal_places=2)
    requested_at = models.DateTimeField()
    entered_by = models.CharField(
        max_length=80,
        blank=True,
        default="",
        db_default="",
        help_text="Who of the shop entered it for the buyer; empty if they did.",
    )

    received_at = models.DateTimeField(null=True)
    due_on = models.DateField(null=True)
    inspected_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=80, blank=True)
    settled_as = models.CharField(max_length=12, choices=Wanted, blank=True)
    refund = models.ForeignKey(Refund, on_delete=models.SET_NULL, null=True, related_name="+")
    exchange_order = models.OneToOneField(Order, on_delete=models.SET_NULL, null=True, related_name="exchange_of")
    exchange_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    guarantee_until = models.DateField(null=True)
    refused_at = models.DateTimeField(null=True)
    refused_by = models.CharField(max_length=80, blank=True)
    refused_reason = models.CharField(max_length=200, blank=True)

    objects = ReturnQuerySet.as_manager()

    class Meta:
        ordering = ["requested_at", "id"]
        verbose_name = "return"
        indexes = [
            models.Index(
                fields=["requested_at"], condition=Q(settled_at=None, refused_at=None), name="return_unsettled"
            ),
            models.Index(
                fields=["received_at"], condition=Q(inspected_at=None, refused_at=None), name="return_uninspected"
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(goods_amount__gte=0), name="return_amount_not_negative"),
            models.CheckConstraint(condition=Q(piece_count__gte=1), name="return_some"),
            models.CheckConstraint(condition=Q(settled_at=None) | Q(refused_at=None), name="return_settled_or_refused"),
            models.CheckConstraint(
                condition=Q(settled_at=None, settled_as="") | (Q(settled_at__isnull=False) & ~Q(settled_as="")),
                name="return_settled_as_something",
            ),
            models.CheckConstraint(
                condition=Q(received_at=None, due_on=None) | Q(received_at__isnull=False, due_on__isnull=False),
                name="return_due_once_received",
            ),
            models.CheckConstraint(
                condition=Q(exchange_amount=None) | Q(exchange_amount__lte=F("goods_amount")),
                name="return_exchange_within_amount",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} of {self.order}"

    @property
    def goods_text(self) -> str:
        return format_amount(self.goods_amount, self.currency)

    @property
    def is_settled(self) -> bool:
        """Whether it is done, and its money on its way or back. Reads `refund`."""
        return self.settled_at is not None and not (self.refund and self.refund.status == Refund.Status.FAILED)

    @property
    def is_open(self) -> bool:
        """Whether anything is still to happen for the buyer."""
        return self.refused_at is None and not self.is_settled

    def is_overdue(self, today: date | None = None) -> bool:
        return self.is_open and self.due_on is not None and self.due_on < (today or timezone.localdate())


class ReturnLine(models.Model):
    """Pieces of one line of the order. What came is put back on the shelf or written off when it is looked at.

    `exchange_unit_price`: what one piece of `exchange_variant` cost when it was asked for, in the return's currency.
    """

    return_authorization = models.ForeignKey(ReturnAuthorization, on_delete=models.CASCADE, related_name="lines")
    order_line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, related_name="return_lines")
    quantity = models.PositiveIntegerField()
    exchange_variant = models.ForeignKey(
        Variant, on_delete=models.SET_NULL, null=True, related_name="+", help_text="What the buyer wants in its place."
    )
    exchange_unit_price = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    restocked_quantity = models.PositiveIntegerField(default=0)
    written_off_quantity = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["return_authorization", "order_line"], name="return_line_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="return_line_some"),
            models.CheckConstraint(
                condition=Q(exchange_unit_price=None) | Q(exchange_unit_price__gte=0),
                name="return_line_exchange_price_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=F("restocked_quantity") + F("written_off_quantity")),
                name="return_line_no_more_than_came",
            ),
        ]

    def __str__(self) -> str:
        options = f" ({self.order_line.options})" if self.order_line.options else ""
        return f"{self.quantity} × {self.order_line.title}{options}"


class ReturnPicture(models.Model):
    """A picture of what is wrong, re-encoded. `file`: its name in the private storage, which no address serves."""

    return_authorization = models.ForeignKey(ReturnAuthorization, on_delete=models.CASCADE, related_name="pictures")
    file = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"Picture {self.pk} of {self.return_authorization}"


class ReturnExclusion(models.Model):
    """What the shop's policy does not take back: one product, or a category with all below it."""

    category = models.ForeignKey(Category, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = "thing not taken back"
        verbose_name_plural = "things not taken back"
        constraints = [
            models.CheckConstraint(
                condition=Q(category=None, product__isnull=False) | Q(category__isnull=False, product=None),
                name="return_exclusion_of_one",
                violation_error_message="Choose a category or a product: one of them.",
            ),
            models.UniqueConstraint(fields=["category"], name="return_exclusion_category_once"),
            models.UniqueConstraint(fields=["product"], name="return_exclusion_product_once"),
        ]

    def __str__(self) -> str:
        return str(self.category or self.product)
