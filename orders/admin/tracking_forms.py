"""What a parcel is followed by: typed when it leaves, put right afterwards.

What is impossible is refused. What has no form of its carrier's, or stands twice on one page, is asked about once, as
postal addresses are: the hidden field `asked` holds the question that was put, and the same answer to it is taken. Of
a check digit that does not fit, and of a number used before, staff are warned as the number is taken.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format

from orders.carrier_contact import CarrierContact, build_parcel_contact
from orders.carrier_directory import CarrierDirectory
from orders.carriers import CARRIERS, get_carrier_name
from orders.carriers.tracking_numbers import (
    ImpossibleNumberError,
    clean_number,
    find_plain_owners,
    fits_carrier,
    format_number,
    get_bare_number,
    guess_carriers,
    has_wrong_check_digit,
)
from orders.fulfilment import transitions
from orders.models import Shipment

LABELS = {"carrier": "Carrier", "tracking_number": "Tracking number", "no_number": "Sent without a number"}
EARLY = "Tick the box if it may go before its day, or keep it back."
MISSING = "Type the number on the carrier\u2019s label, or tick “Sent without a number”."
BOTH = "There is a number, and the tick that says there is none. Take one of them away."
MOST_NAMED = 3  # other parcels with the same number
MOST_READ = 100


class TrackingNumberField(forms.CharField):
    """Takes a number as it is pasted or scanned; without `maxlength`, which would cut it without a word."""

    widget = forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"})

    def __init__(self) -> None:
        super().__init__(required=False, strip=False, label=LABELS["tracking_number"])

    def to_python(self, value: Any) -> str:
        try:
            return clean_number(super().to_python(value) or "")
        except ImpossibleNumberError as error:
            raise forms.ValidationError(str(error)) from error


class ParcelForm(forms.Form):
    """One parcel's carrier and number, or that it has none. In a list each field names its order to those who hear it.

    `seen_carrier` and `seen_number`: as the page showed them.
    """

    carrier = forms.ChoiceField()
    tracking_number = TrackingNumberField()
    no_number = forms.BooleanField(label=LABELS["no_number"], required=False)
    asked = forms.CharField(required=False, widget=forms.HiddenInput)
    seen_carrier = forms.CharField(required=False, widget=forms.HiddenInput)
    seen_number = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, parcel: Shipment, carriers: CarrierDirectory, is_one_of_many: bool) -> None:
        now = {"carrier": parcel.carrier, "tracking_number": parcel.tracking_number, "no_number": parcel.is_untracked}
        seen = {"seen_carrier": parcel.carrier, "seen_number": parcel.tracking_number}
        super().__init__(data, prefix=str(parcel.pk), initial=now | seen)
        self.parcel = parcel
        self.carriers = carriers
        self.has_question = False
        self.warning = ""  # to be said once the number is taken
        self.is_taken = False
        self.may_share_number = False
        self.fields["carrier"] = forms.ChoiceField(
            choices=carriers.list_choices(parcel.carrier), required=bool(parcel.carrier)
        )
        if is_one_of_many:
            for name, label in LABELS.items():
                self.fields[name].widget.attrs["aria-label"] = f"{label} for {parcel.order.number}"

    @property
    def carrier_contact(self) -> CarrierContact:
        return build_parcel_contact(self.parcel)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "tracking_number" in cleaned and "carrier" in cleaned:
            self._settle_number(cleaned)
        return cleaned

    def _settle_number(self, cleaned: dict[str, Any]) -> None:
        """Of number and tick the one that was changed counts. A changed number takes the form it is kept in."""
        number, carrier, was = cleaned["tracking_number"], cleaned["carrier"], cleaned["seen_number"]
        is_retyped = number != " ".join(was.split())
        if number and cleaned["no_number"]:
            if is_retyped and not self.parcel.is_untracked:
                self.add_error("tracking_number", BOTH)
            cleaned["no_number"] = not is_retyped
            number = number if is_retyped else ""
        elif is_retyped or carrier != cleaned["seen_carrier"]:
            number = format_number(self.carriers.find_known(carrier), number)
        else:
            number = was
        cleaned["tracking_number"] = number

    @property
    def moves(self) -> bool:
        """Whether the step is to be taken with this parcel, by what was typed. Each step's form says it."""
        raise NotImplementedError

    def take(self, actor: str) -> None:
        self._apply(actor, {name: self.cleaned_data[name] for name in ("carrier", "tracking_number")})
        self.is_taken = True

    def _apply(self, actor: str, label: dict[str, str]) -> None:
        """Takes the step itself. Each step's form says it."""
        raise NotImplementedError

    @property
    def is_changed(self) -> bool:
        typed = self.cleaned_data
        label = (typed["carrier"], typed["tracking_number"], typed["no_number"])
        return label != (typed["seen_carrier"], typed["seen_number"], self.parcel.is_untracked)

    def find_question(self, beside: Sequence["ParcelForm"]) -> str:
        """What to ask before the number is taken, or empty; notes what to warn of once it is.

        `beside`: the page's other parcels that get a number now.
        """
        number = self.cleaned_data["tracking_number"]
        carrier = self.carriers.find_known(self.cleaned_data["carrier"])
        name = get_carrier_name(carrier or self.cleaned_data["carrier"])
        odd = _doubt_form(carrier, name, number) if number else ""
        is_slip = bool(odd) and not guess_carriers(number) and has_wrong_check_digit(carrier, number)
        shared, used = self._find_reuse(number, beside)
        reuse = _doubt_reuse(self.parcel, [*shared, *used])
        doubts = " ".join(words for words in (odd, reuse) if words)
        if shared or (odd and not is_slip):
            return doubts
        self.warning = doubts
        return ""

    def _find_reuse(self, number: str, beside: Sequence["ParcelForm"]) -> tuple[list[Shipment], list[Shipment]]:
        """Other parcels with the number: those of the page, and those that have it already."""
        bare = get_bare_number(number)
        if not bare or bare == get_bare_number(self.cleaned_data["seen_number"]):
            return [], []
        used = list(Shipment.objects.numbered(number).exclude(pk=self.parcel.pk).select_related("order")[:MOST_READ])
        shared = [form.parcel for form in beside if form.has_number(bare)]
        self.may_share_number = bool(shared or used)
        settled_here = {form.parcel.pk for form in beside}
        return shared, [each for each in used if each.pk not in settled_here]

    def has_number(self, bare: str) -> bool:
        typed: str = self.cleaned_data.get("tracking_number", "")
        return get_bare_number(typed) == bare

    def ask(self, question: str) -> None:
        self.has_question = True
        self.add_error("tracking_number", question)
        data: Any = self.data
        self.data = data = data.copy()
        data[self.add_prefix("asked")] = question


class ShipForm(ParcelForm):
    """Of several parcels, one with neither number nor tick stays here."""

    early = forms.BooleanField(label="Send it all the same", required=False)

    def __init__(self, data: Any, *, parcel: Shipment, carriers: CarrierDirectory, is_one_of_many: bool) -> None:
        super().__init__(data, parcel=parcel, carriers=carriers, is_one_of_many=is_one_of_many)
        self.is_one_of_many = is_one_of_many
        self.not_out_yet = goods_not_out_yet(parcel)
        if not self.not_out_yet:
            del self.fields["early"]

    @property
    def moves(self) -> bool:
        return bool(self.cleaned_data.get("tracking_number") or self.cleaned_data.get("no_number"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.moves:
            if not self.is_one_of_many and "tracking_number" in cleaned:
                self.add_error("tracking_number", MISSING)
            return cleaned
        if not cleaned.get("carrier") and "carrier" not in self.errors:
            self.add_error("carrier", "Choose who carries it.")
        if self.not_out_yet and not cleaned["early"]:
            self.add_error("early", EARLY)
        return cleaned

    def _apply(self, actor: str, label: dict[str, str]) -> None:
        transitions.dispatch_shipment(self.parcel.pk, actor=actor, may_share_number=self.may_share_number, **label)


class TrackingForm(ParcelForm):
    """What a parcel that has left is followed by, to be put right."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        is_read = "tracking_number" in cleaned and "carrier" in cleaned
        if is_read and self.is_changed and not (cleaned["tracking_number"] or cleaned["no_number"]):
            self.add_error("tracking_number", MISSING)
        return cleaned

    @property
    def moves(self) -> bool:
        return self.is_changed

    def _apply(self, actor: str, label: dict[str, str]) -> None:
        typed = self.cleaned_data
        transitions.correct_shipment_tracking(
            self.parcel.pk,
            actor=actor,
            seen=(typed["seen_carrier"], typed["seen_number"]),
            may_share_number=self.may_share_number,
            **label,
        )


def are_numbers_settled(moving: Sequence[ParcelForm]) -> bool:
    """Puts a question to every number that raises a doubt and was not asked about yet; whether none is left."""
    questions = [form.find_question([each for each in moving if each is not form]) for form in moving]
    for form, question in zip(moving, questions, strict=True):
        if question and question != form.cleaned_data["asked"]:
            form.ask(question)
    return not any(form.has_question for form in moving)


def list_doubts(moving: Sequence[ShipForm]) -> list[str]:
    """Of each, in one text, what to ask before it is shipped; empty where nothing is. For numbers that come in bulk."""
    doubts = []
    for form in moving:
        question = form.find_question([each for each in moving if each is not form])
        early = f"Before its day: {', '.join(form.not_out_yet)}." if form.not_out_yet else ""
        doubts.append(" ".join(words for words in (question or form.warning, early) if words))
    return doubts


def goods_not_out_yet(parcel: Shipment) -> list[str]:
    """What is in a parcel and comes out after today, with its day: “The Patient Loaf (out on Fri 4 Dec)”."""
    goods = {line.order_line.product for line in parcel.lines.all() if line.order_line.product}
    days = [(each.title, each.released_on) for each in goods]
    today = timezone.localdate()
    return sorted(f"{title} (out on {date_format(day, 'D j M')})" for title, day in days if day and day > today)


def _doubt_form(carrier: str, name: str, number: str) -> str:
    """Empty where the number may be one of the carrier called `name`; `carrier`: its key, or "" for one of staff's."""
    if fits_carrier(carrier, number):
        owners = _name_carriers(find_plain_owners(carrier, number))
        return f"“{number}” looks like a number of {owners}: is {name or 'the carrier'} right?" if owners else ""
    others = _name_carriers(guess_carriers(number))
    why = ""
    if others:
        why = f" It looks like one of {others}: is the carrier right?"
    elif has_wrong_check_digit(carrier, number):
        why = " Its check digit does not fit, so one of its characters is probably wrong."
    return f"“{number}” does not look like a {name} number.{why}"


def _name_carriers(keys: Iterable[str]) -> str:
    return " or ".join(CARRIERS[key].name for key in keys)


def _doubt_reuse(parcel: Shipment, others: Iterable[Shipment]) -> str:
    """Empty where no other parcel has the number."""
    named = list(dict.fromkeys(_name_use(parcel, other) for other in others))
    if not named:
        return ""
    more = ["others"] if len(named) > MOST_NAMED else []
    return f"The same number is used for {', '.join([*named[:MOST_NAMED], *more])}."


def _name_use(parcel: Shipment, other: Shipment) -> str:
    whose = "another parcel of this order" if other.order_id == parcel.order_id else other.order.number
    left = other.dispatched_at
    return f"{whose} (left {date_format(timezone.localtime(left), 'j M Y')})" if left else f"{whose} (on this page)"
