"""How often a password may be guessed: strangers' guesses are limited, and never lock its owner out.

A browser that signed in before is counted by itself. Any other is counted together with where it comes from; once an
address is guessed at from many places, each place has fewer tries, and one that has not failed still has its first.
"""

from allauth.core.internal import ratelimit
from allauth.core.internal.ratelimit import RateLimitUsage, get_ip
from django.http import HttpRequest

from accounts.people.devices import get_known_device

RATE_PER_IP = "10/m/ip"  # of one place, whatever the addresses
RATE_PER_PLACE = "5/5m/key"  # of one browser, or of one place for one address
RATE_PER_ADDRESS = "10/h/key"  # so many wrong guesses at one address, by browsers never signed in
RATE_PER_PLACE_UNDER_ATTACK = "2/h/key"  # of one place, from then on
_APP, _ACTION = "accounts", "guess"

Counted = list[RateLimitUsage]


def count_guess(request: HttpRequest, email: str) -> Counted | None:
    """Counts a guess before it is looked at, until `take_back`. None when there were too many."""
    counted: Counted = []
    device = get_known_device(request, email)
    place = f"{email}|device|{device}" if device else f"{email}|{get_ip(request)}"
    if not (
        _consume_limit(request, RATE_PER_IP, "", counted) and _consume_limit(request, RATE_PER_PLACE, place, counted)
    ):
        return None
    if not device and not _consume_limit(request, RATE_PER_ADDRESS, email, counted):
        return counted if _consume_limit(request, RATE_PER_PLACE_UNDER_ATTACK, f"{place}|many", counted) else None
    return counted


def uncount_guess(counted: Counted) -> None:
    """It was no guess: the password was right."""
    for usage in counted:
        usage.rollback()


def clear_guesses(request: HttpRequest, email: str) -> None:
    """The owner chose a new password: guesses at the old one count no more."""
    place = f"{email}|{get_ip(request)}"
    for rate, key in (
        (RATE_PER_PLACE, place),
        (RATE_PER_ADDRESS, email),
        (RATE_PER_PLACE_UNDER_ATTACK, f"{place}|many"),
    ):
        ratelimit.clear(request, app=_APP, action=_ACTION, config={_ACTION: rate}, key=key)


def _consume_limit(request: HttpRequest, rate: str, key: str, counted: Counted) -> bool:
    usage = ratelimit.consume(request, app=_APP, action=_ACTION, config={_ACTION: rate}, key=key, limit_get=True)
    if usage is None:
        return False
    counted.append(usage)
    return True
