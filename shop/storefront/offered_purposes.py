"""The switches that stand in this shop: those of things that it does."""

from collections.abc import Collection

from accounts.consent import purposes
from accounts.consent.purposes import Purpose
from orders import stages
from orders.shop_terms import Terms


def is_offered(key: str, terms: Terms) -> bool:
    """Whether the shop has what the switch is about."""
    return bool(terms.pickups) or key not in stages.NEWS_OF_PICKUPS


def list_offered_purposes(terms: Terms, *, granted: Collection[str] = ()) -> list[Purpose]:
    """In the registry's order. What somebody has said yes to stays, to be turned off."""
    return [each for each in purposes.PURPOSES if each.key in granted or is_offered(each.key, terms)]
