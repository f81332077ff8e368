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
from app.core.errors import Unavailable
from app.core.realtime import Subscription

if TYPE_CHECKING:
    from app.core.infra import Infra

__all__ = ["EventStream", "News", "StreamEvent"]

KEEP_ALIVE_SECONDS = 15.0
CHECK_SECONDS = 0.5
SLOW_SECONDS = 5.0
RETRY_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event; `data` is JSON without line breaks. An event without a number leaves the place to resume at."""

    name: str
    data: str
    number: int | None = None

    def encode(self) -> bytes:
        """The event on the wire."""
        place = "" if self.number is None else f"id: {self.number}\n"
        return f"{place}event: {self.name}\ndata: {self.data}\n\n".encode()


@dataclass(frozen=True, slots=True)
class News:
    """What happened since the last look, and the version of the topic that it saw. `more`: there is more to load."""

    events: Sequence[StreamEvent]
    version: int
    more: bool = False


class EventStream(Response):
    """Sends what `load()` finds, whenever the topic wakes. Each call of it goes on where the last one ended.

    The stream ends by itself when the server drains or the reader's session does; its last event then says which.
    A reader who does not read is left: they resume where they were.
    """

    media_type = "text/event-stream"

    def __init__(
        self, infra: "Infra", principal: Principal, topic: tuple[str, UUID], load: Callable[[], Awaitable[News]]
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._infra, self._principal, self._topic, self._load = infra, principal, topic, load

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
        await _write(send, f"retry: {RETRY_MILLISECONDS}\n\n".encode())
        with self._infra.hub.subscribe(*self._topic) as subscription:
            while (farewell := self._farewell()) is None:
                try:
                    news = await self._load()
                except Unavailable:
                    farewell = "reconnect"
                    break
                await self._tell(news, subscription, send)
        await _write(send, f"event: {farewell}\ndata: {{}}\n\n".encode(), last=True)

    async def _tell(self, news: News, subscription: Subscription, send: Send) -> None:
        subscription.seen = news.version
        if news.events:
            await _write(send, b"".join(event.encode() for event in news.events))
        if not news.more:
            await self._idle(subscription, send)

    async def _idle(self, subscription: Subscription, send: Send) -> None:
        """Waits for news; a comment now and then keeps proxies from closing the connection."""
        sent = time.monotonic()
        while not await subscription.wait(CHECK_SECONDS):
            if self._farewell():
                return
            if time.monotonic() - sent > KEEP_ALIVE_SECONDS:
                await _write(send, b": keep-alive\n\n")
                sent = time.monotonic()

    def _farewell(self) -> str | None:
        if self._infra.draining.is_set():
            return "reconnect"
        return "unauthorized" if self._infra.ended(self._principal) else None


async def _write(send: Send, body: bytes, *, last: bool = False) -> None:
    async with asyncio.timeout(SLOW_SECONDS):
        await send({"type": "http.response.body", "body": body, "more_body": not last})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
