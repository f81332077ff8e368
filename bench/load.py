"""A closed-loop HTTP client on bare sockets: it costs little, so that the server is what is measured."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

__all__ = ["Load", "Request", "drive"]


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it goes over the wire."""

    method: str
    path: str
    token: str = ""
    body: bytes = b""
    content_type: str = "application/json"

    def wire(self) -> bytes:
        """The bytes, with keep-alive."""
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: bench"]
        if self.token:
            lines.append(f"Authorization: Bearer {self.token}")
        if self.body or self.method in {"POST", "PUT", "PATCH"}:
            lines += [f"Content-Type: {self.content_type}", f"Content-Length: {len(self.body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True, slots=True)
class Load:
    """What came of driving a server: requests a second, median latency, server CPU for each request."""

    rate: float
    median_ms: float
    cpu_us: float
    bytes: int


class _Client(asyncio.Protocol):
    """Sends the next request when the answer to the last one is whole."""

    def __init__(self, requests: Sequence[bytes], offset: int) -> None:
        self._requests, self._next = requests, offset
        self._buffer = b""
        self._sent = 0.0
        self.running = True
        self.times: list[float] = []
        self.size = 0
        self.failure = ""
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._requests[self._next % len(self._requests)])
        self._next += 1

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        lower = head.lower()
        at = lower.find(b"content-length:")
        length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(body) < length:
            return
        if head[9:10] not in {b"2", b"3"}:
            self.failure = self._buffer[:600].decode(errors="replace")
        self.size = len(body)
        self._buffer = b""
        self.times.append(time.perf_counter() - self._sent)
        if self.running and not self.failure:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)


async def drive(
    host: str, port: int, requests: Sequence[Request], *, cpu: Callable[[], float], seconds: float, clients: int
) -> Load:
    """Drives a server for some seconds after a short warm-up. Raises RuntimeError at the first failed request."""
    wire = [request.wire() for request in requests]
    await _round(host, port, wire, seconds=min(1.0, seconds / 3), clients=clients)
    spent, started = cpu(), time.perf_counter()
    workers = await _round(host, port, wire, seconds=seconds, clients=clients)
    elapsed, used = time.perf_counter() - started, cpu() - spent
    times = [duration for worker in workers for duration in worker.times]
    return Load(len(times) / elapsed, median(times) * 1000, used / len(times) * 1e6, workers[0].size)


async def _round(host: str, port: int, wire: Sequence[bytes], *, seconds: float, clients: int) -> list[_Client]:
    loop = asyncio.get_running_loop()
    workers = []
    for number in range(clients):
        _, worker = await loop.create_connection(lambda n=number: _Client(wire, n * 7919), host, port)
        workers.append(worker)
    await asyncio.sleep(seconds)
    for worker in workers:
        worker.running = False
    await asyncio.wait_for(asyncio.gather(*(worker.closed for worker in workers)), 30)
    failures = [worker.failure for worker in workers if worker.failure]
    if failures:
        raise RuntimeError(f"a request failed:\n{failures[0]}")
    return workers
