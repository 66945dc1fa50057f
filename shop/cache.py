"""The cache, forgiving: when Redis is away, nothing is found and nothing is kept, and the shop goes on.

A Redis that hangs is asked once in a while and not by every page: after a silence this process leaves it alone.
django-redis has an option for less (docs/adr/0046-kept-by-hand.md).
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

logger = logging.getLogger(__name__)


PAUSE_SECONDS = 5.0
LONG_SECONDS = 0.25


class ForgivingRedisCache(RedisCache):
    """Django's Redis cache whose reads miss and whose writes are dropped while Redis does not answer."""

    _silent_until = 0.0  # of the monotonic clock; shared by all threads of the process

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._call_or_default(lambda: super(ForgivingRedisCache, self).get(key, default, version), default)

    def set(self, key: str, value: Any, *args: Any, **kwargs: Any) -> None:
        self._call_or_default(lambda: super(ForgivingRedisCache, self).set(key, value, *args, **kwargs), None)

    def add(self, key: str, value: Any, *args: Any, **kwargs: Any) -> bool:
        return bool(
            self._call_or_default(lambda: super(ForgivingRedisCache, self).add(key, value, *args, **kwargs), True)
        )

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        return int(self._call_or_default(lambda: super(ForgivingRedisCache, self).incr(key, delta, version), delta))

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._call_or_default(lambda: super(ForgivingRedisCache, self).delete(key, version), False))

    def touch(self, key: str, *args: Any, **kwargs: Any) -> bool:
        return bool(self._call_or_default(lambda: super(ForgivingRedisCache, self).touch(key, *args, **kwargs), False))

    def has_key(self, key: str, version: int | None = None) -> bool:
        return bool(self._call_or_default(lambda: super(ForgivingRedisCache, self).has_key(key, version), False))

    def get_many(self, keys: Any, version: int | None = None) -> Any:
        return self._call_or_default(lambda: super(ForgivingRedisCache, self).get_many(keys, version), {})

    def set_many(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        return self._call_or_default(lambda: super(ForgivingRedisCache, self).set_many(data, *args, **kwargs), [])

    def delete_many(self, keys: Any, version: int | None = None) -> None:
        self._call_or_default(lambda: super(ForgivingRedisCache, self).delete_many(keys, version), None)

    def _call_or_default(self, question: Callable[[], Any], absent: Any) -> Any:
        begun = time.monotonic()
        if begun < ForgivingRedisCache._silent_until:
            return absent
        try:
            return question()
        except (RedisError, OSError) as error:
            logger.warning("The cache does not answer: %s", type(error).__name__)
            took = time.monotonic() - begun
            if isinstance(error, RedisTimeoutError) or took > LONG_SECONDS:  # a name server that hangs, say
                ForgivingRedisCache._silent_until = time.monotonic() + PAUSE_SECONDS
            return absent

    @classmethod
    def wake(cls) -> None:
        """Asks again at once, whatever happened a moment ago."""
        cls._silent_until = 0.0
