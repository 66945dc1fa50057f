from typing import Any

from django import forms

from accounts.models import Address, Customer

ADDRESS_FIELDS = ["full_name", "line1", "line2", "city", "region", "postcode", "country", "phone"]
ADDRESS_LABELS = {
    "full_name": "Full name",
    "line1": "Address",
    "line2": "Flat, floor or building",
    "city": "City",
    "region": "County or state",
    "postcode": "Postcode",
    "country": "Country",
    "phone": "Phone",
}
AUTOCOMPLETE = {
    "full_name": "name",
    "line1": "address-line1",
    "line2": "address-line2",
    "city": "address-level2",
    "region": "address-level1",
    "postcode": "postal-code",
    "country": "country",
    "phone": "tel",
}
ADDRESS_WIDGETS = {
    name: (forms.Select if name == "country" else forms.TextInput)(attrs={"autocomplete": token})
    for name, token in AUTOCOMPLETE.items()
}
NO_POSTCODE = "Please give the postcode; the carrier needs it."
COUNTRIES_WITHOUT_POSTCODES = {"AE", "AG", "AO", "BS", "BZ", "FJ", "HK", "IE", "JM", "PA", "QA", "UG", "ZW"}


class PostalAddressMixin:
    """What every form with an address checks."""

    def clean_postcode(self) -> str:
        postcode: str = self.cleaned_data["postcode"].upper().strip()  # type: ignore[attr-defined]
        country = self.data.get(self.add_prefix("country"))  # type: ignore[attr-defined]
        if not postcode and country not in COUNTRIES_WITHOUT_POSTCODES:
            raise forms.ValidationError(NO_POSTCODE)
        return postcode


class AddressForm(PostalAddressMixin, forms.ModelForm):
    class Meta:
        model = Address
        fields = [*ADDRESS_FIELDS, "is_default"]
        labels = {**ADDRESS_LABELS, "is_default": "Use this one first"}
        widgets = ADDRESS_WIDGETS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        postcode = self.fields["postcode"]
        postcode.required = self["country"].value() not in COUNTRIES_WITHOUT_POSTCODES
        postcode.error_messages["required"] = NO_POSTCODE


class NameForm(forms.ModelForm):
    class Meta:
        model = Customer
        fields = ["name"]
        labels = {"name": "Your name"}
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"})}
