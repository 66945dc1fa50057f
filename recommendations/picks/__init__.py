"""The only door to the shelves: which products to show beside others, to whom, and the reason each is shown.

A shelf is a `Shelf` beside the function that picks for it, in a module here, and a line below, in the order in which a
page shows them: of a reader's own the narrower first, since what stands on one is left out of those after it.
`recommendations.checks` refuses half of one.
"""

from recommendations.picks.beside_goods import (
    BESIDE_CART,
    BESIDE_CHECKOUT,
    GOES_WELL,
    MORE_LIKE_IT,
    beside_product,
    find_most_influenced_product,
    pick_frequently_bought_with,
)
from recommendations.picks.best_sellers import SELLS, SELLS_WELL, pick_popular
from recommendations.picks.for_mail import pick_for_mail, pick_receipt_offer
from recommendations.picks.for_you import FOR_YOU, pick_for_customer
from recommendations.picks.from_visit import FROM_VISIT, pick_from_visitor_history
from recommendations.picks.news import JUST_IN, NEW, OUT_SOON, News, read_news
from recommendations.picks.pick import Evidence, EvidenceSource, Pick
from recommendations.picks.shelf import (
    PERSONAL_PAGES,
    SHELVES,
    Audience,
    Page,
    Shelf,
    ShelfPurpose,
    ShelfReader,
    list_personal_shelves,
    register_shelves,
)

__all__ = [
    "BESIDE_CART",
    "BESIDE_CHECKOUT",
    "FOR_YOU",
    "FROM_VISIT",
    "GOES_WELL",
    "JUST_IN",
    "MORE_LIKE_IT",
    "NEW",
    "OUT_SOON",
    "PERSONAL_PAGES",
    "SELLS",
    "SELLS_WELL",
    "SHELVES",
    "Audience",
    "Evidence",
    "EvidenceSource",
    "News",
    "Page",
    "Pick",
    "Shelf",
    "ShelfPurpose",
    "ShelfReader",
    "beside_product",
    "find_most_influenced_product",
    "list_personal_shelves",
    "pick_for_customer",
    "pick_for_mail",
    "pick_frequently_bought_with",
    "pick_from_visitor_history",
    "pick_popular",
    "pick_receipt_offer",
    "read_news",
]

register_shelves(
    FOR_YOU, FROM_VISIT, JUST_IN, OUT_SOON, SELLS_WELL, GOES_WELL, MORE_LIKE_IT, BESIDE_CART, BESIDE_CHECKOUT
)
