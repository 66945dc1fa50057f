"""Products that match what a customer told us: each thing told finds its own, the best sellers of them first."""

import json
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from accounts.interests import Hidden, Interests
from accounts.models import Interest

MOST_FOLLOWED = 20  # of the things told, the latest
Kind = Interest.Kind


class Match(NamedTuple):
    interest: Interest
    product_id: int


# One statement. Each way of matching stands by itself so that it can use its own index. `rank`: within one thing told;
# what comes in a told size before what does not.
NOT_HIDDEN = """NOT p.id = ANY(%(products)s) AND NOT p.category_id = ANY(%(categories)s)
        AND NOT COALESCE(p.maker_id = ANY(%(makers)s), false)"""  # values: `hidden_values`
_MATCHING = f"""
    WITH told AS (
        SELECT * FROM jsonb_to_recordset(%(told)s::jsonb)
        AS t(id bigint, maker_id bigint, category_ids bigint[], need text, size text)),
    found AS (
        SELECT told.id AS interest_id, p.id FROM told JOIN catalog_product p ON p.maker_id = told.maker_id
        UNION ALL
        SELECT told.id, p.id FROM told JOIN catalog_product p ON p.category_id = ANY(told.category_ids)
            AND told.size IS NULL
        UNION ALL
        SELECT told.id, p.id FROM told
            JOIN catalog_product p ON p.search_vector @@ plainto_tsquery('english', told.need)
        UNION ALL
        SELECT DISTINCT told.id, p.id FROM told JOIN catalog_variant v ON v.size = told.size AND v.is_active
            JOIN catalog_product p ON p.id = v.product_id
            AND (told.category_ids IS NULL OR p.category_id = ANY(told.category_ids))),
    ranked AS (
        SELECT found.interest_id, p.id, row_number() OVER (
            PARTITION BY found.interest_id
            ORDER BY p.sizes && %(sizes)s::varchar[] DESC, pop.score DESC NULLS LAST,
                     p.released_on DESC NULLS LAST, p.id DESC) AS rank
        FROM found JOIN catalog_product p ON p.id = found.id
        LEFT JOIN recommendations_modelrun run ON run.is_current
        LEFT JOIN recommendations_productpopularity pop ON pop.run_id = run.id AND pop.product_id = p.id
        WHERE p.is_published AND p.is_available AND (p.released_on IS NULL OR p.released_on <= %(today)s)
            AND {NOT_HIDDEN})
    SELECT interest_id, id FROM ranked WHERE rank <= %(limit)s ORDER BY rank, interest_id DESC"""  # noqa: S608  (a statement of ours alone)


def matching(interests: Interests, *, limit: int) -> list[Match]:
    """Each product once, for the first thing told that found it; the things told take turns. One query, or none.

    A size alone comes last: it says what fits, not what is liked.
    """
    told = interests.told[:MOST_FOLLOWED]
    if not told:
        return []
    by_id = {each.pk: each for each in told}
    sizes = [each.words for each in told if each.kind == Kind.SIZE]
    values: dict[str, Any] = {
        "told": json.dumps([_asked(each, interests) for each in told]),
        "sizes": sizes,
        "today": timezone.localdate(),
        "limit": limit,
        **hidden_values(interests.hidden),
    }
    with connection.cursor() as cursor:
        cursor.execute(_MATCHING, values)
        found = [Match(by_id[interest_id], product_id) for interest_id, product_id in cursor.fetchall()]
    first: dict[int, Match] = {}
    for match in sorted(found, key=lambda match: match.interest.kind == Kind.SIZE):
        first.setdefault(match.product_id, match)
    return list(first.values())[:limit]


def why(interest: Interest) -> str:
    """The reason shown beside what it found. Department and maker must be loaded."""
    if interest.kind == Kind.SIZE:
        return f"Comes in {interest.words}, the size you told us"
    if interest.kind == Kind.NEED:
        return f"You told us you look for “{interest.words}”"
    return f"You told us you like {interest.title}"


def _asked(interest: Interest, interests: Interests) -> dict[str, object]:
    branch = interests.branches.get(interest.pk)
    return {
        "id": interest.pk,
        "maker_id": interest.maker_id,
        "category_ids": sorted(branch) if branch else None,
        "need": interest.words if interest.kind == Kind.NEED else None,
        "size": interest.words if interest.kind == Kind.SIZE else None,
    }


def hidden_values(hidden: Hidden) -> dict[str, list[int]]:
    """As parameters of a shelf's statement."""
    return {
        "products": list(hidden.product_ids),
        "makers": list(hidden.maker_ids),
        "categories": list(hidden.category_ids),
    }
