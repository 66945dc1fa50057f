from collections.abc import Callable
from typing import Any

from django import forms

from orders import fulfilment
from orders.carriers import CARRIERS
from orders.models import Order, Shipment
from orders.status import captured_total, refunded_total


class ShipForm(forms.Form):
    """One parcel's carrier and number."""

    carrier = forms.ChoiceField(choices=[(key, carrier.name) for key, carrier in CARRIERS.items()])
    tracking_number = forms.CharField(max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, parcel: Shipment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parcel = parcel
        self.initial.setdefault("carrier", parcel.carrier)

    def dispatcher(self, *, actor: str) -> Callable[[Order], Shipment]:
        """The step that sends this parcel off as the valid form says."""
        return lambda _: fulfilment.dispatch(self.parcel.pk, actor=actor, **self.cleaned_data)


class CancelForm(forms.Form):
    reason = forms.CharField(max_length=200, required=False, help_text="The customer reads it.")


class RefundForm(forms.Form):
    """`amount` only for a single order; it starts at what is left."""

    amount = forms.DecimalField(max_digits=12, decimal_places=2, min_value=0.01)
    reason = forms.CharField(max_length=200, required=False, help_text="The customer reads it.")

    def __init__(self, *args: Any, order: Order | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if order is None:
            del self.fields["amount"]
            return
        left = captured_total(order) - refunded_total(order, with_requested=True)
        self.fields["amount"].help_text = f"{left} {order.currency} is left."
        self.initial.setdefault("amount", left)
