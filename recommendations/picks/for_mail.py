"""What the letter and a receipt may suggest: as the shelves do, and never what merely fills up."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from accounts.consent import purposes
from accounts.models import Customer
from accounts.preferences import interests
from orders.models import Order
from recommendations.beside import choose, find_beside
from recommendations.picks.beside_goods import keep_advice
from recommendations.picks.best_sellers import pick_popular
from recommendations.picks.for_you import pick_personal, read_past
from recommendations.picks.pick import Pick
from shop.catalog import availability
from shop.catalog.models import Variant


def pick_receipt_offer(order: Order) -> Pick | None:
    """For an order's receipt: of what goes with it, what we have most of; None where nothing does.

    From this order alone. Gifts, and what the buyer wants kept out of suggestions, steer nothing.
    """
    steering = [line for line in order.lines.all() if not (line.is_gift or line.is_excluded or line.is_returned)]
    bought = [line.product_id for line in steering if line.product_id]
    found = find_beside(bought, left_out=bought, hidden=interests.get_interests(order.customer).hidden)
    paired = choose(keep_advice(found), limit=12)
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
    owned, seen = read_past(customer, granted)
    hidden = replace(told.hidden, product_ids=told.hidden.product_ids.union(owned.products))
    own = replace(told, hidden=hidden)
    found = pick_personal(granted, limit=limit, told=own, owned=owned, seen=seen, near=False)
    taken = {pick.product_id for pick in found}
    selling = pick_popular(limit=limit + len(taken), hidden=hidden)
    return [*found, *(pick for pick in selling if pick.product_id not in taken)][:limit]
