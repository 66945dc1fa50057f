"""The published forms of tracking numbers: our own table after jkeen/tracking_number_data (MIT, Jeff Keen).

The keys are that collection's. Where a number fits forms of two couriers the earlier row has it: rows of fewer
possible numbers stand first. ADR 0055 says why; how to add a form: docs/how-to/a-carrier.md.
"""

import re

from orders.carriers.check_digits import (
    compute_luhn_digit,
    compute_mod7_digit,
    compute_mod37_digit,
    count_prefix,
    weigh_mod10,
    weigh_mod11,
)
from orders.carriers.number_forms import NumberForm, write_form, write_s10_form

S10_COUNTRIES = (
    "AE AF AG AL AM AO AR AT AU AZ BA BB BD BE BF BG BH BI BJ BN BO BR BS BT BW BY BZ CA CD CF CG CH CI CL CM CN "
    "CO CR CU CV CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FR GA GB GD GE GH GM GN GQ GR GT GW GY HK HN HR "
    "HT HU ID IE IL IN IQ IR IS IT JM JO JP KE KG KH KI KM KN KP KR KW KZ LA LB LC LI LK LR LS LT LU LV LY MA MC "
    "MD ME MG MK ML MM MN MR MT MU MV MW MX MY MZ NA NE NG NI NL NO NP NR NZ OM PA PE PG PH PK PL PT PY QA RO RS "
    "RU RW SA SB SC SD SE SG SI SK SL SM SN SO SR SS ST SV SY SZ TD TG TH TJ TL TM TN TO TR TT TV TZ UA UG US UY "
    "UZ VA VC VE VN VU WS YE ZA ZM ZW"
)

SSCC = weigh_mod10(3, 1)
"""The check digit of the world-wide serial shipping container code, of some posts too."""

# A mailer's number has nine digits and begins with 9, or six and does not; then the parcel's, and one check digit.
_ZIP = "420#{5}"
_ZIP_PLUS_4 = "(?:#{4}(?=#{22}$))?"
_MAILER = "(?:9#{8}(?:#{15}|#{11}|#{7})|[0-8]#{5}(?:#{14}|#{10}))"
_SHORT_MAILER = "(?:9#{8}(?:#{11}|#{7})|[0-8]#{5}(?:#{14}|#{10}))"
_OLD_DOMINION = "(?:(?:77[78]|072|780)#{7}|80#{8})"
# What is plainly of a narrower form, but for a check digit that does not fit, is not of a wider one.
_NOT_S10 = "(?![A-Z]{2}#{9}[A-Z]{2}$)"
_NOT_USPS = "(?!420#{5}(?:#{4})?9[1-5])"
_NOT_OLD_DOMINION = f"(?!{_OLD_DOMINION}#$)"
_UPS = weigh_mod10(1, 2)

PUBLISHED_FORMS: dict[str, tuple[NumberForm, ...]] = {
    "s10": (write_s10_form(*S10_COUNTRIES.split()),),
    "canadapost": (write_form("(?P<serial>#{15})!", weigh_mod10(3, 1)),),
    "canpar": (write_form("[CDKLSUXZ]#{21}"),),
    "gofo": (write_form("GFUS#{14}"),),
    "landmark": (write_form("LTN#{8}N1"),),
    "lasership": (
        write_form("L[AIEHNX][1-3]#{7}"),
        write_form("1LS7[12]#{10}"),
        write_form("1LS7[12]#{2}01[1-4]#{6}1"),
        write_form("1LSCX[0-9A-Z]{10}"),
    ),
    "old_dominion": (write_form(f"(?P<serial>{_OLD_DOMINION})!", compute_luhn_digit),),
    "ontrac": (
        write_form("C(?P<serial>#{13})!", count_prefix("4", weigh_mod10(1, 2))),
        write_form("D(?P<serial>#{13})!", count_prefix("5", weigh_mod10(1, 2))),
    ),
    "purolator": (
        write_form("(?P<serial>[0-5]#{10})!", compute_luhn_digit),
        write_form("(?!JJD)[A-Z]{3}#{9}"),
    ),
    "speedee": (write_form("SP#{18}"),),
    "ups": (
        write_form("1Z(?P<serial>[0-9A-Z]{15})!", _UPS),
        write_form("[AHJKTV](?P<serial>#{9})!", _UPS),
    ),
    "amazon": (write_form("TB[ACM]#{12}"), write_form("[AFC]#{10}")),
    "usps": (
        write_form("(?P<serial>#{19})!", weigh_mod10(3, 1)),
        write_form(
            f"(?:{_ZIP}(?=#{{22}}$|#{{26}}$){_ZIP_PLUS_4})?(?P<serial>94#{{3}}{_MAILER})!",
            weigh_mod10(3, 1),
        ),
        write_form(
            f"(?:{_ZIP}{_ZIP_PLUS_4})?(?P<serial>(?:92(?=#{{3}}9)|93(?=#{{3}}[0-8])|95)#{{3}}{_SHORT_MAILER})!",
            weigh_mod10(3, 1),
        ),
        write_form(f"(?:{_ZIP}(?:#{{4}})?)?(?P<serial>(?:91)?#{{19}})!", count_prefix("91", weigh_mod10(3, 1))),
    ),
    "yodel": (write_form("JJ?D#{16}"),),
    "yunexpress": (write_form("YT#{16}"),),
    "fedex": (
        write_form("(?P<serial>#{11})!", weigh_mod11(3, 1, 7)),
        write_form(f"{_NOT_USPS}[0-8]#{{19}}(?P<serial>#{{13}})!", weigh_mod11(1, 7, 3)),
        write_form("3#{15}(?P<serial>#{11})!#{4}", weigh_mod11(3, 1, 7)),
        write_form("(?P<serial>#{14})!", weigh_mod10(1, 3)),
        write_form("#{2}(?P<serial>#{15})!", SSCC),
        write_form("96#{5}(?P<serial>#{14})!", weigh_mod10(1, 3)),
        write_form("96#{18}(?P<serial>#{13})!", weigh_mod11(1, 7, 3)),
    ),
    "dpd": (NumberForm(re.compile("(?P<serial>[0-9]{27}|[0-9]{14})(?P<check>[0-9A-Z])"), compute_mod37_digit),),
    "dhl": (
        write_form(f"{_NOT_OLD_DOMINION}(?P<serial>#{{9,10}})!", compute_mod7_digit),
        write_form("J[A-Z]{2,3}#{9,10}"),
        write_form(f"{_NOT_S10}(?:GM|LX|RX|UV|CN|SG|TH|IN|HK|MY)#[0-9A-Z]{{9,38}}"),
        write_form("#{14}"),
    ),
}
