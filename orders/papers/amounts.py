"""The sums of an invoice or credit note, by rate of tax. Prices hold their tax; what is inside is told apart here."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from orders.models import Invoice, Order, Refund, RefundLine, TaxRate
from shop.money import compute_included_tax, round_amount

NOTHING = Decimal(0)
DELIVERY = "Delivery"
GOODWILL = "Goodwill"


@dataclass(frozen=True)
class PaperContent:
    """`lines` and `taxes` as `Invoice` keeps them: amounts as text, since JSON numbers are not exact."""

    lines: list[dict[str, Any]]
    taxes: list[dict[str, str]]
    tax: Decimal
    total: Decimal


@dataclass(frozen=True)
class CreditPart:
    """One line of a credit note. `price`: None where there is none for each; `rate`: None where it is of several."""

    title: str
    detail: str
    quantity: int
    price: Decimal | None
    amount: Decimal
    rate: Decimal | None


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
    delivery = f"{DELIVERY}: {order.delivery_name}" if order.delivery_name else DELIVERY
    if order.plain_shipping_total:
        extras.append((delivery, order.plain_shipping_total))
    if order.zone_surcharge:
        extras.append((f"{DELIVERY}: surcharge for {order.zone_name or 'the first address'}", order.zone_surcharge))
    rest = order.tax_total - sum((each.tax for each in sums.values()), NOTHING)
    rate = max(sums, default=NOTHING) if rest else NOTHING
    for label, amount in extras:
        lines.append(_write_line(label, "", 1, amount, amount, rate))
        sums[rate].gross += amount
    sums[rate].tax += rest
    if sum((each.gross for each in sums.values()), NOTHING) != order.total:
        raise ValueError("The lines, delivery and adjustments of the order are not its total")
    return _collect(lines, sums, _find_tax_name(str(order.country)))


def describe_refund(
    invoice: Invoice, refund: Refund, earlier: Sequence[Invoice], parts: Sequence[CreditPart] = ()
) -> PaperContent:
    """Goods and delivery take from their own rates what went back for them, the rest of the sum its share of each; the
    refund that gives back the last of the invoice takes what is left.
    """
    left = {Decimal(row["rate"]): RateSum(Decimal(row["gross"]), Decimal(row["tax"])) for row in invoice.taxes}
    for row in _list_tax_rows(earlier):
        left[Decimal(row["rate"])].gross -= Decimal(row["gross"])
        left[Decimal(row["rate"])].tax -= Decimal(row["tax"])
    remaining = sum((each.gross for each in left.values()), NOTHING)
    if refund.amount > remaining:
        raise ValueError(f"{refund.amount} was given back, and {remaining} of {invoice.number} was left")
    shares = left if refund.amount == remaining else _take_parts(refund.amount, parts, left, invoice.currency)
    lines = [_write_line(part.title, part.detail, part.quantity, part.price, part.amount, part.rate) for part in parts]
    if unnamed := refund.amount - sum((part.amount for part in parts), NOTHING):
        detail = "All that was left of it" if unnamed == remaining and earlier else ""
        lines.append(_write_line(f"Refund of invoice {invoice.number}", detail, 1, unnamed, unnamed, None))
    return _collect(lines, shares, invoice.taxes[0]["name"] if invoice.taxes else "")


def list_credit_parts(invoice: Invoice, refund: Refund) -> list[CreditPart]:
    """The refund's parts as its credit note lists them: goods line by line, delivery, goodwill."""
    own = list(invoice.order.lines.all())
    rates = {line.pk: line.tax_rate for line in own}
    of_product = {line.product_id: line.tax_rate for line in own if line.product_id}
    parts = []
    for row in refund.lines.select_related("order_line").order_by("pk"):
        line = row.order_line  # of goods sent in exchange: a line that cost nothing, of the same product
        parts.append(_describe_goods(row, rates.get(line.pk, of_product.get(line.product_id or 0))))
    if refund.delivery_amount:
        rate = next((Decimal(row["rate"]) for row in invoice.lines if _is_delivery(row)), None)
        parts.append(CreditPart(DELIVERY, "", 1, refund.delivery_amount, refund.delivery_amount, rate))
    if refund.goodwill_amount:
        detail = "For no goods in particular"
        parts.append(CreditPart(GOODWILL, detail, 1, refund.goodwill_amount, refund.goodwill_amount, None))
    return parts


def _describe_goods(row: RefundLine, rate: Decimal | None) -> CreditPart:
    """What is no whole number of pieces at their price, as less a discount, has no price for each."""
    line = row.order_line
    price = line.unit_price if line.unit_price * row.quantity == row.amount else None
    if not row.quantity:
        price = row.amount
    said = (line.options, line.sku, "" if row.quantity else "Less paid for it")
    return CreditPart(line.title, ", ".join(filter(None, said)), row.quantity or 1, price, row.amount, rate)


def _is_delivery(row: dict[str, Any]) -> bool:
    title: str = row["title"]
    return bool(row["rate"]) and (title == DELIVERY or title.startswith(f"{DELIVERY}: "))


def _list_tax_rows(papers: Iterable[Invoice]) -> list[dict[str, str]]:
    return [row for paper in papers for row in paper.taxes]


def _take_parts(
    amount: Decimal, parts: Iterable[CreditPart], left: dict[Decimal, RateSum], currency: str
) -> dict[Decimal, RateSum]:
    """By rate, what its parts take, never more than is left of it; what is of no rate is shared by what is left."""
    gross = dict.fromkeys(left, NOTHING)
    for part in parts:
        if part.rate in gross:
            gross[part.rate] = min(gross[part.rate] + part.amount, max(left[part.rate].gross, NOTHING))
    unnamed = amount - sum(gross.values(), NOTHING)
    rest = {rate: each.gross - gross[rate] for rate, each in left.items()}
    for rate, share in _share_out(unnamed, rest, currency).items():
        gross[rate] += share
    return {rate: RateSum(gross[rate], _find_tax(rate, gross[rate], left[rate], currency)) for rate in left}


def _share_out(amount: Decimal, rest: dict[Decimal, Decimal], currency: str) -> dict[Decimal, Decimal]:
    whole, shares, open_amount = sum(rest.values(), NOTHING), dict[Decimal, Decimal](), amount
    for number, (rate, each) in enumerate(rest.items(), 1):
        is_last = number == len(rest)
        shares[rate] = open_amount if is_last or not amount else round_amount(amount * each / whole, currency)
        open_amount -= shares[rate]
    return shares


def _find_tax(rate: Decimal, gross: Decimal, left: RateSum, currency: str) -> Decimal:
    if gross == left.gross or not left.tax:
        return left.tax
    return min(compute_included_tax(gross, rate=rate, currency=currency), left.tax)


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
    title: str, detail: str, quantity: int, price: Decimal | None, total: Decimal, rate: Decimal | None
) -> dict[str, Any]:
    return {
        "title": title,
        "detail": detail,
        "quantity": quantity,
        "price": "" if price is None else str(price),
        "total": str(total),
        "rate": "" if rate is None else str(rate),
    }


def _find_tax_name(country: str) -> str:
    return TaxRate.objects.filter(country=country).values_list("name", flat=True).first() or "Tax"
