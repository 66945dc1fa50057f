"""The carriers parcels go with, and where a parcel can be followed on their own pages."""

import re
from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True)
class Carrier:
    """`url` is the carrier's public tracking page, `{}` standing for the parcel's number."""

    name: str
    url: str


CARRIERS: dict[str, Carrier] = {
    "royal_mail": Carrier("Royal Mail", "https://www.royalmail.com/track-your-item#/tracking-results/{}"),
    "dpd": Carrier("DPD", "https://track.dpd.co.uk/parcels/{}"),
    "evri": Carrier("Evri", "https://www.evri.com/track/parcel/{}"),
    "ups": Carrier("UPS", "https://www.ups.com/track?tracknum={}"),
    "fedex": Carrier("FedEx", "https://www.fedex.com/fedextrack/?trknbr={}"),
    "dhl": Carrier("DHL", "https://www.dhl.com/gb-en/home/tracking.html?tracking-id={}"),
    "usps": Carrier("USPS", "https://tools.usps.com/go/TrackConfirmAction?tLabels={}"),
}


ALIASES = {"hermes": "evri", "united parcel service": "ups", "united states postal service": "usps"}


def find_carrier(name: str) -> str:
    """The key of the carrier that some words name, as “Royal Mail Tracked 48” does; "" for one we don't know."""
    words = f" {' '.join(re.findall('[a-z]+', name.lower()))} "
    named = {carrier.name.lower(): key for key, carrier in CARRIERS.items()} | ALIASES
    return next((key for known, key in named.items() if f" {known} " in words), "")


def build_tracking_url(carrier: str, number: str) -> str:
    """The carrier's own page for the parcel; empty for a carrier we don't know."""
    known = CARRIERS.get(find_carrier(carrier))
    return known.url.format(quote(number.strip(), safe="")) if known and number.strip() else ""


def get_carrier_name(carrier: str) -> str:
    known = CARRIERS.get(carrier)
    return known.name if known else carrier
