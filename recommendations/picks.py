"""The only door to the shelves: which products to show beside others, to whom, and the reason each is shown.

What a customer told us comes before what we noticed, and what they never want to see is on no shelf of theirs.

Pairs come from the published epoch; those that rest on a purchase withdrawn since are left out at once.
Where pairs run out, staff's own picks and what is near in the shop fill the shelf.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from accounts import consent, interests, purposes
from accounts.interests import NOTHING, Hidden, Interests
from accounts.models import Customer
from orders.models import Order, OrderLine
from recommendations import declared
from recommendations.history import KEPT
from recommendations.models import Contribution, ModelRun, ProductSimilarity, ProductView
from recommendations.withdrawn import LOST, lost_products, lost_values
from shop.catalog import availability
from shop.catalog.models import Product, Variant
from shop.catalog.querysets import ProductQuerySet

RECENT_PURCHASES = 40  # lines that steer "for you"
RECENT_VIEWS = 20
SELLS_NOW = timedelta(days=28)  # as old as what is counted may be, and still be called “just now”
SPARE = 50  # candidates read beyond the shelf where some of them may be hidden


class Source(StrEnum):
    """Where a datum about a customer comes from."""

    TOLD = "told"
    BOUGHT = "bought"
    SEEN = "seen"


@dataclass(frozen=True)
class Because:
    """The one datum a personal pick follows: an interest, an order line, or a look."""

    source: Source
    pk: int


@dataclass(frozen=True)
class Pick:
    """A product and why it is shown. `purpose`: the switch it stands on beyond the shelf's own, if any."""

    product_id: int
    why: str
    purpose: str | None = None
    because: Because | None = None


class Bought(NamedTuple):
    """The latest purchase of a product: its order line, and the month for the reason."""

    line_id: int
    month: str


@dataclass(frozen=True)
class Found:
    """A row of the shelf's query: a product, how it was found, and beside what."""

    product_id: int
    source: str
    beside_id: int
    beside_title: str


# One statement a shelf: pairs, then staff's picks, the most bought of the same category, what is alike, what is near.
_BESIDE = """
    WITH {lost},
    given AS (SELECT id, title, category_id FROM catalog_product WHERE id = ANY(%(given)s)),
    theirs AS MATERIALIZED (
        SELECT DISTINCT customer_id, product_id FROM recommendations_contribution
        WHERE run_id = (SELECT id FROM run) AND customer_id = ANY(ARRAY(SELECT DISTINCT customer_id FROM lost))),
    candidate AS MATERIALIZED (
        SELECT s.product_id, s.similar_id, {score} AS score FROM recommendations_productsimilarity s
        WHERE s.run_id = (SELECT id FROM run) AND s.product_id = ANY(%(given)s)),
    touched AS MATERIALIZED (
        SELECT c.product_id, c.similar_id, lost.customer_id, c.similar_id AS other_id
        FROM candidate c JOIN lost ON lost.product_id = c.product_id
        UNION ALL
        SELECT c.product_id, c.similar_id, lost.customer_id, c.product_id
        FROM candidate c JOIN lost ON lost.product_id = c.similar_id),
    withdrawn AS MATERIALIZED (
        SELECT DISTINCT touched.product_id, touched.similar_id FROM touched
        JOIN theirs ON theirs.customer_id = touched.customer_id AND theirs.product_id = touched.other_id),
    pair AS (
        SELECT c.similar_id AS id, 1 AS place, SUM(c.score) AS score,
               (array_agg(c.product_id ORDER BY c.score DESC, c.product_id))[1] AS beside
        FROM candidate c WHERE NOT EXISTS (
            SELECT 1 FROM withdrawn w WHERE w.product_id = c.product_id AND w.similar_id = c.similar_id)
        GROUP BY c.similar_id ORDER BY score DESC LIMIT %(most)s),
    staff AS (
        SELECT g.to_product_id AS id, 2 AS place, 0.0 AS score, MIN(g.from_product_id) AS beside
        FROM catalog_product_goes_with g JOIN given ON given.id = g.from_product_id GROUP BY g.to_product_id),
    shelf AS (SELECT category_id, MIN(id) AS beside FROM given GROUP BY category_id),
    liked AS (
        SELECT l.id, 3 AS place, l.score, shelf.beside FROM shelf CROSS JOIN LATERAL (
            SELECT p.id, pop.score FROM recommendations_productpopularity pop JOIN run ON pop.run_id = run.id
            JOIN catalog_product p ON p.id = pop.product_id AND p.category_id = shelf.category_id
            WHERE NOT EXISTS (SELECT 1 FROM lost WHERE lost.product_id = pop.product_id)
            ORDER BY pop.score DESC, p.id LIMIT %(most)s) l),
    alike AS (
        SELECT l.similar_id AS id, 4 AS place, SUM(l.score) AS score, MIN(l.product_id) AS beside
        FROM recommendations_productlikeness l JOIN given ON given.id = l.product_id GROUP BY l.similar_id),
    near AS (
        SELECT n.id, 5 AS place, 0.0 AS score, shelf.beside FROM shelf CROSS JOIN LATERAL (
            SELECT p.id FROM catalog_product p
            WHERE p.category_id = shelf.category_id AND p.is_published
            ORDER BY lower(p.title) LIMIT %(most)s) n),
    best AS (
        SELECT DISTINCT ON (id) * FROM (
            SELECT * FROM pair UNION ALL SELECT * FROM staff UNION ALL SELECT * FROM liked
            UNION ALL SELECT * FROM alike UNION ALL SELECT * FROM near) AS every_way ORDER BY id, place, score DESC)
    SELECT best.id, best.place, beside.id, beside.title
    FROM best JOIN catalog_product p ON p.id = best.id JOIN catalog_product beside ON beside.id = best.beside
    WHERE p.is_published AND p.is_available AND NOT p.id = ANY(%(hidden)s) AND {wanted}
    ORDER BY best.place, best.score DESC, best.id LIMIT %(limit)s"""
_BESIDE_ONE = _BESIDE.format(score="s.score", lost=LOST, wanted=declared.NOT_HIDDEN)
_BESIDE_SEVERAL = _BESIDE.format(score="s.cart_score", lost=LOST, wanted=declared.NOT_HIDDEN)
_SOURCES = {1: "pair", 2: "staff", 3: "liked", 4: "alike", 5: "near"}
GOES_WITH = frozenset({"pair", "staff"})  # bought together by enough people, or put together by staff
GOES_WITH_A_LOOK = GOES_WITH | {"liked", "alike"}
_PUBLIC_WORDS = {
    "pair": "Often bought with {}",
    "staff": "We would put it with {}",
    "liked": "Liked by others who look at {}",
    "alike": "Like {}",
    "near": "From the same shelf as {}",
}


def also_bought(
    product_ids: Sequence[int], *, limit: int = 8, exclude: Collection[int] = (), hidden: Hidden = NOTHING.hidden
) -> list[Pick]:
    """What goes with these products, for anybody but for what this one never wants to see; one query."""
    found = _beside(product_ids, limit=limit, exclude=exclude, hidden=hidden)
    return [Pick(item.product_id, _PUBLIC_WORDS[item.source].format(item.beside_title)) for item in found]


def _beside(
    product_ids: Sequence[int], *, limit: int, exclude: Collection[int] = (), hidden: Hidden = NOTHING.hidden
) -> list[Found]:
    if not product_ids:
        return []
    values: dict[str, Any] = {
        "given": list(product_ids),
        "hidden": [*product_ids, *exclude],
        "limit": limit,
        "most": limit + len(exclude) + len(product_ids) + (SPARE if hidden else 0),
        **declared.hidden_values(hidden),
        **lost_values(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_BESIDE_ONE if len(product_ids) == 1 else _BESIDE_SEVERAL, values)
        rows = cursor.fetchall()
    return [Found(product_id, _SOURCES[place], beside_id, title) for product_id, place, beside_id, title in rows]


def helped_by(customer: Customer) -> int | None:
    """The product whose shelf the customer's own purchases help most to fill, for showing what being counted does."""
    own = Contribution.objects.filter(customer=customer, run__is_current=True).values("product")
    pairs = ProductSimilarity.objects.filter(run__is_current=True, product__in=own, similar__in=own)
    shown = pairs.filter(product__is_published=True, similar__is_published=True, similar__is_available=True)
    return shown.order_by("-score", "product").values_list("product", flat=True).first()


def for_you(
    customer: Customer | None, granted: Collection[str], *, limit: int = 8, told: Interests | None = None
) -> list[Pick]:
    """A shelf for one customer: what matches what they told us first, then what goes with what they bought and saw.

    `granted`: what the page read of the customer's answers; they are asked again here. `told`: what they told us, where
    the page has read it. Empty without any of the switches.
    """
    if customer is None:
        return []
    told = interests.of(customer) if told is None else told
    had = _bought(customer) if purposes.RECOMMEND_FROM_PURCHASES in granted else {}
    return _personal(customer, granted, limit=limit, told=told, had=had)


def _personal(
    customer: Customer,
    granted: Collection[str],
    *,
    limit: int,
    told: Interests,
    had: Mapping[int, Bought],
    only_close: bool = False,
) -> list[Pick]:
    """`only_close`: nothing that merely stands on the same shelf of the shop."""
    seen = _viewed(customer) if purposes.RECOMMEND_FROM_BROWSING in granted else {}
    declared_picks = _told(told, limit=limit, exclude=had) if purposes.RECOMMEND_FROM_TOLD in granted else []
    taken = [pick.product_id for pick in declared_picks]
    noticed = _noticed(had, seen, limit=limit, exclude=taken, told=told, only_close=only_close)
    room_for_told = max(limit - len(noticed), limit - limit // 4)
    return [*declared_picks[:room_for_told], *noticed][:limit]


def _told(told: Interests, *, limit: int, exclude: Collection[int]) -> list[Pick]:
    found = declared.matching(told, limit=limit + len(exclude))
    return [
        Pick(
            match.product_id,
            declared.why(match.interest),
            purposes.RECOMMEND_FROM_TOLD,
            Because(Source.TOLD, match.interest.pk),
        )
        for match in found
        if match.product_id not in exclude
    ][:limit]


def _noticed(
    had: Mapping[int, Bought],
    seen: Mapping[int, int],
    *,
    limit: int,
    exclude: Collection[int],
    told: Interests,
    only_close: bool = False,
) -> list[Pick]:
    steering = [*had, *(product_id for product_id in seen if product_id not in had)]
    picks = []
    for item in _beside(steering, limit=limit, exclude=exclude, hidden=told.hidden):
        if only_close and item.source not in (GOES_WITH if item.beside_id in had else GOES_WITH_A_LOOK):
            continue
        if item.beside_id in had:
            bought = had[item.beside_id]
            why = f"Goes with {item.beside_title}, which you bought in {bought.month}"
            because = Because(Source.BOUGHT, bought.line_id)
            picks.append(Pick(item.product_id, why, purposes.RECOMMEND_FROM_PURCHASES, because))
        else:
            why = f"You looked at {item.beside_title}"
            because = Because(Source.SEEN, seen[item.beside_id])
            picks.append(Pick(item.product_id, why, purposes.RECOMMEND_FROM_BROWSING, because))
    return picks


def from_looks(seen: Sequence[int], *, limit: int = 8) -> list[Pick]:
    """A shelf for a visitor from what they ticked we may remember of this visit; one query, none for nothing."""
    found = _beside(seen, limit=limit)
    return [Pick(item.product_id, f"You looked at {item.beside_title}", purposes.VISITOR_HISTORY.key) for item in found]


def _bought(customer: Customer) -> dict[int, Bought]:
    """By product, the latest purchase of what the customer bought lately and lets us use, newest first."""
    lines = OrderLine.objects.usable_for(purposes.RECOMMEND_FROM_PURCHASES).filter(order__customer=customer)
    recent = lines.order_by("-order__placed_at", "-pk").values_list("product", "pk", "order__placed_at")
    found: dict[int, Bought] = {}
    for product_id, line_id, placed_at in recent[:RECENT_PURCHASES]:
        found.setdefault(product_id, Bought(line_id, _month(placed_at)))
    return found


def _month(at: datetime | None) -> str:
    """“March”, or “March 2024” where the last March could be meant; “the past” for what was never placed here."""
    if at is None:
        return "the past"
    is_recent = timezone.now() - at < timedelta(days=330)
    return timezone.localtime(at).strftime("%B" if is_recent else "%B %Y")


def _viewed(customer: Customer) -> dict[int, int]:
    """The looks, by product, that the customer had lately, while they allow them to be used; newest first."""
    allowed = consent.allowing(purposes.RECOMMEND_FROM_BROWSING)
    views = ProductView.objects.filter(allowed, customer=customer, viewed_at__gt=timezone.now() - KEPT)
    return dict(views.order_by("-viewed_at").values_list("product", "pk")[:RECENT_VIEWS])


def offer_for(order: Order) -> Pick | None:
    """For an order's receipt: of what goes with it, what we have most of; None where nothing does.

    From this order alone. Gifts, and what the buyer wants kept out of suggestions, steer nothing.
    """
    steering = [line for line in order.lines.all() if not (line.is_gift or line.is_excluded)]
    bought = [line.product_id for line in steering if line.product_id]
    found = _beside(bought, limit=12, hidden=interests.of(order.customer).hidden)
    paired = [item for item in found if item.source in GOES_WITH]
    if not paired:
        return None
    stock = _on_shelf([item.product_id for item in paired])
    best = max(paired, key=lambda item: stock.get(item.product_id, 0))
    return Pick(best.product_id, f"Goes with {best.beside_title}", purposes.RECEIPT_OFFER)


def _on_shelf(product_ids: Sequence[int]) -> dict[int, int]:
    """How many of each product stand unpromised on the shelf."""
    owner = dict(Variant.objects.filter(product__in=product_ids, is_active=True).values_list("pk", "product"))
    counts: dict[int, int] = {}
    for variant_id, stock in availability.of(list(owner)).items():
        counts[owner[variant_id]] = counts.get(owner[variant_id], 0) + stock.on_shelf
    return counts


def for_mail(customer: Customer, granted: Collection[str], *, limit: int = 4) -> list[Pick]:
    """For the letter: what the suggestion switches allow, then what sells well, and nothing else; perhaps nothing.

    Nothing that they bought, as far as a switch lets us know of it.
    """
    told = interests.of(customer)
    had = _bought(customer) if purposes.RECOMMEND_FROM_PURCHASES in granted else {}
    found = _personal(customer, granted, limit=limit, told=told, had=had, only_close=True)
    taken = {*had, *(pick.product_id for pick in found)}
    selling = popular(limit=limit + len(taken), hidden=told.hidden)
    return [*found, *(pick for pick in selling if pick.product_id not in taken)][:limit]


def popular(*, limit: int = 8, hidden: Hidden = NOTHING.hidden) -> list[Pick]:
    """What sells well, counted over those who allow it; one query. Empty before the first epoch."""
    run = ModelRun.objects.filter(is_current=True)
    goods = _shown_to(hidden).filter(popularities__run__in=run).exclude(pk__in=lost_products())
    best = goods.order_by("-popularities__score", "pk").values_list("pk", "popularities__run__clock_on")[:limit]
    return [Pick(product_id, _how_it_sells(clock_on)) for product_id, clock_on in best]


def _how_it_sells(clock_on: date | None) -> str:
    """“Just now” only where the last purchase counted was lately."""
    is_lately = clock_on is not None and timezone.localdate() - clock_on < SELLS_NOW
    return "Sells well just now" if is_lately else "Sells well here"


def _shown_to(hidden: Hidden) -> ProductQuerySet:
    goods = Product.objects.published().released().filter(is_available=True)
    if hidden.product_ids:
        goods = goods.exclude(pk__in=hidden.product_ids)
    if hidden.category_ids:
        goods = goods.exclude(category__in=hidden.category_ids)
    return goods.exclude(maker__in=hidden.maker_ids) if hidden.maker_ids else goods
