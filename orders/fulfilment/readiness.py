"""Which goods of an order are on the shelf, and which are still to come: whoever was promised first is served first."""

from collections.abc import Iterable
from datetime import date
from itertools import groupby

from django.db.models import F
from django.db.models.functions import Coalesce

from orders.models import Allocation


def find_ready_allocations(allocations: Iterable[Allocation], *, today: date) -> set[int]:
    """The keys of those that the shelf holds, after all that was promised from it earlier, and that are out by now. Two
    queries at most.

    Read without the stock's lock: should the shelf be emptied meanwhile, no parcel leaves without its goods.
    """
    mine = {item.pk: item.record for item in allocations}
    standing = Allocation.objects.filter(
        record__in={record.pk for record in mine.values()}, released_at=None, consumed_at=None
    )
    promised_at = Coalesce("order_line__order__placed_at", "order_line__order__created_at")
    released_on = F("order_line__product__released_on")
    rows = standing.select_related("record").annotate(released_on=released_on).order_by("record_id", promised_at, "pk")
    ready = set()
    for _, group in groupby(rows, key=lambda item: item.record_id):
        promised = 0
        for item in group:
            promised += item.quantity
            is_out = item.released_on is None or item.released_on <= today
            if item.pk in mine and is_out and promised <= item.record.on_hand:
                ready.add(item.pk)
    return ready
