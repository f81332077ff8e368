"""Keeps charts fresh, and forgets suggestions when their reader has decided about somebody."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from sqlalchemy import delete, or_, select

from app.core.db import Reader, Writer
from app.core.infra import Infra
from app.core.jobs import every, on
from app.discover.charts import make_charts
from app.discover.models import Dismissal, RoomDismissal
from app.discover.suggestions import cache_key
from app.users.events import AccountDeleted, Blocked, Followed, Muted, Unfollowed
from app.users.exports import every_row, exported

__all__ = [
    "forget_after_block",
    "forget_after_follow",
    "forget_after_mute",
    "forget_after_unfollow",
    "forget_dismissals",
    "refresh_charts",
]


@every("*/5 * * * *")
async def refresh_charts(infra: Infra) -> None:
    """Readers see the last charts until these are committed."""
    async with infra.db.write() as db:
        await make_charts(db)


@on(Followed)
async def forget_after_follow(db: Writer, event: Followed) -> None:
    """The follower gets new suggestions."""
    db.stale.append(cache_key(event.follower_id))


@on(Unfollowed)
async def forget_after_unfollow(db: Writer, event: Unfollowed) -> None:
    """The person may be suggested again."""
    db.stale.append(cache_key(event.follower_id))


@on(Blocked)
async def forget_after_block(db: Writer, event: Blocked) -> None:
    """Neither of the two is suggested to the other."""
    db.stale += [cache_key(event.blocker_id), cache_key(event.blocked_id)]


@on(Muted)
async def forget_after_mute(db: Writer, event: Muted) -> None:
    """Somebody else takes the place of the muted person."""
    db.stale.append(cache_key(event.muter_id))


@on(AccountDeleted)
async def forget_dismissals(db: Writer, event: AccountDeleted) -> None:
    """Nobody is suggested to a person who left, nor they to others."""
    gone = or_(Dismissal.user_id == event.user_id, Dismissal.dismissed_id == event.user_id)
    await db.execute(delete(Dismissal).where(gone))
    await db.execute(delete(RoomDismissal).where(RoomDismissal.user_id == event.user_id))
    db.stale.append(cache_key(event.user_id))


@exported("dismissals")
def export_dismissals(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """Whom the person did not want suggested."""
    wanted = select(Dismissal.dismissed_id, Dismissal.created_at).where(Dismissal.user_id == user_id)
    return every_row(db, wanted, key=Dismissal.dismissed_id)


@exported("room_dismissals")
def export_room_dismissals(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """Rooms that the person was not interested in."""
    unwanted = select(RoomDismissal.room_id, RoomDismissal.created_at).where(RoomDismissal.user_id == user_id)
    return every_row(db, unwanted, key=RoomDismissal.room_id)
