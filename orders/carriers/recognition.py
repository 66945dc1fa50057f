"""Whose a tracking number is, by its form and check digit alone."""

from orders.carriers.number_forms import close_up
from orders.carriers.published_forms import PUBLISHED_FORMS


def recognise_courier(number: str) -> str | None:
    """The key in `PUBLISHED_FORMS` of the courier that gives such numbers, however it is typed; None for nobody's.

    Of two that could, the one with fewer possible numbers. Zeros alone fit many check digits, and are nobody's.
    """
    closed_up = close_up(number)
    if not closed_up.strip("0"):
        return None
    return next(
        (courier for courier, forms in PUBLISHED_FORMS.items() if any(form.fits(closed_up) for form in forms)), None
    )
