"""A lid on what one address may ask for in a minute. Counted in the cache; with the cache away, nobody is refused."""

import time

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest

MINUTE = 60


def is_within_rate_limit(request: HttpRequest, action: str, *, most_per_minute: int) -> bool:
    """Counts this request; False once its address has had enough. The address is what TRUSTED_PROXIES makes of it."""
    address = get_adapter().get_client_ip(request)
    key = f"limit:{action}:{address}:{int(time.time()) // MINUTE}"
    cache.add(key, 0, 2 * MINUTE)
    try:
        return cache.incr(key) <= most_per_minute
    except ValueError:  # it went from the cache between the two
        return True
