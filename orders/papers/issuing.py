"""Invoices and credit notes are issued: once for each paid order, once for each refund that went through.

What is missing is found by state, whoever moved the money: a job looks every half minute, and older orders get theirs
when somebody asks. An invoice names what was ordered, so it waits while that may still change: until somebody begins to
make the order ready, for a week at most. Whoever asks for it has it at once.

Numbers run without gaps: each is taken under its series' row lock, last of all locks, and the row that has it is
written before the commit.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from orders import stages
from orders.locks import lock_order
from orders.models import Invoice, InvoiceKind, InvoiceSeries, Order, Payment, Refund, Shipment, ShopSettings
from orders.papers.amounts import PaperContent, describe_order, describe_refund, list_credit_parts
from orders.papers.supply import Supply, find_supply
from shop.retrying import loops
from shop.retrying.loops import Loop

Stage = Shipment.Stage
INVOICES = loops.register_loop(
    Loop(
        "invoices",
        "Invoice or credit note of order",
        "Its sums do not add up, or something of it is missing. It is tried again by itself; if the error stays, write "
        "that one by hand from the order’s page.",
        "orders.Order",
    )
)
MAY_CHANGE_FOR = timedelta(days=7)  # the United Kingdom and the Union's states leave weeks from the payment on
BY_ITSELF = timedelta(days=31)  # what is older waits until somebody asks for it
MOST_AT_ONCE = 200
OURS = (Order.Source.WEB, Order.Source.STAFF, Order.Source.REBUILT)  # whoever sold the others wrote their invoices
PREFIXES = {InvoiceKind.INVOICE: "INV", InvoiceKind.CREDIT_NOTE: "CN"}


class NotInvoiced(Exception):  # noqa: N818  (a refusal, not an error)
    """An order that was not paid here, or names no buyer; the message says so, for people."""


def issue_due_invoices() -> None:
    """All that lately became due and is not issued."""
    due = find_due_orders()
    for pk, number in list(INVOICES.due(due).values_list("pk", "number")[:MOST_AT_ONCE]):
        with INVOICES.attempt(pk, subject=f"{INVOICES.title} {number}"):
            issue_for_order(pk)
    INVOICES.forget_settled(due)


def find_due_orders() -> QuerySet[Order]:
    now = timezone.now()
    since = now - BY_ITSELF
    no_invoice = ~Exists(Invoice.objects.filter(order=OuterRef("pk"), kind=InvoiceKind.INVOICE))
    begun = Shipment.objects.filter(order=OuterRef("pk")).exclude(stage__in=stages.OFF_THE_ROAD | {Stage.WAITING})
    is_settled = ~Q(status=Order.Status.CONFIRMED) | Q(placed_at__lte=now - MAY_CHANGE_FOR) | Exists(begun)
    back = _find_refunds().filter(credit_note=None, settled_at__gte=since)
    return _filter_invoiceable(Order.objects.all()).filter(
        (Q(placed_at__gte=since) & is_settled & no_invoice) | Q(pk__in=back.values("payment__order"))
    )


def get_kind(number: str) -> InvoiceKind:
    """What a paper is, by its number."""
    return next(kind for kind, prefix in PREFIXES.items() if number.startswith(f"{prefix}-"))


def is_invoiceable(order: Order) -> bool:
    return bool(order.placed_at and order.total > 0 and order.source in OURS and order.full_name)


def issue_for_order(order_id: int) -> Invoice:
    """The order's invoice, and a credit note for each refund that has none; what stands already stays.

    Raises `NotInvoiced`.
    """
    with transaction.atomic():
        order = lock_order(order_id)
        if not is_invoiceable(order):
            raise NotInvoiced(f"{order.number} was not paid for here, or names no buyer: it has no invoice.")
        invoice = order.invoices.filter(kind=InvoiceKind.INVOICE).first() or _issue_invoice(order)
        for refund in _list_refunds_without_note(order):
            _issue_credit_note(invoice, refund)
        return invoice


def _filter_invoiceable(orders: QuerySet[Order]) -> QuerySet[Order]:
    """As `is_invoiceable`."""
    return orders.filter(placed_at__isnull=False, total__gt=0, source__in=OURS).exclude(full_name="")


def _find_refunds() -> QuerySet[Refund]:
    """Money that went back of what was paid for an order; a payment that did not fit its order was never invoiced."""
    standing = Refund.objects.filter(status=Refund.Status.SUCCEEDED, payment__status=Payment.Status.CAPTURED)
    return standing.filter(is_credited=False)


def _list_refunds_without_note(order: Order) -> Iterator[Refund]:
    return _find_refunds().filter(payment__order=order, credit_note=None).order_by("pk").iterator()


def _issue_invoice(order: Order) -> Invoice:
    content = describe_order(order)
    shop = ShopSettings.current()
    seller = {
        "name": shop.legal_name or shop.name,
        "address": shop.postal_address,
        "vat_id": shop.vat_id,
        "company_number": shop.company_number,
        "words": shop.invoice_words,
    }
    company, *number = order.business_lines or [""]
    buyer = {"lines": [line for line in (company, *order.address_lines, *number) if line]}
    return _write_paper(order, InvoiceKind.INVOICE, content, find_supply(order), seller=seller, buyer=buyer)


def _issue_credit_note(invoice: Invoice, refund: Refund) -> Invoice:
    earlier = list(invoice.order.invoices.filter(kind=InvoiceKind.CREDIT_NOTE))
    content = describe_refund(invoice, refund, earlier, list_credit_parts(invoice, refund))
    return _write_paper(
        invoice.order,
        InvoiceKind.CREDIT_NOTE,
        content,
        Supply(invoice.is_supply_known, invoice.supplied_on),
        seller=invoice.seller,
        buyer=invoice.buyer,
        refund=refund,
        corrects=invoice.number,
    )


def _write_paper(
    order: Order,
    kind: InvoiceKind,
    content: PaperContent,
    supply: Supply,
    *,
    seller: Mapping[str, str],
    buyer: Mapping[str, object],
    refund: Refund | None = None,
    corrects: str = "",
) -> Invoice:
    return Invoice.objects.create(
        kind=kind,
        order=order,
        refund=refund,
        corrects=corrects,
        supplied_on=supply.on,
        is_supply_known=supply.is_known,
        seller=seller,
        buyer=buyer,
        lines=content.lines,
        taxes=content.taxes,
        tax=content.tax,
        total=content.total,
        currency=order.currency,
        number=_take_next_number(kind, timezone.localdate().year),
    )


def _take_next_number(kind: InvoiceKind, year: int) -> str:
    """Needs a transaction, which gives the number back should it fail."""
    InvoiceSeries.objects.get_or_create(kind=kind, year=year)
    series = InvoiceSeries.objects.select_for_update().get(kind=kind, year=year)
    series.last_number += 1
    series.save(update_fields=["last_number"])
    return f"{PREFIXES[kind]}-{year}-{series.last_number:05}"
