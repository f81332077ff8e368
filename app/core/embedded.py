"""The bundled PostgreSQL 18 and Valkey: start, attach, stop."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.core.bundled import BundledServer, EmbeddedError
from app.core.postgres import Postgres
from app.core.valkey import Valkey

__all__ = ["Embedded", "EmbeddedError", "embedded_servers"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Embedded:
    """The URL of a server that was not asked for is empty."""

    database_url: str
    redis_url: str


@contextlib.asynccontextmanager
async def embedded_servers(
    data_dir: Path, *, postgres: bool = True, valkey: bool = True, durable: bool = True
) -> AsyncIterator[Embedded]:
    """The servers that are asked for, started or attached to; what was started here is stopped at the end."""
    data_dir = _real(data_dir)
    cache = Valkey(data_dir) if valkey else None
    database = Postgres(data_dir, durable=durable) if postgres else None
    servers = [server for server in (cache, database) if server]
    try:
        await _start(servers, data_dir)
        async with _watched(servers):
            yield Embedded(database.url if database else "", cache.url if cache else "")
    finally:
        await _stop(servers)


def _real(folder: Path) -> Path:
    """All names of one folder must lead to one lock."""
    return folder.expanduser().resolve()


async def _start(servers: Sequence[BundledServer], data_dir: Path) -> None:
    if sys.platform == "win32":
        raise EmbeddedError("Windows has no bundled servers: set DATABASE_URL and REDIS_URL to servers of your own.")
    try:
        (data_dir / "logs").mkdir(parents=True, exist_ok=True)
        for server in servers:
            await server.start()
    except OSError as error:
        raise EmbeddedError(
            f"Cannot use {error.filename or data_dir}: {error.strerror or error}. Set DATA_DIR to a folder that "
            "this user can write, or DATABASE_URL and REDIS_URL to servers of your own."
        ) from error


async def _stop(servers: Sequence[BundledServer]) -> None:
    # In threads: a second cancellation ends the waiting here, but not the stopping there.
    loop = asyncio.get_running_loop()
    await asyncio.shield(asyncio.gather(*(loop.run_in_executor(None, server.stop) for server in servers)))


@contextlib.asynccontextmanager
async def _watched(servers: Sequence[BundledServer]) -> AsyncIterator[None]:
    task = asyncio.create_task(_report_deaths(servers))
    try:
        yield
    finally:
        task.cancel()


async def _report_deaths(servers: Sequence[BundledServer]) -> None:
    alive = list(servers)
    while alive:
        for server in [server for server in alive if server.died()]:
            log.error("The bundled %s has died; see %s", server.name, server.log_path)
            alive.remove(server)
        await asyncio.sleep(1)
