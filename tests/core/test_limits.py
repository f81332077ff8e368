"""Rate limits: exact for small ones, close for leased ones, open without Redis."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from redis.asyncio import Redis

from app.core.config import Settings
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.limits import Limit, Limiter
from tests.conftest import http_client, running


def limiter(infra: Infra) -> Limiter:
    return Limiter(infra.redis, enabled=True)


async def test_a_burst_passes_and_the_next_waits(infra: Infra) -> None:
    limit, key, gate = Limit("small", 5, 60), uuid7().hex, limiter(infra)
    verdicts = [await gate.take(limit, key) for _ in range(6)]
    assert [verdict.allowed for verdict in verdicts] == [True] * 5 + [False]
    assert [verdict.remaining for verdict in verdicts] == [4, 3, 2, 1, 0, 0]
    assert 1 <= verdicts[5].wait <= 12


async def test_what_flowed_off_may_come_again(infra: Infra) -> None:
    limit, key, gate = Limit("flow", 5, 1), uuid7().hex, limiter(infra)
    assert sum([(await gate.take(limit, key)).allowed for _ in range(6)]) == 5
    await asyncio.sleep(0.45)
    assert 1 <= sum([(await gate.take(limit, key)).allowed for _ in range(6)]) <= 4


async def test_several_processes_share_a_leased_limit(infra: Infra) -> None:
    limit, key = Limit("shared", 300, 3600), uuid7().hex
    gates = [limiter(infra) for _ in range(3)]
    allowed = [sum([(await gate.take(limit, key)).allowed for _ in range(200)]) for gate in gates]
    still_held = 3 * (limit.batch - 1)
    assert 300 - still_held <= sum(allowed) <= 300


async def test_keys_do_not_touch_each_other(infra: Infra) -> None:
    limit, gate = Limit("apart", 1, 60), limiter(infra)
    assert (await gate.take(limit, uuid7().hex)).allowed
    assert (await gate.take(limit, uuid7().hex)).allowed


async def test_without_redis_everything_is_allowed() -> None:
    nowhere = Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.2)
    gate = Limiter(nowhere, enabled=True)
    limit = Limit("open", 1, 60)
    assert all([(await gate.take(limit, "somebody")).allowed for _ in range(5)])
    await nowhere.aclose()


@pytest.fixture(scope="module")
async def limited_app(settings: Settings):
    change = {"rate_limits": True, "rate_limit_address_per_minute": 4, "rate_limit_user_per_minute": 7}
    async with running(settings.model_copy(update=change)) as app:
        yield app


async def test_answers_tell_the_limit_and_the_problem_tells_the_wait(limited_app: FastAPI) -> None:
    async with http_client(limited_app) as client:
        await client.get("/nowhere")
        answers: list[httpx.Response] = [await client.get("/nowhere") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [404, 404, 404, 429]
    assert answers[0].headers["ratelimit-policy"] == '"address";q=4;w=60'
    assert answers[0].headers["ratelimit"] == '"address";r=2;t=0'
    problem = answers[3].json()
    assert (problem["code"], problem["status"]) == ("too_many_requests", 429)
    assert int(answers[3].headers["retry-after"]) >= 1
    assert answers[3].headers["x-request-id"] == problem["request_id"]
