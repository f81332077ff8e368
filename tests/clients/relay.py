"""A stretch of network between a client and a server, which can be cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

__all__ = ["Relay", "relay_to"]


class Relay:
    """Carries bytes to and fro. `cut()` ends all connections as a network does: without a word."""

    def __init__(self, server: str) -> None:
        self.address = ""
        self._server = urlsplit(server)
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until an end of it is gone."""
        there, back = await asyncio.open_connection(self._server.hostname, self._server.port)
        ends = {writer, back}
        self._open |= ends
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pour(reader, back))
                group.create_task(_pour(there, writer))
        finally:
            self._open -= ends
            for end in ends:
                end.close()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def relay_to(server: str) -> AsyncIterator[Relay]:
    """A relay on a free port."""
    relay = Relay(server)
    listener = await asyncio.start_server(relay.carry, "127.0.0.1", 0)
    async with listener:
        relay.address = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        yield relay
        relay.cut()
