"""Cache-aside: one load for many readers, never stale after a change, works without Redis."""

import asyncio

from redis.asyncio import Redis

from app.core.cache import Cache
from app.core.ids import uuid7
from app.core.infra import Infra


async def test_a_miss_loads_and_a_hit_does_not(infra: Infra) -> None:
    key, loads = uuid7().hex, []

    async def load() -> bytes:
        loads.append(1)
        return b"7"

    assert await infra.cache.get_or_load(key, 60, load) == (b"7", False)
    assert await infra.cache.get_or_load(key, 60, load) == (b"7", True)
    assert len(loads) == 1
    assert 0 < await infra.redis.ttl(key) <= 60


async def test_a_crowd_causes_one_load(infra: Infra) -> None:
    key, loads = uuid7().hex, []

    async def load() -> bytes:
        loads.append(1)
        await asyncio.sleep(0.1)
        return b"once"

    caches = [Cache(infra.redis) for _ in range(3)]
    answers = await asyncio.gather(*(cache.get_or_load(key, 60, load) for cache in caches * 20))
    assert len(loads) == 1
    assert {value for value, _ in answers} == {b"once"}
    assert sum(not hit for _, hit in answers) == 1


async def test_a_slow_reader_cannot_put_back_what_a_change_made_stale(infra: Infra) -> None:
    key, started, go_on = uuid7().hex, asyncio.Event(), asyncio.Event()

    async def slow() -> bytes:
        started.set()
        await go_on.wait()
        return b"old"

    async def fresh() -> bytes:
        return b"new"

    reader = asyncio.create_task(infra.cache.get_or_load(key, 60, slow))
    await started.wait()
    await infra.cache.drop([key])
    go_on.set()
    assert await reader == (b"old", False)
    assert await infra.cache.get_or_load(key, 60, fresh) == (b"new", False)


async def test_a_transaction_drops_its_stale_keys_after_the_commit(infra: Infra) -> None:
    key = uuid7().hex
    await infra.redis.set(key, b"1")
    async with infra.db.write() as db:
        db.stale.append(key)
        assert await infra.redis.get(key) == b"1"
    assert await infra.redis.get(key) is None


async def test_without_redis_it_loads_and_owes_the_drop() -> None:
    cache = Cache(Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.2))

    async def load() -> bytes:
        return b"loaded"

    assert await cache.get_or_load("key", 60, load) == (b"loaded", False)
    await cache.drop(["key"])
    assert cache._owed == {"key"}
    await cache.close()
