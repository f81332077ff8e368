"""The WebSocket loop: who connects, the hello, floods, ends of sessions, the drain, and every close code."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from enum import IntEnum
from random import uniform
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from pydantic_core import to_json
from starlette.websockets import WebSocket

from app.core.auth import Principal
from app.core.errors import AppError, BadRequest, Forbidden, NotFound, PayloadTooLarge, TooManyRequests, Unauthorized
from app.core.ids import uuid7
from app.core.infra import Infra, opened
from app.core.socket_protocol import EXTENSION, MOST_BYTES
from app.core.wires import AsgiWire, Wire, encode

__all__ = ["CLOSINGS", "Close", "Conversation", "Socket", "socket_endpoint", "sockets"]

HELLO_SECONDS = 10.0
SWEEP_SECONDS = 0.25
PATIENCE_SECONDS = 4.0
FLOOD_SECONDS = 3
"""How long somebody may send faster than is taken before they are cut off."""
_BURST = 3
"""How many times the rate may come at once."""
log = structlog.get_logger()


class Close(IntEnum):
    """Why the server ends a socket."""

    GOING_AWAY = 1012
    FAULT = 1011
    BAD_FRAME = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    NOT_FOUND = 4404
    TOO_SLOW = 4408
    NO_HELLO = 4409
    TOO_LARGE = 4413
    FLOOD = 4429


CLOSINGS: dict[Close, tuple[str, str]] = {
    Close.GOING_AWAY: ("The server stops.", "at once, after a random part of a second"),
    Close.FAULT: ("The server failed.", "after 1 s, then 2, 4, ... up to 30"),
    Close.BAD_FRAME: ("A frame was no JSON of a known kind.", "no: the client is at fault"),
    Close.UNAUTHORIZED: ("The token is not valid, or not any more.", "with a new token"),
    Close.FORBIDDEN: ("You may not be here: not a member, kicked, or banned.", "no"),
    Close.NOT_FOUND: ("There is no such channel.", "no"),
    Close.TOO_SLOW: ("You did not read what was sent.", "at once; it resumes"),
    Close.NO_HELLO: ("No hello came within 10 s.", "at once"),
    Close.TOO_LARGE: ("A frame had more than 16 KiB.", "no: the client is at fault"),
    Close.FLOOD: ("You sent too much.", "after 10 s"),
}
"""What each code means, and whether a client may connect again."""


class NoHello(AppError):
    status, code, title = 408, "no_hello", "The first frame did not come in time"


_CODES: Sequence[tuple[type[AppError], Close]] = (
    (Unauthorized, Close.UNAUTHORIZED),
    (Forbidden, Close.FORBIDDEN),
    (NotFound, Close.NOT_FOUND),
    (BadRequest, Close.BAD_FRAME),
    (PayloadTooLarge, Close.TOO_LARGE),
    (TooManyRequests, Close.FLOOD),
    (NoHello, Close.NO_HELLO),
)


class Closed(Exception):
    """The socket has been closed, by whichever end."""


class Socket:
    """An open socket and who is at its other end."""

    def __init__(self, infra: Infra, websocket: WebSocket, wire: Wire, principal: Principal) -> None:
        self.infra, self.principal = infra, principal
        self.connection_id: UUID = uuid7()
        self._websocket, self._wire = websocket, wire
        self._rate = float(infra.settings.socket_frames_per_second)
        self._allowance = _BURST * self._rate
        self._last = time.monotonic()
        self._refused = 0

    def write(self, frames: bytes) -> None:
        """Sends ready frames; ends the socket of who does not read them."""
        if not self._wire.write(frames):
            self.end(Close.TOO_SLOW, "too_slow")

    async def keep_up(self) -> None:
        """Waits until most of what was sent is read. Raises Closed for who reads nothing for a while."""
        if not await self._wire.drain(PATIENCE_SECONDS):
            self.end(Close.TOO_SLOW, "too_slow")
            raise Closed

    def send(self, message: Any) -> None:
        """Sends a message as JSON."""
        self.write(encode(to_json(message)))

    def complain(self, error: AppError, client_id: str | None = None) -> None:
        """Tells of an error; the socket stays open."""
        self.send(_problem(error, client_id))

    def end(self, code: Close, reason: str) -> None:
        """Closes it. The reason is a problem code."""
        self._wire.end(code, reason)

    def fail(self, error: AppError) -> None:
        """Tells of an error and closes."""
        code = next((code for kind, code in _CODES if isinstance(error, kind)), Close.FAULT)
        self.complain(error)
        self.end(code, error.code)

    async def receive(self) -> str:
        """The next text. Raises Closed, PayloadTooLarge, BadRequest."""
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise Closed
        text: str | None = message.get("text")
        if text is None and message.get("bytes") is None:
            raise PayloadTooLarge(f"A frame may have at most {MOST_BYTES} bytes.")
        if text is None:
            raise BadRequest("Send text frames with JSON.")
        return text

    async def hello(self) -> str:
        """The first text. Raises NoHello, and what `receive` raises."""
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                return await self.receive()
        except TimeoutError:
            raise NoHello(f"Say hello within {HELLO_SECONDS:.0f} s.") from None

    def is_flooded(self) -> bool:
        """Counts a frame; whether it is one too many. Raises TooManyRequests when that does not end."""
        now = time.monotonic()
        self._allowance = min(_BURST * self._rate, self._allowance + (now - self._last) * self._rate) - 1
        self._last = now
        if self._allowance >= 0:
            self._refused = 0
            return False
        self._allowance = 0
        self._refused += 1
        if self._refused > FLOOD_SECONDS * self._rate:
            raise TooManyRequests("You go on sending more than is taken. Connect again in 10 s.")
        return True


class Conversation(Protocol):
    """What is talked about over a socket, from its hello on."""

    async def begin(self) -> None:
        """Greets. Raises AppError, which ends the socket."""

    async def take(self, text: str, *, flooded: bool) -> None:
        """Takes a frame. Raises AppError, which ends the socket; what is only refused it says itself."""

    async def end(self) -> None:
        """The socket is gone."""


@opened
@asynccontextmanager
async def sockets(infra: Infra) -> AsyncIterator[set[Socket]]:
    """The open sockets of this process; those whose session ends are closed, and all of them at the drain."""
    open_ones: set[Socket] = set()
    sweeper = asyncio.create_task(_sweep(infra, open_ones), name="sockets")
    try:
        yield open_ones
    finally:
        sweeper.cancel()
        await asyncio.gather(sweeper, return_exceptions=True)


async def _sweep(infra: Infra, open_ones: set[Socket]) -> None:
    while not infra.draining.is_set():
        for socket in list(open_ones):
            if infra.ended(socket.principal):
                socket.fail(Unauthorized("The session has ended. Sign in again, and connect with the new token."))
        with suppress(TimeoutError):
            await asyncio.wait_for(infra.draining.wait(), SWEEP_SECONDS)
    for socket in list(open_ones):
        _send_away(socket)


def _send_away(socket: Socket) -> None:
    socket.send({"type": "reconnect", "after_ms": round(uniform(0, 1000))})  # noqa: S311 -- so that not all come at once
    socket.end(Close.GOING_AWAY, "reconnect")


def socket_endpoint(
    identify: Callable[[WebSocket], Awaitable[Principal]], converse: Callable[[Socket, WebSocket], Conversation]
) -> Callable[[WebSocket], Awaitable[None]]:
    """A WebSocket route: who it is, then the conversation with them."""

    async def endpoint(websocket: WebSocket) -> None:
        infra: Infra = websocket.app.state.infra
        if not _comes_from_here(websocket, infra.settings.cors_origins):
            await websocket.close()
            return
        await websocket.accept()
        wire = websocket.scope.get("extensions", {}).get(EXTENSION) or AsgiWire(websocket)
        try:
            principal = await identify(websocket)
        except AppError as error:
            Socket(infra, websocket, wire, Principal(uuid7(), uuid7())).fail(error)
        else:
            await _run(Socket(infra, websocket, wire, principal), websocket, converse)
        if isinstance(wire, AsgiWire):
            await wire.close()

    return endpoint


async def _run(socket: Socket, websocket: WebSocket, converse: Callable[[Socket, WebSocket], Conversation]) -> None:
    talk, open_ones = converse(socket, websocket), socket.infra.part(sockets)
    open_ones.add(socket)
    try:
        if socket.infra.draining.is_set():
            _send_away(socket)
        await _talk(socket, talk)
    except Closed:
        pass  # the client has gone: there is nobody to tell
    except AppError as error:
        socket.fail(error)
    except Exception as error:
        log.error("socket_failed", exc_info=error)
        socket.fail(AppError("This is our fault."))
    finally:
        open_ones.discard(socket)
        await talk.end()


async def _talk(socket: Socket, talk: Conversation) -> None:
    await talk.begin()
    while True:
        text = await socket.receive()
        await talk.take(text, flooded=socket.is_flooded())


def _comes_from_here(websocket: WebSocket, origins: Sequence[str]) -> bool:
    """A page of somebody else's may not use the visitor's rights. What is no browser sends no Origin."""
    origin = websocket.headers.get("origin")
    if origin is None or origin in origins or "*" in origins:
        return True
    return urlsplit(origin).netloc == websocket.headers.get("host")


def _problem(error: AppError, client_id: str | None) -> dict[str, Any]:
    errors = [fault.model_dump() for fault in error.faults]
    said = {"code": error.code, "title": error.title, "detail": error.detail, "status": error.status, "errors": errors}
    return {"type": "problem", "client_id": client_id} | said | error.extra
