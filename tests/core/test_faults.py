"""What happens when PostgreSQL hangs or Redis goes: on servers of this test's own."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from fastapi import FastAPI

from app.core.config import Settings
from app.core.infra import with_servers
from app.core.migrations import migrate
from tests import clock
from tests.conftest import http_client, running
from tests.people import People


@pytest.fixture(scope="module")
async def own(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> AsyncIterator[FastAPI]:
    """The application on its own PostgreSQL and Valkey."""
    change = {"database_url": "", "redis_url": "", "data_dir": tmp_path_factory.mktemp("faults"), "rate_limits": True}
    change["database_timeout_seconds"] = 2.5  # half of what is promised: the rest is for a busy machine
    async with with_servers(settings.model_copy(update=change)) as found:
        await migrate(found.database_url)
        async with running(found) as app:
            yield app


@contextmanager
def stopped(app: FastAPI, server: str) -> Iterator[None]:
    """SIGSTOP for a server and its children, SIGCONT afterwards."""
    lock = Path(app.state.settings.data_dir) / f"{server}.lock"
    parent = psutil.Process(int(lock.read_text().splitlines()[1]))
    family = [parent, *parent.children(recursive=True)]
    for process in family:
        os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in family:
            os.kill(process.pid, signal.SIGCONT)


async def timed(request: "asyncio.Future[httpx.Response]") -> tuple[httpx.Response, float]:
    started = clock.now()
    answer = await request
    return answer, clock.now() - started


async def test_a_hung_database_is_503_in_time_and_the_pool_recovers(own: FastAPI) -> None:
    async with http_client(own) as client, People(own) as people:
        ana, *others = [await people.make("ana") for _ in range(26)]
        crowd = 25  # more than twice the pool
        with stopped(own, "postgres"):
            reads = [timed(client.get(f"/users/{ana.username}")) for _ in range(crowd)]
            writes = [timed(other.patch("/users/me", json={"bio": "x"})) for other in others]
            answers = await asyncio.gather(*reads, *writes)
            ready = await client.get("http://soundscore.test/readyz")
        assert {answer.status_code for answer, _ in answers} == {503}
        assert all(answer.json()["code"] == "unavailable" for answer, _ in answers)
        assert all(int(answer.headers["retry-after"]) >= 1 for answer, _ in answers)
        assert max(seconds for _, seconds in answers) < 5
        assert ready.status_code == 503
        async with asyncio.timeout(30):
            while (await client.get("http://soundscore.test/readyz")).status_code != 200:
                await asyncio.sleep(0.1)
        again = await asyncio.gather(
            *(client.get(f"/users/{ana.username}") for _ in range(crowd)),
            *(other.patch("/users/me", json={"bio": "y"}) for other in others),
        )
        assert {answer.status_code for answer in again} == {200}


async def test_a_hung_redis_fails_no_request(own: FastAPI) -> None:
    async with http_client(own) as client, People(own) as people:
        ana, ben = await people.make("ana"), await people.make("ben")
        with stopped(own, "valkey"):
            answers = await asyncio.gather(
                client.get(f"/users/{ana.username}"),
                ana.get("/users/me"),
                ana.patch("/users/me", json={"bio": "z"}),
                ana.put(f"/users/{ben.username}/follow"),
            )
            ready = await client.get("http://soundscore.test/readyz")
        assert [answer.status_code // 100 for answer in answers] == [2, 2, 2, 2]
        assert ready.status_code == 200
        states = {part["name"]: part["state"] for part in ready.json()["parts"]}
        assert states["redis"] == "degraded"
