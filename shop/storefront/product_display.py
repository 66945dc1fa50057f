"""What a product page shows of a product: pictures, options as chips, and the promise of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape

from django.contrib.humanize.templatetags.humanize import apnumber
from django.core.files.storage import default_storage

from orders import promise
from orders.promise import Promise, PromiseWords
from shop.catalog.availability import Availability
from shop.catalog.details import ProductDetails, VariantOnSale
from shop.catalog.models.variant import join_options
from shop.catalog.price_history import DAYS
from shop.storefront import page_cache
from shop.storefront.destination import Destination, find_destination

OUT_OF_STOCK_HTML = '<span class="hush"> (out of stock)</span>'


@dataclass(frozen=True, slots=True)
class ProductPicture:
    url: str
    alt: str


@dataclass
class VariantOption:
    """A variant as a chip. `words` is its own promise line, shared by variants that promise the same."""

    variant: VariantOnSale
    label: str
    words: PromiseWords
    words_id: int
    promised: Promise | None = None
    is_chosen: bool = False

    @property
    def is_gone(self) -> bool:
        return self.words.kind == "out"

    def __html__(self) -> str:
        gone, state = (" gone", " disabled") if self.is_gone else ("", " checked" if self.is_chosen else " required")
        data = f'data-price="{self.variant.price_text}" data-promise="promise-{self.words_id}"{self._write_more()}'
        return (
            f'<label class="chip{gone}"><input type="radio" name="variant" value="{self.variant.pk}" {data}{state}>'
            f"<span>{escape(self.label)}</span>{OUT_OF_STOCK_HTML if self.is_gone else ''}</label>"
        )

    @property
    def before_words(self) -> str:
        """Beside a price that was lowered: what the reduction is measured by (Directive 98/6/EC, article 6a)."""
        before = self.variant.before_text
        return f"Lowered. The lowest price of the {DAYS} days before was {before}." if before else ""

    def _write_more(self) -> str:
        """What only some options have: a price by measure, a price before."""
        more = {"unit": self.variant.unit_price_text, "before": self.before_words}
        return "".join(f' data-{name}="{escape(words)}"' for name, words in more.items() if words)


@dataclass
class OptionGroup:
    """Chips under one heading: the sizes of a colour, or all there is to choose."""

    title: str
    options: list[VariantOption] = field(default_factory=list)


def list_product_pictures(product: ProductDetails) -> list[ProductPicture]:
    return [ProductPicture(default_storage.url(file), alt or product.title) for file, alt in product.images]


def build_options(
    product: ProductDetails, *, now: datetime, wanted: str = "", sizes: Sequence[str] = ()
) -> list[VariantOption]:
    """The variants on sale. Chosen: the wanted one, else one of these sizes, else the first that can be had.

    A wanted one that is out of stock is spoken of, and stays unticked: no other is put in the cart in its place.
    """
    to = find_destination(page_cache.get_cached_terms())
    lines: dict[Availability, tuple[Promise | None, PromiseWords]] = {}
    for variant in product.variants:
        if variant.stock not in lines:
            lines[variant.stock] = _promise_variant(variant.stock, product, now, to)
    said = list(dict.fromkeys(words for _, words in lines.values()))
    found = []
    for variant in product.variants:
        promised, words = lines[variant.stock]
        found.append(VariantOption(variant, variant.label, words, said.index(words), promised))
    _mark_chosen_option(found, wanted, sizes)
    return found


def _mark_chosen_option(found: Sequence[VariantOption], wanted: str, sizes: Sequence[str]) -> None:
    can_be_had = [option for option in found if not option.is_gone]
    asked_for = [option for option in found if str(option.variant.pk) == wanted]
    fitting = [option for size in sizes for option in can_be_had if option.variant.size == size]
    for option in (asked_for or fitting or can_be_had or list(found))[:1]:
        option.is_chosen = True


def _promise_variant(
    stock: Availability, product: ProductDetails, now: datetime, to: Destination
) -> tuple[Promise | None, PromiseWords]:
    released_on = product.released_on
    promised = promise.compute_default_promise(to.calendar, to.methods, stock, now, released_on=released_on)
    words = promise.describe_product_promise(
        promised, availability=stock, now=now, released_on=released_on, abroad=to.abroad
    )
    return promised, words


def group_options(found: Sequence[VariantOption]) -> list[OptionGroup]:
    """By colour and style where sizes are to choose as well; else one group. Nothing to choose: no group."""
    if len(found) < 2:
        return []
    if not any(option.variant.size for option in found):
        return [OptionGroup("Choose", list(found))]
    groups: dict[str, OptionGroup] = {}
    for option in found:
        variant = option.variant
        title = join_options(variant.colour, variant.style)
        option.label = variant.size or variant.label
        groups.setdefault(title, OptionGroup(title or "Size")).options.append(option)
    return list(groups.values())


def is_sold_out(found: Sequence[VariantOption]) -> bool:
    return all(option.is_gone for option in found)


def list_promise_lines(found: Sequence[VariantOption]) -> list[tuple[int, PromiseWords, bool]]:
    """Each promise once: its id, its words, whether the chosen option's."""
    chosen = next((option.words_id for option in found if option.is_chosen), None)
    by_id = {option.words_id: option.words for option in found}
    return [(each, words, each == chosen) for each, words in by_id.items()]


def describe_sold_out_options(found: Sequence[VariantOption]) -> list[str]:
    """Beside options that can still be had: when the others are back. “13: out of stock, more expected Friday.”"""
    if is_sold_out(found):
        return []
    by_words: dict[str, list[str]] = {}
    for option in found:
        if option.is_gone:
            by_words.setdefault(str(option.words), []).append(option.variant.label)
    names = {words: " · ".join(labels) for words, labels in by_words.items()}
    return [f"{name[:1].upper()}{name[1:]}: {words[:1].lower()}{words[1:]}" for words, name in names.items()]


def format_lifespan(months: int | None) -> str:
    """“Lasts about nine months in ordinary use.” Empty for what does not wear out."""
    if not months:
        return ""
    years, rest = divmod(months, 12)
    if rest == 0 and years:
        return f"Lasts about {apnumber(years)} year{'s' if years > 1 else ''} in ordinary use."
    return f"Lasts about {apnumber(months)} month{'s' if months > 1 else ''} in ordinary use."
