"""Either client behind one face: orders in, reports out."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from soundscore_client import Channel, Ended, Problem, local_ms

from tests.clients.node import node_command, node_environment

__all__ = ["CLIENTS", "PATIENCE", "Player", "client"]

PATIENCE = 15.0
CLIENTS = ["python", "typescript"]


class Player:
    """A client at work. `reports` are (kind, what) in the order in which things happened."""

    def __init__(self) -> None:
        self.reports: list[tuple[str, Any]] = []
        self._news = asyncio.Event()

    def report(self, kind: str, what: Any = None) -> None:
        self.reports.append((kind, what))
        self._news.set()

    def told(self, kind: str) -> list[Any]:
        """Everything of a kind."""
        return [what for name, what in self.reports if name == kind]

    async def until(self, kind: str, count: int = 1) -> Any:
        """Waits until something was told so many times; what it was the last time."""
        async with asyncio.timeout(PATIENCE):
            while len(self.told(kind)) < count:
                self._news.clear()
                await self._news.wait()
        return self.told(kind)[count - 1]

    async def order(self, name: str, what: Any = None) -> None:
        """`send` a text, `command`, `read` up to a sequence, tell the `state`, `close`."""
        raise NotImplementedError

    async def state(self) -> dict[str, Any]:
        """What the client knows, with the server's time as it sees it and its own."""
        count = len(self.told("state"))
        await self.order("state")
        found: dict[str, Any] = await self.until("state", count + 1)
        return found


class PythonClient(Player):
    """The Python client, in this process."""

    def __init__(self, address: str, token: str | None) -> None:
        super().__init__()
        self._given = token
        self.channel = Channel(address, self._token, chance=lambda: 0.1)
        self.channel.listen(self._listen)
        self._sending: set[asyncio.Task[None]] = set()

    async def _token(self, renew: bool) -> str:
        self.report("authorize", renew)
        return self._given or ("new" if renew else "old")

    def _listen(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "event":
            self.report("event", frame["sequence"])
        elif frame["type"] == "welcome":
            self.report("welcome", frame["recovered"])
        elif frame.get("status") == "ended":
            error = self.channel.error
            self.report("ended", error.code if isinstance(error, Ended) else repr(error))

    async def order(self, name: str, what: Any = None) -> None:
        if name == "send":
            task = asyncio.create_task(self._send(what))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        elif name == "command":
            await self.channel.command(what[0], **what[1])
            self.report("done", what[0])
        elif name == "read":
            self.channel.read(what)
        elif name == "close":
            await self.channel.close()
        else:
            assert self.channel.state is not None
            times = {"server_ms": self.channel.server_now(), "error_ms": self.channel.clock.error(local_ms())}
            times["wall_ms"] = time.time() * 1000
            self.report("state", {**asdict(self.channel.state), **times})

    async def _send(self, text: str) -> None:
        try:
            ack = await self.channel.send(text)
        except (Problem, Ended) as error:
            self.report("problem", [text, str(error.code)])
        else:
            self.report("ack", [text, ack["sequence"]])


class NodeClient(Player):
    """The TypeScript client, in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        super().__init__()
        self._process = process

    async def listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.report(*json.loads(line))

    async def order(self, name: str, what: Any = None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([name, what]).encode() + b"\n")
        await self._process.stdin.drain()


@asynccontextmanager
async def _python(address: str, token: str | None) -> AsyncIterator[Player]:
    player = PythonClient(address, token)
    async with player.channel:
        yield player


@asynccontextmanager
async def _typescript(address: str, token: str | None) -> AsyncIterator[Player]:
    pipe = asyncio.subprocess.PIPE
    command = node_command("driver.js", address, *([token] if token else []))
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, env=node_environment(), limit=2**22
    )
    player = NodeClient(process)
    listening = asyncio.create_task(player.listen())
    try:
        yield player
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 5)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            await listening


_MAKES: dict[str, Callable[[str, str | None], Any]] = {"python": _python, "typescript": _typescript}


@asynccontextmanager
async def client(name: str, address: str, token: str | None = None) -> AsyncIterator[Player]:
    """A client that connects, with a token or invented ones; it leaves at the end."""
    async with _MAKES[name](address, token) as player:
        yield player
