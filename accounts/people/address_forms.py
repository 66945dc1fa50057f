import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from django import forms
from django_countries.fields import Country

from accounts.models import Address, Customer
from accounts.models.address import ADDRESS_FIELDS
from accounts.people.postal_rules import PostalRules, get_postal_rules

# What a form calls each, and by what browsers know it. No label but "Address" holds that word.
_LABEL_AND_TOKEN = {
    "full_name": ("Full name", "name"),
    "line1": ("Address", "address-line1"),
    "line2": ("Flat, floor or building", "address-line2"),
    "city": ("City", "address-level2"),
    "region": ("County or state", "address-level1"),
    "postcode": ("Postcode", "postal-code"),
    "country": ("Country", "country"),
    "phone": ("Phone", "tel"),
}
ADDRESS_LABELS = {name: _LABEL_AND_TOKEN[name][0] for name in ADDRESS_FIELDS}
AUTOCOMPLETE = {name: _LABEL_AND_TOKEN[name][1] for name in ADDRESS_FIELDS}
WIDGET_TYPES: dict[str, type[forms.Widget]] = {"country": forms.Select, "phone": forms.TelInput}
ADDRESS_WIDGETS = {
    name: WIDGET_TYPES.get(name, forms.TextInput)(attrs={"autocomplete": token}) for name, token in AUTOCOMPLETE.items()
}
CONFIRMED_DOUBTS = "looked_at"
NO_PHONE_NUMBER = "Please write the number in digits, such as +44 20 7946 0018, or leave it out."
PHONE_DIGITS = range(5, 16)  # E.164: fifteen at most, the country's code included
_PHONE_NUMBER = re.compile(r"(\+|\(\+)?[0-9(][0-9 ()./‐‑–-]*( ?(x|ext\.?) ?[0-9]{1,6})?", re.IGNORECASE)


class PostalAddressMixin:
    """What every form with an address checks, by the rules of its country; of a phone number, that it can be dialled.

    What is missing is asked for. What only looks odd, or is left out where addresses usually have it, is asked about
    once: the hidden field `looked_at` holds what was asked, and the same answer again is taken.
    """

    def apply_postal_rules(self: Any) -> None:
        """At the end of a form's `__init__`: labels and required fields of the chosen country."""
        rules = self.postal_rules
        self.fields[CONFIRMED_DOUBTS] = forms.CharField(required=False, widget=forms.HiddenInput, max_length=400)
        self.fields["postcode"].required = rules.needs_postcode
        self.fields["postcode"].label = rules.postcode_label
        self.fields["postcode"].error_messages["required"] = (
            f"Please give the {_lowercase_label(rules.postcode_label)}; the carrier needs it."
        )
        self.fields["city"].required = rules.needs_city
        self.fields["region"].label = rules.region_label

    @property
    def postal_rules(self: Any) -> PostalRules:
        return get_postal_rules(str(self["country"].value() or ""))

    def clean_postcode(self: Any) -> str:
        return " ".join(str(self.cleaned_data["postcode"]).upper().split())

    def clean_phone(self: Any) -> str:
        return clean_phone_number(str(self.cleaned_data["phone"]))

    def clean(self: Any) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data  # type: ignore[misc]  # of the form mixed into
        doubts = {name: words for name, words in self._find_doubts(cleaned) if name not in self.errors}
        asked = " ".join([cleaned.get("country", ""), *(f"{name}={cleaned[name]}" for name in doubts)])
        if doubts and asked != cleaned.get(CONFIRMED_DOUBTS):
            for name, words in doubts.items():
                self.add_error(name, f"{words} If it is right, send it again as it is.")
            self.data = self.data.copy()
            self.data[self.add_prefix(CONFIRMED_DOUBTS)] = asked
        return cleaned

    def _find_doubts(self: Any, cleaned: dict[str, Any]) -> Iterator[tuple[str, str]]:
        rules = self.postal_rules
        postcode = cleaned.get("postcode", "")
        if postcode and rules.has_postcode and not rules.fits_postcode(postcode):
            example = f" such as {rules.postcode_example}" if rules.postcode_example else ""
            yield "postcode", _format_expectation(rules, f"{rules.postcode_label}{example}")
        if rules.expects_region and not cleaned.get("region", ""):
            yield "region", _format_expectation(rules, f"{rules.region_label} too")


def clean_phone_number(typed: str) -> str:
    """As it was typed, with plain characters and single spaces. Which numbers a country gives out is not asked.

    Raises `ValidationError` for what nobody can dial.
    """
    number = " ".join(unicodedata.normalize("NFKC", typed).split())
    if number and not (_PHONE_NUMBER.fullmatch(number) and _count_digits(number) in PHONE_DIGITS):
        raise forms.ValidationError(NO_PHONE_NUMBER)
    return number


def _count_digits(number: str) -> int:
    """Without those of an extension."""
    return sum(character.isdigit() for character in re.split("[a-z]", number.lower())[0])


def _lowercase_label(label: str) -> str:
    """Names keep their capitals, “Postcode” does not."""
    return label if label.startswith(("ZIP", "PIN", "Eircode")) else label[0].lower() + label[1:]


def _format_expectation(rules: PostalRules, what: str) -> str:
    article = "an" if what[0] in "AEIO" else "a"
    return f"With {Country(rules.country).name} as the country, we expected {article} {_lowercase_label(what)}."


class AddressBookForm(PostalAddressMixin, forms.ModelForm):
    class Meta:
        model = Address
        fields = [*ADDRESS_FIELDS, "is_default"]
        labels = {**ADDRESS_LABELS, "is_default": "Use this one first"}
        widgets = ADDRESS_WIDGETS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.apply_postal_rules()


class NameForm(forms.ModelForm):
    class Meta:
        model = Customer
        fields = ["name"]
        labels = {"name": "Your name"}
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"})}
