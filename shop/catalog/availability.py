"""What can be had now, over all stores that ship."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import F

from shop.catalog.models import StockRecord
from shop.catalog.querysets import build_stock_json


@dataclass(frozen=True, slots=True)
class Availability:
    available: int = 0  # may be sold, goods still to arrive included
    restock_on: date | None = None  # when more are due; never in the past
    on_shelf: int = 0  # can leave now


def get_availability(variant_ids: Iterable[int]) -> dict[int, Availability]:
    """One query. A variant without stock anywhere is there too, with nothing available."""
    wanted = set(variant_ids)
    records = StockRecord.objects.filter(variant_id__in=wanted, store__ships_orders=True)
    rows = records.order_by().values("variant_id").annotate(json=build_stock_json()).values_list("variant_id", "json")
    found = {variant_id: parse_availability(json) for variant_id, json in rows}
    return {variant_id: found.get(variant_id, Availability()) for variant_id in wanted}


def count_on_shelf(variant_ids: Iterable[int], store_id: int) -> dict[int, int]:
    """How many of each lie in that store and are promised to nobody. One query."""
    wanted = set(variant_ids)
    records = StockRecord.objects.order_by().filter(variant_id__in=wanted, store_id=store_id)
    found = dict(records.values_list("variant_id", F("on_hand") - F("allocated")))
    return {variant_id: max(0, found.get(variant_id, 0)) for variant_id in wanted}


def parse_availability(json: dict[str, Any] | None) -> Availability:
    """From what `build_stock_json` annotates."""
    if not json:
        return Availability()
    due = json["restock_on"]
    return Availability(
        available=max(json["available"], 0),
        restock_on=date.fromisoformat(due) if due else None,
        on_shelf=json["on_shelf"],
    )
