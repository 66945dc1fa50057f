"""The cache, forgiving: when Redis is away, nothing is found and nothing is kept, and the shop goes on."""

import logging
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class ForgivingRedisCache(RedisCache):
    """Django's Redis cache whose reads miss and whose writes are dropped while Redis does not answer."""

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except RedisError as error:
            return _absent(error, default)

    def set(self, key: str, value: Any, *args: Any, **kwargs: Any) -> None:
        try:
            super().set(key, value, *args, **kwargs)
        except RedisError as error:
            _absent(error, None)

    def add(self, key: str, value: Any, *args: Any, **kwargs: Any) -> bool:
        try:
            return bool(super().add(key, value, *args, **kwargs))
        except RedisError as error:
            return bool(_absent(error, True))

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        try:
            return int(super().incr(key, delta, version))
        except RedisError as error:
            return int(_absent(error, delta))

    def delete(self, key: str, version: int | None = None) -> bool:
        try:
            return bool(super().delete(key, version))
        except RedisError as error:
            return bool(_absent(error, False))


def _absent(error: RedisError, answer: Any) -> Any:
    logger.warning("The cache does not answer: %s", type(error).__name__)
    return answer
