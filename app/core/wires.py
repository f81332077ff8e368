"""The way to the other end of a socket: ready frames, and who does not read them is too slow."""

import asyncio
from contextlib import suppress
from typing import Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

__all__ = ["AsgiWire", "Wire", "encode"]


class Wire(Protocol):
    """The way to the other end: takes ready frames, False when they pile up."""

    def write(self, frames: bytes) -> bool: ...

    async def drain(self, seconds: float) -> bool:
        """Waits until little waits; False when nothing was read for so many seconds."""
        ...

    def end(self, code: int, reason: str) -> None: ...


def encode(payload: bytes) -> bytes:
    """A text as the frame that a server sends (RFC 6455, 5.2): whole, and not masked."""
    size = len(payload)
    if size < 126:
        return b"\x81" + size.to_bytes(1, "big") + payload
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


class AsgiWire:
    """The same over plain ASGI, for servers that do not run our protocol: one queue and one task for each socket."""

    _MOST = 1000

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._queue: asyncio.Queue[bytes | tuple[int, str]] = asyncio.Queue()
        self._task = asyncio.create_task(self._pump())

    def write(self, frames: bytes) -> bool:
        self._queue.put_nowait(frames)
        return self._queue.qsize() <= self._MOST

    async def drain(self, seconds: float) -> bool:
        patience, before = seconds, self._queue.qsize()
        while self._queue.qsize() and not self._task.done() and patience > 0:
            await asyncio.sleep(0.01)
            patience = seconds if self._queue.qsize() < before else patience - 0.01
            before = self._queue.qsize()
        return patience > 0

    def end(self, code: int, reason: str) -> None:
        self._queue.put_nowait((code, reason))

    async def close(self) -> None:
        """Sends what is left."""
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.wait({self._task}), 1)
        self._task.cancel()

    async def _pump(self) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):
            while isinstance(item := await self._queue.get(), bytes):
                for text in _decode(item):
                    await self._websocket.send_text(text)
            await self._websocket.close(*item)


def _decode(frames: bytes) -> list[str]:
    """The texts of frames that `encode` made."""
    texts: list[str] = []
    place = 0
    while place < len(frames):
        length, width = frames[place + 1], 0
        if length >= 126:
            width = 2 if length == 126 else 8
            length = int.from_bytes(frames[place + 2 : place + 2 + width], "big")
        start = place + 2 + width
        texts.append(frames[start : start + length].decode())
        place = start + length
    return texts
