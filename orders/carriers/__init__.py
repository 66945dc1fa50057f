"""The carriers parcels go with, each whole in one row: how it is called, where a parcel is followed, its numbers.

Most forms of numbers follow the public collection jkeen/tracking_number_data (MIT); the rest is what carriers print in
their own help pages. How to add one: docs/how-to/a-carrier.md.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from orders.carriers.check_digits import weigh_mod10
from orders.carriers.number_forms import NumberForm, write_form, write_s10_form
from orders.carriers.published_forms import PUBLISHED_FORMS, SSCC


@dataclass(frozen=True)
class Carrier:
    """`url`: its public tracking page, `{}` standing for the parcel's number.

    `aliases`: what else it is called in orders from elsewhere, in lower case. `number_forms`: the published forms of
    its numbers; without any, every number is taken as it is typed.
    """

    name: str
    url: str
    aliases: tuple[str, ...] = ()
    number_forms: tuple[NumberForm, ...] = ()


CARRIERS: dict[str, Carrier] = {
    "royal_mail": Carrier(
        "Royal Mail",
        "https://www.royalmail.com/track-your-item#/tracking-results/{}",
        number_forms=(write_s10_form("GB"),),
    ),
    "dpd": Carrier(
        "DPD",
        "https://track.dpd.co.uk/parcels/{}",
        number_forms=(
            *PUBLISHED_FORMS["dpd"],
            write_form("#{14}|#{10}"),  # as on a card or in a mail, without the check character
        ),
    ),
    "evri": Carrier(
        "Evri",
        "https://www.evri.com/track/parcel/{}",
        aliases=("hermes",),
        number_forms=(write_form("(?=(?:[A-Z]*#){8})[0-9A-Z]{16}"),),
    ),
    "ups": Carrier(
        "UPS",
        "https://www.ups.com/track?tracknum={}",
        aliases=("united parcel service",),
        number_forms=PUBLISHED_FORMS["ups"],
    ),
    "fedex": Carrier(
        "FedEx",
        "https://www.fedex.com/fedextrack/?trknbr={}",
        number_forms=PUBLISHED_FORMS["fedex"],
    ),
    "dhl": Carrier(
        "DHL",
        "https://www.dhl.com/gb-en/home/tracking.html?tracking-id={}",
        number_forms=(
            *PUBLISHED_FORMS["dhl"],
            write_form("JJD#{18}|JVGL#{11,20}|3S[A-Z]{3,5}#{6,12}"),
            write_form("(?P<serial>#{11})!", weigh_mod10(4, 9)),
            write_form("(?P<serial>00#{17})!", SSCC),
            write_s10_form("DE"),
        ),
    ),
    "usps": Carrier(
        "USPS",
        "https://tools.usps.com/go/TrackConfirmAction?tLabels={}",
        aliases=("united states postal service",),
        number_forms=(*PUBLISHED_FORMS["usps"], write_s10_form("US")),
    ),
}


def find_carrier(name: str) -> str:
    """The key of the carrier that some words name, as “Royal Mail Tracked 48” does; "" for one we don't know."""
    words = f" {' '.join(re.findall('[a-z]+', name.lower()))} "
    named = {carrier.name.lower(): key for key, carrier in CARRIERS.items()}
    named |= {alias: key for key, carrier in CARRIERS.items() for alias in carrier.aliases}
    return next((key for known, key in named.items() if f" {known} " in words), "")


def build_tracking_url(carrier: str, number: str) -> str:
    """The carrier's own page for the parcel; empty for a carrier we don't know."""
    known = CARRIERS.get(find_carrier(carrier))
    return known.url.format(quote(number.strip(), safe="")) if known and number.strip() else ""


def get_carrier_name(carrier: str) -> str:
    known = CARRIERS.get(carrier)
    return known.name if known else carrier
