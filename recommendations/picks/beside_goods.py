"""The shelves beside a product, a cart and a checkout: what goes with things, and what there is like them.

Pairs come from the published epoch; those that rest on a purchase withdrawn since are left out at once (`beside.py`).
Nothing fills a shelf up: where pairs and staff's own picks run out, it is short, or not there.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from accounts.consent import purposes
from accounts.models import Customer
from accounts.preferences.interests import NO_INTERESTS, Exclusions
from recommendations.beside import ADVICE, Found, Way, choose, find_beside
from recommendations.models import Contribution, ProductSimilarity
from recommendations.picks.pick import Pick
from recommendations.picks.shelf import Page, Shelf, ShelfPurpose

FEWEST_SIBLINGS = 3
_PUBLIC_WORDS = {Way.PAIR: "Often bought with {}", Way.STAFF: "We would put it with {}", Way.ALIKE: "Like {}"}

_NO_SHELF = "This product has no shelf beside it yet."
_COUNTED = ShelfPurpose(purposes.COUNT_IN_ALSO_BOUGHT, off=_NO_SHELF, on=_NO_SHELF)


def _declare_advice(key: str, title: str, page: Page) -> Shelf:
    """Customers' purchases stand behind it, so it says how we know."""
    return Shelf(
        key,
        title,
        (page,),
        ADVICE,
        stands_on=(_COUNTED,),
        link=f"privacy#{purposes.COUNT_IN_ALSO_BOUGHT}",
        link_text="How we know",
    )


GOES_WELL = _declare_advice("goes_well", "Goes well with it", Page.PRODUCT)
MORE_LIKE_IT = Shelf("more_like_it", "More like it", (Page.PRODUCT,), frozenset({Way.ALIKE}))
BESIDE_CART = _declare_advice("beside_cart", "Goes with what is in it", Page.CART)
BESIDE_CHECKOUT = _declare_advice("beside_checkout", "Goes with your order", Page.CHECKOUT)


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
    return [_public_pick(each) for each in choose(keep_advice(found), limit=limit)]


def beside_product(
    product_id: int, *, limit: int = 4, hidden: Exclusions = NO_INTERESTS.hidden
) -> tuple[list[Pick], list[Pick]]:
    """What goes with a product, and what there is like it: two shelves of one query. Nothing stands on both.

    Siblings are shown in numbers or not at all; one real pair is advice already.
    """
    found = list(find_beside([product_id], left_out=[product_id], hidden=hidden))
    siblings = choose((each for each in found if each.way is Way.ALIKE), limit=limit, of_a_kind=True)
    advice = choose(keep_advice(found), limit=limit)
    more = siblings if len(siblings) >= FEWEST_SIBLINGS else []
    return [_public_pick(each) for each in advice], [_public_pick(each) for each in more]


def keep_advice(found: Iterable[Found]) -> Iterator[Found]:
    return (each for each in found if each.way in ADVICE)


def _public_pick(found: Found) -> Pick:
    return Pick(found.product_id, _PUBLIC_WORDS[found.way].format(found.beside.title), way=found.way)


def find_most_influenced_product(customer: Customer) -> int | None:
    """The product whose shelf the customer's own purchases help most to fill, for showing what being counted does."""
    own = Contribution.objects.filter(customer=customer, run__is_current=True).values("product")
    pairs = ProductSimilarity.objects.filter(run__is_current=True, goes_well=True, product__in=own, similar__in=own)
    shown = pairs.filter(product__is_published=True, similar__is_published=True, similar__is_available=True)
    return shown.order_by("-score", "product").values_list("product", flat=True).first()
