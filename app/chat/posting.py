"""Posting: what waits at the same moment for one channel is written in one transaction.

The row lock of a hot channel is then taken once for many messages, and not once for each.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from pydantic_core import to_json

from app.chat.drafts import Draft, Posted
from app.chat.events import DirectMessagesSent, PeopleMentioned
from app.chat.lines import event, message_data
from app.chat.owners import owner_of
from app.chat.sharing import refuse_unshareable, show_pictures
from app.core.broadcast import tell
from app.core.db import CONNECTION_LOST, Writer
from app.core.errors import AppError, Conflict, Invalid, NotFound, Unavailable
from app.core.feeds import Line
from app.core.ids import uuid7
from app.core.infra import Infra, opened
from app.core.jobs import emit
from app.core.text import name_key
from app.users.mentions import mentioned

__all__ = ["ClientIdTaken", "Poster", "poster"]

MOST = 256
_QUOTED = 200
"""Letters of a message that an answer shows of it."""
log = structlog.get_logger()

_HOLD = "SELECT kind, last_sequence, message_count FROM channels WHERE id = $1 FOR NO KEY UPDATE"
_KNOWN = """
    SELECT e.actor_id, e.client_id, e.sequence, e.kind, e.message_id, e.created_at FROM channel_events e
    JOIN unnest($2::uuid[], $3::text[]) AS sent (actor_id, client_id) USING (actor_id, client_id)
    WHERE e.channel_id = $1"""
_QUOTES = """
    SELECT id, author_id, left(text, $3) AS text FROM messages
    WHERE channel_id = $1 AND id = ANY($2) AND deleted_at IS NULL"""
_WRITE = """
    WITH new AS (
        SELECT * FROM jsonb_to_recordset($2) AS new (
            id uuid, sequence bigint, ordinal bigint, author_id uuid, client_id text, text text, words text,
            reply_to_id uuid, quote jsonb, mentions uuid[], track_id uuid, review_id uuid, image_key text)
    ), head AS (
        UPDATE channels SET last_sequence = $3, message_count = $4, last_message_at = $5 WHERE id = $1
    ), messages AS (
        INSERT INTO messages (id, channel_id, sequence, ordinal, author_id, client_id, text, search, reply_to_id,
                              quote, mentions, track_id, review_id, image_key, created_at)
        SELECT id, $1, sequence, ordinal, author_id, client_id, text, to_tsvector('simple', words), reply_to_id,
               nullif(quote, 'null'), mentions, track_id, review_id, image_key, $5 FROM new
    ), readers AS (
        INSERT INTO channel_readers (user_id, channel_id, sequence, ordinal)
        SELECT author_id, $1, max(sequence), max(ordinal) FROM new GROUP BY author_id
        ON CONFLICT (user_id, channel_id) DO UPDATE SET sequence = excluded.sequence, ordinal = excluded.ordinal
    )
    INSERT INTO channel_events (channel_id, sequence, kind, actor_id, client_id, message_id, created_at)
    SELECT $1, sequence, 'message.created', author_id, client_id, id, $5 FROM new"""


class ClientIdTaken(Conflict):
    code, title = "client_id_taken", "You have used this client id for something else"


class Poster:
    """The drafts that wait in this process, and one writer for each channel that has some."""

    def __init__(self, infra: Infra) -> None:
        self._infra = infra
        self._waiting: dict[UUID, deque[Draft]] = {}
        self._writers: set[asyncio.Task[None]] = set()

    def post(self, draft: Draft) -> "asyncio.Future[Posted]":
        """Posts a message. It may be refused with what the owner says, Invalid, Conflict, NotFound, Unavailable."""
        waiting = self._waiting.get(draft.channel_id)
        if waiting is None:
            waiting = self._waiting[draft.channel_id] = deque()
            writer = asyncio.create_task(self._write(draft.channel_id, waiting), name="poster")
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        waiting.append(draft)
        return draft.answer

    async def finish(self) -> None:
        """Waits until everything that was accepted is written."""
        await asyncio.gather(*self._writers, return_exceptions=True)

    async def _write(self, channel_id: UUID, waiting: deque[Draft]) -> None:
        try:
            while waiting:
                batch = [waiting.popleft() for _ in range(min(MOST, len(waiting)))]
                await self._try(channel_id, batch)
        finally:
            del self._waiting[channel_id]

    async def _try(self, channel_id: UUID, batch: list[Draft]) -> None:
        try:
            async with self._infra.db.write() as db:
                posted = await _post(db, channel_id, batch)
        except asyncpg.IntegrityConstraintViolationError as error:
            await self._one_by_one(channel_id, batch, error)
        except AppError as error:
            _refuse(batch, error)
        except CONNECTION_LOST as error:
            log.warning("messages_not_stored", reason=repr(error))
            _refuse(batch, Unavailable("The database does not answer. Send it again under the same client id."))
        except Exception as error:
            log.error("posting_failed", exc_info=error)
            _refuse(batch, Unavailable("It could not be stored. Send it again under the same client id."))
        else:
            _answer(batch, posted)

    async def _one_by_one(self, channel_id: UUID, batch: list[Draft], error: Exception) -> None:
        """Something that one of them names has gone since it was looked at; the others shall not suffer for it."""
        if len(batch) == 1:
            log.info("message_refused", reason=str(error))
            batch[0].refuse(Conflict("What the message refers to is gone."))
            return
        for draft in batch:
            await self._try(channel_id, [draft])


@opened
@asynccontextmanager
async def poster(infra: Infra) -> AsyncIterator[Poster]:
    """Writes messages; `infra.part(poster)`."""
    one = Poster(infra)
    yield one
    await one.finish()


def _refuse(drafts: Sequence[Draft], error: AppError) -> None:
    for draft in drafts:
        draft.refuse(error)


def _answer(batch: Sequence[Draft], posted: Mapping[Draft, Posted]) -> None:
    """Everybody gets an answer: a twin of what was refused the same."""
    done = [draft for draft in batch if draft.answer.done() and not draft.answer.cancelled()]
    refused = {_identity(draft): draft.answer.exception() for draft in done}
    for draft in batch:
        if draft.answer.done():
            continue
        if draft in posted:
            draft.answer.set_result(posted[draft])
        else:
            draft.answer.set_exception(refused.get(_identity(draft)) or Unavailable("Send it again."))


async def _post(db: Writer, channel_id: UUID, batch: Sequence[Draft]) -> dict[Draft, Posted]:
    """Writes what may be written. Those who may not get their answer at once, the others after the commit."""
    held = await db.records(_HOLD, [channel_id])
    if not held:
        raise NotFound("There is no such room, group, playlist or conversation.")
    kind, sequence, ordinal = held[0]
    posted = await _repeated(db, channel_id, batch)
    fresh = await _allowed(db, kind, channel_id, [draft for draft in batch if draft not in posted])
    rows = await _rows(db, kind, channel_id, fresh)
    if not rows:
        return posted | _twins(batch, posted)
    now = datetime.now(UTC)
    for number, (draft, row) in enumerate(rows.items(), 1):
        row |= {"sequence": sequence + number, "ordinal": ordinal + number}
        posted[draft] = Posted(row["id"], row["sequence"], now)
    new = list(rows.values())
    last = new[-1]
    await db.records(_WRITE, [channel_id, to_json(new).decode(), last["sequence"], last["ordinal"], now])
    await _tell(db, kind, channel_id, rows, now)
    return posted | _twins(batch, posted)


async def _repeated(db: Writer, channel_id: UUID, batch: Sequence[Draft]) -> dict[Draft, Posted]:
    """What was posted before under the same client id."""
    sent = [(draft.author.id, draft.said.client_id) for draft in batch if draft.said.client_id]
    if not sent:
        return {}
    rows = await db.records(_KNOWN, [channel_id, *map(list, zip(*sent, strict=True))])
    known = {(row["actor_id"], row["client_id"]): row for row in rows}
    found: dict[Draft, Posted] = {}
    for draft in batch:
        row = known.get((draft.author.id, draft.said.client_id))
        if row and row["kind"] == "message.created":
            found[draft] = Posted(row["message_id"], row["sequence"], row["created_at"])
        elif row:
            draft.refuse(ClientIdTaken("Take a new one for each thing that you send."))
    return found


def _twins(batch: Sequence[Draft], posted: Mapping[Draft, Posted]) -> dict[Draft, Posted]:
    """Drafts of the same client id in one batch are one message."""
    by_id = {_identity(draft): result for draft, result in posted.items()}
    return {draft: by_id[_identity(draft)] for draft in batch if _identity(draft) in by_id}


def _identity(draft: Draft) -> tuple[Any, ...]:
    return draft.author.id, draft.said.client_id or id(draft)


async def _allowed(db: Writer, kind: str, channel_id: UUID, drafts: Sequence[Draft]) -> list[Draft]:
    """Those whose authors may speak now, each once."""
    once = {_identity(draft): draft for draft in drafts if not draft.answer.done()}
    if not once:
        return []
    people = list({draft.author.id for draft in once.values()})
    reasons = await owner_of(kind).speakers(db, channel_id, people)
    unheard = NotFound("You are not there.")
    for draft in drafts:
        if reason := reasons.get(draft.author.id, unheard):
            draft.refuse(reason)
    return [draft for draft in once.values() if not draft.answer.done()]


async def _rows(db: Writer, kind: str, channel_id: UUID, drafts: Sequence[Draft]) -> dict[Draft, dict[str, Any]]:
    """The rows to write; drafts that refer to what is not there are refused."""
    quotes = await _quotes(db, channel_id, drafts)
    await refuse_unshareable(db, drafts)
    await show_pictures(db, channel_id, drafts)
    names = set().union(*(mentioned(draft.said.text) for draft in drafts))
    there = await owner_of(kind).audience(db, channel_id, sorted(names)) if names else {}
    rows: dict[Draft, dict[str, Any]] = {}
    for draft in drafts:
        said = draft.said
        if said.reply_to_id and said.reply_to_id not in quotes:
            draft.refuse(Invalid.field("/reply_to_id", "There is no such message here.", "unknown_id"))
        if not draft.answer.done():
            named = sorted({there[name] for name in mentioned(said.text) if name in there} - {draft.author.id})
            rows[draft] = {
                "id": uuid7(),
                "author_id": draft.author.id,
                **said.model_dump(),
                "words": name_key(said.text),
                "quote": quotes.get(said.reply_to_id),
                "mentions": named,
            }
    return rows


async def _quotes(db: Writer, channel_id: UUID, drafts: Sequence[Draft]) -> dict[UUID | None, dict[str, Any]]:
    wanted = [draft.said.reply_to_id for draft in drafts if draft.said.reply_to_id]
    rows = await db.records(_QUOTES, [channel_id, wanted, _QUOTED]) if wanted else []
    return {row["id"]: dict(row) for row in rows}


async def _tell(db: Writer, kind: str, channel_id: UUID, rows: Mapping[Draft, dict[str, Any]], now: datetime) -> None:
    """Gives the sockets what they would read from the log, and has those notified whom it concerns."""
    for draft, row in rows.items():
        payload = event(row["sequence"], "message.created", now, draft.author.model_dump(), message_data(row))
        tell(db, channel_id, Line(row["sequence"], payload, draft.author.id))
    if named := [row["id"] for row in rows.values() if row["mentions"]]:
        await emit(db, PeopleMentioned(channel_id=channel_id, message_ids=named))
    if kind == "direct":
        await emit(db, DirectMessagesSent(channel_id=channel_id, message_ids=[row["id"] for row in rows.values()]))
