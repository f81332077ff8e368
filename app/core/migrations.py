"""The schema: brings it up to date, and tells whether it is."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from app.core.database_url import engine_for

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
    engine = engine_for(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    finally:
        await engine.dispose()


async def migrate(url: str, revision: str = "head") -> None:
    """Brings the schema to a revision, up or down. Raises SchemaError when that cannot be; then nothing has changed."""
    engine = engine_for(url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            await connection.run_sync(_move, revision)
    except (DBAPIError, CommandError) as error:
        raise SchemaError(f"The migration failed, and nothing has changed: {_sentence(error)}") from error
    finally:
        await engine.dispose()


async def require_current(url: str) -> None:
    """Raises SchemaError unless the schema is the one that this program was written for."""
    found, wanted = await current_revision(url), newest_revision()
    if found == wanted:
        return
    _refuse_newer(found)
    raise SchemaError(
        f"The schema is at {found or 'nothing'}, this program needs {wanted}: run `python -m app migrate`."
    )


def _move(connection: Connection, revision: str) -> None:
    script = ScriptDirectory.from_config(config())
    current = MigrationContext.configure(connection).get_current_revision()
    _refuse_newer(current)
    wanted = script.as_revision_number(revision)
    if current == wanted:
        return
    alembic = config()
    alembic.attributes["connection"] = connection
    older = {ancestor.revision for ancestor in script.iterate_revisions(current, "base")} if current else set()
    (command.downgrade if wanted is None or wanted in older else command.upgrade)(alembic, revision)


def _refuse_newer(current: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    if current is not None and current not in known:
        raise SchemaError(
            f"The database has schema {current}, which is newer than this program ({newest_revision()}). "
            "Run the newer program, or restore a backup from before its migration."
        )


def _sentence(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(getattr(cause, "__cause__", None) or cause).partition("\n")[0]
