"""Products as cards on shelves: what, who made it, price, in stock and by when, and, if personal, why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from html import escape

from django.core.files.storage import default_storage
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts.consent import consent
from accounts.models import Customer
from accounts.preferences import interests
from accounts.preferences.interests import NO_INTERESTS, Exclusions, Interests
from orders import promise
from orders.models import CartLine
from orders.shop_terms import Terms
from recommendations import explanations, picks, visitors
from recommendations.picks import Evidence, News, Page, Pick, Shelf, ShelfReader
from shop.catalog import product_cards
from shop.catalog.availability import Availability
from shop.catalog.product_cards import ProductCard
from shop.catalog.unit_prices import format_base_price
from shop.money import format_amount, is_price
from shop.storefront import page_cache
from shop.storefront.destination import find_destination

SHELF_SIZE = 8
BESIDE = 4  # things on a shelf beside others
BESIDE_CHECKOUT, CONSIDERED = 3, 16  # things on the checkout's shelf, and how many are looked through for them


@dataclass(frozen=True, slots=True)
class Card:
    """One thing on a shelf. It writes itself (`{{ card }}`): as a template, cards were half the cost of a page.

    `when_kind`: in, wait or out. `why_url`: the page that explains the reason and lets go of it. `is_eager`: its
    picture is in sight when the page opens. `way`: how it came to the shelf, which the shelf's title must be true of.
    """

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
    is_eager: bool = False
    way: str = ""
    slug: str = ""
    unit_price: str = ""

    def __html__(self) -> str:
        title = escape(self.title)
        parts = [
            (
                f'<li class="card tint-{self.tint}"{self._way()}>\n'
                f'<figure class="picture">{self._render_picture()}</figure>\n'
            ),
            f'<h3 class="title"><a href="{escape(self.url)}">{title}</a></h3>\n',
            f'<span class="maker">{escape(self.maker)}</span>\n' if self.maker else "",
            f'<span class="price">{escape(self.price)}</span>\n',
            f'<span class="maker">{escape(self.unit_price)}</span>\n' if self.unit_price else "",
            f'<span class="when {self.when_kind}">{escape(self.when)}</span>\n' if self.when else "",
            self._render_reason(title) if self.why else "",
            f'<span class="badge">{escape(self.badge)}</span>\n' if self.badge else "",
            "</li>",
        ]
        return "".join(parts)

    __str__ = __html__

    def _way(self) -> str:
        return f' data-way="{escape(self.way)}"' if self.way else ""

    def _render_picture(self) -> str:
        if not self.image_url:
            return f'<span class="initial" aria-hidden="true">{escape(self.title[:1])}</span>'
        lazy = "" if self.is_eager else ' loading="lazy"'
        alt = escape(self.image_alt)
        return f'<img src="{escape(self.image_url)}" alt="{alt}" width="320" height="320"{lazy} decoding="async">'

    def _render_reason(self, title: str) -> str:
        ask = f' · <a href="{escape(self.why_url)}">why this?<span class="hush"> {title}</span></a>'
        return f'<span class="why">{escape(self.why)}{ask if self.why_url else ""}</span>\n'


@dataclass
class FilledShelf:
    """What `partials/shelf.html` takes. `picks`: what a personal shelf's cards were made of, card by card.

    `purposes`: the switches that change what stands on it.
    """

    title: str
    cards: list[Card]
    note: str = ""
    link_url: str = ""
    link_text: str = ""
    picks: Sequence[Pick] = ()
    purposes: tuple[str, ...] = ()


def make_cards(
    products: Iterable[ProductCard],
    *,
    reasons: Mapping[int, Pick] | None = None,
    way: str = "",
    eager: int = 0,
    now: datetime | None = None,
) -> list[Card]:
    """No query of its own beyond the frame's. `reasons` by product; `way`: how what has none came here.

    `eager`: pictures to load at once.
    """
    words = _AvailabilityWords(now or timezone.now())
    why = reasons or {}
    return [
        _make_card(product, words, why.get(product.id), way, is_eager=place < eager)
        for place, product in enumerate(products)
    ]


def read_picked_cards(chosen: Sequence[Pick]) -> list[Card]:
    """The cards of what was picked, in its order and with its reasons; one query, none for nothing."""
    return _make_picked_cards(chosen, product_cards.read_cards(pick.product_id for pick in chosen))


def _make_picked_cards(chosen: Sequence[Pick], products: Sequence[ProductCard]) -> list[Card]:
    return make_cards(products, reasons={pick.product_id: pick for pick in chosen})


def build_evidence_url(because: Evidence) -> str:
    """Where the customer sees, changes or lets go of the one thing we know that a pick follows."""
    return f"{reverse('told')}#{because.source}-{because.pk}"


def get_customer_interests(customer: Customer | None) -> Interests:
    """What the customer told us, as far as it may be used; one query, none for a stranger."""
    return interests.get_interests(customer, tree=page_cache.get_cached_tree)


def beside_product(product_id: int, *, hidden: Exclusions = NO_INTERESTS.hidden) -> list[FilledShelf]:
    """What goes well with a product, then others of its kind; two queries for both shelves, each empty for nothing."""
    advice, siblings = picks.beside_product(product_id, limit=BESIDE, hidden=hidden)
    products = product_cards.read_cards(pick.product_id for pick in (*advice, *siblings))
    found = {product.id: product for product in products}
    return [_fill_shared(picks.GOES_WELL, advice, found), _fill_shared(picks.MORE_LIKE_IT, siblings, found)]


def beside_cart(lines: Sequence[CartLine], *, customer: Customer | None) -> FilledShelf:
    """What goes with the things in a cart, for anybody, but for what this one never wants to see. Empty for nothing."""
    advice = _advise_on_cart(lines, customer, limit=BESIDE)
    found = {product.id: product for product in product_cards.read_cards(pick.product_id for pick in advice)}
    return _fill_shared(picks.BESIDE_CART, advice, found)


def beside_checkout(lines: Sequence[CartLine], *, customer: Customer | None) -> FilledShelf:
    """A few of the things that go with a cart, each to be had at once without a choice to make. Empty for nothing.

    At most three queries.
    """
    advice = _advise_on_cart(lines, customer, limit=CONSIDERED)
    products = product_cards.read_without_options(pick.product_id for pick in advice)
    found = {product.id: product for product in products if _leaves_now(product)}
    fitting = [pick for pick in advice if pick.product_id in found]
    return _fill_shared(picks.BESIDE_CHECKOUT, fitting[:BESIDE_CHECKOUT], found)


def _leaves_now(product: ProductCard) -> bool:
    """On the shelf, released and rightly priced: it keeps no parcel waiting."""
    is_released = product.released_on is None or product.released_on <= timezone.localdate()
    return is_released and product.stock.on_shelf > 0 and is_price(product.price_from, product.currency)


def _advise_on_cart(lines: Sequence[CartLine], customer: Customer | None, *, limit: int) -> list[Pick]:
    """What goes with the things in the cart, never with a gift, and never what is in it."""
    own = [line.variant.product_id for line in lines if not line.is_gift]
    hidden = get_customer_interests(customer).hidden
    gifts = hidden.product_ids.union(line.variant.product_id for line in lines if line.is_gift)
    return picks.pick_frequently_bought_with(own, limit=limit, hidden=replace(hidden, product_ids=gifts))


def _fill_shared(shelf: Shelf, chosen: Sequence[Pick], found: Mapping[int, ProductCard]) -> FilledShelf:
    shown = [found[pick.product_id] for pick in chosen if pick.product_id in found]
    return _fill_with_cards(shelf, _make_picked_cards(chosen, shown))


def build_home_shelves(reader: ShelfReader, *, place: str | None = None) -> tuple[list[FilledShelf], list[FilledShelf]]:
    """The reader's own shelves, and those for everybody: what stands on one stands on none below it.

    All their cards are read in one query. `place`: see `build_personal_shelves`.
    """
    picked: list[tuple[Shelf, list[Pick]]] = []
    below = reader
    for shelf in picks.list_personal_shelves(Page.HOME, reader):
        picked.append((shelf, shelf.pick(below, SHELF_SIZE) if shelf.pick else []))
        below = below.leave_out(pick.product_id for pick in picked[-1][1])
    wanted = [pick.product_id for _, chosen in picked for pick in chosen]
    news = picks.read_news(limit=SHELF_SIZE, hidden=below.told.hidden, ids=wanted)
    personal = [_fill_picked(shelf, chosen, news.by_id, reader, place=place) for shelf, chosen in picked]
    return personal, _fill_news(news)


def _fill_news(news: News) -> list[FilledShelf]:
    """What came last, what comes next, what sells well: the same for all but for what they hide."""
    newest = make_cards(news.newest, way=picks.NEW, eager=4)
    return [
        _fill_with_cards(picks.JUST_IN, newest, is_plain=not news.is_lately),
        _fill_with_cards(picks.OUT_SOON, make_cards(news.coming, way=picks.NEW)),
        _fill_with_cards(picks.SELLS_WELL, make_cards(news.selling, way=picks.SELLS), is_plain=not news.sells_now),
    ]


def _fill_with_cards(
    shelf: Shelf, cards: list[Card], *, chosen: Sequence[Pick] = (), is_plain: bool = False
) -> FilledShelf:
    return FilledShelf(
        shelf.plain_title if is_plain else shelf.title,
        cards,
        note=shelf.note,
        link_url=_build_shelf_url(shelf.link),
        link_text=shelf.link_text,
        picks=chosen,
        purposes=shelf.purposes,
    )


def _build_shelf_url(link: str) -> str:
    """The address of a URL's name, with the anchor that may follow it."""
    name, mark, anchor = link.partition("#")
    return f"{reverse(name)}{mark}{anchor}" if name else ""


def read_shelf_reader(request: HttpRequest, customer: Customer | None) -> ShelfReader:
    """Whom the page is for: two queries for a customer, none for a visitor."""
    told = get_customer_interests(customer)
    viewed = () if customer else visitors.get_viewed_products(request)
    return ShelfReader(customer, consent.get_granted_purposes(customer), told, viewed)


def build_personal_shelves(
    page: Page, reader: ShelfReader, *, limit: int = SHELF_SIZE, place: str | None = None
) -> list[FilledShelf]:
    """The reader's own shelves of a page, as far as their switches allow; what stands on one stands on none below it.

    `place`: where this is shown, to note what it did; None notes nothing.
    """
    filled: list[FilledShelf] = []
    for shelf in picks.list_personal_shelves(page, reader):
        filled.append(fill_shelf(shelf, reader, limit=limit, place=place))
        reader = reader.leave_out(pick.product_id for pick in filled[-1].picks)
    return filled


def fill_shelf(shelf: Shelf, reader: ShelfReader, *, limit: int, place: str | None = None) -> FilledShelf:
    """One of the reader's own; empty without their yes, and no query then for a visitor."""
    found = shelf.pick(reader, limit) if shelf.pick else []
    products = product_cards.read_cards(pick.product_id for pick in found)
    return _fill_picked(shelf, found, {product.id: product for product in products}, reader, place=place)


def _fill_picked(
    shelf: Shelf, found: Sequence[Pick], on_sale: Mapping[int, ProductCard], reader: ShelfReader, *, place: str | None
) -> FilledShelf:
    """What was picked and is on sale, and noted as such where this is shown."""
    chosen = [pick for pick in found if pick.product_id in on_sale]
    if place:
        explanations.record_effects(reader.customer, chosen, place=place)
    products = [on_sale[pick.product_id] for pick in chosen]
    return _fill_with_cards(shelf, _make_picked_cards(chosen, products), chosen=chosen)


def _make_card(
    product: ProductCard, words: "_AvailabilityWords", pick: Pick | None, way: str, *, is_eager: bool
) -> Card:
    kind, when = words.of(product.stock, product.released_on)
    branch = page_cache.get_cached_tree().by_id.get(product.category_id)
    is_ahead = product.released_on is not None and product.released_on > words.today
    return Card(
        url=_build_product_url(product),
        title=product.title,
        maker=product.maker or "",
        price=format_card_price(product),
        when=when,
        when_kind=kind,
        tint=branch.tint if branch else 1,
        image_url=default_storage.url(product.image) if product.image else "",
        image_alt=product.image_alt,
        badge="Out soon" if is_ahead else "",
        why=pick.why if pick else "",
        why_url=build_evidence_url(pick.because) if pick and pick.because else "",
        is_eager=is_eager,
        way=pick.way if pick else way,
        slug=product.slug,
        unit_price=format_card_unit_price(product),
    )


def _build_product_url(product: ProductCard) -> str:
    """Opens with the option that the card is about, if it is about one."""
    option = f"?variant={product.variant_id}" if product.variant_id else ""
    return f"{_get_product_url_prefix()}{product.slug}/{option}"


@cache
def _get_product_url_prefix() -> str:
    return reverse("product", args=["-"]).removesuffix("-/")


def format_card_price(product: ProductCard) -> str:
    """£14.00, or “from £14.00” where options differ in price."""
    price = format_amount(product.price_from, product.currency)
    return f"from {price}" if product.price_to > product.price_from else price


def format_card_unit_price(product: ProductCard) -> str:
    """“£32.00 per kg”, or from it on; empty for what is not sold by measure."""
    if product.unit_price_from is None:
        return ""
    price = format_base_price(product.unit_price_from, product.currency, product.price_unit)
    return f"from {price}" if product.unit_price_to != product.unit_price_from else price


def _begin_card_words(terms: Terms) -> dict[tuple[object, ...], tuple[str, str]]:
    return {}


class _AvailabilityWords:
    """The dates of a shelf. Most cards share one answer, and it is the same all through an hour of these terms."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.hour = timezone.localtime(now).replace(minute=0, second=0, microsecond=0)
        self.today = self.hour.date()
        self.terms = page_cache.get_cached_terms()
        self.destination = find_destination(self.terms)
        self.found = page_cache.work_out(f"card words {self.destination.key}", _begin_card_words)

    def of(self, stock: Availability, released_on: date | None) -> tuple[str, str]:
        few = stock.on_shelf if stock.on_shelf <= promise.LAST_FEW else promise.LAST_FEW + 1
        key = (self.hour, few, stock.available > stock.on_shelf, stock.restock_on, released_on)
        if key not in self.found:
            self.found[key] = self._describe_uncached(stock, released_on)
        return self.found[key]

    def _describe_uncached(self, stock: Availability, released_on: date | None) -> tuple[str, str]:
        to = self.destination
        promised = promise.compute_default_promise(to.calendar, to.methods, stock, self.now, released_on=released_on)
        return promise.describe_card_promise(
            promised, availability=stock, now=self.now, released_on=released_on, abroad=to.abroad
        )
