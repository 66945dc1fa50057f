"""Money: a Decimal with its currency beside it. No amount is rounded, formatted or charged without its currency.

A currency counts in its own decimals (CLDR's, by way of Babel: none for JPY and ISK, two for GBP, three for KWD); a
price may be a multiple of `get_price_step`. What Stripe wants is one step further: see `orders.gateways.amounts`.
"""

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, lru_cache

from babel import Locale
from babel.numbers import format_currency, get_currency_precision, get_currency_symbol
from django.conf import settings

CARD_DECIMALS = 2  # what cards carry: of three decimals, the last has to be 0
# How many come to about a pound, in round numbers. For sample goods and price bands, never for a bill.
ROUGHLY_A_POUND = {
    "BHD": Decimal("0.5"), "CLP": Decimal(1000), "COP": Decimal(5000), "CZK": Decimal(30), "DKK": Decimal(10),
    "HUF": Decimal(500), "IDR": Decimal(20000), "INR": Decimal(100), "ISK": Decimal(200), "JOD": Decimal(1),
    "JPY": Decimal(200), "KRW": Decimal(2000), "KWD": Decimal("0.4"), "MXN": Decimal(25), "NOK": Decimal(15),
    "OMR": Decimal("0.5"), "SEK": Decimal(10), "THB": Decimal(50), "TND": Decimal(4), "TWD": Decimal(40),
    "UGX": Decimal(5000), "VND": Decimal(30000), "XAF": Decimal(800), "XOF": Decimal(800),
}  # fmt: skip


def get_shop_currency() -> str:
    """What the shop sells in; the default of every column that says an amount's currency."""
    return str(settings.CURRENCY)


def count_decimals(currency: str) -> int:
    """How many decimals amounts of the currency are written with: 0, 2 or 3."""
    return get_currency_precision(currency)


@cache
def get_price_step(currency: str) -> Decimal:
    """What every price is a multiple of, so that a card can be charged with it: 1 JPY, 0.01 GBP, 0.01 KWD."""
    return Decimal(1).scaleb(-min(count_decimals(currency), CARD_DECIMALS))


def check_price(amount: Decimal, currency: str) -> Decimal:
    """The amount in the currency's price steps. Raises `ValueError`, for people, when it would have to be rounded."""
    step = get_price_step(currency)
    written = -int(amount.as_tuple().exponent)
    if written <= count_decimals(currency) and amount == amount.quantize(step):
        return amount.quantize(step)
    raise ValueError(f"{amount:f} is not an amount of {currency}: {describe_steps(currency)}")


def is_price(amount: Decimal, currency: str) -> bool:
    """Whether the shop can sell at this price: in its own currency, to the step."""
    return currency == get_shop_currency() and amount % get_price_step(currency) == 0


def describe_steps(currency: str) -> str:
    """How prices in the currency are written, for people."""
    decimals, step = count_decimals(currency), get_price_step(currency)
    if decimals == 0:
        return f"{currency} has no decimals"
    if decimals > CARD_DECIMALS:
        return f"cards take {currency} in steps of {step:.{decimals}f}"
    return f"{currency} has {decimals} decimals"


def round_amount(amount: Decimal, currency: str) -> Decimal:
    """To the currency's decimals, half up: what a till does."""
    return amount.quantize(Decimal(1).scaleb(-count_decimals(currency)), rounding=ROUND_HALF_UP)


def compute_included_tax(gross: Decimal, *, rate: Decimal, currency: str) -> Decimal:
    """The tax inside a tax-inclusive price; `rate` as a fraction (0.20 is 20 %)."""
    return round_amount(gross - gross / (1 + rate), currency)


@lru_cache(maxsize=4096)
def format_amount(amount: Decimal, currency: str) -> str:
    """For people, as the shop's language writes it: £1,234.50, JP¥16,400, KWD 5.120."""
    return _format_with_pattern(round_amount(amount, currency), currency, count_decimals(currency))


@lru_cache(maxsize=256)
def format_round(amount: Decimal, currency: str) -> str:
    """The same without decimals that are nothing: £25, and £7.50."""
    if amount != amount.to_integral_value():
        return format_amount(amount, currency)
    return _format_with_pattern(amount, currency, 0)


def convert_roughly(pounds: Decimal, currency: str) -> Decimal:
    """What goods of so many pounds may cost elsewhere, in round numbers. For samples and price bands, never a bill."""
    step = get_price_step(currency)
    return (pounds * ROUGHLY_A_POUND.get(currency, Decimal(1))).quantize(step, rounding=ROUND_HALF_UP)


def _format_with_pattern(amount: Decimal, currency: str, decimals: int) -> str:
    pattern = _get_pattern(currency, decimals)
    text = format_currency(abs(amount), currency, pattern, locale=_get_locale(), currency_digits=False)
    return f"−{text}" if amount < 0 else text


@cache
def _get_pattern(currency: str, decimals: int) -> str:
    """The language's own pattern. A space that never breaks parts a sign of letters from its number, as CLDR has it."""
    standard = _get_locale().currency_formats["standard"].pattern.split(";")[0]
    pattern = re.sub(r"0\.0+", f"0.{'0' * decimals}" if decimals else "0", standard)
    is_word = get_currency_symbol(currency, _get_locale())[-1].isalpha()
    return re.sub(r"¤(?=[#0])", "¤\xa0", pattern) if is_word else pattern


@cache
def _get_locale() -> Locale:
    return Locale.parse(settings.LANGUAGE_CODE, sep="-")
