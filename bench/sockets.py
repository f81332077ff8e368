"""`python -m bench.sockets`: messages to many sockets, against what others do, in one run."""

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID

import httpx
import psutil
import uvloop

from app.chat.channels import open_channel
from app.chat.models import DirectChannel
from app.core.config import Settings
from app.core.ids import uuid7
from app.core.infra import open_infra, with_servers
from app.core.migrations import migrate
from app.core.tokens import AccessTokens
from app.modules import load_modules
from app.users.models import User
from bench.crowd import HELLO, Crowd, masked
from bench.servers import Target, free_port, serving, started

RIVALS = Path(__file__).parent / "rivals"
SIZE = 200
ROUND = 25
"""Messages that are sent at once; the next ones go when all of these have been heard."""


class Room:
    """A channel with two people whose tokens open all sockets."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.id = uuid7()
        self.people = sorted(uuid7() for _ in range(2))
        tokens = AccessTokens(settings)
        self.tokens = [tokens.issue(person, uuid7(), "user")[0] for person in self.people]

    async def make(self) -> None:
        """Writes it down."""
        load_modules()
        async with open_infra(self.settings) as infra, infra.db.write() as db:
            for person in self.people:
                name = f"p_{person.hex[-10:]}"
                db.add(User(id=person, username=name, username_key=name, display_name=name))
            await db.flush()
            await open_channel(db, kind="direct", channel_id=self.id)
            db.add(DirectChannel(id=self.id, first_id=self.people[0], second_id=self.people[1]))

    @property
    def path(self) -> str:
        return f"/ws/direct/{self.id}"


def says(text: str) -> bytes:
    """A message as one of our clients sends it."""
    return masked(json.dumps({"type": "send", "client_id": uuid7().hex, "text": text}))


async def deliveries(crowd: Crowd, send: Callable[[int], Awaitable[None]], seconds: float) -> float:
    """Messages heard in a second, all sockets together."""
    crowd.mark()
    await send(1)
    await crowd.settle()
    size = crowd.received - crowd._mark
    heard, started_at = 0, time.perf_counter()
    while time.perf_counter() - started_at < seconds:
        crowd.mark()
        await send(ROUND)
        await crowd.hear(size * ROUND * 99 // 100)
        heard += ROUND * crowd.size
    rate = heard / (time.perf_counter() - started_at)
    await crowd.settle()
    if crowd.lost:
        raise RuntimeError(f"{crowd.lost} sockets were lost")
    return rate


async def by_request(client: httpx.AsyncClient, address: str, count: int) -> None:
    """Has a rival send."""
    (await client.post(f"{address}/send?count={count}&size={SIZE}", timeout=60)).raise_for_status()


@asynccontextmanager
async def node(script: str, folder: Path, **environment: str) -> AsyncIterator[Target]:
    """A node server."""
    port = free_port()
    command = ["node", str(folder / script)]
    async with started(command, {**environment, "PORT": str(port)}, port, ready="/send") as target:
        yield target


@asynccontextmanager
async def ours(settings: Settings) -> AsyncIterator[Target]:
    """Our server, as `python -m app serve` runs it."""
    port = free_port()
    environment = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "DATA_DIR": str(settings.data_dir),
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "PUBLIC_URL": settings.public_url,
        "WORKER": "false",
        "DEMO": "false",
        "LOG_LEVEL": "WARNING",
        "SOCKET_FRAMES_PER_SECOND": "1000000",
    }
    command = [sys.executable, "-m", "app", "serve", "--port", str(port)]
    async with started(command, environment, port, ready="/livez") as target:
        yield target


class Bench:
    """The rows that were printed."""

    def __init__(self, settings: Settings, modules: Path, *, sockets: int, seconds: float) -> None:
        self.settings, self._modules, self._sockets, self._seconds = settings, modules, sockets, seconds
        self.rates: dict[str, float] = {}

    def row(self, name: str, rate: float, unit: str = "/s") -> None:
        """Prints a figure."""
        self.rates[name] = rate
        print(f"{name:44} {rate:12,.0f} {unit}", flush=True)

    async def rival(self, name: str, targets: list[Target], path: str, first: list[str]) -> None:
        """Measures somebody else's server."""
        crowd = Crowd()
        async with httpx.AsyncClient() as client:
            for target in targets:
                await crowd.enter(target.host, target.port, path, self._sockets // len(targets), first=first)
            address = f"http://{targets[0].host}:{targets[0].port}"
            self.row(name, await deliveries(crowd, lambda count: by_request(client, address, count), self._seconds))
        crowd.leave()

    async def fan_out(self, name: str, targets: list[Target], room: Room) -> None:
        """Measures ours: each message is stored before it goes out."""
        crowd = Crowd()
        for target in targets:
            count = self._sockets // len(targets)
            await crowd.enter(target.host, target.port, room.path, count, tokens=room.tokens, first=[HELLO])

        async def send(count: int) -> None:
            crowd.say(0, b"".join(says("x" * SIZE) for _ in range(count)))

        self.row(name, await deliveries(crowd, send, self._seconds))
        crowd.leave()

    async def one_process(self) -> None:
        """Everybody at one process."""
        async with serving("bench.rivals.plain:make", {}, ready="/send") as target:
            await self.rival("a loop of ASGI sends", [target], "/ws", [])
        async with node("ws.mjs", self._modules) as target:
            await self.rival("node ws", [target], "/ws", [])
        room = Room(self.settings)
        await room.make()
        async with ours(self.settings) as target:
            await self.fan_out("ours, stored", [target], room)

    async def two_processes(self) -> None:
        """Half of the sockets at each."""
        redis = unquote(urlsplit(self.settings.redis_url).path)
        async with AsyncExitStack() as stack:
            start = [node("socketio.mjs", self._modules, REDIS_SOCKET=redis) for _ in range(2)]
            targets = [await stack.enter_async_context(server) for server in start]
            path = "/socket.io/?EIO=4&transport=websocket"
            await self.rival("socket.io, 2 processes, Redis adapter", targets, path, ["40"])
        room = Room(self.settings)
        await room.make()
        async with ours(self.settings) as one, ours(self.settings) as two:
            await self.fan_out("ours, stored, 2 processes", [one, two], room)

    async def hot_room(self) -> None:
        """Messages of many people in one room, each acknowledged when it is stored."""
        room = Room(self.settings)
        await room.make()
        async with ours(self.settings) as target:
            crowd = Crowd()
            await crowd.enter(target.host, target.port, room.path, 20, tokens=room.tokens, first=[HELLO])
            for _ in range(2):
                count, started_at = 4000, time.perf_counter()
                for number in range(count):
                    crowd.say(number % crowd.size, says(f"message {number}"))
                while await self._stored(room.id) < count:
                    await asyncio.sleep(0.02)
                rate = count / (time.perf_counter() - started_at)
                await self._forget(room.id)
            self.row("messages stored in one room, 20 sockets", rate)
            crowd.leave()

    async def _stored(self, channel_id: UUID) -> int:
        async with open_infra(self.settings) as infra:
            rows = await infra.db.fetch("SELECT message_count FROM channels WHERE id = $1", [channel_id])
        return int(rows[0]["message_count"])

    async def _forget(self, channel_id: UUID) -> None:
        async with open_infra(self.settings) as infra, infra.db.write() as db:
            await db.records("UPDATE channels SET message_count = 0 WHERE id = $1", [channel_id])

    async def idle(self) -> None:
        """Memory of sockets that do nothing."""
        room = Room(self.settings)
        await room.make()
        async with ours(self.settings) as target:
            crowd = Crowd()
            await crowd.enter(target.host, target.port, room.path, 100, tokens=room.tokens, first=[HELLO])
            before = target.process.memory_info().rss
            await crowd.enter(target.host, target.port, room.path, 2000, tokens=room.tokens, first=[HELLO])
            self.row("an idle socket", (target.process.memory_info().rss - before) / 2000 / 1024, "KiB")
            crowd.leave()


async def run(*, sockets: int, seconds: float) -> None:
    """The whole benchmark."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soundscore-bench-")))
        folder.chmod(0o755)
        modules = await _rivals(folder)
        settings = Settings(
            public_url="http://bench",
            data_dir=folder / "data",
            secret_key="a secret of the benchmark and of nothing else",
            worker=False,
        )
        settings = await stack.enter_async_context(with_servers(settings))
        await migrate(settings.database_url)
        bench = Bench(settings, modules, sockets=sockets, seconds=seconds)
        print(f"--- {SIZE}-byte messages to {sockets:,} sockets, heard in a second; {psutil.cpu_count()} cores ---")
        await bench.one_process()
        await bench.two_processes()
        rates = bench.rates
        print(f"{'':44} {rates['ours, stored'] / rates['node ws']:.2f} times node ws")
        print(f"{'':44} {rates['ours, stored'] / rates['a loop of ASGI sends']:.2f} times the loop")
        two = rates["ours, stored, 2 processes"] / rates["socket.io, 2 processes, Redis adapter"]
        print(f"{'':44} {two:.2f} times socket.io, in two processes")
        await bench.hot_room()
        await bench.idle()


async def _rivals(folder: Path) -> Path:
    modules = folder / "rivals"
    shutil.copytree(RIVALS, modules)
    command = ("npm", "install", "--no-audit", "--no-fund", "--loglevel", "error")
    npm = await asyncio.create_subprocess_exec(*command, cwd=modules, stdout=asyncio.subprocess.DEVNULL)
    if await npm.wait():
        raise SystemExit("npm could not install the packages to compare with: see above.")
    return modules


def main() -> None:
    """Reads the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(sockets=options.sockets, seconds=options.seconds))


if __name__ == "__main__":
    main()
