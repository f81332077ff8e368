"""Cache-aside over Redis: one load however many ask, never a value older than the last change, nothing lost without it.

A miss takes a lease; a change deletes value and lease; a value is stored only while its lease stands. So a slow reader
cannot put back what a writer has just made stale (the lease of Nishtala et al., "Scaling Memcache at Facebook", 2013).
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.core.tasks import end_tasks

__all__ = ["Cache"]

LEASE_MILLISECONDS = 3000
POLL_SECONDS = 0.02
log = structlog.get_logger()

# KEYS: value, lease. ARGV: token, lease life in ms. Answers the value, else 1 if the lease is ours, else 0.
_GET = """
local value = redis.call('GET', KEYS[1])
if value then return value end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return 0
"""
# KEYS: value, lease. ARGV: token, value, life in seconds.
_PUT = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
redis.call('DEL', KEYS[2])
return 1
"""


class Cache:
    """Small values under string keys. Without Redis every read is a load."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._get = redis.register_script(_GET)
        self._put = redis.register_script(_PUT)
        self._owed: set[str] = set()
        self._repaying: asyncio.Task[None] | None = None

    async def get_or_load(self, key: str, ttl: int, load: Callable[[], Awaitable[bytes]]) -> tuple[bytes, bool]:
        """The value and whether it came from the cache. `ttl` is in seconds."""
        token = secrets.token_hex(8)
        try:
            found = await self._find(key, token)
        except (RedisError, OSError) as error:
            log.warning("cache_unread", reason=str(error))
            return await load(), False
        if isinstance(found, bytes):
            return found, True
        try:
            value = await load()
        except BaseException:
            if found:
                await self.drop([key])  # the lease: others must not wait for a value that will not come
            raise
        if found:
            await self._store(key, token, value, ttl)
        return value, False

    async def drop(self, keys: list[str]) -> None:
        """Forgets the keys; while Redis is away they stay owed and are dropped when it is back."""
        self._owed.update(keys)
        if not await self._repay() and (self._repaying is None or self._repaying.done()):
            self._repaying = asyncio.create_task(self._repay_later(), name="cache")

    async def close(self) -> None:
        """Ends the background work."""
        if self._repaying:
            await end_tasks([self._repaying])

    async def _find(self, key: str, token: str) -> bytes | bool:
        """The value, or whether the lease is ours. Waits for a value that another reader is loading."""
        for _ in range(int(LEASE_MILLISECONDS / 1000 / POLL_SECONDS)):
            found = await self._get(keys=[key, _lease(key)], args=[token, LEASE_MILLISECONDS])
            if found != 0:
                return found if isinstance(found, bytes) else True
            await asyncio.sleep(POLL_SECONDS)
        return False

    async def _store(self, key: str, token: str, value: bytes, ttl: int) -> None:
        try:
            await self._put(keys=[key, _lease(key)], args=[token, value, ttl])
        except (RedisError, OSError) as error:
            log.warning("cache_unwritten", reason=str(error))

    async def _repay(self) -> bool:
        keys = list(self._owed)
        try:
            if keys:
                await self._redis.delete(*keys, *map(_lease, keys))
        except (RedisError, OSError) as error:
            log.warning("cache_not_dropped", keys=len(keys), reason=str(error))
            return False
        self._owed.difference_update(keys)
        return True

    async def _repay_later(self) -> None:
        while not await self._repay():  # noqa: ASYNC110 -- Redis tells nobody that it is back
            await asyncio.sleep(0.5)


def _lease(key: str) -> str:
    return f"{key}:lease"
