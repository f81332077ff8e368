"""Where jobs lie: pgqueuer's tables, our receipts and dead letters, and the statements on them."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pgqueuer.adapters.persistence import schema_ddl
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder
from pgqueuer.domain.models import Job as Delivery
from pgqueuer.domain.schema.declaration import target
from pgqueuer.domain.settings import DBSettings
from pydantic_core import to_json
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Database, Reader, Row, Writer
from app.core.ids import uuid7

__all__ = ["DeadLetter", "Delivery", "JobReceipt", "Order", "depth", "drop_queue_schema", "queue_schema", "requeue"]

LONGEST_ERROR = 8_000


class QueueNames(DBSettings):
    """pgqueuer's default names. It would take them from variables such as CHANNEL, which others use too."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing from the environment."""
        return (init_settings,)


NAMES = QueueNames()

# An order whose key waits already locks the waiting row until its own transaction ends, so that no worker starts that
# job before it can see what this transaction wrote. With DO NOTHING it could run too early and miss the change.
INSERT = QueryQueueBuilder(NAMES).build_enqueue_query("update_priority")

FORGET_KEY = "UPDATE pgqueuer SET dedupe_key = NULL WHERE id = $1"
COUNT_PICKS = "SELECT count(*) FROM pgqueuer_log WHERE job_id = $1 AND status = 'picked'"
HASTEN = """
    UPDATE pgqueuer SET execute_after = now() - interval '1 ms'
    WHERE status = 'queued' AND execute_after <= now() + $1"""
REMOVE = "DELETE FROM pgqueuer WHERE id = $1 RETURNING id"
REMOVE_UNKNOWN = """
    DELETE FROM pgqueuer
    WHERE entrypoint <> ALL($1::text[]) AND greatest(execute_after, heartbeat) < now() - $2::interval
    RETURNING *"""
# `attempts` is set, not counted up, so that repeating the statement after a lost connection changes nothing
RELEASE = """
    UPDATE pgqueuer SET status = 'queued', queue_manager_id = NULL, execute_after = now() + $3::interval, attempts = $4,
    updated = now() WHERE id = $1 AND queue_manager_id = $2 AND status = 'picked'"""
ADVANCE = """
    INSERT INTO pgqueuer_schedules AS known (entrypoint, expression, next_run, last_run)
    SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[])
    ON CONFLICT (expression, entrypoint) DO UPDATE
    SET last_run = excluded.last_run, next_run = excluded.next_run, updated = now()
    WHERE known.last_run < excluded.last_run
    RETURNING entrypoint, xmax = 0 AS is_new"""
PRUNE = (
    "DELETE FROM job_receipts WHERE done_at < now() - interval '7 days'",
    "DELETE FROM pgqueuer_log WHERE created < now() - interval '1 day'",
)
DEPTH = """
    SELECT count(*) FILTER (WHERE status = 'queued' AND execute_after <= now()) AS due,
           count(*) FILTER (WHERE status = 'queued' AND execute_after > now()) AS delayed,
           count(*) FILTER (WHERE status = 'picked') AS running,
           (SELECT count(*) FROM dead_letters WHERE requeued_at IS NULL) AS dead
    FROM pgqueuer"""


class JobReceipt(Base):
    """Written in the transaction of a handler's effects, or after a job's success: what is here is not run again."""

    __tablename__ = "job_receipts"

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    handler: Mapped[str]
    done_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class DeadLetter(Row):
    """A job that failed too often. `created_at` is the job's own; `payload` is JSON as text."""

    __tablename__ = "dead_letters"

    job_id: Mapped[UUID]
    job: Mapped[str]
    payload: Mapped[str]
    error_type: Mapped[str]
    error: Mapped[str]
    tries: Mapped[int]
    failed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    requeued_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Order:
    """A job to be stored. A `sticky` key counts until the job is done, another one until it begins."""

    job: str
    payload: str
    after: timedelta = timedelta()
    key: str | None = None
    sticky: bool = False
    id: UUID | None = None

    @property
    def headers(self) -> str:
        marks = {"key": True} if self.key and not self.sticky else {}
        return to_json({"id": self.id or uuid7(), **marks}).decode()


async def run(db: Writer, sql: str, *arguments: Any) -> Sequence[Any]:
    """The rows of a statement with $1 marks, in the session's own transaction."""
    await db.flush()
    result = await (await db.connection()).exec_driver_sql(sql, arguments)
    return result.all() if result.returns_rows else []


async def put(db: Writer, orders: Sequence[Order]) -> None:
    """Stores jobs in the caller's transaction by one statement; its trigger wakes the workers after the commit."""
    if orders:
        arguments = [(0, order.job, order.payload.encode(), order.after, order.key, order.headers) for order in orders]
        await run(db, INSERT, *(list(column) for column in zip(*arguments, strict=True)))


async def sign(db: Writer, job_id: UUID, handler: str) -> bool:
    """Writes the receipt. False when it was there: the job has been done."""
    receipt = insert(JobReceipt).values(job_id=job_id, handler=handler).on_conflict_do_nothing()
    return await db.scalar(receipt.returning(JobReceipt.job_id)) is not None


async def signed(db: Database, job_id: UUID) -> bool:
    """Whether the job has been done."""
    return await db.reader.one(select(JobReceipt.job_id).where(JobReceipt.job_id == job_id)) is not None


def identity(delivery: Delivery) -> UUID:
    """The job's own id. pgqueuer's numbers begin again when its tables are made anew, and receipts would then lie."""
    return UUID(str((delivery.headers or {}).get("id") or UUID(int=delivery.id)))


async def bury(db: Writer, delivery: Delivery, error: BaseException) -> None:
    """Moves a job to the dead letters, unless another worker has finished or moved it."""
    if await run(db, REMOVE, delivery.id):
        db.add(letter(delivery, error))


async def bury_unknown(db: Writer, known: Sequence[str], waiting: timedelta) -> list[str]:
    """Moves the jobs that nobody here can run, and that waited so long, to the dead letters. Returns their names."""
    rows = await run(db, REMOVE_UNKNOWN, known, waiting)
    lost = [Delivery.model_validate(row._asdict()) for row in rows]
    db.add_all(letter(delivery, LookupError(f"no job is called {delivery.entrypoint}")) for delivery in lost)
    return [delivery.entrypoint for delivery in lost]


def letter(delivery: Delivery, error: BaseException) -> DeadLetter:
    """The dead letter of a job and of the error that ended it."""
    trace = "".join(traceback.format_exception(error))
    return DeadLetter(
        job_id=identity(delivery),
        job=delivery.entrypoint,
        payload=_storable((delivery.payload or b"").decode(errors="replace")),
        error_type=type(error).__qualname__,
        error=_storable(f"{error}\n\n{trace[-LONGEST_ERROR:]}"),
        tries=delivery.attempts,
        created_at=delivery.created,
    )


def _storable(text: str) -> str:
    """PostgreSQL takes no NUL and UTF-8 no lone surrogate; a message with one must not keep a job alive."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


async def requeue(db: Writer, dead_letter_id: UUID) -> bool:
    """Runs a dead letter's job again, with all of its tries. False when there is none, or it was requeued before."""
    found = await db.scalar(
        update(DeadLetter)
        .where(DeadLetter.id == dead_letter_id, DeadLetter.requeued_at.is_(None))
        .values(requeued_at=func.now())
        .returning(DeadLetter)
    )
    if found is not None:
        await put(db, [Order(found.job, found.payload, id=found.job_id)])
    return found is not None


async def depth(db: Reader) -> dict[str, int]:
    """How many jobs are due, delayed, running and dead."""
    return dict((await db.records(DEPTH, []))[0])


def queue_schema() -> list[str]:
    """The statements, to be run one by one, that make pgqueuer's tables, all of them logged."""
    schema: Any = target(NAMES)
    statements = [schema_ddl.render_enum(entry, NAMES) for entry in schema.enums]
    statements += [schema_ddl.render_table(entry, NAMES) for entry in schema.tables]
    statements += [schema_ddl.render_index(entry, NAMES) for entry in schema.indexes]
    statements += [schema_ddl.render_function(entry, NAMES) for entry in schema.functions]
    statements += [schema_ddl.render_trigger(entry, NAMES) for entry in schema.triggers]
    tuning = QueryBuilderEnvironment(NAMES).build_optimize_autovacuum_query()
    # its tuning of the log supposes that nothing is ever deleted from it, but `prune` does
    return statements + [part.strip() for part in tuning.split(";")[:2]]


def drop_queue_schema() -> list[str]:
    """The statements that undo `queue_schema()`."""
    return schema_ddl.render_uninstall(NAMES).splitlines()
