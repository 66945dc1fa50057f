"""The form of the shop's settings, with the official notice of the legal guarantee as an upload."""

from typing import Any

from django import forms

from orders.models import ShopSettings
from orders.vat_ids import normalize_vat_id
from shop.catalog import pictures
from shop.catalog.pictures import UnusablePictureError


class ShopSettingsForm(forms.ModelForm):
    """A picture is kept as every other of the shop; without its words it is not taken."""

    official_notice = forms.FileField(
        required=False,
        help_text="The Commission’s own picture for your language, unchanged: JPEG, PNG, WebP, GIF, TIFF or BMP.",
    )
    drops_official_notice = forms.BooleanField(
        label="show the one the shop draws instead", required=False, help_text="Takes the official picture away."
    )

    class Meta:
        model = ShopSettings
        exclude: list[str] = []

    def clean_vat_id(self) -> str:
        typed = self.cleaned_data["vat_id"]
        country = self.data.get("default_country") or self.instance.default_country.code
        try:
            return normalize_vat_id(typed, str(country)) if typed else ""
        except ValueError as refusal:
            raise forms.ValidationError(str(refusal)) from refusal

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        upload = self.cleaned_data.get("official_notice")
        if self.cleaned_data.get("drops_official_notice"):
            self.instance.guarantee_picture = ""
        elif upload and not self.cleaned_data.get("guarantee_words"):
            self.add_error("guarantee_words", "Please type what the picture says, for whoever cannot see it.")
        elif upload:
            self._keep_picture(upload)
        return cleaned

    def _keep_picture(self, upload: Any) -> None:
        try:
            self.instance.guarantee_picture = pictures.save_picture(upload)
        except UnusablePictureError as error:
            self.add_error("official_notice", str(error))
