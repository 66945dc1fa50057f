"""What stands beside products: pairs bought together, staff's own choice, and the same kind of thing again.

One statement finds it; which of it is advice and which a sibling is told from titles, categories and sizes of now.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Any, NamedTuple

from accounts.preferences.interests import NO_INTERESTS, Exclusions
from recommendations import from_interests
from recommendations.engine.names import is_same_kind, is_same_thing, read_name
from recommendations.withdrawn_sql import WITHDRAWN_SQL, get_withdrawn_parameters
from shop.prepared import PreparedStatement

MOST_NEAR = 100  # a category of more says nothing of what is near
READ = 60  # rows looked through for a shelf: as many as a product has published pairs, and some
BLOCK, MOST_OF_ONE_MAKER = 4, 2


class Way(StrEnum):
    """How a product that is found beside others came to a shelf. The shelf's title must be true of it."""

    PAIR = "pair"  # bought together by at least k
    STAFF = "staff"  # put together by staff
    ALIKE = "alike"  # the same kind of thing
    NEAR = "near"  # of the same category


ADVICE = frozenset({Way.PAIR, Way.STAFF})
Trait = str | tuple[int, str]  # a word of a title, or a category with a size


class Thing(NamedTuple):
    """A product, as far as it must be known to tell whether it is another's sibling."""

    id: int
    title: str
    category_id: int
    maker_id: int | None
    sizes: Sequence[str]


@dataclass(frozen=True)
class Found:
    """A product that stands beside another, and how it came there."""

    thing: Thing
    way: Way
    beside: Thing

    @property
    def product_id(self) -> int:
        return self.thing.id


def are_siblings(one: Thing, other: Thing) -> bool:
    """The same kind of thing: one is bought instead of the other. Told by titles, or by one category's shared sizes."""
    if one.category_id == other.category_id and not set(one.sizes).isdisjoint(other.sizes):
        return True
    return is_same_kind(read_name(one.title), read_name(other.title))


def are_one_thing(one: Thing, other: Thing) -> bool:
    """The same but for colour, size, count or material."""
    return is_same_thing(read_name(one.title), read_name(other.title))


# The products asked about (place 0), then pairs, staff's picks, what is alike by title, category and maker, and what
# stands in the same category.
_BESIDE = """
    WITH {lost},
    given AS (
        SELECT id, title, category_id, maker_id, sizes FROM catalog_product WHERE id = ANY(%(given)s)),
    theirs AS MATERIALIZED (
        SELECT DISTINCT customer_id, product_id FROM recommendations_contribution
        WHERE run_id = (SELECT id FROM run) AND customer_id = ANY(ARRAY(SELECT DISTINCT customer_id FROM lost))),
    candidate AS MATERIALIZED (
        SELECT s.product_id, s.similar_id, {score} AS score FROM recommendations_productsimilarity s
        WHERE s.run_id = (SELECT id FROM run) AND s.product_id = ANY(%(given)s) AND s.goes_well),
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
    alike AS (
        SELECT l.similar_id AS id, 3 AS place, SUM(l.score) AS score, MIN(l.product_id) AS beside
        FROM recommendations_productlikeness l JOIN given ON given.id = l.product_id
        GROUP BY l.similar_id ORDER BY score DESC LIMIT %(most)s),
    shelf AS (SELECT category_id, MIN(id) AS beside FROM given WHERE %(near)s GROUP BY category_id),
    near AS (
        SELECT n.id, 4 AS place, 0.0 AS score, n.beside FROM (
            SELECT few.id, shelf.beside, count(*) OVER (PARTITION BY shelf.category_id) AS count
            FROM shelf CROSS JOIN LATERAL (
                SELECT p.id FROM catalog_product p WHERE p.category_id = shelf.category_id AND p.is_published
                LIMIT %(most_near)s + 1) few) n
        WHERE n.count <= %(most_near)s),
    best AS (
        SELECT DISTINCT ON (id, place = 3) * FROM (
            SELECT * FROM pair UNION ALL SELECT * FROM staff UNION ALL SELECT * FROM alike UNION ALL SELECT * FROM near
            ) AS every_way
        ORDER BY id, place = 3, place, score DESC)
    SELECT id, title, category_id, maker_id, sizes, 0 AS place, 0.0 AS score, id AS beside FROM given
    UNION ALL
    SELECT p.id, p.title, p.category_id, p.maker_id, p.sizes, best.place, best.score, best.beside
    FROM best JOIN catalog_product p ON p.id = best.id
    WHERE p.is_published AND p.is_available AND NOT p.id = ANY(%(left_out)s) AND {wanted}
    ORDER BY place, score DESC, id"""
_BESIDE_ONE, _BESIDE_SEVERAL = (
    PreparedStatement(_BESIDE.format(score=score, lost=WITHDRAWN_SQL, wanted=from_interests.NOT_HIDDEN))
    for score in ("s.score", "s.cart_score")
)
_WAYS = {1: Way.PAIR, 2: Way.STAFF, 3: Way.ALIKE, 4: Way.NEAR}


def find_beside(
    product_ids: Sequence[int],
    *,
    left_out: Collection[int],
    hidden: Exclusions = NO_INTERESTS.hidden,
    near: bool = False,
) -> Iterator[Found]:
    """What stands beside these, the best first: pairs, staff's picks, siblings. One query, none for nothing.

    What is alike is always a sibling of one of these, and nothing else ever is; that is told of each as it is taken,
    since a shelf takes few of many. `near`: what else their categories hold as well, where those are small enough to
    mean something; it comes last.
    """
    if not product_ids:
        return iter(())
    values: dict[str, Any] = {
        "given": list(product_ids),
        "left_out": list(left_out),
        "near": near,
        "most_near": MOST_NEAR,
        "most": READ + len(product_ids) + len(left_out),
        **from_interests.get_hidden_parameters(hidden),
        **get_withdrawn_parameters(),
    }
    rows = (_BESIDE_ONE if len(product_ids) == 1 else _BESIDE_SEVERAL).fetch_rows(values)
    given = {row[0]: Thing(*row[:5]) for row in rows if not row[5]}
    found = (Found(Thing(*row[:5]), _WAYS[row[5]], given[row[7]]) for row in rows if row[5])
    kin = Kin(given.values())
    return (each for each in found if (each.way is Way.ALIKE) == kin.has_sibling_of(each.thing))


class Kin:
    """Products by what siblings share, so that each of many is compared with few: `are_siblings` has the last word."""

    def __init__(self, things: Iterable[Thing]) -> None:
        self._by_trait: defaultdict[Trait, list[Thing]] = defaultdict(list)
        for each in things:
            for trait in _list_traits(each):
                self._by_trait[trait].append(each)

    def has_sibling_of(self, thing: Thing) -> bool:
        """Whether any of them is a sibling of this one; none is its own."""
        compared = {thing.id}
        for other in chain.from_iterable(self._by_trait.get(trait, ()) for trait in _list_traits(thing)):
            if other.id not in compared:
                if are_siblings(thing, other):
                    return True
                compared.add(other.id)
        return False


def _list_traits(thing: Thing) -> Iterator[Trait]:
    """Siblings have one of these in common at the least."""
    name = read_name(thing.title)
    yield from name.words
    yield name.head[-1]
    yield from ((thing.category_id, size) for size in thing.sizes)


def choose(found: Iterable[Found], *, limit: int, of_a_kind: bool = False) -> list[Found]:
    """The first that make a shelf together: at most two of one maker in four, and one of each kind.

    `of_a_kind`: a shelf of siblings, of which none is the same as another but for its colour.
    """
    is_again = are_one_thing if of_a_kind else are_siblings
    left, chosen = iter(found), list[Found]()
    while len(chosen) < limit:
        block, passed = chosen[len(chosen) // BLOCK * BLOCK :], list[Found]()
        for each in left:
            if any(is_again(each.thing, other.thing) for other in chosen):
                continue
            if _has_room(block, each.thing.maker_id):
                chosen.append(each)
                break
            passed.append(each)
        else:
            break
        left = chain(passed, left)
    return chosen


def keep_nearest(found: Iterable[Found], *, apart_by: Callable[[Found], object] = lambda _: None) -> Iterator[Found]:
    """Those that are better than near; what is only near, where there is nothing better of the same `apart_by`."""
    has_better = set[object]()
    for each in found:  # what is near comes last
        if each.way is not Way.NEAR:
            has_better.add(apart_by(each))
        elif apart_by(each) in has_better:
            continue
        yield each


def _has_room(block: Sequence[Found], maker_id: int | None) -> bool:
    return maker_id is None or sum(each.thing.maker_id == maker_id for each in block) < MOST_OF_ONE_MAKER
