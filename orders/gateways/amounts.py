"""Amounts as Stripe counts them: whole numbers in a unit of its own choosing for each currency.

https://docs.stripe.com/currencies: currencies without decimals are sent as they are, those with three as thousandths
whose last digit is 0, all else as hundredths. ISK and UGX lost their decimals and are sent as hundredths all the same.
(HUF and TWD are whole in payouts alone, which the shop does not make.)
"""

from decimal import Decimal

from shop.money import check_price, count_decimals

WITHOUT_DECIMALS = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
THREE_DECIMALS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])


def get_exponent(currency: str) -> int:
    """The power of ten between an amount and Stripe's number for it: 0, 2 or 3."""
    if currency in WITHOUT_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 2


def is_chargeable(currency: str) -> bool:
    """Whether Stripe can carry every amount written in the currency."""
    return count_decimals(currency) <= get_exponent(currency)


def to_stripe_amount(amount: Decimal, currency: str) -> int:
    """Stripe's number for the amount. Raises `ValueError` rather than round: what is charged is the amount."""
    return int(check_price(amount.normalize() + Decimal(0), currency).scaleb(get_exponent(currency)))


def from_stripe_amount(number: int, currency: str) -> Decimal:
    """What Stripe's number comes to."""
    return Decimal(number).scaleb(-get_exponent(currency))
