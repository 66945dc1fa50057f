"""“For you”: what a customer told us comes before what we noticed, each as far as they let us use it.

What they never want to see is on no shelf of theirs. Nothing fills a shelf up: where there is nothing, it is not there.
"""

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import IntegerField, Q, QuerySet, Value
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import Customer
from accounts.preferences import interests
from accounts.preferences.interests import Interests
from recommendations import from_interests
from recommendations.beside import Found, Way, choose, find_beside, keep_nearest
from recommendations.models import ProductView
from recommendations.picks.pick import Evidence, EvidenceSource, Pick
from recommendations.picks.purchases import (
    Owned,
    RecentPurchase,
    find_latest_purchases,
    format_purchase_month,
    make_owned,
    read_owned,
)
from recommendations.picks.shelf import Audience, Page, Shelf, ShelfPurpose

TOLD = "told"  # how what matches an interest comes to a shelf
RECENT_VIEWS = 20
SPARE = 50  # read beyond the shelf where some of it may be of no use

_OFF = "Off: no “For you” shelf stands here."
FOR_YOU = Shelf(
    "for_you",
    "For you",
    (Page.HOME, Page.ACCOUNT),
    frozenset({TOLD, Way.PAIR, Way.STAFF, Way.ALIKE, Way.NEAR}),
    audience=Audience.CUSTOMERS,
    stands_on=(
        ShelfPurpose(
            purposes.RECOMMEND_FROM_TOLD,
            off=_OFF,
            on="On, and nothing to show yet: you have told us nothing that we have goods for.",
            follows=EvidenceSource.TOLD,
        ),
        ShelfPurpose(
            purposes.RECOMMEND_FROM_PURCHASES,
            off=_OFF,
            on="On, and nothing to show yet: there is no purchase of yours to start from, or nothing that goes with "
            "it.",
            purchases=Q(),
            follows=EvidenceSource.BOUGHT,
        ),
        ShelfPurpose(
            purposes.RECOMMEND_FROM_BROWSING,
            off=_OFF,
            on="On, and nothing to show yet: it starts with the next product you open.",
            follows=EvidenceSource.SEEN,
        ),
    ),
    pick=lambda reader, limit: pick_for_customer(reader.customer, reader.granted, limit=limit, told=reader.told),
    link="recommendations",
    link_text="What this uses, and the switches",
)


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
    owned, seen = read_past(customer, granted)
    return pick_personal(granted, limit=limit, told=told, owned=owned, seen=seen, near=True)


def pick_personal(
    granted: Collection[str], *, limit: int, told: Interests, owned: Owned, seen: Mapping[int, int], near: bool
) -> list[Pick]:
    """`owned`, `seen`: see `read_past`. `near`: also what merely stands in the same department, where there is nothing
    better.
    """
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
            way=TOLD,
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
    fitting = (
        each
        for each in found
        if not (each.way is Way.ALIKE and each.beside.id in had) and not owned.has_in_another_make(each.thing.title)
    )
    chosen = choose(keep_nearest(fitting, apart_by=lambda each: each.beside.id in had), limit=limit)
    return [_personal_pick(each, had, seen) for each in chosen]


def _personal_pick(found: Found, had: Mapping[int, RecentPurchase], seen: Mapping[int, int]) -> Pick:
    bought = had.get(found.beside.id)
    if bought is None:
        because = Evidence(EvidenceSource.SEEN, seen[found.beside.id])
        why = f"You looked at {found.beside.title}"
        return Pick(found.product_id, why, purposes.RECOMMEND_FROM_BROWSING, because, way=found.way)
    because = Evidence(EvidenceSource.BOUGHT, bought.line_id)
    words = "From the same shelf as" if found.way is Way.NEAR else "Goes with"
    why = f"{words} {found.beside.title}, which you bought in {format_purchase_month(bought.placed_at)}"
    return Pick(found.product_id, why, purposes.RECOMMEND_FROM_PURCHASES, because, way=found.way)


def read_past(customer: Customer, granted: Collection[str]) -> tuple[Owned, dict[int, int]]:
    """What the customer bought and, by product, their latest looks, each as far as they let us use it.

    At most one query: each half of it asks for its own yes.
    """
    is_bought = purposes.RECOMMEND_FROM_PURCHASES in granted
    if purposes.RECOMMEND_FROM_BROWSING not in granted:
        return read_owned(customer, granted), {}
    looks = _find_recent_views(customer)
    rows = list(find_latest_purchases(customer).union(looks, all=True) if is_bought else looks)
    seen = sorted((row for row in rows if row[-1]), key=lambda row: row[2], reverse=True)
    return make_owned(row for row in rows if not row[-1]), {product_id: pk for product_id, pk, *_ in seen}


def _find_recent_views(customer: Customer) -> QuerySet[ProductView, tuple[Any, ...]]:
    """The looks that the customer had lately, while they allow them to be used, the newest first.

    As rows of `find_latest_purchases`.
    """
    allowed = consent.build_consent_filter(purposes.RECOMMEND_FROM_BROWSING)
    views = ProductView.objects.filter(
        allowed, customer=customer, viewed_at__gt=timezone.now() - purposes.LOOKS_RETENTION
    )
    rows = views.annotate(
        no_title=Value(""), no_lifespan=Value(None, output_field=IntegerField()), is_look=Value(value=True)
    ).values_list("product", "pk", "viewed_at", "no_title", "no_lifespan", "is_look")
    return rows.order_by("-viewed_at")[:RECENT_VIEWS]
