"""People who listen with the reference client, and a door that leads them to whichever server lives."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from soundscore_client import Channel, Ended, Player, plan, position

from tests.servers import ServerProcess

__all__ = ["Agreement", "Door", "Ear", "watched"]


class Door:
    """What stands before several servers: each connection goes to the next one that lives, byte by byte."""

    def __init__(self, servers: Sequence[ServerProcess]) -> None:
        self._ports = [urlsplit(server.address).port for server in servers]
        self._turn = count()
        self.address = ""

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Door"]:
        """Until the end of the block."""
        server = await asyncio.start_server(self._enter, "127.0.0.1", 0)
        self.address = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            inner_reader, inner_writer = await self._next()
            ways = [_carry(reader, inner_writer), _carry(inner_reader, writer)]
            await asyncio.gather(*ways)
        writer.close()

    async def _next(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for _ in self._ports:
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", self._ports[next(self._turn) % len(self._ports)])
        raise ConnectionRefusedError("no server lives")


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


class Ear:
    """Somebody with the reference client, ready as soon as its plan says so. `begun` are the items they heard of."""

    def __init__(self, address: str, room_id: str, token: str) -> None:
        self.channel = Channel(f"{address}/ws/rooms/{room_id}", self._authorize)
        self.channel.listen(self._hear)
        self.begun: list[str] = []
        self._token = token
        self._told_ready = -1
        self._tasks: set[asyncio.Task[Any]] = set()

    async def _authorize(self, renew: bool) -> str:
        return self._token

    async def __aenter__(self) -> "Ear":
        await self.channel.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.channel.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def is_open(self) -> bool:
        return self.channel.status == "open"

    @property
    def playback(self) -> Any:
        """What plays, as this client knows it."""
        assert self.channel.state is not None
        return self.channel.state.playback

    def position(self) -> float:
        """What is heard now."""
        now = self.channel.server_now()
        assert now is not None
        return position(self.playback, now)

    def _hear(self, _: Any) -> None:
        now, state = self.channel.server_now(), self.channel.state
        if now is None or state is None or state.playback is None:
            return
        playback = state.playback
        if playback["item"] and playback["item"]["id"] not in self.begun[-1:]:
            self.begun.append(playback["item"]["id"])
        step = plan(playback, Player(None, False, 0), now).step
        if step == "prepare" and self._told_ready != playback["version"]:
            self._told_ready = playback["version"]
            self._tasks.add(asyncio.create_task(self._ready(playback["version"])))

    async def _ready(self, version: int) -> None:
        with contextlib.suppress(Ended):
            await self.channel.command("playback.ready", version=version)


@dataclass
class Agreement:
    """What the ears said at the same moments, again and again.

    A moment at which the news of a change have not come to all who are connected counts as under way.
    """

    ears: list[Ear] = field(repr=False)
    samples: int = 0
    playing: int = 0
    under_way: int = 0
    most_apart_ms: float = 0.0
    most_off_ms: float = 0.0
    longest_under_way_ms: float = 0.0
    versions: set[int] = field(default_factory=set)
    _since: float | None = field(default=None, repr=False)

    def look(self) -> None:
        """One moment."""
        here = [ear for ear in self.ears if ear.is_open]
        if not here:
            return
        known = {(one["version"], one["at_ms"], one["waiting"] is None) for one in (ear.playback for ear in here)}
        now = time.monotonic() * 1000
        if len(known) > 1:
            self.under_way += 1
            self._since = now if self._since is None else self._since
            self.longest_under_way_ms = max(self.longest_under_way_ms, now - self._since)
            return
        self._since = None
        self.samples += 1
        self.versions.add(here[0].playback["version"])
        positions = [ear.position() for ear in here]
        self.most_apart_ms = max(self.most_apart_ms, max(positions) - min(positions))
        # the servers' clock is this machine's, so what should be heard is known
        truth = position(here[0].playback, time.time() * 1000)
        self.most_off_ms = max(self.most_off_ms, *(abs(one - truth) for one in positions))
        self.playing += here[0].playback["playing"] and here[0].playback["waiting"] is None

    async def watch(self) -> None:
        """Until it is cancelled."""
        while True:
            self.look()
            await asyncio.sleep(0.02)


@asynccontextmanager
async def watched(ears: list[Ear]) -> AsyncIterator[Agreement]:
    """Looks all the time, during the block, at what is heard."""
    agreement = Agreement(ears)
    async with AsyncExitStack() as stack:
        task = asyncio.create_task(agreement.watch())
        stack.callback(task.cancel)
        yield agreement
        if task.done():
            task.result()
