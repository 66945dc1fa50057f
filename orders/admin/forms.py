from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format

from orders import fulfilment
from orders.carriers import CARRIERS
from orders.models import Order, Shipment
from orders.refunds import refundable
from shop.money import formatted, get_price_step
from shop.price_field import PriceField


def are_valid(asked: Sequence[forms.Form]) -> bool:
    """Checks every form, so that each says what is wrong with it."""
    wrong = [form for form in asked if not form.is_valid()]
    return not wrong


def put_focus(asked: Sequence[forms.BaseForm], name: str) -> None:
    """The focus goes to the first field with an error, else to the first form's field `name`."""
    wrong = [(form, field) for form in asked if form.is_bound for field in form.errors if field in form.fields]
    form, field = wrong[0] if wrong else (asked[0], name)
    form.fields[field].widget.attrs["autofocus"] = True


LABELS = {"carrier": "Carrier", "tracking_number": "Tracking number"}
EARLY = "Tick the box if it may go before its day, or keep it back."


def goods_not_out_yet(parcel: Shipment) -> list[str]:
    """What is in a parcel and comes out after today, with its day: “The Patient Loaf (out on Fri 4 Dec)”."""
    goods = {line.order_line.product for line in parcel.lines.all() if line.order_line.product}
    days = [(each.title, each.released_on) for each in goods]
    today = timezone.localdate()
    return sorted(f"{title} (out on {date_format(day, 'D j M')})" for title, day in days if day and day > today)


class ShipForm(forms.Form):
    """One parcel's carrier and number. In a list of several each field names its order, for those who hear the page."""

    carrier = forms.ChoiceField(choices=[(key, carrier.name) for key, carrier in CARRIERS.items()])
    tracking_number = forms.CharField(
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Type the number on the carrier's label."},
    )

    early = forms.BooleanField(label="Send it all the same", required=False)

    def __init__(self, data: Any, *, parcel: Shipment, is_one_of_many: bool) -> None:
        super().__init__(data, prefix=str(parcel.pk), initial={"carrier": parcel.carrier})
        self.parcel = parcel
        self.not_out_yet = goods_not_out_yet(parcel)
        if not self.not_out_yet:
            del self.fields["early"]
        self.fields["tracking_number"].required = not is_one_of_many
        if is_one_of_many:
            for name, label in LABELS.items():
                self.fields[name].widget.attrs["aria-label"] = f"{label} for {parcel.order.number}"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.not_out_yet and cleaned.get("tracking_number") and not cleaned["early"]:
            self.add_error("early", EARLY)
        return cleaned

    def dispatch(self, actor: str) -> Shipment:
        typed = {name: self.cleaned_data[name] for name in LABELS}
        return fulfilment.dispatch(self.parcel.pk, actor=actor, **typed)


class TrackingForm(forms.Form):
    """What a parcel that has left is followed by, to be put right. `seen`: as the page showed it."""

    carrier = forms.ChoiceField()
    tracking_number = forms.CharField(
        max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    seen_carrier = forms.CharField(required=False, widget=forms.HiddenInput)
    seen_number = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, parcel: Shipment) -> None:
        now = {"carrier": parcel.carrier, "tracking_number": parcel.tracking_number}
        seen = {"seen_carrier": parcel.carrier, "seen_number": parcel.tracking_number}
        super().__init__(data, prefix=str(parcel.pk), initial=now | seen)
        self.parcel = parcel
        known = [(key, carrier.name) for key, carrier in CARRIERS.items()]
        if parcel.carrier not in CARRIERS:
            known.insert(0, (parcel.carrier, parcel.carrier or "Not known"))
        self.fields["carrier"] = forms.ChoiceField(choices=known, required=bool(parcel.carrier))

    @property
    def is_changed(self) -> bool:
        typed = self.cleaned_data
        return (typed["carrier"], typed["tracking_number"]) != (typed["seen_carrier"], typed["seen_number"])

    def correct(self, actor: str) -> Shipment:
        typed = self.cleaned_data
        return fulfilment.correct_tracking(
            self.parcel.pk,
            actor=actor,
            carrier=typed["carrier"],
            tracking_number=typed["tracking_number"],
            seen=(typed["seen_carrier"], typed["seen_number"]),
        )


class ReasonField(forms.CharField):
    def __init__(self) -> None:
        wide = forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"})
        super().__init__(max_length=200, required=False, help_text="The customer reads it.", widget=wide)


class CancelForm(forms.Form):
    reason = ReasonField()


class AddressForm(forms.ModelForm):
    class Meta:
        model = Order
        fields = ["full_name", "line1", "line2", "city", "region", "postcode", "country", "phone"]


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
        payment, self.left = refundable(order)
        currency = payment.currency if payment else order.currency
        least = get_price_step(currency)
        self.fields["amount"] = PriceField(currency=currency, min_value=least, max_digits=12)
        self.left_text = f"{formatted(self.left, currency)} is left."
        self.fields["amount"].help_text = self.left_text
        self.fields["amount"].initial = self.fields["seen_left"].initial = self.left

    def clean_amount(self) -> Decimal:
        amount: Decimal = self.cleaned_data["amount"]
        if amount > self.left:
            raise forms.ValidationError(self.left_text)
        return amount
