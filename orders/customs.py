"""Whether a parcel crosses a customs border, where tax or duty may be asked of whoever receives it."""

# Countries within one of these send each other parcels without customs.
_EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MC MT NL PL PT RO SE SI SK"  # with Monaco
_UNIONS = (
    frozenset(_EU.split()),  # Regulation (EU) No 952/2013, article 4
    frozenset({"GB", "GG", "IM", "JE"}),  # the United Kingdom with the Crown Dependencies
    frozenset({"CH", "LI"}),
)


def crosses_customs(origin: str, destination: str) -> bool:
    """Both as ISO country codes. False where either is unknown."""
    if not origin or not destination or origin == destination:
        return False
    return not any(origin in union and destination in union for union in _UNIONS)
