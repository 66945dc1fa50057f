from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms

from accounts.models.address import ADDRESS_FIELDS
from orders.models import Order
from orders.payments.refunds import find_refundable_payment
from shop.money import format_amount, get_price_step
from shop.price_field import PriceField


def validate_all_forms(asked: Sequence[forms.Form]) -> bool:
    """Checks every form, so that each says what is wrong with it."""
    wrong = [form for form in asked if not form.is_valid()]
    return not wrong


def focus_first_error(asked: Sequence[forms.BaseForm], name: str) -> None:
    """The focus goes to the first field with an error, else to the first form's field `name`."""
    wrong = [(form, field) for form in asked if form.is_bound for field in form.errors if field in form.fields]
    form, field = wrong[0] if wrong else (asked[0], name)
    form.fields[field].widget.attrs["autofocus"] = True


class ReasonField(forms.CharField):
    def __init__(self) -> None:
        wide = forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"})
        super().__init__(max_length=200, required=False, help_text="The customer reads it.", widget=wide)


class CancelForm(forms.Form):
    reason = ReasonField()


class MarkPaidForm(forms.Form):
    how = forms.CharField(
        label="How it was paid",
        max_length=120,
        help_text="Such as “Cash” or “Transfer, 3 March”.",
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        error_messages={"required": "Say how it was paid."},
    )


class OrderAddressForm(forms.ModelForm):
    class Meta:
        model = Order
        fields = ADDRESS_FIELDS


class RefundForm(forms.Form):
    """For a single order an `amount`, which starts at what is left (`seen_left`: as the form showed it)."""

    amount = PriceField()
    reason = ReasonField()
    seen_left = forms.DecimalField(widget=forms.HiddenInput)

    def __init__(self, data: Any, *, order: Order | None) -> None:
        super().__init__(data)
        if order is None:
            del self.fields["amount"], self.fields["seen_left"]
            return
        payment, self.left = find_refundable_payment(order)
        currency = payment.currency if payment else order.currency
        least = get_price_step(currency)
        self.fields["amount"] = PriceField(currency=currency, min_value=least, max_digits=12)
        self.left_text = f"{format_amount(self.left, currency)} is left."
        self.fields["amount"].help_text = self.left_text
        self.fields["amount"].initial = self.fields["seen_left"].initial = self.left

    def clean_amount(self) -> Decimal:
        amount: Decimal = self.cleaned_data["amount"]
        if amount > self.left:
            raise forms.ValidationError(self.left_text)
        return amount
