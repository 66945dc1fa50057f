"""The carriers the shop offers, in one place: those of `orders.carriers` and those staff added."""

from collections.abc import Mapping
from dataclasses import dataclass

from orders.carriers import CARRIERS, build_tracking_url, find_carrier, get_carrier_name
from orders.carriers.tracking_pages import fill_url_template
from orders.models import ShippingMethod, StaffCarrier

Choices = list[tuple[str, str]]
UNKNOWN = "Not known"


@dataclass(frozen=True)
class CarrierDirectory:
    """Read once for a page. `added`: staff's carriers by their names in lower case. `in_use`: what shipping methods go
    with, keys and names.
    """

    added: Mapping[str, StaffCarrier]
    in_use: frozenset[str]

    def find_known(self, carrier: str) -> str:
        """The key in `CARRIERS` of what a parcel has as its carrier; "" for one of staff's, or one we don't know."""
        return "" if carrier.strip().lower() in self.added else find_carrier(carrier)

    def list_choices(self, current: str | None = None) -> list[tuple[str, str | Choices]]:
        """For a field: those in use first. `current` is what is chosen now, kept though nobody offers it."""
        offered = {key: known.name for key, known in CARRIERS.items()}
        offered |= {each.name: each.name for each in self.added.values() if each.is_offered or each.name in self.in_use}
        first = [] if current is None or current in offered else [(current, current or UNKNOWN)]
        used = [(key, name) for key, name in offered.items() if key in self.in_use]
        others = sorted(((key, name) for key, name in offered.items() if key not in self.in_use), key=_get_sort_name)
        groups = [("In your shipping methods", used), ("Others", others)]
        return [*first, *((title, choices) for title, choices in groups if choices)]


def load_directory() -> CarrierDirectory:
    """Two queries."""
    in_use = ShippingMethod.objects.values_list("carrier", flat=True)
    return CarrierDirectory(
        added={each.name.lower(): each for each in StaffCarrier.objects.all()}, in_use=frozenset(in_use)
    )


def list_carriers_in_use() -> list[str]:
    """What the carriers of the shipping methods in use are called."""
    used = ShippingMethod.objects.filter(is_active=True).values_list("carrier", flat=True)
    return sorted({get_carrier_name(carrier) for carrier in used}, key=str.casefold)


def build_parcel_url(carrier: str, number: str) -> str:
    """The carrier's own page for a parcel; empty for one we don't know. A query, but for the keys of `CARRIERS`."""
    if carrier in CARRIERS or not carrier or not number.strip():
        return build_tracking_url(carrier, number)
    added = StaffCarrier.objects.named(carrier).first()
    return fill_url_template(added.url_template, number) if added else build_tracking_url(carrier, number)


def _get_sort_name(choice: tuple[str, str]) -> str:
    return choice[1].casefold()
