"""An invoice or credit note as PDF, drawn from its row whenever somebody asks: the row is what is kept."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format

from orders.models import Invoice, InvoiceKind
from orders.papers.typesetting import render_pdf
from shop.money import format_amount

DAY = "j F Y"


def render_invoice(invoice: Invoice) -> bytes:
    data = {
        "title": str(invoice),
        "kind": invoice.get_kind_display(),
        "seller": invoice.seller,
        "seller_ids": _list_seller_ids(invoice.seller),
        "buyer": invoice.buyer["lines"],
        "facts": [list(fact) for fact in _list_facts(invoice)],
        "lines": [_format_line(line, invoice.currency) for line in invoice.lines],
        "taxes": [_format_tax(row, invoice.currency) for row in invoice.taxes if Decimal(row["tax"])],
        "total_label": "Total given back" if invoice.kind == InvoiceKind.CREDIT_NOTE else "Total",
        "total": invoice.total_text,
        "closing": _write_closing(invoice),
    }
    return render_pdf("invoice", data)


def _list_facts(invoice: Invoice) -> Iterator[tuple[str, str]]:
    yield from (("Number", invoice.number), ("Date", _format_day(invoice.issued_at)), ("Order", invoice.order.number))
    if invoice.corrects:
        yield "Corrects", _describe_corrected(invoice)
    elif invoice.order.placed_at:
        yield "Paid on", _format_day(invoice.order.placed_at)
    if invoice.is_supply_known:
        yield "Date of supply", _describe_supply(invoice)


def _describe_corrected(note: Invoice) -> str:
    corrected = Invoice.objects.filter(order=note.order_id, number=note.corrects).first()
    return f"Invoice {note.corrects}" + (f" of {_format_day(corrected.issued_at)}" if corrected else "")


def _describe_supply(invoice: Invoice) -> str:
    if invoice.supplied_on:
        return date_format(invoice.supplied_on, DAY)
    if invoice.kind == InvoiceKind.CREDIT_NOTE:
        return "none yet when the invoice was issued, as not all of the goods had been sent or collected"
    return "none yet when this was issued, as not all of the goods had been sent or collected"


def _list_seller_ids(seller: dict[str, str]) -> list[str]:
    named = (("VAT number", seller["vat_id"]), ("Company number", seller["company_number"]))
    return [f"{label}: {value}" for label, value in named if value]


def _format_line(line: dict[str, Any], currency: str) -> dict[str, str]:
    return {
        "title": line["title"],
        "detail": line["detail"],
        "quantity": str(line["quantity"]),
        "price": format_amount(Decimal(line["price"]), currency) if line["price"] else "",
        "rate": _format_rate(line["rate"]) if line["rate"] else "",
        "total": format_amount(Decimal(line["total"]), currency),
    }


def _format_tax(row: dict[str, str], currency: str) -> dict[str, str]:
    amounts = {name: format_amount(Decimal(row[name]), currency) for name in ("net", "tax", "gross")}
    return {"label": f"{row['name']} {_format_rate(row['rate'])}", **amounts}


def _format_rate(rate: str) -> str:
    return f"{(Decimal(rate) * 100).normalize():f} %"


def _format_day(moment: Any) -> str:
    return date_format(timezone.localtime(moment), DAY)


def _write_closing(invoice: Invoice) -> str:
    if invoice.kind == InvoiceKind.CREDIT_NOTE:
        return "This amount went back the way it was paid. Prices include tax."
    return "Paid. Prices include tax." if invoice.tax else "Paid."
