"""Mails exports. The row of an export is the truth; the broker and the job queue only say when to look at it.

queued -> working -> sent, or back to queued after a failure, or failed for good. Whoever works has taken the row for
a while and keeps it as long as it works; who dies meanwhile is given up then. So no attempt runs beside another one,
and each mails under the same Message-ID. Where RabbitMQ does not answer, or nobody takes from it, the job worker does
the work after PATIENCE.
"""

import asyncio
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from pydantic import BaseModel
from pydantic_core import to_json
from sqlalchemy import delete, func, select, update

from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import NotFound
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.job_runner import LAST_SECONDS as SHUTDOWN_SECONDS
from app.core.jobs import Backoff, DeadLetter, enqueue, every, job, on
from app.core.tasks import end_tasks, see_through
from app.integrations.broker import BrokerDown, Unreadable, broker
from app.integrations.mail import Mail, MailRefused, mailer
from app.playlists.export_mail import compose
from app.playlists.models import PlaylistExport
from app.playlists.service import all_entries
from app.playlists.standing import require_readable
from app.users.events import AccountDeleted
from app.users.models import User

__all__ = ["ExportOrder", "carry_out", "hand_over", "read_message", "retry_export", "work_on"]

TRIES = 15
TAKEN_FOR = 1.2
"""For so many times as long as an attempt may last until the mail has gone."""
RENEWALS = 4
"""So often is what is taken renewed in that time."""
LONGEST_SECONDS = 900.0
"""A mail server may take ten minutes for its answer."""
MAILS_AT_ONCE = 4
LAST_SECONDS = 0.75 * SHUTDOWN_SECONDS
PATIENCE = timedelta(minutes=5)
WITHOUT_BROKER = timedelta(seconds=15)
KEPT = timedelta(days=30)
AT_ONCE = 500
LONGEST_ERROR = 8_000
log = structlog.get_logger()

_OPEN = "state IN ('queued', 'working') AND next_attempt_at <= now()"
"""`working` is due when its time is over: who had taken it has died."""
_CLAIM = f"""
    UPDATE playlist_exports
    SET state = 'working', attempts = attempts + 1, next_attempt_at = now() + $2, handed_at = NULL
    WHERE id = $1 AND {_OPEN}
    RETURNING id, playlist_id, user_id, target_email, attempts, created_at"""  # noqa: S608 -- no value in it
_KEEP = """
    UPDATE playlist_exports SET next_attempt_at = now() + $3 WHERE id = $1 AND state = 'working' AND attempts = $2"""
_DUE = f"""
    SELECT id, next_attempt_at < now() - $1::interval AS waited FROM playlist_exports
    WHERE {_OPEN} AND (handed_at IS NULL OR next_attempt_at < now() - $1::interval)
    ORDER BY next_attempt_at LIMIT {AT_ONCE}"""  # noqa: S608
_HANDED = f"UPDATE playlist_exports SET handed_at = now() WHERE id = ANY($1) AND {_OPEN}"  # noqa: S608


class ExportOrder(BaseModel):
    """Which export is meant: all that lies in a job or a message."""

    export_id: UUID


class Export(NamedTuple):
    """An export that was taken, and the number of this attempt."""

    id: UUID
    playlist_id: UUID | None
    user_id: UUID
    target_email: str
    attempts: int
    created_at: datetime


class Exhausted(Exception):
    """Everybody who worked on it died over it."""


@job(seconds=LONGEST_SECONDS, at_most=MAILS_AT_ONCE)
async def hand_over(infra: Any, order: ExportOrder) -> None:
    """Gives an export to the broker; where there is none, does the work."""
    if infra.part(broker) is None:
        await carry_out(infra, order.export_id)
    else:
        await _publish(infra, [order.export_id])


@job(seconds=LONGEST_SECONDS, at_most=MAILS_AT_ONCE)
async def work_on(infra: Any, order: ExportOrder) -> None:
    """Does the work here, whatever there is."""
    await carry_out(infra, order.export_id)


@every(seconds=5)
async def hand_over_waiting(infra: Any) -> None:
    """Finds what is due though nobody said so: a broker was away, a process died, a message was lost."""
    patience = WITHOUT_BROKER if infra.part(broker) is None else PATIENCE
    due = await infra.db.fetch(_DUE, [patience])
    async with infra.db.write() as db:
        for row in due:
            if row["waited"]:
                await enqueue(db, work_on, ExportOrder(export_id=row["id"]), key=str(row["id"]))
    await _publish(infra, [row["id"] for row in due if not row["waited"]])


async def _publish(infra: Infra, export_ids: list[UUID]) -> None:
    rabbit = infra.part(broker)
    if rabbit is None or not export_ids:
        return
    try:
        await rabbit.publish(to_json(ExportOrder(export_id=export_id)) for export_id in export_ids)
    except BrokerDown as error:
        log.warning("exports not handed over", count=len(export_ids), error=str(error))
        return
    async with infra.db.write() as db:
        await db.records(_HANDED, [export_ids])


async def read_message(infra: Infra, body: bytes) -> None:
    """Carries out what a message asks for. Raises Unreadable for one that is not ours."""
    try:
        order = ExportOrder.model_validate_json(body)
    except ValueError as error:
        raise Unreadable("not an export's id") from error
    await carry_out(infra, order.export_id)


async def carry_out(infra: Infra, export_id: UUID) -> None:
    """Makes one attempt, unless somebody else is at it or it is done. Raises only if the database fails.

    Cancelled when the mail has gone, it still waits for what the mail server says, as long as a shutdown allows.
    """
    lease = timedelta(seconds=infra.settings.export_seconds * TAKEN_FOR)
    async with infra.db.write() as db:
        rows = await db.records(_CLAIM, [export_id, lease])
        if not rows:
            await _look_again(db, export_id)
            return
    export, gone = Export(**rows[0]), asyncio.Event()
    async with _kept(infra, export, lease):
        await see_through(asyncio.create_task(_attempt(infra, export, gone)), gone.is_set, LAST_SECONDS)


@asynccontextmanager
async def _kept(infra: Infra, export: Export, lease: timedelta) -> AsyncIterator[None]:
    """Keeps what was taken: nobody else begins while somebody waits for an answer."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(lease.total_seconds() / RENEWALS)
            try:
                async with infra.db.write() as db:
                    await db.records(_KEEP, [export.id, export.attempts, lease])
            except Exception as error:
                log.warning("export not renewed", export=str(export.id), error=type(error).__name__)

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        await end_tasks([renewing])


async def _attempt(infra: Infra, export: Export, gone: asyncio.Event) -> None:
    blame = "broken"
    try:
        if export.attempts > TRIES:
            raise Exhausted("everybody who worked on it died over it")
        async with asyncio.timeout(infra.settings.export_seconds) as limit:

            def point_of_no_return() -> None:
                limit.reschedule(None)
                gone.set()

            mail = await _compose(infra, export)
            blame = "unreachable"
            await infra.part(mailer).send(mail, point_of_no_return=point_of_no_return)
    except (MailRefused, NotFound) as error:
        blame = "refused" if isinstance(error, MailRefused) else "playlist_gone"
        await _failed(infra, export, error, blame, final=True)
    except Exception as error:
        await _failed(infra, export, error, blame, final=export.attempts >= TRIES)
    else:
        await _sent(infra, export)


async def _look_again(db: Writer, export_id: UUID) -> None:
    """Somebody is at it, or was: RabbitMQ gives a message again when who had it has died."""
    row = select(PlaylistExport.next_attempt_at, func.now()).filter_by(id=export_id, state="working")
    for until, now in await db.rows(row):
        await enqueue(db, hand_over, ExportOrder(export_id=export_id), after=until - now, key=str(export_id))


async def _sent(infra: Infra, export: Export) -> None:
    """Writes down that it was sent; stubbornly, since what is not written down is sent again."""
    sent = update(PlaylistExport).where(PlaylistExport.id == export.id, PlaylistExport.state != "sent")
    for pause in (0.1, 0.3, 1, 3, 5, 5, 5, 0):
        try:
            async with infra.db.write() as db:
                await db.execute(sent.values(state="sent", sent_at=func.now(), failure=None))
        except Exception as error:
            if not pause:
                raise
            log.warning("export sent but not recorded", export=str(export.id), error=type(error).__name__)
            await asyncio.sleep(pause)
        else:
            log.info("playlist exported", export=str(export.id), attempts=export.attempts)
            return


async def _failed(infra: Infra, export: Export, error: Exception, blame: str, *, final: bool) -> None:
    """Has it tried again after a while, or gives it up. What admins may be able to mend becomes a dead letter."""
    log.warning("export failed", export=str(export.id), attempts=export.attempts, error=type(error).__name__)
    mine = update(PlaylistExport).where(
        PlaylistExport.id == export.id, PlaylistExport.state == "working", PlaylistExport.attempts == export.attempts
    )
    order = ExportOrder(export_id=export.id)
    async with infra.db.write() as db:
        if not final:
            wait = Backoff().after(export.attempts)
            await db.execute(mine.values(state="queued", next_attempt_at=func.now() + wait))
            await enqueue(db, hand_over, order, after=wait)
            return
        given_up = await db.scalar(mine.values(state="failed", failure=blame).returning(PlaylistExport.id))
        if given_up is not None and blame in {"broken", "unreachable"}:
            db.add(_letter(export, order, error))


def _letter(export: Export, order: ExportOrder, error: Exception) -> DeadLetter:
    """What admins see; requeued, it runs `retry_export`."""
    return DeadLetter(
        job_id=uuid7(),
        job=retry_export.name,
        payload=order.model_dump_json(),
        error_type=type(error).__qualname__,
        error="".join(traceback.format_exception(error))[-LONGEST_ERROR:].replace("\0", "\ufffd"),
        tries=export.attempts,
        created_at=export.created_at,
    )


@job()
async def retry_export(infra: Any, order: ExportOrder) -> None:
    """Begins again with one that was given up, with all of its tries."""
    failed = update(PlaylistExport).where(PlaylistExport.id == order.export_id, PlaylistExport.state == "failed")
    async with infra.db.write() as db:
        await db.execute(failed.values(state="queued", attempts=0, failure=None, next_attempt_at=func.now()))
        await enqueue(db, hand_over, order)


async def _compose(infra: Infra, export: Export) -> Mail:
    """The mail as things are now: who may not read the playlist any more gets nothing of it. Raises NotFound."""
    if export.playlist_id is None:
        raise NotFound("The playlist is gone.")
    db, actor = infra.db.reader, Principal(user_id=export.user_id, session_id=export.id)
    playlist = await require_readable(db, actor, export.playlist_id)
    if playlist.role is None:
        raise NotFound("Whoever asked does not belong to the playlist any more.")
    entries = await all_entries(db, actor, export.playlist_id)
    name = await db.one(select(User.display_name).where(User.id == export.user_id))
    host = urlsplit(infra.settings.base_url).hostname or "localhost"
    message_id = f"<{export.id}@{host}>"
    return compose(
        export.playlist_id, playlist.name, entries, sender=name or "", to=export.target_email, message_id=message_id
    )


@on(AccountDeleted)
async def forget_exports(db: Writer, event: AccountDeleted) -> None:
    """Addresses go with who knew them; what still waits is not sent."""
    await db.execute(delete(PlaylistExport).where(PlaylistExport.user_id == event.user_id))


@every("41 * * * *")
async def remove_old_playlist_exports(infra: Any) -> None:
    """They hold mail addresses of people who may not even know us."""
    async with infra.db.write() as db:
        await db.execute(delete(PlaylistExport).where(PlaylistExport.created_at < func.now() - KEPT))
