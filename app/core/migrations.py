"""The schema: brings it up to date, and tells whether it is."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine

__all__ = ["SchemaError", "current_revision", "migrate", "newest_revision", "require_current"]

ROOT = Path(__file__).parents[2]
_LOCK = 0x50_55_4E_44  # one process migrates, others wait


class SchemaError(RuntimeError):
    """The schema does not fit this program; the message says what to do."""


def config() -> Config:
    """Alembic's configuration of this project, wherever it was started."""
    return Config(ROOT / "alembic.ini")


def newest_revision() -> str:
    """The revision that this program was written for."""
    return ScriptDirectory.from_config(config()).get_current_head() or ""


async def current_revision(url: str) -> str | None:
    """The revision of the database, or None for an empty one."""
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    finally:
        await engine.dispose()


async def migrate(url: str, revision: str = "head") -> None:
    """Brings the schema to a revision. Raises SchemaError when the database is newer than this program."""
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            await connection.run_sync(_upgrade, revision)
    finally:
        await engine.dispose()


async def require_current(url: str) -> None:
    """Raises SchemaError unless the schema is the one that this program was written for."""
    found, wanted = await current_revision(url), newest_revision()
    if found != wanted:
        raise SchemaError(f"The schema is at {found or 'nothing'}, this program needs {wanted}: python -m app migrate")


def _upgrade(connection: Connection, revision: str) -> None:
    alembic = config()
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(alembic).walk_revisions()}
    if current is not None and current not in known:
        raise SchemaError(
            f"The database has schema {current}, which is newer than this program ({newest_revision()}). "
            "Run the newer program, or restore a backup from before its migration."
        )
    alembic.attributes["connection"] = connection
    command.upgrade(alembic, revision)
