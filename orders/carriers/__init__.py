"""The carriers parcels go with, each whole in one row: how it is called, where a parcel is followed, its numbers.

Most forms of numbers follow the public collection jkeen/tracking_number_data (MIT); the rest is what carriers print in
their own help pages. How to add one: docs/how-to/a-carrier.md.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from orders.carriers.number_forms import (
    NumberForm,
    compute_mod7_digit,
    compute_mod37_digit,
    compute_usps_legacy_digit,
    weigh_mod10,
    weigh_mod11,
    write_form,
    write_s10_form,
)


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


_SSCC = weigh_mod10(3, 1)
_MAILER = r"(?:9#{8}(?:#{15}|#{11}|#{7})|[0-8]#{5}(?:#{14}|#{10}))"
_SHORT_MAILER = r"(?:9#{8}(?:#{11}|#{7})|[0-8]#{5}(?:#{14}|#{10}))"

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
            NumberForm(re.compile("(?P<serial>[0-9]{27}|[0-9]{14})(?P<check>[0-9A-Z])"), compute_mod37_digit),
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
        number_forms=(
            write_form("1Z(?P<serial>[0-9A-Z]{15})!", weigh_mod10(1, 2)),
            write_form("[AHJKTV](?P<serial>#{9})!", weigh_mod10(1, 2)),
        ),
    ),
    "fedex": Carrier(
        "FedEx",
        "https://www.fedex.com/fedextrack/?trknbr={}",
        number_forms=(
            write_form("(?P<serial>#{11})!", weigh_mod11(3, 1, 7)),
            write_form("[0-8]#{19}(?P<serial>#{13})!", weigh_mod11(1, 7, 3)),
            write_form("3#{15}(?P<serial>#{11})!#{4}", weigh_mod11(3, 1, 7)),
            write_form("(?P<serial>#{14})!", weigh_mod10(1, 3)),
            write_form("#{2}(?P<serial>#{15})!", _SSCC),
            write_form("96#{5}(?P<serial>#{14})!", weigh_mod10(1, 3)),
            write_form("96#{18}(?P<serial>#{13})!", weigh_mod11(1, 7, 3)),
        ),
    ),
    "dhl": Carrier(
        "DHL",
        "https://www.dhl.com/gb-en/home/tracking.html?tracking-id={}",
        number_forms=(
            write_form("(?P<serial>#{9,10})!", compute_mod7_digit),
            write_form("J[A-Z]{2,3}#{9,10}|JJD#{18}|JVGL#{11,20}|3S[A-Z]{3,5}#{6,12}"),
            write_form("(?:GM|LX|RX|UV|CN|SG|TH|IN|HK|MY)(?=[A-Z]*#)[0-9A-Z]{10,39}|#{14}"),
            write_form("(?P<serial>#{11})!", weigh_mod10(4, 9)),
            write_form("(?P<serial>00#{17})!", _SSCC),
            write_s10_form("DE"),
        ),
    ),
    "usps": Carrier(
        "USPS",
        "https://tools.usps.com/go/TrackConfirmAction?tLabels={}",
        aliases=("united states postal service",),
        number_forms=(
            write_form("(?P<serial>#{19})!", weigh_mod10(3, 1)),
            write_form(
                f"(?:420#{{5}}(?=#{{22}}$|#{{26}}$)(?:#{{4}}(?=#{{22}}$))?)?(?P<serial>94#{{3}}{_MAILER})!",
                weigh_mod10(3, 1),
            ),
            write_form(
                r"(?:420#{5}(?:#{4}(?=#{22}$))?)?(?P<serial>(?:92(?=#{3}9)|93(?=#{3}[0-8])|95)#{3}"
                + _SHORT_MAILER
                + ")!",
                weigh_mod10(3, 1),
            ),
            write_form("(?:420#{5}(?:#{4})?)?(?P<serial>(?:91)?#{19})!", compute_usps_legacy_digit),
            write_s10_form("US"),
        ),
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
