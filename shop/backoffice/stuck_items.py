"""What is stuck in the background, for staff: what it is, what went wrong, what they can do."""

from django.urls import NoReverseMatch, reverse

from shop.retrying import loops
from shop.retrying.models import StuckItem


def list_stuck_items(limit: int) -> list[StuckItem]:
    """The longest stuck first, each with `advice` and `url`. One query."""
    found = list(StuckItem.objects.all()[:limit])
    for each in found:
        each.advice, each.url = get_stuck_advice(each), get_stuck_item_url(each)  # type: ignore[attr-defined]
    return found


def get_stuck_advice(item: StuckItem) -> str:
    loop = loops.find_loop(item.loop)
    return loop.advice if loop else "The shop no longer does this. The row can be left alone."


def get_stuck_item_url(item: StuckItem) -> str:
    """The staff's page of what is stuck; empty where there is none."""
    loop = loops.find_loop(item.loop)
    if loop is None or not loop.model:
        return ""
    try:
        return reverse(f"admin:{loop.model.replace('.', '_')}_change", args=[item.item])
    except NoReverseMatch:
        return ""
