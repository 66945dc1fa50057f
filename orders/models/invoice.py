from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone

from orders.models.order import Order
from orders.models.payment import Refund
from shop.money import format_amount
from shop.periods import Period

INVOICE_RETENTION = Period(years=6)
RETIRED = f"OLD.issued_at < now() - interval '{INVOICE_RETENTION.days - 2} days'"  # clocks may differ from the job's


class InvoiceKind(models.TextChoices):
    INVOICE = "invoice", "Invoice"
    CREDIT_NOTE = "credit_note", "Credit note"


class InvoiceSeries(models.Model):
    """The last number given, by kind and year. Whoever issues holds its row until the commit: no gaps."""

    kind = models.CharField(max_length=12, choices=InvoiceKind)
    year = models.PositiveSmallIntegerField()
    last_number = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "year"], name="invoice_series_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}s of {self.year}, up to {self.last_number}"


class Invoice(models.Model):
    """What was issued, word for word: seller, buyer, lines and tax are copies, so that it reads the same for good.

    A credit note names the invoice it `corrects`, whose date of supply it has, and the `refund` it is for. `lines`:
    title, detail, quantity, price (a credit note's may be empty) and total as text of a decimal, rate. `taxes`: one row
    a rate, with name, rate, net, tax and gross. Rows are never changed, and deleted by age alone.
    """

    kind = models.CharField(max_length=12, choices=InvoiceKind)
    number = models.CharField(max_length=20, unique=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="invoices")
    refund = models.OneToOneField(Refund, on_delete=models.PROTECT, null=True, related_name="credit_note")
    corrects = models.CharField(max_length=20, blank=True, help_text="The number of the invoice.")
    issued_at = models.DateTimeField(default=timezone.now, editable=False)
    supplied_on = models.DateField(
        "date of supply",
        null=True,
        help_text="When the last of the goods was sent or collected; empty while some was not.",
    )
    is_supply_known = models.BooleanField(
        default=True, db_default=False, help_text="No where nobody could tell, and of papers from before it was named."
    )
    seller = models.JSONField()
    buyer = models.JSONField()
    lines = models.JSONField()
    taxes = models.JSONField()
    tax = models.DecimalField(max_digits=13, decimal_places=3)
    total = models.DecimalField(max_digits=12, decimal_places=2, help_text="Tax included.")
    currency = models.CharField(max_length=3)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["order"], condition=Q(kind="invoice"), name="invoice_once_per_order"),
            models.CheckConstraint(
                condition=Q(kind="invoice", refund=None, corrects="")
                | Q(kind="credit_note", refund__isnull=False) & ~Q(corrects=""),
                name="invoice_or_credit_note",
            ),
            models.CheckConstraint(
                condition=Q(supplied_on=None) | Q(is_supply_known=True), name="invoice_supply_known"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="invoice_no_update", operation=pgtrigger.Update),
            pgtrigger.Trigger(
                name="invoice_no_delete",
                operation=pgtrigger.Delete,
                when=pgtrigger.Before,
                func=f"""
                    IF {RETIRED} THEN RETURN OLD; END IF;
                    RAISE EXCEPTION 'pgtrigger: invoices go by age alone';
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}"

    @property
    def net(self) -> Decimal:
        return self.total - self.tax

    @property
    def total_text(self) -> str:
        return format_amount(self.total, self.currency)
