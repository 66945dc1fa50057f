"""The shelf of a visitor without a login, from what they ticked we may remember of this visit."""

from collections.abc import Sequence

from accounts.consent import purposes
from recommendations.beside import Way, choose, find_beside, keep_nearest
from recommendations.picks.pick import Pick
from recommendations.picks.shelf import Audience, Page, Shelf, ShelfPurpose

FROM_VISIT = Shelf(
    "from_visit",
    "From what you looked at",
    (Page.HOME,),
    frozenset({Way.PAIR, Way.STAFF, Way.ALIKE, Way.NEAR}),
    audience=Audience.VISITORS,
    stands_on=(
        ShelfPurpose(
            purposes.VISITOR_HISTORY.key,
            off="Off: no shelf stands here, and nothing is remembered.",
            on="On, and nothing to show yet: it starts with the next product you open.",
        ),
    ),
    pick=lambda reader, limit: pick_from_visitor_history(reader.viewed, limit=limit),
    link="preferences",
    link_text="What this uses, and the switch",
)


def pick_from_visitor_history(seen: Sequence[int], *, limit: int = 8) -> list[Pick]:
    """A shelf for a visitor from what they ticked we may remember of this visit; one query, none for nothing."""
    found = choose(keep_nearest(find_beside(seen, left_out=seen, near=True)), limit=limit)
    return [
        Pick(each.product_id, f"You looked at {each.beside.title}", purposes.VISITOR_HISTORY.key, way=each.way)
        for each in found
    ]
