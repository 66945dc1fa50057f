"""The sums of an invoice or credit note, by rate of tax. Prices hold their tax; what is inside is told apart here."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from orders.models import Invoice, Order, Refund, TaxRate
from shop.money import compute_included_tax, round_amount

NOTHING = Decimal(0)
DELIVERY = "Delivery"


@dataclass(frozen=True)
class PaperContent:
    """`lines` and `taxes` as `Invoice` keeps them: amounts as text, since JSON numbers are not exact."""

    lines: list[dict[str, Any]]
    taxes: list[dict[str, str]]
    tax: Decimal
    total: Decimal


@dataclass
class RateSum:
    gross: Decimal = NOTHING
    tax: Decimal = NOTHING


def describe_order(order: Order) -> PaperContent:
    """What the order contracted. Raises `ValueError` where its parts are not its total."""
    lines, sums = [], defaultdict[Decimal, RateSum](RateSum)
    for line in order.lines.all():
        detail = ", ".join(part for part in (line.options, line.sku) if part)
        lines.append(_write_line(line.title, detail, line.quantity, line.unit_price, line.line_total, line.tax_rate))
        sums[line.tax_rate].gross += line.line_total
        sums[line.tax_rate].tax += line.tax_amount
    extras = [(extra.label, extra.amount) for extra in order.adjustments.all()]
    if order.shipping_total:
        extras.append((f"{DELIVERY}: {order.shipping_name}" if order.shipping_name else DELIVERY, order.shipping_total))
    rest = order.tax_total - sum((each.tax for each in sums.values()), NOTHING)
    rate = max(sums, default=NOTHING) if rest else NOTHING
    for label, amount in extras:
        lines.append(_write_line(label, "", 1, amount, amount, rate))
        sums[rate].gross += amount
    sums[rate].tax += rest
    if sum((each.gross for each in sums.values()), NOTHING) != order.total:
        raise ValueError("The lines, delivery and adjustments of the order are not its total")
    return _collect(lines, sums, _find_tax_name(str(order.country)))


def describe_refund(invoice: Invoice, refund: Refund, earlier: Sequence[Invoice]) -> PaperContent:
    """A refund takes from each rate its share of the invoice; the one that gives back the last of it, what is left."""
    left = {Decimal(row["rate"]): RateSum(Decimal(row["gross"]), Decimal(row["tax"])) for row in invoice.taxes}
    for row in _list_tax_rows(earlier):
        left[Decimal(row["rate"])].gross -= Decimal(row["gross"])
        left[Decimal(row["rate"])].tax -= Decimal(row["tax"])
    remaining = sum((each.gross for each in left.values()), NOTHING)
    if refund.amount > remaining:
        raise ValueError(f"{refund.amount} was given back, and {remaining} of {invoice.number} was left")
    shares = left if refund.amount == remaining else _share_out(refund.amount, remaining, left, invoice.currency)
    detail = "All that was left of it" if refund.amount == remaining and earlier else ""
    line = _write_line(f"Refund of invoice {invoice.number}", detail, 1, refund.amount, refund.amount, None)
    return _collect([line], shares, invoice.taxes[0]["name"] if invoice.taxes else "")


def _list_tax_rows(papers: Iterable[Invoice]) -> list[dict[str, str]]:
    return [row for paper in papers for row in paper.taxes]


def _share_out(
    amount: Decimal, remaining: Decimal, left: dict[Decimal, RateSum], currency: str
) -> dict[Decimal, RateSum]:
    shares, open_amount = {}, amount
    for number, (rate, each) in enumerate(left.items(), 1):
        is_last = number == len(left)
        gross = open_amount if is_last else round_amount(amount * each.gross / remaining, currency)
        open_amount -= gross
        tax = compute_included_tax(gross, rate=rate, currency=currency) if each.tax else NOTHING
        shares[rate] = RateSum(gross, min(tax, each.tax))
    return shares


def _collect(lines: list[dict[str, Any]], sums: dict[Decimal, RateSum], name: str) -> PaperContent:
    taxes = [
        {
            "name": name,
            "rate": str(rate),
            "net": str(each.gross - each.tax),
            "tax": str(each.tax),
            "gross": str(each.gross),
        }
        for rate, each in sorted(sums.items(), reverse=True)
        if each.gross or each.tax
    ]
    total = sum((each.gross for each in sums.values()), NOTHING)
    return PaperContent(lines, taxes, sum((each.tax for each in sums.values()), NOTHING), total)


def _write_line(
    title: str, detail: str, quantity: int, price: Decimal, total: Decimal, rate: Decimal | None
) -> dict[str, Any]:
    return {
        "title": title,
        "detail": detail,
        "quantity": quantity,
        "price": str(price),
        "total": str(total),
        "rate": "" if rate is None else str(rate),
    }


def _find_tax_name(country: str) -> str:
    return TaxRate.objects.filter(country=country).values_list("name", flat=True).first() or "Tax"
