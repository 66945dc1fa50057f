"""The only door to the shelves: which products to show beside others, to whom, and the reason each is shown.

What a customer told us comes before what we noticed, and what they never want to see is on no shelf of theirs.

Pairs come from the published epoch; those that rest on a purchase withdrawn since are left out at once (`beside.py`).
Nothing fills a shelf up: where pairs and staff's own picks run out, it is short, or not there.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from django.db.models import Subquery
from django.utils import timezone
from django.utils.formats import date_format

from accounts.consent import consent, purposes
from accounts.models import Customer
from accounts.preferences import interests
from accounts.preferences.interests import NO_INTERESTS, Exclusions, Interests
from orders.models import Order, OrderLine
from recommendations import from_interests
from recommendations.beside import ADVICE, Found, Way, choose, find_beside
from recommendations.engine.names import read_name
from recommendations.models import Contribution, ModelRun, ProductSimilarity, ProductView
from recommendations.withdrawn_sql import build_withdrawn_products_query
from shop.catalog import availability
from shop.catalog.models import Product, Variant
from shop.catalog.querysets import ProductQuerySet

RECENT_PURCHASES = 40  # products that steer "for you"
RECENT_VIEWS = 20
SELLS_NOW = timedelta(days=28)  # as old as what is counted may be, and still be called “just now”
MONTH = timedelta(days=30)
SPARE = 50  # read beyond the shelf where some of it may be of no use
FEWEST_SIBLINGS = 3


class EvidenceSource(StrEnum):
    """Where a datum about a customer comes from."""

    TOLD = "told"
    BOUGHT = "bought"
    SEEN = "seen"


@dataclass(frozen=True)
class Evidence:
    """The one datum a personal pick follows: an interest, an order line, or a look."""

    source: EvidenceSource
    pk: int


@dataclass(frozen=True)
class Pick:
    """A product and why it is shown. `purpose`: the switch it stands on beyond the shelf's own, if any.

    `way`: how it came to the shelf, whose title must be true of it.
    """

    product_id: int
    why: str
    purpose: str | None = None
    because: Evidence | None = None
    way: Way = Way.PAIR


class RecentPurchase(NamedTuple):
    """The latest purchase of a product. `lifespan_months`: how long it lasts, where it wears out or is used up."""

    line_id: int
    placed_at: datetime | None
    title: str
    lifespan_months: int | None

    @property
    def is_due_again(self) -> bool:
        """Whether it is likely worn out or used up by now."""
        if self.placed_at is None or self.lifespan_months is None:
            return False
        return timezone.now() - self.placed_at >= MONTH * self.lifespan_months


@dataclass(frozen=True)
class Owned:
    """What somebody bought, as far as it may be used, by product; the newest first."""

    products: Mapping[int, RecentPurchase]

    @property
    def latest(self) -> dict[int, RecentPurchase]:
        """What steers."""
        return dict(islice(self.products.items(), RECENT_PURCHASES))

    @property
    def left_out(self) -> list[int]:
        """What is not offered again: all of it, until it has had its life."""
        return [product_id for product_id, bought in self.products.items() if not bought.is_due_again]

    @cached_property
    def _names(self) -> frozenset[frozenset[str]]:
        return frozenset(read_name(bought.title).words for bought in self.products.values() if not bought.is_due_again)

    def has_in_another_make(self, title: str) -> bool:
        """Whether a product of this title is one of them in another colour, size or count."""
        return read_name(title).words in self._names


_PUBLIC_WORDS = {Way.PAIR: "Often bought with {}", Way.STAFF: "We would put it with {}", Way.ALIKE: "Like {}"}


def pick_frequently_bought_with(
    product_ids: Sequence[int],
    *,
    limit: int = 8,
    exclude: Collection[int] = (),
    hidden: Exclusions = NO_INTERESTS.hidden,
) -> list[Pick]:
    """What goes with these products, for anybody but for what this one never wants to see; one query.

    Real pairs and staff's own choice alone, never a sibling of any of them. Empty where there is nothing of the kind.
    """
    found = find_beside(product_ids, left_out=[*product_ids, *exclude], hidden=hidden)
    return [_public_pick(each) for each in choose(_advice(found), limit=limit)]


def beside_product(
    product_id: int, *, limit: int = 4, hidden: Exclusions = NO_INTERESTS.hidden
) -> tuple[list[Pick], list[Pick]]:
    """What goes with a product, and what there is like it: two shelves of one query. Nothing stands on both.

    Siblings are shown in numbers or not at all; one real pair is advice already.
    """
    found = find_beside([product_id], left_out=[product_id], hidden=hidden)
    siblings = choose((each for each in found if each.way is Way.ALIKE), limit=limit, of_a_kind=True)
    advice = choose(_advice(found), limit=limit)
    more = siblings if len(siblings) >= FEWEST_SIBLINGS else []
    return [_public_pick(each) for each in advice], [_public_pick(each) for each in more]


def _advice(found: Iterable[Found]) -> Iterator[Found]:
    return (each for each in found if each.way in ADVICE)


def _public_pick(found: Found) -> Pick:
    return Pick(found.product_id, _PUBLIC_WORDS[found.way].format(found.beside.title), way=found.way)


def find_most_influenced_product(customer: Customer) -> int | None:
    """The product whose shelf the customer's own purchases help most to fill, for showing what being counted does."""
    own = Contribution.objects.filter(customer=customer, run__is_current=True).values("product")
    pairs = ProductSimilarity.objects.filter(run__is_current=True, goes_well=True, product__in=own, similar__in=own)
    shown = pairs.filter(product__is_published=True, similar__is_published=True, similar__is_available=True)
    return shown.order_by("-score", "product").values_list("product", flat=True).first()


def pick_for_customer(
    customer: Customer | None, granted: Collection[str], *, limit: int = 8, told: Interests | None = None
) -> list[Pick]:
    """A shelf for one customer: what matches what they told us first, then what goes with what they bought and saw.

    `granted`: what the page read of the customer's answers; they are asked again here. `told`: what they told us, where
    the page has read it. Empty without any of the switches. What they have already is left out, where purchases may be
    used; where not, what they bought changes nothing.
    """
    if customer is None:
        return []
    told = interests.get_interests(customer) if told is None else told
    return _personal(customer, granted, limit=limit, told=told, owned=_owned(customer, granted), near=True)


def _personal(
    customer: Customer, granted: Collection[str], *, limit: int, told: Interests, owned: Owned, near: bool
) -> list[Pick]:
    """`near`: also what merely stands in the same department, where there is nothing better."""
    seen = _find_recent_views(customer) if purposes.RECOMMEND_FROM_BROWSING in granted else {}
    declared_picks = (
        _pick_from_interests(told, limit=limit, owned=owned) if purposes.RECOMMEND_FROM_TOLD in granted else []
    )
    taken = [pick.product_id for pick in declared_picks]
    noticed = _pick_from_behaviour(owned, seen, limit=limit, exclude=taken, told=told, near=near)
    room_for_told = max(limit - len(noticed), limit - limit // 4)
    return [*declared_picks[:room_for_told], *noticed][:limit]


def _pick_from_interests(told: Interests, *, limit: int, owned: Owned) -> list[Pick]:
    found = from_interests.match_products_to_interests(told, limit=limit + SPARE, left_out=owned.left_out)
    return [
        Pick(
            match.product_id,
            from_interests.explain_interest_match(match.interest),
            purposes.RECOMMEND_FROM_TOLD,
            Evidence(EvidenceSource.TOLD, match.interest.pk),
            way=Way.TOLD,
        )
        for match in found
        if not owned.has_in_another_make(match.title)
    ][:limit]


def _pick_from_behaviour(
    owned: Owned, seen: Mapping[int, int], *, limit: int, exclude: Collection[int], told: Interests, near: bool
) -> list[Pick]:
    """What goes with the latest purchases, and what goes with or is like the latest looks.

    `near`: where purchases have none of it, or looks have none, what stands in the same department as those.
    """
    had = owned.latest
    steering = [*had, *(product_id for product_id in seen if product_id not in owned.products)]
    found = find_beside(steering, left_out=[*owned.left_out, *exclude, *seen], hidden=told.hidden, near=near)
    fitting = [
        each
        for each in found
        if not (each.way is Way.ALIKE and each.beside.id in had) and not owned.has_in_another_make(each.thing.title)
    ]
    from_purchases = _nearest([each for each in fitting if each.beside.id in had])
    from_seen = _nearest([each for each in fitting if each.beside.id not in had])
    kept = {each.product_id for each in (*from_purchases, *from_seen)}
    chosen = choose((each for each in fitting if each.product_id in kept), limit=limit)
    return [_personal_pick(each, had, seen) for each in chosen]


def _nearest(found: Sequence[Found]) -> Sequence[Found]:
    """What is only near, where there is nothing better."""
    return [each for each in found if each.way is not Way.NEAR] or found


def _personal_pick(found: Found, had: Mapping[int, RecentPurchase], seen: Mapping[int, int]) -> Pick:
    bought = had.get(found.beside.id)
    if bought is None:
        because = Evidence(EvidenceSource.SEEN, seen[found.beside.id])
        why = f"You looked at {found.beside.title}"
        return Pick(found.product_id, why, purposes.RECOMMEND_FROM_BROWSING, because, way=found.way)
    because = Evidence(EvidenceSource.BOUGHT, bought.line_id)
    words = "From the same shelf as" if found.way is Way.NEAR else "Goes with"
    why = f"{words} {found.beside.title}, which you bought in {_format_purchase_month(bought.placed_at)}"
    return Pick(found.product_id, why, purposes.RECOMMEND_FROM_PURCHASES, because, way=found.way)


def pick_from_visitor_history(seen: Sequence[int], *, limit: int = 8) -> list[Pick]:
    """A shelf for a visitor from what they ticked we may remember of this visit; one query, none for nothing."""
    found = choose(_nearest(find_beside(seen, left_out=seen, near=True)), limit=limit)
    return [
        Pick(each.product_id, f"You looked at {each.beside.title}", purposes.VISITOR_HISTORY.key, way=each.way)
        for each in found
    ]


def _owned(customer: Customer, granted: Collection[str]) -> Owned:
    """What the customer bought and lets us use, by product the latest purchase, the newest first. At most one query."""
    if purposes.RECOMMEND_FROM_PURCHASES not in granted:
        return Owned({})
    lines = OrderLine.objects.usable_for(purposes.RECOMMEND_FROM_PURCHASES).filter(order__customer=customer)
    latest = lines.filter(product__isnull=False).order_by("product", "-order__placed_at", "-pk").distinct("product")
    rows = latest.values_list("product", "pk", "order__placed_at", "product__title", "product__lifespan_months")
    bought = [(row[0], RecentPurchase(row[1], row[2], row[3], row[4])) for row in rows]
    bought.sort(key=lambda item: (item[1].placed_at is not None, item[1].placed_at, item[1].line_id), reverse=True)
    return Owned(dict(bought))


def _format_purchase_month(at: datetime | None) -> str:
    """“March”, or “March 2024” where the last March could be meant; “the past” for what was never placed here."""
    if at is None:
        return "the past"
    is_recent = timezone.now() - at < timedelta(days=330)
    return date_format(timezone.localtime(at), "F" if is_recent else "F Y")


def _find_recent_views(customer: Customer) -> dict[int, int]:
    """The looks, by product, that the customer had lately, while they allow them to be used; newest first."""
    allowed = consent.build_consent_filter(purposes.RECOMMEND_FROM_BROWSING)
    views = ProductView.objects.filter(
        allowed, customer=customer, viewed_at__gt=timezone.now() - purposes.LOOKS_RETENTION
    )
    return dict(views.order_by("-viewed_at").values_list("product", "pk")[:RECENT_VIEWS])


def pick_receipt_offer(order: Order) -> Pick | None:
    """For an order's receipt: of what goes with it, what we have most of; None where nothing does.

    From this order alone. Gifts, and what the buyer wants kept out of suggestions, steer nothing.
    """
    steering = [line for line in order.lines.all() if not (line.is_gift or line.is_excluded)]
    bought = [line.product_id for line in steering if line.product_id]
    found = find_beside(bought, left_out=bought, hidden=interests.get_interests(order.customer).hidden)
    paired = choose(_advice(found), limit=12)
    if not paired:
        return None
    stock = _count_stock_by_product([item.product_id for item in paired])
    best = max(paired, key=lambda item: stock.get(item.product_id, 0))
    return Pick(best.product_id, f"Goes with {best.beside.title}", purposes.RECEIPT_OFFER, way=best.way)


def _count_stock_by_product(product_ids: Sequence[int]) -> dict[int, int]:
    """How many of each product stand unpromised on the shelf."""
    owner = dict(Variant.objects.filter(product__in=product_ids, is_active=True).values_list("pk", "product"))
    counts: dict[int, int] = {}
    for variant_id, stock in availability.get_availability(list(owner)).items():
        counts[owner[variant_id]] = counts.get(owner[variant_id], 0) + stock.on_shelf
    return counts


def pick_for_mail(customer: Customer, granted: Collection[str], *, limit: int = 4) -> list[Pick]:
    """For the letter: what the suggestion switches allow, then what sells well, and nothing else; perhaps nothing.

    Nothing that they bought, as far as a switch lets us know of it.
    """
    told = interests.get_interests(customer)
    owned = _owned(customer, granted)
    hidden = replace(told.hidden, product_ids=told.hidden.product_ids.union(owned.products))
    own = replace(told, hidden=hidden)
    found = _personal(customer, granted, limit=limit, told=own, owned=owned, near=False)
    taken = {pick.product_id for pick in found}
    selling = pick_popular(limit=limit + len(taken), hidden=hidden)
    return [*found, *(pick for pick in selling if pick.product_id not in taken)][:limit]


def pick_popular(*, limit: int = 8, hidden: Exclusions = NO_INTERESTS.hidden) -> list[Pick]:
    """What sells well, counted over those who allow it; one query. Empty before the first epoch."""
    current = ModelRun.objects.filter(is_current=True).order_by().values("pk")[:1]
    goods = (
        _get_showable_products(hidden)
        .filter(popularities__run=Subquery(current))  # one value, not a set: then the index's own order can be used
        .exclude(pk__in=build_withdrawn_products_query())
    )
    best = goods.order_by("-popularities__score", "pk").values_list("pk", "popularities__run__clock_on")[:limit]
    return [Pick(product_id, _describe_sales(clock_on), way=Way.SELLS) for product_id, clock_on in best]


def _describe_sales(clock_on: date | None) -> str:
    """“Just now” only where the last purchase counted was lately."""
    is_lately = clock_on is not None and timezone.localdate() - clock_on < SELLS_NOW
    return "Sells well just now" if is_lately else "Sells well here"


def _get_showable_products(hidden: Exclusions) -> ProductQuerySet:
    goods = Product.objects.published().released().filter(is_available=True)
    if hidden.product_ids:
        goods = goods.exclude(pk__in=hidden.product_ids)
    if hidden.category_ids:
        goods = goods.exclude(category__in=hidden.category_ids)
    return goods.exclude(maker__in=hidden.maker_ids) if hidden.maker_ids else goods
