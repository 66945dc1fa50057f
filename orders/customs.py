"""Whether a parcel crosses a customs border, where tax or duty may be asked of whoever receives it."""

_EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EU_MEMBERS = frozenset(_EU.split())
# Countries within one of these send each other parcels without customs.
_UNIONS = (
    EU_MEMBERS | {"MC"},  # Regulation (EU) No 952/2013, article 4
    frozenset({"GB", "GG", "IM", "JE"}),  # the United Kingdom with the Crown Dependencies
    frozenset({"CH", "LI"}),
)


def crosses_customs(origin: str, destination: str) -> bool:
    """Both as ISO country codes. False where either is unknown."""
    if not origin or not destination or origin == destination:
        return False
    return not any(origin in union and destination in union for union in _UNIONS)
