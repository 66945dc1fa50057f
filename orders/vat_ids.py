"""VAT numbers by their form: the country's pattern and check digits, by `python-stdnum`. Nobody is asked about them."""

from collections.abc import Iterator
from typing import Any

import stdnum
from django_countries.fields import Country
from stdnum.exceptions import ValidationError

_EARLIER_LETTERS = {"EL": "GR", "XI": "GB", "EU": "EU"}  # whose numbers begin with letters that are no country's code
# As people read them; by the Commission's list of structures (VIES) and, for the others, the country's own authority.
_FORMS = {
    "AT": "ATU and 8 digits",
    "BE": "BE and 10 digits",
    "BG": "BG and 9 or 10 digits",
    "CH": "CHE, 9 digits and MWST, TVA or IVA",
    "CY": "CY, 8 digits and a letter",
    "CZ": "CZ and 8 to 10 digits",
    "DE": "DE and 9 digits",
    "DK": "DK and 8 digits",
    "EE": "EE and 9 digits",
    "ES": "ES and 9 digits, of which the first, the last or both may be letters",
    "FI": "FI and 8 digits",
    "FR": "FR, 2 digits or letters and 9 digits",
    "GB": "GB and 9 digits, or 12 for a branch",
    "GR": "EL and 9 digits",
    "HR": "HR and 11 digits",
    "HU": "HU and 8 digits",
    "IE": "IE, 7 digits and 1 or 2 letters",
    "IT": "IT and 11 digits",
    "LT": "LT and 9 or 12 digits",
    "LU": "LU and 8 digits",
    "LV": "LV and 11 digits",
    "MT": "MT and 8 digits",
    "NL": "NL, 9 digits, B and 2 digits",
    "NO": "NO, 9 digits and MVA",
    "PL": "PL and 10 digits",
    "PT": "PT and 9 digits",
    "RO": "RO and 2 to 10 digits",
    "SE": "SE and 12 digits",
    "SI": "SI and 8 digits",
    "SK": "SK and 10 digits",
}


class BusinessBuyerMixin:
    """What every form checks that takes `company_name` and `vat_id` beside a `country`."""

    def apply_business_rules(self: Any, country: str) -> None:
        """At the end of a form's `__init__`: which form of number the country has."""
        self.fields["vat_id"].help_text = describe_vat_form(country)

    def clean(self: Any) -> dict[str, Any]:
        return self.check_business(super().clean())  # type: ignore[misc,no-any-return]  # of the form mixed into

    def check_business(self: Any, cleaned: dict[str, Any]) -> dict[str, Any]:
        """The cleaned data with the number as it is kept; what is wrong is an error of its field."""
        typed, country = cleaned.get("vat_id", ""), str(cleaned.get("country", ""))
        if not typed:
            return cleaned
        try:
            cleaned["vat_id"] = normalize_vat_id(typed, country)
        except ValueError as refusal:
            self.add_error("vat_id", f"{refusal} {describe_vat_form(country)}".strip())
        if not cleaned.get("company_name") and "company_name" not in self.errors:
            self.add_error("company_name", "Please give the company’s name too.")
        return cleaned


def describe_vat_form(country: str) -> str:
    """What is expected of a number of this country, in a sentence; empty where nobody here knows."""
    form = _FORMS.get(country)
    return f"For {Country(country).name} we expect: {form}. Another country’s begins with its letters." if form else ""


def normalize_vat_id(text: str, country: str) -> str:
    """As it is written without spaces, with its country's letters as typed. `country`: where no letters are in front.

    Raises `ValueError`, for people, for one that the country cannot have given. Of countries whose form nobody here
    knows, every number is taken.
    """
    written = "".join(letter for letter in text if letter.isalnum())
    bare = written.upper()
    is_plain = written.isascii() and any(letter.isdigit() for letter in written)
    if is_plain and any(_fits(bare, each) for each in _list_givers(bare, country)):
        return bare
    raise ValueError("That is not a VAT number as its country gives them. A letter or digit may be missing or swapped.")


def _list_givers(bare: str, country: str) -> Iterator[str]:
    """Whose number it may be: the country of its letters, if they are one's, and the one that was chosen."""
    letters = bare[:2]
    of_letters = _EARLIER_LETTERS.get(letters, letters if letters.isalpha() and Country(letters).name else "")
    if of_letters:
        yield of_letters
    if not of_letters or stdnum.get_cc_module(of_letters.lower(), "vat"):
        yield country


def _fits(bare: str, country: str) -> bool:
    known = stdnum.get_cc_module(country.lower(), "vat")
    if known is None:
        return True
    try:
        known.validate(bare)
    except ValidationError:
        return False
    return True
