"""A lid on what one address may ask for in a minute. Counted in the cache; with the cache away, nobody is refused.

One increment, so that two hundred buyers at once all pass; allauth's limits, for a few of something, take a lock
(docs/adr/0046-kept-by-hand.md).
"""

import time

from allauth.core.internal.ratelimit import get_ip
from django.core.cache import cache
from django.http import HttpRequest

MINUTE = 60


def is_within_rate_limit(request: HttpRequest, action: str, *, most_per_minute: int) -> bool:
    """Counts this request; False once its address has had enough.

    The address is what TRUSTED_PROXIES makes of it; of IPv6, the network that one customer has.
    """
    key = f"limit:{action}:{get_ip(request)}:{int(time.time()) // MINUTE}"
    cache.add(key, 0, 2 * MINUTE)
    try:
        return cache.incr(key) <= most_per_minute
    except ValueError:  # it went from the cache between the two
        return True
