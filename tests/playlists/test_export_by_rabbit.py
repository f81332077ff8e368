"""Exports that go through a real RabbitMQ, and what RabbitMQ itself promises us."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from app.core.config import Settings
from app.core.ids import uuid7
from app.core.job_runner import drain
from app.integrations.broker import DELIVERIES, BrokerDown, Rabbit, Unreadable, broker
from app.playlists.exporting import hand_over_waiting, read_message
from tests.conftest import http_client
from tests.playlists.test_export import Desk, a_desk, ask, playlist_of, state_of
from tests.rabbit import RabbitServer
from tests.servers import REPOSITORY


async def until(holds: Any, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await holds():
            await asyncio.sleep(0.05)


@pytest.fixture
async def queue(rabbit: RabbitServer) -> AsyncIterator[Rabbit]:
    """A queue of this test alone."""
    one = Rabbit(rabbit.url, f"test-{uuid7()}")
    yield one
    await one.close()


@asynccontextmanager
async def taking(queue: Rabbit, handle: Any) -> AsyncIterator[asyncio.Event]:
    """Somebody takes from the queue meanwhile."""
    stopping = asyncio.Event()
    task = asyncio.create_task(queue.consume(handle, stopping, at_once=4, last_seconds=2))
    try:
        yield stopping
    finally:
        stopping.set()
        await task


async def collect(queue: Rabbit, count: int) -> list[bytes]:
    """What comes, until so many have come."""
    got: list[bytes] = []

    async def handle(body: bytes) -> None:
        got.append(body)

    async def enough() -> bool:
        return len(got) >= count

    async with taking(queue, handle):
        await until(enough)
    return got


# --- RabbitMQ ---


async def test_what_was_confirmed_outlives_a_power_cut(rabbit: RabbitServer, queue: Rabbit) -> None:
    await queue.publish([])
    await asyncio.sleep(1.5)  # a queue that is younger may not be on disk
    await queue.publish(str(number).encode() for number in range(100))
    await rabbit.kill()
    with pytest.raises(BrokerDown):
        await queue.publish([b"lost"])
    await rabbit.start()

    async def is_back() -> bool:
        with suppress(BrokerDown):
            await queue.publish([b"100"])
            return True
        return False

    await until(is_back, 30)
    got = await collect(queue, 101)
    assert [int(body) for body in got] == list(range(101))
    assert (await queue.state()).waiting == 0


async def test_a_message_that_fits_nowhere_is_not_taken_for_delivered(rabbit: RabbitServer, queue: Rabbit) -> None:
    await queue.publish([b"first"])
    connection = await queue._connect()
    channel = await connection.channel()
    await channel.queue_delete(queue._queue)
    with pytest.raises(BrokerDown):
        await queue.publish([b"second"])
    await queue.publish([b"third"])
    assert await collect(queue, 1) == [b"third"]
    await connection.close()


async def test_what_nobody_can_read_goes_to_the_dead_ones_at_once(queue: Rabbit) -> None:
    async def refuse(body: bytes) -> None:
        raise Unreadable("no such thing")

    async def is_dead() -> bool:
        return (await queue.state()).dead == 1

    await queue.publish([b"?"])
    async with taking(queue, refuse):
        await until(is_dead)
    assert (await queue.state()).waiting == 0


async def test_what_comes_back_too_often_goes_to_the_dead_ones(queue: Rabbit) -> None:
    await queue.publish([b"poison"])
    connection = await queue._connect()
    channel = await connection.channel()
    lying = await channel.get_queue(queue._queue)
    for _ in range(DELIVERIES + 1):
        message = await lying.get(timeout=5, fail=True)
        await message.nack(requeue=True)
    await connection.close()

    async def is_dead() -> bool:
        state = await queue.state()
        return (state.waiting, state.dead) == (0, 1)

    await until(is_dead)


async def test_what_failed_comes_again(queue: Rabbit) -> None:
    tries = 0

    async def fail_twice(body: bytes) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise ConnectionError("the database is away")

    async def is_done() -> bool:
        return tries == 3 and (await queue.state()).waiting == 0

    await queue.publish([b"one"])
    with capture_logs() as logs:
        async with taking(queue, fail_twice):
            await until(is_done)
    assert tries == 3
    assert [entry["event"] for entry in logs].count("message not handled") == 2
    assert (await queue.state()).dead == 0


@pytest.mark.slow
async def test_a_consumer_outlives_its_broker(rabbit: RabbitServer, queue: Rabbit) -> None:
    """What is being handled ends; it comes again, since nobody could say that it had been."""
    begun, may_end, got = asyncio.Event(), asyncio.Event(), []

    async def handle(body: bytes) -> None:
        begun.set()
        await may_end.wait()
        got.append(body)

    async def twice() -> bool:
        return len(got) == 2

    await queue.publish([])
    await asyncio.sleep(1.5)
    await queue.publish([b"one"])
    async with taking(queue, handle):
        await begun.wait()
        await rabbit.kill()
        may_end.set()
        await rabbit.start()
        await until(twice, 40)
    assert got == [b"one", b"one"]


async def test_who_stops_ends_what_was_begun_and_leaves_the_rest(queue: Rabbit) -> None:
    begun, got = asyncio.Event(), []

    async def handle(body: bytes) -> None:
        begun.set()
        await asyncio.sleep(0.5)
        got.append(body)

    await queue.publish(str(number).encode() for number in range(20))
    async with taking(queue, handle) as stopping:
        await begun.wait()
        stopping.set()
    assert sorted(got) == [b"0", b"1", b"2", b"3"]
    assert (await queue.state()).waiting == 16


# --- exports ---


@pytest.fixture
async def desk(settings: Settings, rabbit: RabbitServer) -> AsyncIterator[Desk]:
    """An application that gives exports to RabbitMQ, by a queue of its own."""
    async with a_desk(settings, rabbitmq_url=rabbit.url, rabbitmq_queue=f"test-{uuid7()}") as desk:
        yield desk


def queue_of(desk: Desk) -> Rabbit:
    found = desk.infra.part(broker)
    assert found is not None
    return found


async def consume_all(desk: Desk) -> None:
    """Takes what lies in the queue, and ends."""

    async def handle(body: bytes) -> None:
        await read_message(desk.infra, body)

    async def is_empty() -> bool:
        return (await queue_of(desk).state()).waiting == 0

    async with taking(queue_of(desk), handle):
        await until(is_empty)


async def health_of(app: FastAPI) -> dict[str, str]:
    async with http_client(app) as client:
        parts = (await client.get("http://soundscore.test/health")).json()["parts"]
    found: dict[str, str] = next(part for part in parts if part["name"] == "broker")
    return found


async def test_the_worker_hands_over_an_id_and_a_consumer_mails(desk: Desk) -> None:
    ana = await desk.people.make("ana")
    export = await ask(ana, await playlist_of(desk.infra, ana, "One"))
    assert await drain(desk.infra) == 1
    assert desk.inbox.mails == []
    assert (await queue_of(desk).state()).waiting == 1
    assert (await state_of(ana, export["id"]))["state"] == "queued"
    await hand_over_waiting(desk.infra)  # it is known to lie there
    assert (await queue_of(desk).state()).waiting == 1
    seen: list[bytes] = []

    async def handle(body: bytes) -> None:
        seen.append(body)
        await read_message(desk.infra, body)

    async def is_sent() -> bool:
        return bool(desk.inbox.mails)

    async with taking(queue_of(desk), handle):
        await until(is_sent)
    assert [json.loads(body) for body in seen] == [{"export_id": export["id"]}]
    assert (await state_of(ana, export["id"]))["state"] == "sent"
    assert (await queue_of(desk).state()).waiting == 0


async def test_an_id_that_comes_five_times_is_mailed_once(desk: Desk) -> None:
    ana = await desk.people.make("ana")
    export = await ask(ana, await playlist_of(desk.infra, ana))
    await drain(desk.infra)
    await queue_of(desk).publish([json.dumps({"export_id": export["id"]}).encode()] * 4)
    await consume_all(desk)
    assert len(desk.inbox.mails) == 1


async def test_junk_and_ids_of_nothing_harm_nobody(desk: Desk) -> None:
    await queue_of(desk).publish([b"{", b"[]", json.dumps({"export_id": str(uuid7())}).encode()])
    await consume_all(desk)

    async def are_dead() -> bool:
        return (await queue_of(desk).state()).dead == 2

    await until(are_dead)
    assert desk.inbox.mails == []


async def test_while_the_broker_is_away_exports_wait_and_after_a_time_the_worker_mails_them(
    desk: Desk, rabbit: RabbitServer
) -> None:
    ana = await desk.people.make("ana")
    made = await playlist_of(desk.infra, ana)
    await queue_of(desk).publish([])
    await asyncio.sleep(1.5)
    await rabbit.kill()
    try:
        exports = [await ask(ana, made) for _ in range(3)]
        await drain(desk.infra)
        assert [(await state_of(ana, export["id"]))["state"] for export in exports] == ["queued"] * 3
        part = await health_of(desk.app)
        assert part["state"] == "degraded"
        assert "exports wait" in part["detail"]
        late = "UPDATE playlist_exports SET next_attempt_at = now() - interval '6 min' WHERE id = $1"
        await desk.infra.db.fetch(late, [UUID(exports[0]["id"])])
        await hand_over_waiting(desk.infra)
        await drain(desk.infra)
        states = [(await state_of(ana, export["id"]))["state"] for export in exports]
        assert (states, len(desk.inbox.mails)) == (["sent", "queued", "queued"], 1)
    finally:
        await rabbit.start()

    async def handed() -> bool:
        await hand_over_waiting(desk.infra)
        return (await queue_of(desk).state()).waiting >= 2

    await until(handed, 40)
    await consume_all(desk)
    assert [(await state_of(ana, export["id"]))["state"] for export in exports] == ["sent"] * 3
    assert len(desk.inbox.mails) == 3


@pytest.mark.slow
async def test_a_broker_that_hangs_holds_nobody_up(desk: Desk, rabbit: RabbitServer) -> None:
    ana = await desk.people.make("ana")
    made = await playlist_of(desk.infra, ana)
    await queue_of(desk).publish([])
    rabbit.signal(signal.SIGSTOP)
    try:
        async with asyncio.timeout(2):
            export = await ask(ana, made, to="hanging@example.com")
        async with asyncio.timeout(4):
            assert (await health_of(desk.app))["state"] == "degraded"
        async with asyncio.timeout(10):
            await drain(desk.infra)
    finally:
        rabbit.signal(signal.SIGCONT)
    await hand_over_waiting(desk.infra)
    await consume_all(desk)
    assert (await state_of(ana, export["id"]))["state"] == "sent"
    # tests before may have left exports of theirs
    assert len([mail for mail in desk.inbox.mails if "hanging@example.com" in mail["To"]]) == 1


async def test_what_nobody_takes_from_the_queue_the_worker_mails_after_a_time(desk: Desk) -> None:
    ana = await desk.people.make("ana")
    export = await ask(ana, await playlist_of(desk.infra, ana))
    await drain(desk.infra)
    part = await health_of(desk.app)
    assert (part["state"], part["detail"]) == (
        "degraded",
        "nobody runs `python -m app consumer`: 1 exports wait in RabbitMQ",
    )
    late = "UPDATE playlist_exports SET next_attempt_at = now() - interval '6 min' WHERE id = $1"
    await desk.infra.db.fetch(late, [UUID(export["id"])])
    await hand_over_waiting(desk.infra)
    await drain(desk.infra)
    assert (await state_of(ana, export["id"]))["state"] == "sent"
    await consume_all(desk)
    assert len(desk.inbox.mails) == 1


async def test_the_consumer_is_a_program_that_ends_when_told(desk: Desk, tmp_path: Path) -> None:
    settings = desk.infra.settings
    given = settings.model_dump(include={"environment", "database_url", "redis_url", "data_dir", "smtp_url"})
    given |= settings.model_dump(include={"rabbitmq_url", "rabbitmq_queue", "public_url"})
    environment = {name.upper(): str(value) for name, value in given.items()}
    with (tmp_path / "log").open("wb") as log:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app", "consumer", cwd=REPOSITORY, env=environment, stdout=log, stderr=log
        )
        try:
            ana = await desk.people.make("ana")
            export = await ask(ana, await playlist_of(desk.infra, ana))
            await drain(desk.infra)

            async def is_sent() -> bool:
                return (await state_of(ana, export["id"]))["state"] == "sent"

            await until(is_sent, 40)
            assert (await health_of(desk.app))["state"] == "up"
            child.send_signal(signal.SIGTERM)
            async with asyncio.timeout(6):
                assert await child.wait() == 0
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
    said = (tmp_path / "log").read_text()
    assert "consuming" in said
    assert "bea@example.com" not in said
    assert "guest:guest" not in said
    assert len(desk.inbox.mails) == 1
