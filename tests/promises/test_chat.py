"""Every accepted message reaches everybody once and in order, whatever dies; the usual design does not do this."""

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from fastapi import FastAPI
from redis.asyncio import Redis

from app.core.config import Settings
from app.core.infra import Infra
from app.core.migrations import migrate
from app.core.postgres import Postgres
from app.core.valkey import Valkey
from tests import clock
from tests.chat.pairs import begin
from tests.conftest import running
from tests.people import People
from tests.promises.voices import Voice
from tests.servers import REPOSITORY, ServerProcess, servers_on


@dataclass
class Heard:
    """What became of the messages."""

    lost: int
    doubled: int
    disordered: int
    converged_seconds: float
    connections: int

    @property
    def is_perfect(self) -> bool:
        return self.lost == self.doubled == self.disordered == 0


class Trouble:
    """What can go wrong, one thing after the other, while people talk."""

    def __init__(self, servers: list[ServerProcess], settings: Settings) -> None:
        self._servers, self._settings = servers, settings

    async def kill(self) -> None:
        """kill -9 of a server, which is started again."""
        server = random.choice(self._servers)
        await server.kill()
        await server.start()
        await server.ready()

    async def deafen(self) -> None:
        """The broker forgets all its listeners."""
        async with Redis.from_url(self._settings.redis_url) as redis:
            await redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")

    async def stop(self) -> None:
        """A server stands still for three seconds."""
        server = random.choice(self._servers)
        server.signal(signal.SIGSTOP)
        await asyncio.sleep(3)
        server.signal(signal.SIGCONT)


async def talk(voices: list[Voice], senders: int, count: int, trouble: list) -> Heard:
    """`senders` of the voices say `count` messages in all, while the troubles come one after the other."""

    async def speak(number: int) -> None:
        for i in range(number, count, senders):
            await voices[number].say(f"{number}-{i}", f"{number} {i}")

    speaking = [asyncio.create_task(speak(number)) for number in range(senders)]
    for part, happens in enumerate(trouble, 1):
        while sum(len(voice.acknowledged) for voice in voices) < part * count // (len(trouble) + 1):
            await asyncio.sleep(0.005)
        await happens()
    await asyncio.gather(*speaking)
    return await converge(voices, count)


async def converge(voices: list[Voice], count: int) -> Heard:
    """Waits until everybody has heard everything, at most two seconds and what a broken socket takes to notice."""
    last, started = max(sequence for voice in voices for sequence in voice.acknowledged.values()), clock.now()
    while clock.now() - started < 6 and any(voice.last < last for voice in voices):
        await asyncio.sleep(0.01)
    seconds = clock.now() - started
    said = {text for voice in voices for text in (id_.replace("-", " ") for id_ in voice.acknowledged)}
    assert len(said) == count
    counts = [Counter(text for _, text in voice.heard) for voice in voices]
    lost = sum(len(said - counter.keys()) for counter in counts)
    doubled = sum(times - 1 for counter in counts for times in counter.values())
    order = [[sequence for sequence, _ in voice.heard] for voice in voices]
    disordered = sum(a >= b for numbers in order for a, b in pairwise(numbers))
    return Heard(lost, doubled, disordered, seconds, sum(voice.connections for voice in voices))


@asynccontextmanager
async def voices_at(servers: list[ServerProcess], path: str, tokens: list[str]) -> AsyncIterator[list[Voice]]:
    addresses = [server.address for server in servers]
    voices = [Voice(addresses, path, token) for token in tokens]
    try:
        yield voices
    finally:
        await asyncio.gather(*(voice.close() for voice in voices))


async def test_messages_survive_kills_and_a_deaf_broker(app: FastAPI, settings: Settings, people: People) -> None:
    """The small run: 2,000 messages, 4 senders, 2 listeners, 3 processes, 2 kills, twice a deaf broker."""
    pair = await begin(people)
    tokens = [pair.ana.token, pair.bruno.token] * 3
    async with (
        servers_on(settings, 3, SOCKET_FRAMES_PER_SECOND="100000") as servers,
        voices_at(servers, pair.path, tokens) as voices,
        asyncio.timeout(120),
    ):
        trouble = Trouble(servers, settings)
        heard = await talk(voices, 4, 2_000, [trouble.kill, trouble.deafen, trouble.kill, trouble.deafen])
    assert heard.is_perfect, heard
    assert heard.converged_seconds < 2, heard
    await without_gaps(app.state.infra, pair.id, 2_000)


async def without_gaps(infra: Infra, channel_id: str, count: int) -> None:
    """The log in the database has every number once."""
    sql = "SELECT count(*), min(sequence), max(sequence) FROM channel_events WHERE channel_id = $1"
    (row,) = await infra.db.fetch(sql, [channel_id])
    assert tuple(row) == (count, 1, count)


@pytest.mark.slow
@pytest.mark.parametrize("design", ["ours", "naive"])
async def test_messages_survive_everything(settings: Settings, tmp_path: Path, design: str) -> None:
    """10,000 messages, 10 senders, 6 listeners, 3 processes, 5 kills, Redis killed, PostgreSQL restarted, a pause."""
    tmp_path.chmod(0o755)
    (tmp_path / "logs").mkdir()
    database, broker = Postgres(tmp_path, durable=True), Valkey(tmp_path)
    await database.start()
    await broker.start()
    try:
        own = settings.model_copy(update={"database_url": database.url, "redis_url": broker.url, "data_dir": tmp_path})
        await migrate(own.database_url)
        async with running(own) as application, People(application) as people:
            pair = await begin(people)
            tokens = [pair.ana.token, pair.bruno.token] * 8

        async def lose_broker() -> None:
            os.kill(broker._process.pid, signal.SIGKILL)
            await asyncio.sleep(1.5)
            await asyncio.to_thread(broker.stop)
            await broker.start()

        async def restart_database() -> None:
            os.kill(database._process.pid, signal.SIGQUIT)
            await asyncio.to_thread(database.stop)
            await database.start()

        async with _servers(own, design) as servers, voices_at(servers, pair.path, tokens) as voices:
            trouble = Trouble(servers, own)
            kinds = [trouble.kill, lose_broker, trouble.kill, trouble.stop, trouble.kill, trouble.deafen]
            kinds += [restart_database, trouble.kill, trouble.deafen, trouble.kill]
            async with asyncio.timeout(400):
                heard = await talk(voices, 10, 10_000, kinds)
        print(f"\n{design}: {heard}")
        if design == "naive":
            assert heard.lost > 0
            assert not heard.is_perfect, "the run cannot tell a good design from the usual one"
        else:
            assert heard.is_perfect, heard
            assert heard.converged_seconds < 2, heard
    finally:
        await asyncio.to_thread(database.stop)
        await asyncio.to_thread(broker.stop)


class NaiveProcess(ServerProcess):
    """A process of the usual design."""

    async def start(self) -> None:
        command = (sys.executable, "-m", "uvicorn", "tests.promises.naive:app", "--port", str(self._port))
        self._process = await asyncio.create_subprocess_exec(
            *command, "--log-level", "critical", "--ws-max-queue", "1000", cwd=REPOSITORY, env=self._environment
        )


@asynccontextmanager
async def _servers(settings: Settings, design: str) -> AsyncIterator[list[ServerProcess]]:
    if design == "ours":
        async with servers_on(settings, 3, SOCKET_FRAMES_PER_SECOND="100000") as servers:
            yield servers
        return
    naive: list[ServerProcess] = [NaiveProcess(settings) for _ in range(3)]
    try:
        for server in naive:
            await server.start()
            await server.ready()
        yield naive
    finally:
        await asyncio.gather(*(server.kill() for server in naive))
