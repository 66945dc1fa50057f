"""Amounts in a currency's smallest unit, for words on the page and in refusals."""

from shop.local.stripe.errors import RefusalError, make_invalid_param_error

_SIGNS = {"gbp": "£", "eur": "€", "usd": "$", "aud": "A$", "cad": "CA$", "nzd": "NZ$", "jpy": "¥"}
# https://docs.stripe.com/currencies#zero-decimal
_WITHOUT_MINOR_UNIT = frozenset(
    {
        "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga",
        "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf",
    }
)  # fmt: skip
# https://docs.stripe.com/currencies#three-decimal
_IN_THOUSANDTHS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
# https://docs.stripe.com/currencies#special-cases: sent as hundredths, though they have none
_WHOLE_IN_HUNDREDTHS = frozenset({"isk", "ugx"})
# https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
_LEAST_AMOUNTS = {"gbp": 30, "eur": 50, "usd": 50, "aud": 50, "cad": 50, "nzd": 50, "jpy": 50}
MOST_AMOUNT = 99_999_999


def format_minor_amount(amount: int, currency: str) -> str:
    sign = _SIGNS.get(currency, f"{currency.upper()} ")
    minus = "-" if amount < 0 else ""
    if currency in _WITHOUT_MINOR_UNIT:
        return f"{minus}{sign}{abs(amount):,}"
    if currency in _IN_THOUSANDTHS:
        return f"{minus}{sign}{abs(amount) / 1000:,.3f}"
    return f"{minus}{sign}{abs(amount) / 100:,.2f}"


def check_amount(amount: int, currency: str, param: str) -> None:
    """Refuses an amount finer than cards carry in the currency."""
    if currency in _WHOLE_IN_HUNDREDTHS and amount % 100:
        raise RefusalError(
            f"Invalid amount. Currency {currency.upper()} has become effectively zero-decimal and charged amounts must "
            "be evenly divisible by 100. See https://stripe.com/docs/currencies#special-cases for more information.",
            code="invalid_charge_amount_no_decimal_compatible",
            param=param,
        )
    if currency in _IN_THOUSANDTHS and amount % 10:
        raise make_invalid_param_error(
            f"Invalid amount. Amounts in {currency.upper()} must end in 0: see "
            "https://docs.stripe.com/currencies#three-decimal.",
            param,
        )


def get_least_amount(currency: str) -> int:
    return _LEAST_AMOUNTS.get(currency, 50)
