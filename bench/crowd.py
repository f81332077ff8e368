"""Many raw sockets that only count what they get: reading must cost less than what is measured."""

import asyncio
import base64
import json
import os
from collections.abc import Iterable, Sequence

__all__ = ["Crowd", "masked"]


def masked(text: str) -> bytes:
    """A text as the frame that a client sends. The mask is zero, which the protocol allows and which costs nothing."""
    payload = text.encode()
    size = len(payload)
    head = bytes([0x81, 0x80 | size]) if size < 126 else bytes([0x81, 0xFE]) + size.to_bytes(2, "big")
    return head + bytes(4) + payload


class _Ear(asyncio.Protocol):
    def __init__(self, crowd: "Crowd", request: bytes, first: Sequence[str]) -> None:
        self._crowd, self._request, self._first = crowd, request, list(first)
        self._head = b""
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self.open.done():
            self._crowd.received += len(data)
            return
        self._head += data
        if b"\r\n\r\n" in self._head:
            if not self._head.startswith(b"HTTP/1.1 101"):
                self.open.set_exception(ConnectionError(self._head[:200].decode()))
                return
            for text in self._first:
                self.transport.write(masked(text))
            self.open.set_result(None)

    def connection_lost(self, _: Exception | None) -> None:
        self._crowd.lost += 1


class Crowd:
    """Open sockets at one or more servers."""

    def __init__(self) -> None:
        self.received = 0
        self.lost = 0
        self._ears: list[_Ear] = []

    async def enter(
        self, host: str, port: int, path: str, count: int, *, tokens: Iterable[str] = (), first: Sequence[str] = ()
    ) -> None:
        """Opens `count` sockets; each says the `first` texts."""
        keys = list(tokens) or [""]
        loop = asyncio.get_running_loop()
        for number in range(count):
            token = keys[number % len(keys)]
            request = _request(host, port, path, token)
            _, ear = await loop.create_connection(lambda said=request: _Ear(self, said, first), host, port)
            await ear.open
            self._ears.append(ear)
        await self.settle()

    async def settle(self) -> None:
        """Waits until nothing more comes."""
        before = -1
        while before != self.received:
            before = self.received
            await asyncio.sleep(0.3)

    async def hear(self, size: int, *, seconds: float = 60) -> None:
        """Waits for so many more bytes than at the last call of `mark`."""
        async with asyncio.timeout(seconds):
            while self.received - self._mark < size:
                await asyncio.sleep(0.001)

    def mark(self) -> None:
        """What comes from now on counts."""
        self._mark = self.received

    def say(self, number: int, frames: bytes) -> None:
        """Sends ready frames over one of the sockets."""
        self._ears[number].transport.write(frames)

    @property
    def size(self) -> int:
        return len(self._ears)

    def leave(self) -> None:
        """Hangs up."""
        for ear in self._ears:
            ear.transport.abort()


def _request(host: str, port: int, path: str, token: str) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


HELLO = json.dumps({"type": "hello", "protocol": 1, "client": "bench/1"})
"""The first frame of our protocol."""
