"""People who talk through whatever happens: they connect again, resume, and send again what was not acknowledged."""

import asyncio
import contextlib
import json
import random
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

__all__ = ["Voice"]

MOST_RECOVERED = 1000
LOST = (OSError, WebSocketException, TimeoutError, EOFError, httpx.HTTPError)


class Voice:
    """A client of protocol 1. `heard` are the messages as they came; `snapshots` counts those of the whole state."""

    def __init__(self, addresses: list[str], path: str, token: str, *, patience: float = 3.0) -> None:
        self._addresses, self._path, self._token, self._patience = addresses, path, token, patience
        self._turn = random.randrange(len(addresses))
        self._waiting: dict[str, str] = {}
        self._answered = asyncio.Event()
        self._connection: Any = None
        self.last = 0
        self.heard: list[tuple[int, str]] = []
        self.acknowledged: dict[str, int] = {}
        self.connections = 0
        self.snapshots = 0
        self.over = False
        self._task = asyncio.create_task(self._live())

    async def say(self, client_id: str, text: str) -> None:
        """Sends a message until it is acknowledged."""
        self._waiting[client_id] = text
        while client_id in self._waiting:
            if self._task.done():
                self._task.result()  # what ended it is the fault, and not that nobody answers
            self._answered.clear()
            await self._send(client_id)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._answered.wait(), self._patience)

    async def _send(self, client_id: str) -> None:
        if self._connection is not None:
            frame = {"type": "send", "client_id": client_id, "text": self._waiting[client_id]}
            with contextlib.suppress(*LOST):
                await self._connection.send(json.dumps(frame))

    async def close(self) -> None:
        """Ends."""
        self.over = True
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _live(self) -> None:
        while not self.over:
            self._turn = (self._turn + 1) % len(self._addresses)
            with contextlib.suppress(*LOST):
                await self._listen(self._addresses[self._turn])
            self._connection = None
            await asyncio.sleep(random.uniform(0.01, 0.1))

    async def _listen(self, address: str) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        options = {"additional_headers": headers, "compression": None, "max_size": None}
        options |= {"open_timeout": 2, "ping_interval": 1, "ping_timeout": 1.5, "close_timeout": 0.2}
        async with connect(f"{address.replace('http', 'ws', 1)}/ws/{self._path}", **options) as connection:
            hello = {"type": "hello", "protocol": 1, "last_sequence": self.last}
            await connection.send(json.dumps(hello))
            async with asyncio.timeout(3):
                welcome = json.loads(await connection.recv())
            if welcome["type"] != "welcome":
                return
            if not welcome["recovered"]:
                await self._catch_up(address, welcome["sequence"])
            self.connections += 1
            for event in welcome["events"]:
                self._hear(event)
            self._connection = connection
            self._answered.set()
            async for text in connection:
                self._take(json.loads(text))

    async def _catch_up(self, address: str, sequence: int) -> None:
        """Too much was missed to be sent again, and the server has said so: what was said is asked for."""
        assert sequence - self.last > MOST_RECOVERED, "so few events must be resumed"
        self.snapshots += 1
        path = f"{address}/api/v1/chat/{self._path.rpartition('/')[2]}/messages"
        asked: dict[str, Any] = {"after": self.last, "before": sequence + 1, "limit": 100}
        missed: list[dict[str, Any]] = []
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {self._token}"}, timeout=3) as client:
            while not missed or asked.get("cursor"):
                page = (await client.get(path, params=asked)).raise_for_status().json()
                missed += page["items"]
                asked["cursor"] = page["next_cursor"]
        for said in missed[::-1]:
            self._hear({"sequence": said["sequence"], "data": said})

    def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "event":
            self._hear(frame)
        elif frame["type"] == "ack" and frame["client_id"] in self._waiting:
            del self._waiting[frame["client_id"]]
            self.acknowledged[frame["client_id"]] = frame["sequence"]
            self._answered.set()

    def _hear(self, event: dict[str, Any]) -> None:
        self.heard.append((event["sequence"], event["data"]["text"]))
        self.last = event["sequence"]
