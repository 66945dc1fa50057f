"""Names, codes and choices as staff type them: in one spelling, told apart by a shopper, each with an address."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from shop.spelling import clean_spelling, clean_title, make_slug, make_spelling_key

OPTIONS = ("size", "colour", "style")


class NamedForm(forms.ModelForm):
    """Of a thing with a name and an address. An address left empty is made from the name, in whatever script it is."""

    named_by = "name"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].required = False
            self.fields["slug"].help_text = "The last part of its page's address. Left empty, it is made from the name."

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        name = clean_title(cleaned.get(self.named_by) or "")
        if name:
            cleaned[self.named_by] = name
            self._refuse_twin(name, cleaned)
        if "slug" in self.fields and not cleaned.get("slug") and "slug" not in self.errors:
            cleaned["slug"] = self._make_slug(name)
        return cleaned

    def find_namesakes(self, cleaned: dict[str, Any]) -> Any:
        """The rows among which a name may stand once; none unless a form says otherwise."""
        return self._meta.model.objects.none()

    def _refuse_twin(self, name: str, cleaned: dict[str, Any]) -> None:
        others = self.find_namesakes(cleaned).exclude(pk=self.instance.pk).values_list(self.named_by, flat=True)
        if make_spelling_key(name) in map(make_spelling_key, others):
            self.add_error(self.named_by, "There is one of that name already.")

    def _make_slug(self, name: str) -> str:
        longest = self._meta.model._meta.get_field("slug").max_length or 80  # noqa: SLF001  (Django's public API)
        slug = make_slug(name, longest=longest - 7)
        if not slug:
            self.add_error("slug", "The name has neither letters nor digits: please give an address.")
            return ""
        taken = set(self._meta.model.objects.filter(slug__startswith=slug).values_list("slug", flat=True))
        numbered = (f"{slug}-{number}" for number in range(2, len(taken) + 3))
        return next(each for each in (slug, *numbered) if each not in taken)


class VariantFormSet(forms.BaseInlineFormSet):
    """The variants of a product: nobody could choose between two with the same size, colour and style."""

    def clean(self) -> None:
        super().clean()
        seen: dict[tuple[str, ...], forms.ModelForm] = {}
        for form in self.forms:
            data = getattr(form, "cleaned_data", None)
            if not data or not data.get("sku") or not data.get("is_active"):
                continue
            first = seen.setdefault(tuple(make_spelling_key(data.get(name) or "") for name in OPTIONS), form)
            if first is not form and (form.has_changed() or first.has_changed()):
                words = f"Same size, colour and style as {first.cleaned_data['sku']}: nobody could choose between them."
                form.add_error("size", words)
                raise ValidationError(words)


def clean_sku(typed: str, taken: Any) -> str:
    """In its clean spelling. `taken`: the variants that are others; raises ValidationError for one of theirs."""
    sku = clean_spelling(typed)
    twin = taken.filter(sku__iexact=sku).values_list("sku", flat=True).first()
    if twin is not None:
        raise ValidationError(f"The shop has it already, as {twin}.")
    return sku
