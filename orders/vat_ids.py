"""VAT numbers by their form: the country's pattern and check digits, by `python-stdnum`. Nobody is asked about them."""

import stdnum
from stdnum.exceptions import ValidationError

_EARLIER_LETTERS = {"EL": "GR", "XI": "GB"}  # Greece, and Northern Ireland, by the letters their numbers begin with


def normalize_vat_id(text: str, country: str) -> str:
    """As it is written without spaces, with its country's letters as typed. `country`: where no letters are in front.

    Raises `ValueError`, for people, for one that the country cannot have given. Of countries whose form nobody here
    knows, every number is taken.
    """
    bare = "".join(letter for letter in text.upper() if letter.isalnum())
    letters = bare[:2] if bare[:2].isalpha() else country
    known = stdnum.get_cc_module(_EARLIER_LETTERS.get(letters, letters).lower(), "vat")
    if known is None:
        return bare
    try:
        known.validate(bare)
    except ValidationError as problem:
        raise ValueError(
            "That is not a VAT number as its country gives them. A letter or digit may be missing or swapped."
        ) from problem
    return bare
