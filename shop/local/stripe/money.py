"""Amounts in a currency's smallest unit, for words on the page and in refusals."""

_SIGNS = {"gbp": "£", "eur": "€", "usd": "$", "aud": "A$", "cad": "CA$", "nzd": "NZ$", "jpy": "¥"}
# https://docs.stripe.com/currencies#zero-decimal
_WITHOUT_MINOR_UNIT = frozenset(
    {
        "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga",
        "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf",
    }
)  # fmt: skip
# https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
_LEAST = {"gbp": 30, "eur": 50, "usd": 50, "aud": 50, "cad": 50, "nzd": 50, "jpy": 50}
MOST = 99_999_999


def words(amount: int, currency: str) -> str:
    sign = _SIGNS.get(currency, f"{currency.upper()} ")
    minus = "-" if amount < 0 else ""
    if currency in _WITHOUT_MINOR_UNIT:
        return f"{minus}{sign}{abs(amount):,}"
    return f"{minus}{sign}{abs(amount) / 100:,.2f}"


def least(currency: str) -> int:
    return _LEAST.get(currency, 50)
