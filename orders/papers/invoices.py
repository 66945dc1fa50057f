"""An invoice or credit note as PDF, drawn from its row whenever somebody asks: the row is what is kept."""

from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format

from orders.models import Invoice, InvoiceKind
from orders.papers.typesetting import render_pdf
from shop.money import format_amount


def render_invoice(invoice: Invoice) -> bytes:
    order = invoice.order
    facts = [("Number", invoice.number), ("Date", _format_day(invoice.issued_at)), ("Order", order.number)]
    if invoice.corrects:
        facts.append(("Corrects", f"Invoice {invoice.corrects}"))
    elif order.placed_at:
        facts.append(("Paid on", _format_day(order.placed_at)))
    data = {
        "title": str(invoice),
        "kind": invoice.get_kind_display(),
        "seller": invoice.seller,
        "seller_ids": _list_seller_ids(invoice.seller),
        "buyer": invoice.buyer["lines"],
        "facts": [list(fact) for fact in facts],
        "lines": [_format_line(line, invoice.currency) for line in invoice.lines],
        "taxes": [_format_tax(row, invoice.currency) for row in invoice.taxes if Decimal(row["tax"])],
        "total_label": "Total given back" if invoice.kind == InvoiceKind.CREDIT_NOTE else "Total",
        "total": invoice.total_text,
        "closing": _write_closing(invoice),
    }
    return render_pdf("invoice", data)


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
    return date_format(timezone.localtime(moment), "j F Y")


def _write_closing(invoice: Invoice) -> str:
    if invoice.kind == InvoiceKind.CREDIT_NOTE:
        return "This amount went back the way it was paid. Prices include tax."
    return "Paid. Prices include tax." if invoice.tax else "Paid."
