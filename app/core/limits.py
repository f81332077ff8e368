"""Rate limits: GCRA in one script, leased in small batches so that a busy client does not cost a round trip each time.

Source of the algorithm: ITU-T I.371, the generic cell rate algorithm; its state is one timestamp for each key.
Without Redis nothing is limited: it is better to serve than to refuse everybody.
"""

import time
from dataclasses import dataclass
from math import ceil
from typing import Any

import structlog
from fastapi import Depends, Request
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.core.addresses import client_address, trusted
from app.core.errors import TooManyRequests

__all__ = ["Limit", "Limiter", "Verdict", "limited", "limited_by_address"]

log = structlog.get_logger()
LEASE_SECONDS = 5.0
RETRY_BROKEN_SECONDS = 1.0
_MOST_LEASES = 20_000

# KEYS: state. ARGV: emission interval, burst, wanted (times in microseconds).
# Answers how many were granted, how many remain, and the wait in microseconds until one more is free.
_GCRA = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local free = math.floor((burst * interval - (arrival - now)) / interval)
local granted = math.max(0, math.min(wanted, free))
if granted == 0 then return {0, 0, math.ceil(arrival + interval - now - burst * interval)} end
arrival = arrival + granted * interval
redis.call('SET', KEYS[1], string.format('%.0f', arrival), 'PX', math.ceil((arrival - now) / 1000) + 1000)
return {granted, free - granted, 0}
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """`count` requests in `seconds`, all of which may come at once."""

    name: str
    count: int
    seconds: int = 60

    @property
    def batch(self) -> int:
        """How many are leased at a time: few enough that several processes stay close to the limit."""
        return max(1, self.count // 50)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a limit says of one request; times in seconds."""

    limit: Limit
    allowed: bool
    remaining: int
    wait: int

    def headers(self) -> dict[str, str]:
        """The RateLimit fields (draft-ietf-httpapi-ratelimit-headers)."""
        policy = f'"{self.limit.name}";q={self.limit.count};w={self.limit.seconds}'
        return {"ratelimit-policy": policy, "ratelimit": f'"{self.limit.name}";r={self.remaining};t={self.wait}'}


class _Lease:
    __slots__ = ("expires", "held", "remaining")

    def __init__(self, held: int, remaining: int, expires: float) -> None:
        self.held, self.remaining, self.expires = held, remaining, expires


class Limiter:
    """Asks Redis, and spends what it was granted."""

    def __init__(self, redis: Redis, *, enabled: bool) -> None:
        self._script = redis.register_script(_GCRA)
        self._enabled = enabled
        self._leases: dict[str, _Lease] = {}
        self._broken_until = 0.0

    async def take(self, limit: Limit, key: str) -> Verdict:
        """Spends one request of `key`. Never raises: without Redis everything is allowed."""
        now = time.monotonic()
        name = f"limit:{limit.name}:{key}"
        lease = self._leases.get(name)
        if lease and lease.held > 0 and lease.expires > now:
            lease.held -= 1
            return Verdict(limit, True, lease.remaining + lease.held, 0)
        if not self._enabled or now < self._broken_until:
            return Verdict(limit, True, limit.count, 0)
        return await self._lease(limit, name, now)

    async def _lease(self, limit: Limit, name: str, now: float) -> Verdict:
        interval = limit.seconds * 1_000_000 // limit.count
        try:
            granted, remaining, wait = await self._script(keys=[name], args=[interval, limit.count, limit.batch])
        except (RedisError, OSError) as error:
            log.warning("limits_off", reason=str(error))
            self._broken_until = now + RETRY_BROKEN_SECONDS
            return Verdict(limit, True, limit.count, 0)
        if granted > 1:
            self._keep(name, _Lease(granted - 1, remaining, now + LEASE_SECONDS))
        return Verdict(limit, granted > 0, remaining + max(granted - 1, 0), ceil(wait / 1_000_000))

    def _keep(self, name: str, lease: _Lease) -> None:
        if len(self._leases) >= _MOST_LEASES:
            self._leases.clear()  # what is lost is a little of everybody's allowance
        self._leases[name] = lease


def check(verdict: Verdict) -> None:
    """Raises TooManyRequests when the limit is used up."""
    if not verdict.allowed:
        detail = f"At most {verdict.limit.count} in {verdict.limit.seconds} s. Try again in {verdict.wait} s."
        raise TooManyRequests(detail, headers={**verdict.headers(), "Retry-After": str(max(1, verdict.wait))})


def limited(name: str, count: int, seconds: int = 60) -> Any:
    """A dependency that limits an operation for each person, or for each address of those without a token."""
    limit = Limit(name, count, seconds)

    async def spend(request: Request) -> None:
        check(await request.app.state.infra.limiter.take(limit, request.scope["client_key"]))

    return Depends(spend)


def limited_by_address(name: str, count: int, seconds: int = 60) -> Any:
    """A dependency that limits an operation for each address, whoever asks: where accounts are made, each new one
    would else bring an allowance of its own."""
    limit = Limit(name, count, seconds)

    async def spend(request: Request) -> None:
        proxies = trusted(tuple(request.app.state.settings.trusted_proxies))
        address = client_address(request.scope, request.headers, proxies)
        check(await request.app.state.infra.limiter.take(limit, address))

    return Depends(spend)
