from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from shop.catalog import pictures
from shop.catalog.admin.named_forms import NamedForm, clean_sku
from shop.catalog.category_tree import read_category_tree
from shop.catalog.gtins import clean_gtin
from shop.catalog.models import Category, Maker, Product, ProductImage, StockRecord, Variant
from shop.catalog.pictures import UnusablePictureError
from shop.catalog.prices import Price, set_prices
from shop.catalog.unit_prices import Content, parse_content
from shop.money import get_shop_currency
from shop.price_field import PriceField

LONGEST_NAME = 80
MOST_PIECES = 1_000_000  # at once


class AttributesField(forms.CharField):
    """What can be compared, a line each: “Wool content: 80 %”."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return "\n".join(f"{name}: {text}" for name, text in value.items())
        return value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

    def to_python(self, value: Any) -> Any:
        lines = [line.strip() for line in str(value or "").splitlines() if line.strip()]
        return dict(self._pair(line) for line in lines)

    def validate(self, value: Any) -> None:
        """Nothing to compare is fine."""

    @staticmethod
    def _pair(line: str) -> tuple[str, str]:
        name, colon, text = (part.strip() for part in line.partition(":"))
        if not (name and colon and text) or len(name) > LONGEST_NAME:
            raise ValidationError(f"“{line[:60]}” is not like “Wool content: 80 %”.")
        return name, text


def _make_text_input(size: int) -> forms.TextInput:
    return forms.TextInput(attrs={"size": size})


class ProductForm(NamedForm):
    named_by = "title"
    attributes = AttributesField(
        required=False,
        help_text="What can be compared, a line each, such as “Wool content: 80 %”.",
        widget=forms.Textarea(attrs={"cols": 80, "rows": 8}),
    )

    class Meta:
        model = Product
        exclude: list[str] = []
        widgets = {"title": _make_text_input(60), "slug": _make_text_input(60), "summary": _make_text_input(80)}


class CategoryForm(NamedForm):
    class Meta:
        model = Category
        exclude: list[str] = []

    def find_namesakes(self, cleaned: dict[str, Any]) -> QuerySet[Category]:
        return Category.objects.filter(parent=cleaned.get("parent"))

    def clean_parent(self) -> Category | None:
        parent: Category | None = self.cleaned_data["parent"]
        if parent and self.instance.pk and parent.pk in read_category_tree().subtree_ids(self.instance.pk):
            raise ValidationError("A category cannot stand under itself.")
        return parent


class MakerForm(NamedForm):
    class Meta:
        model = Maker
        exclude: list[str] = []

    def find_namesakes(self, cleaned: dict[str, Any]) -> QuerySet[Maker]:
        return Maker.objects.all()


class VariantForm(forms.ModelForm):
    content = forms.CharField(
        required=False,
        max_length=20,
        widget=_make_text_input(5),
        help_text="How much is in it, of what is sold by measure: 250 g.",
    )

    class Meta:
        model = Variant
        fields = ["sku", "gtin", "colour", "style", "size", "price", "is_active", "position"]
        field_classes = {"price": PriceField}
        widgets = {
            "sku": _make_text_input(10),
            "gtin": _make_text_input(10),
            "colour": _make_text_input(6),
            "style": _make_text_input(6),
            "size": _make_text_input(4),
            "position": forms.NumberInput(attrs={"class": "vIntegerField short-number"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["content"].initial = self.instance.content

    def clean_price(self) -> Decimal:
        """Typed in the shop's currency, whatever the row was priced in."""
        self.instance.currency = get_shop_currency()
        return Decimal(self.cleaned_data["price"])

    def save(self, commit: bool = True) -> Variant:
        """The price of what is on sale already changes by its own door."""
        variant: Variant = self.instance
        if variant.pk is None or not commit:
            super().save(commit)
            return variant
        kept = [name for name in VariantForm.Meta.fields if name != "price"]
        variant.save(update_fields=[*kept, "content_amount", "content_unit"])
        set_prices({variant.pk: Price(variant.price, variant.currency)})
        return variant

    def clean_content(self) -> Content | None:
        text = self.cleaned_data["content"].strip()
        try:
            content = parse_content(text) if text else None
        except ValueError as error:
            raise ValidationError(f"“{text}” {error}.") from None
        self.instance.content_amount = content.amount if content else None
        self.instance.content_unit = content.unit if content else ""
        return content

    def clean_gtin(self) -> str:
        text = str(self.cleaned_data["gtin"])
        try:
            return clean_gtin(text)
        except ValueError as error:
            raise ValidationError(f"“{text}” {error}.") from None

    def clean_sku(self) -> str:
        sku = str(self.cleaned_data["sku"])
        others = Variant.objects.exclude(pk=self.instance.pk)
        return clean_sku(sku, others) if "sku" in self.changed_data else sku


class PictureForm(forms.ModelForm):
    """A new picture is kept as WebP, smaller, and without what the camera wrote into it."""

    upload = forms.FileField(required=False, label="picture", help_text="JPEG, PNG, WebP, GIF, TIFF or BMP.")

    class Meta:
        model = ProductImage
        fields = ["alt", "position"]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        upload = self.cleaned_data.get("upload")
        if upload:
            try:
                self.instance.file = pictures.save_picture(upload)
            except UnusablePictureError as error:
                self.add_error("upload", str(error))
        elif not self.instance.file and not self.cleaned_data.get("DELETE"):
            self.add_error("upload", "Choose a picture.")
        return cleaned


class StockRecordForm(forms.ModelForm):
    class Meta:
        model = StockRecord
        fields = ["variant", "store", "bin_location", "backorder_limit", "restock_on"]

    def clean_backorder_limit(self) -> int:
        limit: int = self.cleaned_data["backorder_limit"]
        promised = self.instance.allocated - self.instance.on_hand
        if limit < promised:
            raise ValidationError(f"{promised} are promised already that have not arrived.")
        return limit


class StockQuantityForm(forms.Form):
    """How many of one thing came in, or were counted; empty leaves it."""

    quantity = forms.IntegerField(required=False, max_value=MOST_PIECES)
    reference = forms.CharField(required=False, max_length=60, help_text="A delivery note, say.")

    def __init__(self, *args: Any, record: StockRecord, least: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.record = record
        quantity = self.fields["quantity"]
        quantity.min_value = least  # type: ignore[attr-defined]
        quantity.validators = [*forms.IntegerField(min_value=least, max_value=MOST_PIECES).validators]
        quantity.widget.attrs["min"] = least
