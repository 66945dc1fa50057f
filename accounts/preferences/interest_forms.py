"""One small form for each kind of thing a customer can tell us. Names are typed: they may be any of thousands."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from accounts.models import Interest
from accounts.preferences import interests
from shop.catalog import category_tree
from shop.catalog.category_tree import CategoryTree
from shop.catalog.models import Maker, Product

Kind = Interest.Kind
DAY_IS_PAST = "Please give a day from today on."


class InterestForm(forms.Form):
    """What every kind has: how long we keep it."""

    until = forms.DateField(
        label="Keep it until",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Left empty, we keep it until you delete it.",
    )

    def __init__(
        self, *args: Any, instance: Interest | None = None, tree: CategoryTree | None = None, **kwargs: Any
    ) -> None:
        self.instance = instance or Interest()
        self.tree = tree or category_tree.read_category_tree()
        kwargs["initial"] = build_initial_fields(instance) if instance else None
        super().__init__(*args, **kwargs)
        if "category" in self.fields:
            self.fields["category"].choices = self._list_departments()  # type: ignore[attr-defined]

    def _list_departments(self) -> list[tuple[str, str]]:
        none = "Any department" if self.fields["category"].required is False else "Choose one"
        paths = {branch.id: self.tree.path(branch.id) for branch in self.tree.branches}
        named = {str(key): " › ".join(step.name for step in path) for key, path in paths.items()}
        return [("", none), *sorted(named.items(), key=lambda each: each[1].lower())]

    def clean_until(self) -> Any:
        return _check_not_past(self.cleaned_data["until"])

    def told(self) -> Interest:
        """The interest as the form has it, not saved."""
        made, data = self.instance, self.cleaned_data
        made.kind = self.kind
        made.maker, made.product = data.get("maker"), data.get("product")
        made.category_id = int(data["category"]) if data.get("category") else None
        made.words, made.falls_on = data.get("words", ""), data.get("falls_on")
        last_day = data["until"] or made.falls_on
        made.expires_at = interests.get_end_of_day(last_day) if last_day else None
        return made

    kind: Kind


class MakerInterestForm(InterestForm):
    kind = Kind.MAKER
    maker = forms.CharField(label="Maker", max_length=80, widget=forms.TextInput(attrs={"list": "makers"}))
    field_order = ["maker", "until"]

    def clean_maker(self) -> Maker:
        return _find_maker(self.cleaned_data["maker"])


class CategoryInterestForm(InterestForm):
    kind = Kind.CATEGORY
    category = forms.ChoiceField(label="Department")
    field_order = ["category", "until"]


class NeedInterestForm(InterestForm):
    kind = Kind.NEED
    words = forms.CharField(
        label="In a word or two",
        max_length=60,
        widget=forms.TextInput(attrs={"list": "needs"}),
        help_text="Such as waterproof, wool, or gardening.",
    )
    field_order = ["words", "until"]


class SizeInterestForm(InterestForm):
    kind = Kind.SIZE
    words = forms.CharField(
        label="Size", max_length=40, widget=forms.TextInput(attrs={"list": "sizes", "class": "short"})
    )
    category = forms.ChoiceField(label="In", required=False)
    field_order = ["words", "category", "until"]


class ExcludedSizeForm(SizeInterestForm):
    kind = Kind.NOT_SIZE


class OccasionInterestForm(InterestForm):
    kind = Kind.OCCASION
    words = forms.CharField(label="What is it", max_length=60, help_text="Such as Ann’s birthday.")
    falls_on = forms.DateField(label="On", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    until = None  # type: ignore[assignment]  # it goes the day after

    def clean_falls_on(self) -> Any:
        return _check_not_past(self.cleaned_data["falls_on"])

    def clean(self) -> dict[str, Any]:
        return {**self.cleaned_data, "until": None}


class ExclusionForm(InterestForm):
    kind = Kind.NEVER
    WHAT = {"maker": "A maker", "category": "A department", "product": "One thing"}
    what = forms.ChoiceField(label="Never show me", choices=list(WHAT.items()))
    name = forms.CharField(
        label="Its name", max_length=160, help_text="As it stands in the shop.", widget=forms.TextInput()
    )
    field_order = ["what", "name", "until"]

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("what") and data.get("name"):
            find = {"maker": _find_maker, "category": self._find_category, "product": _find_product}[data["what"]]
            try:
                data[data["what"]] = find(data["name"])
            except forms.ValidationError as problem:
                self.add_error("name", problem)
        return data

    def _find_category(self, name: str) -> str:
        found = [branch for branch in self.tree.branches if branch.name.casefold() == name.casefold()]
        if not found:
            raise forms.ValidationError("We have no department of that name.")
        return str(found[0].id)


INTEREST_FORMS: dict[str, type[InterestForm]] = {
    form.kind.value: form
    for form in (
        MakerInterestForm,
        CategoryInterestForm,
        NeedInterestForm,
        SizeInterestForm,
        ExcludedSizeForm,
        OccasionInterestForm,
        ExclusionForm,
    )
}


def build_initial_fields(interest: Interest) -> dict[str, str]:
    """An interest as its form is filled in: to change it, or to put it back after it was deleted."""
    thing = interest.maker or interest.category or interest.product
    shared = {"kind": interest.kind, "until": "" if interest.falls_on else _format_last_day(interest)}
    if interest.kind == Kind.NEVER:
        what = "maker" if interest.maker else "category" if interest.category else "product"
        return {**shared, "what": what, "name": str(thing)}
    return {
        **shared,
        "words": interest.words,
        "maker": interest.maker.name if interest.maker else "",
        "category": str(interest.category_id or ""),
        "falls_on": interest.falls_on.isoformat() if interest.falls_on else "",
    }


def _format_last_day(interest: Interest) -> str:
    if interest.expires_at is None:
        return ""
    return (timezone.localdate(interest.expires_at) - timedelta(days=1)).isoformat()


def _check_not_past(day: Any) -> Any:
    if day and day < timezone.localdate():
        raise forms.ValidationError(DAY_IS_PAST)
    return day


def _find_maker(name: str) -> Maker:
    found = Maker.objects.filter(name__iexact=name).first()
    if found is None:
        raise forms.ValidationError("We have no maker of that name.")
    return found


def _find_product(name: str) -> Product:
    found = Product.objects.published().filter(title__iexact=name).first()
    if found is None:
        raise forms.ValidationError("We have nothing of that name.")
    return found
