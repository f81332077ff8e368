"""A server that speaks the protocol over one channel, and can be told to misbehave."""

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.clients.model import person

__all__ = ["FakeServer", "serving"]

ME = "ana-0000"


class FakeServer:
    """The log of one room, and everything that clients said."""

    def __init__(self) -> None:
        self.address = ""
        self.events: list[dict[str, Any]] = []
        self.heard: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.connected_at: list[float] = []
        self.accepted = {"old", "new"}
        self.ahead_ms = 0.0
        self.remembers = True
        self.swallowed_acks = 0
        self.withheld: set[int] = set()
        self.repeats = 1
        self.refusals: list[dict[str, Any]] = []
        self._known: dict[str, int] = {}
        self._open: set[ServerConnection] = set()

    @property
    def hellos(self) -> list[int | None]:
        return [frame["last_sequence"] for frame in self.frames("hello")]

    def frames(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.heard if frame["type"] == kind]

    async def log(self, text: str, client_id: str | None = None) -> int:
        """Somebody says something."""
        sequence = len(self.events) + 1
        said = {"id": f"m-{sequence}", "client_id": client_id, "text": text, "reply_to": None, "mentions": []}
        data = {**said, "track_id": None, "review_id": None, "image_key": None}
        event = {"type": "event", "sequence": sequence, "kind": "message.created", "at": "2026-01-01T00:00:00Z"}
        self.events.append({**event, "actor": person("bruno-0000"), "data": data})
        for _ in range(0 if sequence in self.withheld else self.repeats):
            await self._tell(self.events[-1])
        return sequence

    async def drain(self, after_ms: int) -> None:
        """Sends everybody away."""
        await self._tell({"type": "reconnect", "after_ms": after_ms})
        await self.close(1012, "reconnect")

    async def close(self, code: int, reason: str = "") -> None:
        """Ends all connections properly."""
        await asyncio.gather(*(socket.close(code, reason) for socket in list(self._open)))

    def cut(self) -> None:
        """Ends all connections as a network does."""
        for socket in list(self._open):
            socket.transport.abort()

    async def serve(self, socket: ServerConnection) -> None:
        """One connection."""
        self.connected_at.append(time.monotonic())
        assert socket.request is not None
        with contextlib.suppress(ConnectionClosed):
            if not await self._is_welcome(socket, socket.request.path, socket.request.headers):
                return
            hello = json.loads(await socket.recv())
            self.heard.append(hello)
            await self._say(socket, self._welcome(hello["last_sequence"]))
            self._open.add(socket)
            async for text in socket:
                await self._answer(socket, json.loads(text))
        self._open.discard(socket)

    async def _is_welcome(self, socket: ServerConnection, path: str, headers: Any) -> bool:
        header = headers.get("Authorization", "").removeprefix("Bearer ")
        token = header or parse_qs(urlsplit(path).query)["token"][0]
        self.tokens.append(token)
        if token not in self.accepted:
            await socket.close(4401, "unauthorized")
        return token in self.accepted

    def _welcome(self, last: int | None) -> dict[str, Any]:
        recovered = last is not None and self.remembers
        messages = [
            {
                **event["data"],
                "sequence": event["sequence"],
                "author": event["actor"],
                "created_at": event["at"],
                "edited_at": None,
                "deleted": False,
                "reactions": [],
            }
            for event in self.events
        ]
        snapshot = {"room": {"id": "room"}, "messages": messages, "read_sequence": 0}
        return {
            "type": "welcome",
            "protocol": 1,
            "connection_id": str(len(self.heard)),
            "server_ms": self._now(),
            "sequence": len(self.events),
            "recovered": recovered,
            "you": {**person(ME), "role": "member", "muted_until": None},
            "events": self.events[last:] if recovered else [],
            "snapshot": None if recovered else snapshot,
            "present": [person(ME)],
        }

    def _now(self) -> float:
        return time.time() * 1000 + self.ahead_ms

    async def _answer(self, socket: ServerConnection, frame: dict[str, Any]) -> None:
        self.heard.append(frame)
        if frame["type"] == "ping":
            pong = {"type": "pong", "id": frame["id"], "client_ms": frame["client_ms"], "server_ms": self._now()}
            await self._say(socket, pong)
        elif frame["type"] == "send" and self.refusals:
            await self._say(socket, {"type": "problem", "client_id": frame["client_id"], **self.refusals.pop(0)})
        elif frame["type"] == "send":
            await self._post(socket, frame["client_id"], frame["text"])

    async def _post(self, socket: ServerConnection, client_id: str, text: str) -> None:
        if client_id not in self._known:
            self._known[client_id] = await self.log(text, client_id)
        if self.swallowed_acks:
            self.swallowed_acks -= 1
            self.cut()
            return
        ack = {"type": "ack", "client_id": client_id, "sequence": self._known[client_id], "result": {}}
        await self._say(socket, ack)

    async def _say(self, socket: ServerConnection, frame: dict[str, Any]) -> None:
        await socket.send(json.dumps(frame))

    async def _tell(self, frame: dict[str, Any]) -> None:
        for socket in list(self._open):
            with contextlib.suppress(ConnectionClosed):
                await self._say(socket, frame)

    def sent(self, text: str) -> Counter[str]:
        """How often a text came, by its client id."""
        return Counter(frame["client_id"] for frame in self.frames("send") if frame["text"] == text)


@asynccontextmanager
async def serving() -> AsyncIterator[FakeServer]:
    """Serves on a free port."""
    fake = FakeServer()
    async with serve(fake.serve, "127.0.0.1", 0, compression=None, close_timeout=1) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        fake.address = f"ws://127.0.0.1:{port}/ws/rooms/room"
        yield fake
