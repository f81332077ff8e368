"""What must be right before anything runs, each fault with its remedy."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.core.config import Settings
from app.core.database_url import driver_dsn
from app.core.infra import Infra, open_infra, with_servers
from app.core.logging import configure_logging
from app.core.migrations import migrate, require_current
from app.modules import load_modules

__all__ = ["StartError", "opened", "prepare_schema", "reach_database", "require_writable"]

OLDEST_POSTGRES = 150_000
CONNECT_SECONDS = 10.0


class StartError(RuntimeError):
    """It cannot start; the message says what to do."""


def require_writable(folder: Path) -> None:
    """Raises StartError unless files can be made in the folder, which is created where it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StartError(
            f"Cannot write to the data folder {folder.resolve()}: {error.strerror}. "
            "Make it writable for this user, or set DATA_DIR to another folder."
        ) from error


async def reach_database(url: str) -> str:
    """The version of the server. Raises StartError when it cannot be used."""
    shown = _without_password(url)
    try:
        connection = await asyncpg.connect(driver_dsn(url), timeout=CONNECT_SECONDS)
    except asyncpg.InvalidCatalogNameError as error:
        raise StartError(f"{error} (DATABASE_URL). Create it: createdb {make_url(url).database}") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError) as error:
        raise StartError(
            f"Cannot reach the database at DATABASE_URL={shown}: {_reason(error)}. "
            "Check host, port, user and password, or unset DATABASE_URL to use the bundled PostgreSQL."
        ) from error
    try:
        if int(await connection.fetchval("SHOW server_version_num")) < OLDEST_POSTGRES:
            raise StartError("The database at DATABASE_URL is too old: PostgreSQL 15 or later is needed.")
        if (encoding := await connection.fetchval("SHOW server_encoding")) != "UTF8":
            raise StartError(f"The database stores {encoding}, not UTF8: createdb -E UTF8 -T template0 NAME")
        return str(await connection.fetchval("SHOW server_version"))
    finally:
        await connection.close()


def _without_password(url: str) -> str:
    try:
        return make_url(url).set(drivername="postgresql").render_as_string()
    except (ArgumentError, ValueError) as error:
        raise StartError("DATABASE_URL is no URL of the form postgresql://user:password@host:5432/name") from error


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError) and not str(error):
        return f"no answer within {CONNECT_SECONDS:.0f} s"
    return str(getattr(error, "strerror", None) or error).rstrip(".").partition("\n")[0]


async def prepare_schema(settings: Settings) -> None:
    """Brings the schema up to date; in production that is a step of its own, so it is only checked."""
    await reach_database(settings.database_url)
    if settings.environment == "production":
        await require_current(settings.database_url)
    else:
        await migrate(settings.database_url)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Infra]:
    """Everything open on an up-to-date schema, for a command that works and ends."""
    configure_logging(settings.model_copy(update={"log_level": "WARNING"}))
    require_writable(settings.data_dir)
    load_modules()
    async with with_servers(settings) as located:
        await prepare_schema(located)
        async with open_infra(located) as infra:
            yield infra
