"""The carriers parcels go with, each whole in one row: how it is called, where a parcel is followed, its numbers.

Staff may add others (`orders.carrier_directory`). The forms of numbers are those of `orders.carriers.published_forms`,
and what carriers print in their own help pages. How to add one: docs/how-to/a-carrier.md.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from orders.carriers.check_digits import weigh_mod10
from orders.carriers.number_forms import NumberForm, write_form, write_s10_form
from orders.carriers.published_forms import PUBLISHED_FORMS, SSCC
from orders.carriers.tracking_pages import fill_url_template


@dataclass(frozen=True)
class Carrier:
    """`url_template`: its public tracking page, `{number}` standing for the parcel's number.

    `aliases`: what else it is called in orders from elsewhere, in lower case. `courier`: whose published forms its
    numbers have; `more_forms`: others they have. With `takes_others`, or without any form, every number is taken as
    it is typed, unless it is plainly another carrier's.
    """

    name: str
    url_template: str
    aliases: tuple[str, ...] = ()
    courier: str = ""
    more_forms: tuple[NumberForm, ...] = ()
    takes_others: bool = False

    @property
    def number_forms(self) -> tuple[NumberForm, ...]:
        return PUBLISHED_FORMS.get(self.courier, ()) + self.more_forms


def _write_post(name: str, url_template: str, country: str, *aliases: str, forms: str = "") -> Carrier:
    """A country's post: its numbers abroad have the common form, those at home many."""
    more = (write_s10_form(country), *([write_form(forms)] if forms else ()))
    return Carrier(name, url_template, aliases, more_forms=more, takes_others=True)


CARRIERS: dict[str, Carrier] = {
    "royal_mail": Carrier(
        "Royal Mail",
        "https://www.royalmail.com/track-your-item#/tracking-results/{number}",
        more_forms=(write_s10_form("GB"),),
    ),
    "dpd": Carrier(
        "DPD",
        "https://track.dpd.co.uk/parcels/{number}",
        courier="dpd",
        more_forms=(write_form("#{14}|#{10}"),),  # as on a card or in a mail, without the check character
    ),
    "evri": Carrier(
        "Evri",
        "https://www.evri.com/track/parcel/{number}",
        aliases=("hermes",),
        more_forms=(write_form("(?=(?:[A-Z]*#){8})[0-9A-Z]{16}"),),
    ),
    "ups": Carrier(
        "UPS",
        "https://www.ups.com/track?tracknum={number}",
        aliases=("united parcel service",),
        courier="ups",
    ),
    "fedex": Carrier(
        "FedEx",
        "https://www.fedex.com/fedextrack/?trknbr={number}",
        aliases=("federal express",),
        courier="fedex",
    ),
    "dhl": Carrier(
        "DHL",
        "https://www.dhl.com/gb-en/home/tracking.html?tracking-id={number}",
        courier="dhl",
        more_forms=(
            write_form("JJD#{18}|JVGL#{11,20}|3S[A-Z]{3,5}#{6,12}"),
            write_form("(?P<serial>#{11})!", weigh_mod10(4, 9)),
            write_form("(?P<serial>00#{17})!", SSCC),
            write_s10_form("DE"),
        ),
    ),
    "usps": Carrier(
        "USPS",
        "https://tools.usps.com/go/TrackConfirmAction?tLabels={number}",
        aliases=("united states postal service",),
        courier="usps",
        more_forms=(write_s10_form("US"),),
    ),
    "gls": Carrier("GLS", "https://gls-group.com/GROUP/en/parcel-tracking?match={number}"),
    "parcelforce": Carrier("Parcelforce", "https://www.parcelforce.com/track-trace?trackNumber={number}"),
    "yodel": Carrier("Yodel", "https://www.yodel.co.uk/tracking/{number}", courier="yodel", takes_others=True),
    "inpost": Carrier("InPost", "https://inpost.pl/sledzenie-przesylek?number={number}"),
    "tnt": Carrier(
        "TNT",
        "https://www.tnt.com/express/en_gb/site/shipping-tools/tracking.html?searchType=con&cons={number}",
    ),
    "amazon": Carrier(
        "Amazon Logistics",
        "https://track.amazon.com/tracking/{number}",
        aliases=("amazon", "amazon shipping"),
        courier="amazon",
        takes_others=True,
    ),
    "postnl": _write_post(
        "PostNL",
        "https://jouw.postnl.nl/track-and-trace/{number}",
        "NL",
        forms="3S[A-Z]{4,6}#{7,9}",
    ),
    "bpost": _write_post("bpost", "https://track.bpost.cloud/btr/web/#/search?itemCode={number}&lang=en", "BE"),
    "la_poste": _write_post(
        "La Poste (Colissimo)",
        "https://www.laposte.fr/outils/suivre-vos-envois?code={number}",
        "FR",
        *("la poste", "colissimo"),
    ),
    "mondial_relay": Carrier("Mondial Relay", "https://www.mondialrelay.fr/suivi-de-colis/?numeroExpedition={number}"),
    "chronopost": Carrier("Chronopost", "https://www.chronopost.fr/tracking-no-cms/suivi-page?listeNumerosLT={number}"),
    "deutsche_post": Carrier(
        "Deutsche Post", "https://www.deutschepost.de/sendung/simpleQueryResult.html?form.sendungsnummer={number}"
    ),
    "dhl_germany": Carrier(
        "DHL Paket (Germany)",
        "https://www.dhl.de/de/privatkunden/pakete-empfangen/verfolgen.html?piececode={number}",
        aliases=("dhl paket",),
        more_forms=(
            write_form("(?P<serial>#{11})!", weigh_mod10(4, 9)),
            write_form("(?P<serial>00#{17})!", SSCC),
            write_form("JJD#{18}"),
        ),
        takes_others=True,
    ),
    "austrian_post": _write_post(
        "Österreichische Post",
        "https://www.post.at/sv/sendungsdetails?snr={number}",
        "AT",
        "austrian post",
    ),
    "swiss_post": _write_post(
        "Swiss Post", "https://service.post.ch/ekp-web/ui/entry/search/{number}", "CH", *("die post", "postpac")
    ),
    "an_post": _write_post("An Post", "https://www.anpost.com/Post-Parcels/Track/History?item={number}", "IE"),
    "poste_italiane": _write_post(
        "Poste Italiane", "https://www.poste.it/cerca/index.html#/risultati-spedizioni/{number}", "IT"
    ),
    "brt": Carrier(
        "BRT",
        "https://vas.brt.it/vas/sped_det_show.hsm?referer=sped_numspe_par.htm&Nspediz={number}",
        aliases=("bartolini",),
    ),
    "correos": _write_post(
        "Correos",
        "https://www.correos.es/es/es/herramientas/localizador/envios/detalle?tracking-number={number}",
        "ES",
    ),
    "seur": Carrier("SEUR", "https://www.seur.com/livetracking/?segOnlineIdentificador={number}"),
    "ctt": _write_post(
        "CTT",
        "https://appserver.ctt.pt/CustomerArea/PublicArea_Detail?ObjectCodeInput={number}",
        "PT",
        *("ctt expresso", "correios de portugal"),
    ),
    "ctt_express": Carrier("CTT Express (Spain)", "https://www.cttexpress.com/localizador-de-envios/?sc={number}"),
    "postnord": Carrier(
        "PostNord",
        "https://tracking.postnord.com/en/tracking?id={number}",
        more_forms=(write_s10_form("SE", "DK"),),
        takes_others=True,
    ),
    "posten": _write_post("Posten Norge", "https://sporing.posten.no/sporing/{number}", "NO", "posten"),
    "posti": _write_post("Posti", "https://www.posti.fi/en/tracking#/lahetys/{number}", "FI"),
    "poczta_polska": _write_post("Poczta Polska", "https://emonitoring.poczta-polska.pl/?numer={number}", "PL"),
    "packeta": Carrier(
        "Packeta",
        "https://tracking.packeta.com/{number}",
        aliases=("zasilkovna", "packetery"),
        more_forms=(write_form("Z#{10}"),),
    ),
    "canada_post": Carrier(
        "Canada Post",
        "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor={number}",
        courier="canadapost",
        more_forms=(write_s10_form("CA"),),
    ),
    "purolator": Carrier(
        "Purolator", "https://www.purolator.com/en/shipping/tracker?searchValue={number}", courier="purolator"
    ),
    "canpar": Carrier(
        "Canpar", "https://www.canpar.com/en/track/tracking.jsp?reference={number}&locale=en", courier="canpar"
    ),
    "ontrac": Carrier(
        "OnTrac",
        "https://www.ontrac.com/tracking/?number={number}",
        aliases=("lasership",),
        courier="ontrac",
        more_forms=PUBLISHED_FORMS["lasership"],  # one company since 2021
    ),
    "speedee": Carrier("Spee-Dee", "https://www.speedeedelivery.com/track/?tracking={number}", courier="speedee"),
    "old_dominion": Carrier(
        "Old Dominion",
        "https://www.odfl.com/us/en/tools/trace-track-ltl-freight/trace.html?proNumbers={number}",
        courier="old_dominion",
    ),
    "landmark": Carrier(
        "Landmark Global", "https://track.landmarkglobal.com/?search={number}", courier="landmark", takes_others=True
    ),
    "gofo": Carrier("GOFO Express", "https://www.gofoexpress.com/tracking.html?searchID={number}", courier="gofo"),
    "yunexpress": Carrier("YunExpress", "https://www.yuntrack.com/parcelTracking?id={number}", courier="yunexpress"),
}


def find_carrier(name: str) -> str:
    """The key of the carrier that some words name, as “Royal Mail Tracked 48” does; "" for one we don't know.

    Of several that are named, the one with most words: “DHL Paket” is not “DHL”.
    """
    words, known_names = _spell_plainly(name), _list_known_names()
    found = [known for known in known_names if known in words]
    return known_names[max(found, key=len)] if found else ""


@cache
def _list_known_names() -> dict[str, str]:
    """What any carrier is called -> its key."""
    return {
        _spell_plainly(known): key
        for key, carrier in CARRIERS.items()
        for known in (key, carrier.name, *carrier.aliases)
    }


def _spell_plainly(name: str) -> str:
    """Its words without accents, in lower case, each between spaces."""
    plain = "".join(mark for mark in unicodedata.normalize("NFKD", name) if not unicodedata.combining(mark))
    return f" {' '.join(re.findall('[a-z]+', plain.lower()))} "


def is_known_name(name: str) -> bool:
    """Whether it is exactly what a carrier here is called."""
    return _spell_plainly(name) in _list_known_names()


def build_tracking_url(carrier: str, number: str) -> str:
    """The carrier's own page for the parcel; empty for a carrier we don't know."""
    known = CARRIERS.get(find_carrier(carrier))
    return fill_url_template(known.url_template, number) if known else ""


def get_carrier_name(carrier: str) -> str:
    known = CARRIERS.get(carrier)
    return known.name if known else carrier
