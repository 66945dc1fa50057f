"""What an e-mail address is: the one check of addresses for every door, and the one form in which they are kept.

Kept is what stands on the wire: letters without case, the domain in ASCII (`xn--…`), so that equal addresses are equal
text in Python and in SQL. Whether anybody reads mail there, only a mail can show.
"""

import unicodedata
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from email_validator import EmailNotValidError, validate_email

INCOMPLETE = "That is not a whole address, such as name@example.com."
LONGEST_LOCAL_PART, LONGEST_DOMAIN, LONGEST_LABEL = 64, 253, 63


class UnreachableAddressError(ValueError):
    """No mail can reach it; the message tells its owner what to change."""


def normalize_address(text: str) -> str:
    """The address as the shop keeps it. Spaces around it are let go.

    Raises `UnreachableAddressError` for what no mail reaches: wrong signs, lengths and domains, and letters that only
    some mail servers take.
    """
    text = text.strip()
    for is_found, words in _PROBLEMS:
        if is_found(text):
            raise UnreachableAddressError(words.format(letter=_find_non_ascii_letter(text)))
    try:
        found = validate_email(text, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError:
        raise UnreachableAddressError(INCOMPLETE) from None
    if found.ascii_email is None or len(found.ascii_email) > 254:
        raise UnreachableAddressError(_TOO_LONG)
    return found.ascii_email.lower()


def normalize_searched_address(text: str) -> str:
    """What is looked for when somebody types an address into a search: the form in which it would be kept."""
    try:
        return normalize_address(text)
    except UnreachableAddressError:
        return text.strip().lower()


class EmailAddressInput(forms.EmailField):
    """A form's field for an address: cleaned to the form in which the shop keeps it."""

    default_validators = []

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", "E-mail")
        kwargs.setdefault("widget", forms.EmailInput(attrs={"autocomplete": "email"}))
        super().__init__(**kwargs)

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        return _clean_address(text) if text else ""


class EmailAddressField(models.EmailField):
    """A model's column for an address: whatever is typed for it, in the admin or a command, passes the one check."""

    default_validators = []

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        """For what somebody typed; what is only looked for may be any text."""
        text = super().clean(value, model_instance)
        return _clean_address(text) if text else text

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": EmailAddressInput, "widget": forms.EmailInput, **kwargs})

    def deconstruct(self) -> Any:
        """To migrations it is Django's own column."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.EmailField", args, kwargs


def _clean_address(text: str) -> str:
    try:
        return normalize_address(text)
    except UnreachableAddressError as problem:
        raise ValidationError(str(problem), code="invalid") from None


def _split_address(text: str) -> tuple[str, str]:
    local_part, _, domain = text.rpartition("@")
    return local_part, domain


def _find_non_ascii_letter(text: str) -> str:
    return next((letter for letter in text if not letter.isascii()), "")


def _is_too_long(text: str) -> bool:
    local_part, domain = _split_address(text)
    longest = max(map(len, domain.split(".")))
    return len(local_part) > LONGEST_LOCAL_PART or len(domain) > LONGEST_DOMAIN or longest > LONGEST_LABEL


def _is_invisible(letter: str) -> bool:
    """Control characters, joiners, marks of direction, blanks that are no space, and what a wrong decoding leaves."""
    return letter in _UNREADABLE or (letter != " " and unicodedata.category(letter)[0] in "CZ")


# The sign for what could not be decoded, and those no font draws, which domain names would silently lose.
_UNREADABLE = frozenset("\ufffd\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0").union(map(chr, range(0xFE00, 0xFE10)))
_TOO_LONG = "That is longer than an address can be. Please check it, or give another."
# (what is wrong, what we say); the first that holds.
_PROBLEMS: tuple[tuple[Callable[[str], bool], str], ...] = (
    (
        lambda text: any(map(_is_invisible, text)),
        "There is a sign in it that cannot be seen or read. Please type the address by hand.",
    ),
    (lambda text: '"' in text, "Mail cannot reach an address with quotation marks. Please give another."),
    (lambda text: text.count("@") > 1, "That has more than one @. Please give one address."),
    (lambda text: "@" not in text or "" in _split_address(text), INCOMPLETE),
    (
        lambda text: not _split_address(text)[0].isascii(),
        "Mail does not reach an address with “{letter}” before the @. Please check it, or give another.",
    ),
    (
        lambda text: _split_address(text)[1].startswith("["),
        "After the @ belongs a name such as example.com, not a number in brackets.",
    ),
    (_is_too_long, _TOO_LONG),
)
