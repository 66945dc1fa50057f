"""What the sample people told the shop about themselves. Alice told a little of everything, Bob never a word."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.utils import timezone

from accounts.models import Customer, Interest
from accounts.preferences.interests import get_end_of_day
from shop.catalog.models import Category, Maker
from shop.sample import content

ONE_IN = 4  # of the others tells us something


def create_interests(customers: list[Customer], *, alice: str, bob: str, now: datetime) -> int:
    """For people just made. What names goods that are not there is left out. Returns how many things were told."""
    makers, shelves = Maker.objects.in_bulk(field_name="slug"), Category.objects.in_bulk(field_name="slug")
    told = []
    for customer in customers:
        if customer.email == bob:
            continue
        wishes = content.read_toml("people")["alice_told"] if customer.email == alice else _draw_wishes(customer)
        told += [
            _make_interest(customer, wish, makers, shelves, now=now)
            for wish in wishes
            if _has_target(wish, makers, shelves)
        ]
    return len(Interest.objects.bulk_create(told))


def _draw_wishes(customer: Customer) -> list[dict[str, Any]]:
    draw = Random(f"told by {customer.email}")  # noqa: S311  (the same each time, not secret)
    wishes: list[dict[str, Any]] = content.read_toml("people")["others_told"]
    return draw.sample(wishes, draw.randint(1, 2)) if draw.randrange(ONE_IN) == 0 else []


def _has_target(wish: dict[str, Any], makers: dict[str, Maker], shelves: dict[str, Category]) -> bool:
    return wish.get("maker", "") in {"", *makers} and wish.get("category", "") in {"", *shelves}


def _make_interest(
    customer: Customer, wish: dict[str, Any], makers: dict[str, Maker], shelves: dict[str, Category], *, now: datetime
) -> Interest:
    falls_on = timezone.localdate(now) + timedelta(days=wish["in_days"]) if "in_days" in wish else None
    return Interest(
        customer=customer,
        kind=wish["kind"],
        maker=makers.get(wish.get("maker", "")),
        category=shelves.get(wish.get("category", "")),
        words=wish.get("words", ""),
        falls_on=falls_on,
        expires_at=get_end_of_day(falls_on) if falls_on else None,
    )
