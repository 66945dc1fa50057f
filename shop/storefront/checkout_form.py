"""The one page of checkout as a form: contact, address, delivery, note, and what may be mailed about it."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django_countries import countries

from accounts.consent import purposes
from accounts.consent.purposes import Purpose
from accounts.models import Address, Customer
from accounts.models.address import ADDRESS_COLUMNS, ADDRESS_FIELDS
from accounts.people.address_forms import ADDRESS_LABELS, AUTOCOMPLETE, WIDGET_TYPES, PostalAddressMixin
from accounts.people.email_addresses import EmailAddressInput
from orders import order_mail_optins, pricing, stages
from orders.addresses import zone_words
from orders.carrier_contact import CARRIER_MAY_WRITE, WHAT_CARRIER_GETS, WHY_PHONE
from orders.checkout import CheckoutDetails
from orders.models import DeliveryZone, Order, ShippingMethod
from orders.shop_terms import PickupPlace, Terms
from orders.vat_ids import BusinessBuyerMixin
from shop.storefront.offered_purposes import is_offered

MAIL_PURPOSES: tuple[Purpose, ...] = tuple(
    purposes.get_purpose(key) for key in (*order_mail_optins.OF_ONE_ORDER, purposes.NEWSLETTER)
)
ONE_LINE_VALIDATOR = RegexValidator(r"^[^\r\n\t<>]*$", "Please write it in plain words on one line.")
# As the page has them: the postcode beside the city, where it goes on the map after it, and what the carrier may get
# besides by the tick for it.
_LAST_ON_PAGE = ("region", "country", "phone")
ADDRESS_ON_PAGE = (*(name for name in ADDRESS_FIELDS if name not in _LAST_ON_PAGE), *_LAST_ON_PAGE)
ADDRESS_OF_A_DOOR = tuple(name for name in ADDRESS_ON_PAGE if name != "full_name")  # who collects it gives none
TOGETHER, IN_TWO = "one", "two"
# What we say where something is missing.
MISSING_MESSAGES = {
    "E-mail": "We need an address to send the receipt to.",
    "Full name": "Please say who the parcel is for.",
    "Address": "Please give the house and the street.",
    "City": "Please give the town or city.",
}


class LongSelect(forms.Select):
    """A select of hundreds: the same HTML without a template for every option, which took most of the page's time."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        attributes = flatatt({**self.build_attrs(self.attrs, attrs), "name": name})
        return format_html("<select{}>{}</select>", attributes, _write_options(tuple(self.choices), str(value or "")))


@lru_cache(maxsize=64)
def _write_options(choices: tuple[tuple[str, str], ...], chosen: str) -> SafeString:
    """Kept for the countries that buyers choose most."""
    rows = ((code, _SELECTED[code == chosen], word) for code, word in choices)
    return format_html_join("", '<option value="{}"{}>{}</option>', rows)


_SELECTED = {True: flatatt({"selected": True}), False: ""}


class CheckoutForm(BusinessBuyerMixin, PostalAddressMixin, forms.Form):
    email = EmailAddressInput(help_text="For the receipt and a link to your order.")
    country = forms.ChoiceField(label="Country", widget=LongSelect(attrs={"autocomplete": "country"}))
    method = forms.ChoiceField(
        label="Delivery", error_messages={"invalid_choice": "That one does not go there. Please choose another."}
    )
    parcels = forms.ChoiceField(
        choices=[(TOGETHER, "All together"), (IN_TWO, "In two parcels")],
        required=False,
        error_messages={"invalid_choice": "Please choose one parcel or two."},
    )
    carrier_may_write = forms.BooleanField(label=CARRIER_MAY_WRITE, required=False, help_text=WHAT_CARRIER_GETS)
    gift_note = forms.CharField(
        label="A note to go in with it",
        max_length=280,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Written on a card, if this is a gift.",
    )
    company_name = forms.CharField(
        label="Company",
        max_length=120,
        required=False,
        validators=[ONE_LINE_VALIDATOR],
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
        help_text="As it is to stand on the invoice.",
    )
    vat_id = forms.CharField(label="VAT number", max_length=20, required=False)
    remember = forms.BooleanField(label="Remember where this goes, for next time", required=False)
    total = forms.DecimalField(required=False, widget=forms.HiddenInput)
    shown = forms.CharField(required=False, widget=forms.HiddenInput, max_length=1000)

    field_order = ["email", *ADDRESS_ON_PAGE[:-1], "method", "parcels", "carrier_may_write", "phone"]

    def __init__(
        self,
        *args: Any,
        terms: Terms,
        pickups: Iterable[PickupPlace] = (),
        customer: Customer | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.customer = customer
        self.terms = terms
        self.every_method = list(terms.methods)
        self.pickups = list(pickups)
        for name in ADDRESS_ON_PAGE:
            if name not in self.fields:
                self.fields[name] = _build_address_field(name)
        self.fields["phone"].help_text = WHY_PHONE
        for purpose in MAIL_PURPOSES:
            self.fields[purpose.key] = forms.BooleanField(
                label=purpose.title, help_text=purpose.explanation, required=False
            )
        self.fields["country"].choices = [*_list_country_choices(self.every_method, self.pickups)]  # type: ignore[attr-defined]
        self.fields["method"].choices = [(str(each.pk), each.name) for each in self.methods]  # type: ignore[attr-defined]
        self.order_fields(self.field_order)
        for field in self.fields.values():
            field.error_messages["required"] = MISSING_MESSAGES.get(str(field.label), f"Please fill in: {field.label}.")
        self.apply_postal_rules()
        self.apply_business_rules(self.taxed_country)
        if self.chosen_pickup is not None:
            for name in ADDRESS_OF_A_DOOR:
                self.fields[name].required = False
        elif terms.list_postcode_zones(self.chosen_country) and self.postal_rules.has_postcode:
            self.fields["postcode"].required = True

    def clean_postcode(self) -> str:
        postcode = str(super().clean_postcode())
        if self.refusal:
            raise forms.ValidationError(self.refusal)
        return postcode

    def clean(self) -> dict[str, Any]:
        """Who comes to a store is asked for no address: the order has the store's country, for its tax."""
        place = self.chosen_pickup
        if place is None:
            return super().clean()
        left_out = dict.fromkeys((name for name in ADDRESS_FIELDS if name != "full_name"), "")
        come_for = {**self.cleaned_data, **left_out, "country": place.country, "carrier_may_write": False}
        return self.check_business(come_for)

    @property
    def problems(self) -> list[forms.BoundField]:
        """The fields to look at again, in the order of the page."""
        return [self[name] for name in self.fields if name in self.errors and not self[name].is_hidden]

    @property
    def chosen_country(self) -> str:
        return str(self["country"].value() or "")

    @property
    def taxed_country(self) -> str:
        """Where the goods change hands."""
        place = self.chosen_pickup
        return place.country if place else self.chosen_country

    @property
    def chosen_postcode(self) -> str:
        """Not through its field, which would keep the label it has before the country's rules are applied."""
        typed = self.data.get(self.add_prefix("postcode")) if self.is_bound else self.initial.get("postcode")
        return " ".join(str(typed or "").upper().split())

    @property
    def refusal(self) -> str:
        """Why nothing goes to the postcode; empty where something does, or its buyer comes for it."""
        if self.chosen_pickup:
            return ""
        return zone_words.describe_refusal(self.terms, self.chosen_country, self.chosen_postcode)

    @property
    def chosen_zone(self) -> DeliveryZone | None:
        """Of the postcode, for the chosen method."""
        method = self.chosen_method
        return self.terms.find_zone(self.chosen_country, self.chosen_postcode, method) if method else None

    @property
    def methods(self) -> list[ShippingMethod]:
        """What goes to the address, then the stores to collect from.

        Where nothing goes there, what goes to the country: so the choice is not lost.
        """
        there = pricing.list_ways_to_address(self.terms, self.chosen_country, self.chosen_postcode)
        delivered = there or pricing.filter_shipping_methods(self.every_method, self.chosen_country)
        return [*delivered, *(place.method for place in self.pickups)]

    @property
    def chosen_pickup(self) -> PickupPlace | None:
        """Where it is collected; None where it is sent."""
        method = self.chosen_method
        return next((place for place in self.pickups if place.method == method), None)

    @property
    def chosen_method(self) -> ShippingMethod | None:
        """The ticked one, or the first there is."""
        wanted = str(self["method"].value() or "")
        found = self.methods
        return next((each for each in found if str(each.pk) == wanted), found[0] if found else None)

    @property
    def wants_two(self) -> bool:
        """Whether what is here is wanted at once, in a parcel of its own."""
        return str(self["parcels"].value()) == IN_TWO

    @property
    def is_for_business(self) -> bool:
        """Whether its fields are to be seen: one is filled in or needs another look."""
        names = ("company_name", "vat_id")
        return any(self[name].value() or name in self.errors for name in names)

    @property
    def ticks(self) -> list[tuple[forms.BoundField, str]]:
        """Each with the class that shows it only beside the way it is about; empty where it fits either."""
        return [(self[key], _name_way_class(key)) for key in self._offered_keys]

    @property
    def _offered_keys(self) -> list[str]:
        """Of the switches on the page, in its order: news of collecting only of what may be collected."""
        found = [each.key for each in MAIL_PURPOSES if is_offered(each.key, self.terms)]
        return [key for key in found if self.pickups or key not in stages.NEWS_OF_PICKUPS]

    @property
    def _fitting_keys(self) -> list[str]:
        """Those in sight beside the way that was chosen. What was ticked before another way was chosen is no answer."""
        others = stages.NEWS_OF_DELIVERIES if self.chosen_pickup else stages.NEWS_OF_PICKUPS
        return [key for key in self._offered_keys if key not in others]

    def details(self) -> CheckoutDetails:
        """Of a valid form. A number that no carrier may get is not kept with the order."""
        data = self.cleaned_data
        left_out = {} if data["carrier_may_write"] else {"phone": ""}
        method = next(each for each in self.methods if str(each.pk) == data["method"])
        is_guest = self.customer is None
        return CheckoutDetails(
            email=data["email"],
            address={name: data.get(name, "") for name in ADDRESS_FIELDS} | left_out,
            method=method,
            gift_note=data["gift_note"],
            company_name=data["company_name"],
            vat_id=data["vat_id"],
            in_two=data["parcels"] == IN_TWO,
            carrier_may_write=data["carrier_may_write"],
            ticks={key: True for key in self._fitting_keys if data[key]} if is_guest else {},
            expected_total=data["total"],
        )

    def get_changed_switches(self) -> dict[str, bool]:
        """A customer's switches that were changed on this page: those that differ from what it showed."""
        shown = set(self.cleaned_data["shown"].split())
        ticked = {purpose.key for purpose in MAIL_PURPOSES if self.cleaned_data[purpose.key]}
        return {key: key in ticked for key in (shown ^ ticked) & set(self._fitting_keys)}

    def address(self) -> Address:
        return Address(**{name: self.cleaned_data.get(name, "") for name in ADDRESS_FIELDS})


def _name_way_class(key: str) -> str:
    if key in stages.NEWS_OF_PICKUPS:
        return "comes"
    return "door" if key in stages.NEWS_OF_DELIVERIES else ""


def _build_address_field(name: str) -> forms.CharField:
    """One line of an address, as long as its column of the address book."""
    return forms.CharField(
        label=ADDRESS_LABELS[name],
        max_length=ADDRESS_COLUMNS[name].max_length,
        required=not ADDRESS_COLUMNS[name].blank,
        validators=[ONE_LINE_VALIDATOR],
        widget=WIDGET_TYPES.get(name, forms.TextInput)(attrs={"autocomplete": AUTOCOMPLETE[name]}),
    )


def write_country_select(terms: Terms, chosen: str) -> SafeString:
    """Of the countries that parcels go to; empty where there is nothing to choose."""
    choices = list_country_choices(terms.methods)
    if len(choices) < 2:
        return SafeString()
    return LongSelect(attrs={"id": "country"}, choices=choices).render("country", chosen)


def list_country_choices(methods: Sequence[ShippingMethod]) -> tuple[tuple[str, str], ...]:
    return tuple(_list_country_choices(methods, ()))


def _list_country_choices(
    methods: Sequence[ShippingMethod], pickups: Sequence[PickupPlace]
) -> Iterable[tuple[str, str]]:
    if any(not method.country_codes for method in methods):
        return _get_countries(get_language())
    codes = {code for method in methods for code in method.country_codes} | {place.country for place in pickups}
    return (pair for pair in _get_countries(get_language()) if pair[0] in codes)


@cache
def _get_countries(language: str) -> tuple[tuple[str, str], ...]:
    """Sorted by name in that language; sorting hundreds for each page would cost as much as the rest of it."""
    return tuple((code, str(name)) for code, name in countries)


def build_initial_values(
    customer: Customer | None, book: list[Address], *, country: str, granted: frozenset[str], gift_note: str
) -> dict[str, Any]:
    """What the form knows before anybody types."""
    values: dict[str, Any] = {"country": country, "gift_note": gift_note}
    if customer is not None:
        shown = [purpose.key for purpose in MAIL_PURPOSES if purpose.key in granted]
        values |= {"email": customer.email or "", "full_name": customer.name, "shown": " ".join(shown)}
        values |= dict.fromkeys(shown, True)
    return values | (get_address_values(book[0]) if book else {})


def get_address_values(address: Address | Order) -> dict[str, str]:
    return {name: str(getattr(address, name)) for name in ADDRESS_FIELDS}


def read_typed_values(data: Mapping[str, str]) -> dict[str, Any]:
    """What was typed so far, to be shown again without a word about what is missing."""
    values: dict[str, Any] = {name: data[name] for name in data if name != "total"}
    return values | {purpose.key: purpose.key in data for purpose in MAIL_PURPOSES}
