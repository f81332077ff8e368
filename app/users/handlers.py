"""What follows when people leave, and what this module adds to an export."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select

from app.core.db import Reader, Writer
from app.core.jobs import enqueue, job, on
from app.users import pictures
from app.users.events import AccountDeleted
from app.users.exports import every_row, exported
from app.users.follows import forget_some_follows
from app.users.models import Block, Follow, Mute, User

__all__ = ["begin_to_forget", "forget_follows", "pictures"]


class Leaver(BaseModel):
    """Who left."""

    user_id: UUID


@on(AccountDeleted)
async def begin_to_forget(db: Writer, event: AccountDeleted) -> None:
    """Deleted people do not follow."""
    await enqueue(db, forget_follows, Leaver(user_id=event.user_id))


@job()
async def forget_follows(infra: Any, leaver: Leaver) -> None:
    """In many short transactions: each locks everybody it counts."""
    more = True
    while more:
        async with infra.db.write() as db:
            more = await forget_some_follows(db, leaver.user_id)


@exported("profile")
def export_profile(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """What others may see of the person, and who may see it."""
    hidden = {"username_key", "deleted_at", "rating_sum"}
    columns = [column for column in User.__table__.columns if column.name not in hidden]
    return every_row(db, select(*columns).where(User.id == user_id), key=User.id)


@exported("following")
def export_following(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """Whom the person follows."""
    people = select(User.id, User.username, Follow.created_at).join(Follow, Follow.followed_id == User.id)
    return every_row(db, people.where(Follow.follower_id == user_id), key=Follow.id)


@exported("followers")
def export_followers(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """Who follows the person."""
    people = select(User.id, User.username, Follow.created_at).join(Follow, Follow.follower_id == User.id)
    return every_row(db, people.where(Follow.followed_id == user_id), key=Follow.id)


@exported("blocks")
def export_blocks(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """Whom the person blocked; not who blocked them."""
    people = select(User.id, User.username, Block.created_at).join(Block, Block.blocked_id == User.id)
    return every_row(db, people.where(Block.blocker_id == user_id), key=Block.blocked_id)


@exported("mutes")
def export_mutes(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """Whom the person muted."""
    people = select(User.id, User.username, Mute.created_at).join(Mute, Mute.muted_id == User.id)
    return every_row(db, people.where(Mute.muter_id == user_id), key=Mute.muted_id)
