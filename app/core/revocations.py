"""Sessions that ended before their access token did, known to every process within a second.

The table is the truth and is read three times a second; Redis is not needed for it.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import Index, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.core.auth import Principal
from app.core.db import Base, Database, Writer
from app.core.errors import Unavailable

__all__ = ["Revocation", "Revocations", "revoke", "revoke_issued"]

INTERVAL_SECONDS = 0.3
# a transaction may commit a while after now() was taken in it
OVERLAP = timedelta(seconds=10)
# longer than any token of another server that is worth its trust
FOREIGN_LIFE = timedelta(days=366)
log = structlog.get_logger()


class Revocation(Base):
    """A session that ended, or a person who left; kept for as long as a token of it could still be valid.

    With `before`, a person whose tokens of another server ended, those signed by then, except the one that is spared.
    """

    __tablename__ = "revocations"
    __table_args__ = (Index("ix_revocations_revoked_at", "revoked_at"),)

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    revoked_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    until: Mapped[datetime]
    before: Mapped[datetime | None]
    spared: Mapped[UUID | None]


async def revoke(db: Writer, session_ids: list[UUID], *, until: datetime) -> None:
    """Ends sessions: their tokens are refused everywhere within a second of the commit. Takes ids of people as well."""
    if session_ids:
        # in one order, so that two who revoke the same do not wait for each other
        add = insert(Revocation).values([{"session_id": it, "until": until} for it in sorted(set(session_ids))])
        # a row that is there may have run out, or been read already: it has to be read anew
        again: dict[str, Any] = {"revoked_at": func.clock_timestamp(), "before": None}
        again["until"] = func.greatest(Revocation.until, add.excluded.until)
        await db.execute(add.on_conflict_do_update(index_elements=["session_id"], set_=again))


async def revoke_issued(db: Writer, user_id: UUID, *, spared: UUID | None) -> None:
    """Ends what another server has signed for a person until now: of those tokens only the times are known."""
    row = {
        "session_id": user_id,
        "until": func.now() + FOREIGN_LIFE,
        "before": func.clock_timestamp(),
        "spared": spared,
    }
    add = insert(Revocation).values(row)
    names = ("until", "before", "spared")
    again = {name: add.excluded[name] for name in names} | {"revoked_at": func.clock_timestamp()}
    # who has left stays away, whatever is signed for them later
    still_here = Revocation.before.is_not(None)
    await db.execute(add.on_conflict_do_update(index_elements=["session_id"], set_=again, where=still_here))


_NEW = "SELECT session_id, revoked_at, until, before, spared FROM revocations WHERE revoked_at > $1 AND until > now()"


class _Before(NamedTuple):
    at: float
    spared: UUID | None
    until: float


class Revocations:
    """This process's copy of the table."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._until: dict[UUID, float] = {}
        self._before: dict[UUID, _Before] = {}
        self._read_to = datetime.fromtimestamp(OVERLAP.total_seconds(), tz=UTC)
        self._task: asyncio.Task[None] | None = None

    def __contains__(self, session_id: UUID) -> bool:
        return session_id in self._until

    def ends(self, principal: Principal) -> bool:
        """Whether the session is over, the person has left, or what another server signed was called back."""
        if principal.session_id in self._until or principal.user_id in self._until:
            return True
        before = self._before.get(principal.user_id)
        return before is not None and principal.issued_at <= before.at and principal.session_id != before.spared

    async def open(self) -> None:
        """Reads the table, then keeps reading what is new."""
        await self.refresh()
        self._task = asyncio.create_task(self._follow(), name="revocations")

    async def close(self) -> None:
        """Ends the reading."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def refresh(self) -> None:
        """Reads what was revoked since the last time."""
        rows = await self._database.fetch(_NEW, [self._read_to - OVERLAP], counted=False)
        for session_id, revoked_at, until, before, spared in rows:
            if before is None:
                self._until[session_id] = until.timestamp()
            else:
                self._before[session_id] = _Before(before.timestamp(), spared, until.timestamp())
            self._read_to = max(self._read_to, revoked_at)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            try:
                await self.refresh()
            except Unavailable as error:
                log.warning("revocations_unread", reason=str(error))
            self._forget(time.time())

    def _forget(self, now: float) -> None:
        for session_id in [key for key, until in self._until.items() if until < now]:
            del self._until[session_id]
        for user_id in [key for key, before in self._before.items() if before.until < now]:
            del self._before[user_id]
