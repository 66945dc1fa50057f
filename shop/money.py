"""Money: a Decimal with its currency beside it, always in whole pennies (the currency's minor unit)."""

from decimal import ROUND_HALF_UP, Decimal

PENNY = Decimal("0.01")
SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$"}


def in_pennies(amount: Decimal) -> int:
    """The amount in the currency's minor unit, as Stripe counts it."""
    return int(rounded(amount) * 100)


def from_pennies(amount: int) -> Decimal:
    return (Decimal(amount) / 100).quantize(PENNY)


def rounded(amount: Decimal) -> Decimal:
    """To the penny, half up: what a till does."""
    return amount.quantize(PENNY, rounding=ROUND_HALF_UP)


def tax_within(gross: Decimal, *, rate: Decimal) -> Decimal:
    """The tax inside a tax-inclusive price; `rate` as a fraction (0.20 is 20 %)."""
    return rounded(gross - gross / (1 + rate))


def formatted(amount: Decimal, currency: str) -> str:
    """For people: £1,234.50; a currency without a symbol of its own as 1,234.50 CHF."""
    symbol = SYMBOLS.get(currency)
    sign = "−" if amount < 0 else ""
    number = f"{abs(rounded(amount)):,.2f}"
    return f"{sign}{symbol}{number}" if symbol else f"{sign}{number} {currency}"
