"""Products as cards on shelves: what, who made it, price, in stock and by when, and, if personal, why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone

from accounts import consent, purposes
from accounts.models import Customer
from orders import promise
from recommendations.picks import Pick, also_bought, for_you
from shop.catalog import availability
from shop.catalog.availability import Availability
from shop.catalog.models import Product
from shop.money import formatted
from shop.storefront import frame


@dataclass(frozen=True, slots=True)
class Card:
    """What `partials/card.html` takes."""

    url: str
    title: str
    maker: str
    price: str
    when: str
    when_kind: str
    tint: int
    image_url: str = ""
    image_alt: str = ""
    badge: str = ""
    why: str = ""
    why_url: str = ""


@dataclass
class Shelf:
    """What `partials/shelf.html` takes."""

    title: str
    cards: list[Card]
    note: str = ""
    link_url: str = ""
    link_text: str = ""


def cards(
    products: Iterable[Product], *, why: Mapping[int, str] | None = None, why_url: str = "", now: datetime | None = None
) -> list[Card]:
    """For products read with `.for_cards()`; no query of its own beyond the frame's. `why` by product id."""
    words = _WhenWords(now or timezone.now())
    reasons = why or {}
    return [_card(product, words, reasons.get(product.id, ""), why_url) for product in products]


def picked(picks: Sequence[Pick], *, why_url: str = "") -> list[Card]:
    """The cards of what was picked, in its order and with its reasons; one query, none for nothing."""
    if not picks:
        return []
    reasons = {pick.product_id: pick.why for pick in picks}
    found = Product.objects.published().for_cards().in_bulk(list(reasons))
    return cards([found[key] for key in reasons if key in found], why=reasons, why_url=why_url)


def beside(product_ids: Sequence[int], *, title: str, limit: int = 4) -> Shelf:
    """What goes with these products, for anybody. Empty for none."""
    picks = also_bought(product_ids, limit=limit)
    how_url = f"{reverse('privacy')}#{purposes.COUNT_IN_ALSO_BOUGHT}"
    return Shelf(title, picked(picks), link_url=how_url, link_text="How we know")


def for_customer(customer: Customer | None, *, limit: int = 8) -> Shelf:
    """“For you”, as far as the switches allow; empty without them. At most five queries, none for a stranger."""
    picks = for_you(customer, consent.granted_purposes(customer), limit=limit)
    return Shelf(
        "For you",
        picked(picks, why_url=reverse("recommendations")),
        link_url=reverse("recommendations"),
        link_text="What this uses, and the switches",
    )


def _card(product: Product, words: "_WhenWords", why: str, why_url: str) -> Card:
    kind, when = words.of(availability.read(product.stock_now), product.released_on)  # type: ignore[attr-defined]
    branch = frame.tree().by_id.get(product.category_id)
    is_ahead = product.released_on is not None and product.released_on > words.today
    return Card(
        url=reverse("product", args=[product.slug]),
        title=product.title,
        maker=product.maker_name or "",  # type: ignore[attr-defined]
        price=price_text(product),
        when=when,
        when_kind=kind,
        tint=branch.tint if branch else 1,
        image_url=default_storage.url(product.card_image) if product.card_image else "",
        image_alt=product.card_alt,
        badge="Out soon" if is_ahead else "",
        why=why,
        why_url=why_url if why else "",
    )


def price_text(product: Product) -> str:
    """£14.00, or “from £14.00” where options differ in price."""
    price = formatted(product.price_from, product.currency)
    return f"from {price}" if product.price_to > product.price_from else price


@dataclass
class _WhenWords:
    """The dates of a shelf. Most cards share one answer, so each is counted once."""

    now: datetime
    found: dict[tuple[object, ...], tuple[str, str]] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return timezone.localdate(self.now)

    def of(self, stock: Availability, released_on: date | None) -> tuple[str, str]:
        few = stock.on_shelf if stock.on_shelf <= promise.LAST_FEW else promise.LAST_FEW + 1
        key = (few, stock.available - stock.on_shelf, stock.restock_on, released_on)
        if key not in self.found:
            self.found[key] = self._count(stock, released_on)
        return self.found[key]

    def _count(self, stock: Availability, released_on: date | None) -> tuple[str, str]:
        calendar = frame.terms().calendar
        promised = promise.usual(calendar, frame.methods(), stock, self.now, released_on=released_on)
        return promise.card_words(promised, availability=stock, now=self.now, released_on=released_on)
