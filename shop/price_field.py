"""The form field for amounts of one currency."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms

from shop.money import check_price, count_decimals, describe_steps, get_price_step, get_shop_currency


class PriceField(forms.DecimalField):
    """Takes as many decimals as the currency has, in steps a card can be charged. `currency` None: the shop's."""

    def __init__(self, *, currency: str | None = None, **options: Any) -> None:
        self._currency = currency
        super().__init__(**options | {"decimal_places": None})

    @property
    def currency(self) -> str:
        return self._currency or get_shop_currency()

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        whole = count_decimals(self.currency) == 0
        return {
            **super().widget_attrs(widget),
            "step": str(get_price_step(self.currency)),
            "inputmode": "numeric" if whole else "decimal",
        }

    def prepare_value(self, value: Any) -> Any:
        """As the currency is written: 16400 for JPY, 5.120 for KWD."""
        decimals = count_decimals(self.currency)
        is_kept = isinstance(value, Decimal) and value.is_finite() and value == round(value, decimals)
        return f"{value:.{decimals}f}" if is_kept else value

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is not None:
            try:
                check_price(value, self.currency)
            except (ValueError, InvalidOperation):  # the latter of what no column could hold
                raise forms.ValidationError(f"{value} will not do: {describe_steps(self.currency)}.") from None

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        return cleaned if cleaned is None else check_price(cleaned, self.currency)
