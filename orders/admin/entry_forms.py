"""The fast form for an order that came by phone, by post or by e-mail."""

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import Q

from accounts.models.address import ADDRESS_FIELDS
from accounts.people.address_forms import ADDRESS_LABELS, ADDRESS_WIDGETS, PostalAddressMixin
from orders.models import Order
from orders.shop_terms import PickupPlace, Terms
from orders.staff_orders import NO_WAY_TO_THE_CODE, PAYABLE_FOR, Channel, DraftLine, OrderDraft
from orders.vat_ids import BusinessBuyerMixin
from shop.catalog.models import Variant
from shop.catalog.search import search_products
from shop.price_field import PriceField

MOST_FOUND = 12  # variants offered where words fit several
MOST_PIECES = 9_999
ADDRESS_OF_A_DOOR = tuple(name for name in ADDRESS_FIELDS if name != "full_name")  # who collects it gives none
NAMED_BY_BUYER = ("email", *(name for name in ADDRESS_FIELDS if name != "country"))  # empty until they are asked
ROWS = 5  # empty ones to begin with, and as many more each time
MOST_ROWS = 100
BY_LINK, BY_HAND = "link", "hand"


class OrderEntryForm(BusinessBuyerMixin, PostalAddressMixin, forms.ModelForm):
    channel = forms.ChoiceField(
        label="How it came", choices=[each for each in Channel.choices if each[0] != Channel.EXCHANGE]
    )
    method = forms.ChoiceField(label="Delivery")
    in_two = forms.BooleanField(
        label="In two parcels",
        required=False,
        help_text="Where some is still to come: what is here in full leaves at once. A second parcel may cost extra.",
    )
    paid = forms.ChoiceField(
        label="Payment",
        choices=[(BY_LINK, f"By link: the goods wait {PAYABLE_FOR}"), (BY_HAND, "The money is here already")],
        widget=forms.RadioSelect,
        initial=BY_LINK,
    )
    paid_how = forms.CharField(
        label="How it was paid",
        max_length=120,
        required=False,
        help_text="Where the money is here already: “Cash”, “Transfer, 3 March”.",
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    class Meta:
        model = Order
        fields = ["email", *ADDRESS_FIELDS, "company_name", "vat_id", "gift_note"]
        labels = {
            **ADDRESS_LABELS,
            "email": "E-mail",
            "company_name": "Company",
            "gift_note": "A note to go in with it",
        }
        widgets = {name: type(widget)(attrs={"autocomplete": "off"}) for name, widget in ADDRESS_WIDGETS.items()}
        help_texts = {
            "company_name": "Of who buys for a business, as it is to stand on the invoice.",
            "email": "May stay empty. The link to pay and the receipt go there, and no other mail.",
        }

    def __init__(self, *args: Any, terms: Terms, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pickups = {str(place.method.pk): place for place in terms.pickups}
        collecting = {pk: place.method for pk, place in self.pickups.items()}
        self.methods = {str(method.pk): method for method in terms.methods} | collecting
        self.fields["method"].choices = [(pk, method.name) for pk, method in self.methods.items()]  # type: ignore[attr-defined]
        self.fields["key"].initial = uuid.uuid4
        self.order_fields(
            [
                *("channel", "email", *ADDRESS_FIELDS, "company_name", "vat_id"),
                *("method", "in_two", "gift_note", "paid", "paid_how", "key"),
            ]
        )
        self.apply_postal_rules()
        place = self.chosen_pickup
        self.apply_business_rules(place.country if place else str(self["country"].value() or ""))
        if self.pickups:
            self.fields["method"].help_text = "Collected in a store, it needs a name and an e-mail, and no address."
        if place is not None:
            for name in ADDRESS_OF_A_DOOR:
                self.fields[name].required = False

    @property
    def chosen_pickup(self) -> PickupPlace | None:
        """Where it is collected; None where it is sent."""
        return self.pickups.get(str(self["method"].value() or ""))

    def clean(self) -> dict[str, Any]:
        place = self.chosen_pickup
        cleaned = self._clean_pickup(place) if place else super().clean()
        method = self.methods.get(cleaned.get("method", ""))
        if method and not place and cleaned.get("country") and not method.reaches(str(cleaned["country"])):
            self.add_error("method", "That one does not go there. Choose another.")
        if cleaned.get("paid") == BY_HAND and not cleaned.get("paid_how"):
            self.add_error("paid_how", "Say how it was paid.")
        return cleaned

    def _clean_pickup(self, place: PickupPlace) -> dict[str, Any]:
        """No address, whatever was typed: the order has the store's country, for its tax."""
        cleaned = {**self.cleaned_data, **dict.fromkeys(ADDRESS_OF_A_DOOR, ""), "country": place.country}
        if not cleaned.get("email") and "email" not in self.errors:
            self.add_error("email", NO_WAY_TO_THE_CODE)
        return self.check_business(cleaned)

    def build_draft(self, lines: Sequence[DraftLine]) -> OrderDraft:
        """Of a valid form."""
        given = self.cleaned_data
        return OrderDraft(
            lines=lines,
            address={name: str(given.get(name) or "") for name in ADDRESS_FIELDS},
            method=self.methods[given["method"]],
            channel=Channel(given["channel"]),
            email=given["email"],
            gift_note=given["gift_note"],
            company_name=given["company_name"],
            vat_id=given["vat_id"],
            in_two=given["in_two"],
            paid_how=given["paid_how"] if given["paid"] == BY_HAND else "",
            key=given["key"],
        )


class EntryLineForm(forms.Form):
    """One thing: by its SKU, or by words that are looked up; where they fit several, one of those is chosen."""

    what = forms.CharField(label="SKU or words", max_length=200, required=False)
    asked = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
    variant = forms.IntegerField(label="Which one", required=False, min_value=1, max_value=2**31 - 1)
    quantity = forms.IntegerField(label="How many", required=False, min_value=1, max_value=MOST_PIECES)
    unit_price = PriceField(label="Price of your own", required=False, min_value=0, max_digits=10)
    price_reason = forms.CharField(label="Why that price", max_length=120, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.found: list[Variant] = []
        self.asks_which = False  # whether the keys go on at its “Which one”
        for name in ("what", "price_reason"):
            self.fields[name].widget.attrs["autocomplete"] = "off"
        at = str(self.prefix).rpartition("-")[2]
        if at.isdigit():
            for field in self.visible_fields():
                field.field.widget.attrs["aria-label"] = f"{field.label}, line {int(at) + 1}"

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        words = given.get("what", "")
        if not words:
            if given.get("quantity") or given.get("unit_price") is not None:
                self.add_error("what", "Of what?")
            return given
        given["variant"] = self._choose(words, given)
        if given.get("unit_price") is not None and not given.get("price_reason"):
            self.add_error("price_reason", "Say why: a discount agreed, a price in an old catalogue.")
        return given

    def _choose(self, words: str, given: dict[str, Any]) -> Variant | None:
        self.found = find_variants(words)
        self.data = {**self.data.dict(), self.add_prefix("asked"): words}  # type: ignore[attr-defined]  # of a request
        chosen = given.get("variant") if given.get("asked") == words else None
        picked = next((each for each in self.found if each.pk == chosen), None)
        if picked is None and len(self.found) == 1:
            picked = self.found[0]
        if not self.found:
            self.add_error("what", "Nothing that is for sale is called so. Try its SKU, or fewer words.")
        elif picked is None:
            self.add_error("what", "That may be several. Choose one.")
        return picked

    def build_line(self) -> DraftLine | None:
        """Of a valid row; None for an empty one."""
        variant = self.cleaned_data.get("variant")
        if not isinstance(variant, Variant):
            return None
        price, reason = self.cleaned_data["unit_price"], self.cleaned_data["price_reason"]
        return DraftLine(variant, self.cleaned_data["quantity"] or 1, price, reason if price is not None else "")


def find_variants(words: str) -> list[Variant]:
    """What is for sale with this SKU; else up to `MOST_FOUND` options of the products that these words find."""
    on_sale = Variant.objects.sellable().select_related("product")
    if by_sku := list(on_sale.filter(sku__iexact=words)):
        return by_sku
    products = [card.id for card in search_products(words).products[:MOST_FOUND]]
    found = on_sale.filter(Q(product__in=products) | Q(sku__istartswith=words))
    place = {pk: position for position, pk in enumerate(products)}
    return sorted(found[:200], key=lambda each: (place.get(each.product_id, -1), each.position))[:MOST_FOUND]


EntryLines = forms.formset_factory(EntryLineForm, extra=ROWS, max_num=MOST_ROWS, absolute_max=MOST_ROWS)
