"""Alembic's environment: runs on the connection that `app.core.migrations` gives it, or opens its own."""

from alembic import context
from sqlalchemy.engine import Connection

from app.core.db import Base
from app.modules import load_modules

load_modules()


def run(connection: Connection) -> None:
    """Runs the migrations in one transaction: a failed one leaves the schema as it was."""
    context.configure(connection=connection, target_metadata=Base.metadata, include_object=_ours, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


def _ours(_object: object, name: str | None, kind: str, _reflected: bool, _compare_to: object) -> bool:
    """The queue library's tables are made by its own statements."""
    return not (kind == "table" and (name or "").startswith("pgqueuer"))


given = context.config.attributes.get("connection")
if given is None:
    raise SystemExit("Run `python -m app migrate`: it starts the embedded database where one is used.")
run(given)
