"""Event streams (SSE) that resume: each event has a number, and a reader who names the last one misses nothing."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.core.auth import Principal
from app.core.realtime import Subscription

if TYPE_CHECKING:
    from app.core.infra import Infra

__all__ = ["EventStream", "StreamEvent"]

KEEP_ALIVE_SECONDS = 15.0
CHECK_SECONDS = 0.5
RETRY_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One numbered event; `data` is JSON without line breaks."""

    number: int
    name: str
    data: str

    def encode(self) -> bytes:
        """The event on the wire."""
        return f"id: {self.number}\nevent: {self.name}\ndata: {self.data}\n\n".encode()


Load = Callable[[int], Awaitable[Sequence[StreamEvent]]]


class EventStream(Response):
    """Sends what `load(after)` finds, in order of the numbers, whenever the topic wakes.

    It ends by itself when the server drains or the reader's session does; the last event then says which.
    """

    media_type = "text/event-stream"

    def __init__(
        self, infra: "Infra", principal: Principal, topic: tuple[str, UUID], *, after: int, load: Load
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._infra, self._principal, self._topic = infra, principal, topic
        self._after, self._load = after, load

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        pump = asyncio.create_task(self._pump(send))
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (pump, gone):
                task.cancel()
            results = await asyncio.gather(pump, gone, return_exceptions=True)
        if isinstance(results[0], Exception) and not isinstance(results[0], OSError):
            raise results[0]

    async def _pump(self, send: Send) -> None:
        kind, key = self._topic
        await _write(send, f"retry: {RETRY_MILLISECONDS}\n\n".encode())
        with self._infra.hub.subscribe(kind, key, seen=self._after) as subscription:
            while (farewell := self._farewell()) is None:
                events = await self._load(subscription.seen)
                if events:
                    await _write(send, b"".join(event.encode() for event in events))
                    subscription.seen = events[-1].number
                else:
                    await self._idle(subscription, send)
        await _write(send, f"event: {farewell}\ndata: {{}}\n\n".encode(), last=True)

    async def _idle(self, subscription: Subscription, send: Send) -> None:
        """Waits for news; a comment now and then keeps proxies from closing the connection."""
        deadline = time.monotonic() + KEEP_ALIVE_SECONDS
        while not await subscription.wait(CHECK_SECONDS):
            if self._farewell():
                return
            if time.monotonic() > deadline:
                await _write(send, b": keep-alive\n\n")
                return

    def _farewell(self) -> str | None:
        if self._infra.draining.is_set():
            return "reconnect"
        over = self._principal.session_id in self._infra.revocations or self._principal.expires_at < time.time()
        return "unauthorized" if over else None


async def _write(send: Send, body: bytes, *, last: bool = False) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": not last})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
