"""Products that match what a customer told us: each thing told finds its own, the best sellers of them first."""

import json
from collections.abc import Collection
from functools import cache
from typing import Any, NamedTuple

from django.utils import timezone

from accounts.models import Interest
from accounts.preferences.interests import Exclusions, Interests
from recommendations.withdrawn_sql import WITHDRAWN_SQL, get_withdrawn_parameters
from shop.prepared import PreparedStatement

MOST_FOLLOWED = 20  # of the things told, the latest
Kind = Interest.Kind


class InterestMatch(NamedTuple):
    interest: Interest
    product_id: int
    title: str


NOT_HIDDEN = """NOT p.id = ANY(%(products)s) AND NOT p.category_id = ANY(%(categories)s)
        AND NOT COALESCE(p.maker_id = ANY(%(makers)s), false)"""  # values: `get_hidden_parameters`

_SIZE_ALONE = (Kind.SIZE, False)
# One statement of every way, planned once; a way that nothing was told for reads nothing. Within each thing told: what
# comes in a told size before what does not, then what sells, then what is new.
_WAYS = {
    (Kind.MAKER, False): "p.maker_id = told.maker_id",
    (Kind.CATEGORY, True): "p.category_id = ANY(told.category_ids)",
    (Kind.NEED, False): "p.search_vector @@ plainto_tsquery('english', told.words)",
    (Kind.SIZE, True): "p.category_id = ANY(told.category_ids) AND told.words = ANY(p.sizes_in_stock)",
    _SIZE_ALONE: "told.words = ANY(p.sizes_in_stock)",
}  # by kind, and whether a department is named: each can use its own index
# (COALESCE: planned blindly, the index of the newest would be read through for nearly all that it holds.)
_FITTING = f"""{{way}} AND p.is_published AND p.is_available
        AND COALESCE(p.released_on, '-infinity') <= %(today)s AND {NOT_HIDDEN} AND NOT p.id = ANY(%(left_out)s)"""
# How well it sells is looked up for each find: as a join it reads all that sells. (OFFSET 0: it stays a look-up.)
_BEST = f"""
    SELECT p.id, p.title FROM catalog_product p
    LEFT JOIN LATERAL (
        SELECT popular.score FROM recommendations_productpopularity popular
        WHERE popular.run_id = (SELECT id FROM run) AND popular.product_id = p.id
            AND popular.product_id NOT IN (SELECT product_id FROM lost) OFFSET 0) popular ON true
    WHERE {_FITTING}
    ORDER BY p.sizes_in_stock && %(sizes)s::varchar[] DESC, popular.score DESC NULLS LAST,
             p.released_on DESC NULLS LAST, p.id DESC
    LIMIT {{limit}}"""  # noqa: S608  (statements of ours; every value travels as a parameter)
# The same where a good part of the shop fits, all of it in the told size: what sells is read in the order of its index,
# a product looked up for each, and only where that runs out the rest is looked through.
_BEST_OF_MANY = f"""
    (SELECT p.id, p.title FROM recommendations_productpopularity popular
     CROSS JOIN LATERAL (
         SELECT p.id, p.title, p.released_on FROM catalog_product p
         WHERE p.id = popular.product_id AND {_FITTING} OFFSET 0) p
     WHERE popular.run_id = (SELECT id FROM run) AND popular.product_id <> ALL(ARRAY(SELECT product_id FROM lost))
     ORDER BY popular.score DESC, p.released_on DESC NULLS LAST, p.id DESC LIMIT {{limit}})
    UNION ALL
    (SELECT p.id, p.title FROM catalog_product p
     WHERE {_FITTING} AND (p.id = ANY(ARRAY(SELECT product_id FROM lost)) OR NOT EXISTS (
         SELECT 1 FROM recommendations_productpopularity popular
         WHERE popular.run_id = (SELECT id FROM run) AND popular.product_id = p.id))
     ORDER BY p.released_on DESC NULLS LAST, p.id DESC LIMIT {{limit}})
    LIMIT {{limit}}"""  # noqa: S608
_BY_WAY = """
    SELECT told.id, best.id, best.title, best.place FROM told CROSS JOIN LATERAL (
        SELECT p.id, p.title, row_number() OVER () AS place FROM ({best}) p) best
    WHERE told.way = {number}"""
_MATCHING = """
    WITH {lost},
    told AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%(told)s::jsonb)
        AS t(id bigint, way int, maker_id bigint, category_ids bigint[], words text))
    SELECT interest_id, product_id, title FROM ({ways}) AS found (interest_id, product_id, title, place)
    ORDER BY place, interest_id DESC"""


@cache
def _prepare_statement(limit: int) -> PreparedStatement:
    parts = [
        _BY_WAY.format(
            number=number, best=(_BEST_OF_MANY if kind == _SIZE_ALONE else _BEST).format(way=way, limit=limit)
        )
        for number, (kind, way) in enumerate(_WAYS.items())
    ]
    return PreparedStatement(_MATCHING.format(lost=WITHDRAWN_SQL, ways=" UNION ALL ".join(parts)))


def match_products_to_interests(
    interests: Interests, *, limit: int, left_out: Collection[int] = ()
) -> list[InterestMatch]:
    """Each product once, for the first thing told that found it; the things told take turns. One query, or none.

    `left_out`: products it must not find. A size alone comes last: it says what fits, not what is liked.
    """
    told = interests.told[:MOST_FOLLOWED]
    if not told:
        return []
    by_id = {each.pk: each for each in told}
    sizes = [each.words for each in told if each.kind == Kind.SIZE]
    values: dict[str, Any] = {
        "told": json.dumps([_build_interest_row(each, interests) for each in told]),
        "sizes": sizes,
        "today": timezone.localdate(),
        "left_out": list(left_out),
        **get_hidden_parameters(interests.hidden),
        **get_withdrawn_parameters(),
    }
    rows = _prepare_statement(limit).fetch_rows(values)
    found = [InterestMatch(by_id[interest_id], *product) for interest_id, *product in rows]
    first: dict[int, InterestMatch] = {}
    for match in sorted(found, key=lambda match: match.interest.kind == Kind.SIZE):
        first.setdefault(match.product_id, match)
    return list(first.values())[:limit]


def explain_interest_match(interest: Interest) -> str:
    """The reason shown beside what it found. Department and maker must be loaded."""
    if interest.kind == Kind.SIZE:
        return f"Comes in {interest.words}, the size you told us"
    if interest.kind == Kind.NEED:
        return f"You told us you look for “{interest.words}”"
    return f"You told us you like {interest.title}"


def _build_interest_row(interest: Interest, interests: Interests) -> dict[str, object]:
    branch = interests.branches.get(interest.pk)
    return {
        "id": interest.pk,
        "way": _get_way_number(interest),
        "maker_id": interest.maker_id,
        "category_ids": sorted(branch) if branch else None,
        "words": interest.words,
    }


def _get_way_number(interest: Interest) -> int:
    return list(_WAYS).index((Kind(interest.kind), interest.category_id is not None))


def get_hidden_parameters(hidden: Exclusions) -> dict[str, list[int]]:
    """As parameters of a shelf's statement."""
    return {
        "products": list(hidden.product_ids),
        "makers": list(hidden.maker_ids),
        "categories": list(hidden.category_ids),
    }
