"""Whom people do not want to meet, and whom they do not want to hear."""

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.jobs import emit
from app.core.paging import Page, PageRequest
from app.users.events import Blocked, Muted
from app.users.follows import unlink
from app.users.models import Block, Follow, Mute
from app.users.pairs import lock_pair
from app.users.queries import BLOCKS, MUTES
from app.users.schemas import BlockedPerson, MutedPerson

__all__ = ["block", "list_blocks", "list_mutes", "mute", "unblock", "unmute"]


async def block(db: Writer, actor: Principal, username: str) -> None:
    """From now on neither sees or follows the other. Raises NotFound, Invalid for oneself."""
    me, other = await lock_pair(db, actor, username, blocked=True)
    row = {"blocker_id": me.id, "blocked_id": other.id}
    if await db.scalar(insert(Block).values(row).on_conflict_do_nothing().returning(Block.blocker_id)):
        pair = [me.id, other.id]
        between = Follow.follower_id.in_(pair) & Follow.followed_id.in_(pair)
        await unlink(db, {me.id: me, other.id: other}, between)
        await emit(db, Blocked(blocker_id=me.id, blocked_id=other.id))


async def unblock(db: Writer, actor: Principal, username: str) -> None:
    """Takes back a block; what followed before stays ended. Raises NotFound, Invalid for oneself."""
    me, other = await lock_pair(db, actor, username, blocked=True)
    await db.execute(delete(Block).filter_by(blocker_id=me.id, blocked_id=other.id))


async def mute(db: Writer, actor: Principal, username: str) -> None:
    """Keeps a person's doings out of the actor's lists, without telling. Raises NotFound, Invalid for oneself."""
    me, other = await lock_pair(db, actor, username)
    row = {"muter_id": me.id, "muted_id": other.id}
    if await db.scalar(insert(Mute).values(row).on_conflict_do_nothing().returning(Mute.muter_id)):
        await emit(db, Muted(muter_id=me.id, muted_id=other.id))


async def unmute(db: Writer, actor: Principal, username: str) -> None:
    """Takes back a mute. Raises NotFound, Invalid for oneself."""
    me, other = await lock_pair(db, actor, username)
    await db.execute(delete(Mute).filter_by(muter_id=me.id, muted_id=other.id))


async def list_blocks(db: Reader, actor: Principal, page: PageRequest) -> Page[BlockedPerson]:
    """Whom the actor blocked, the latest first."""
    return await BLOCKS.page(db, page, viewer=actor.user_id)


async def list_mutes(db: Reader, actor: Principal, page: PageRequest) -> Page[MutedPerson]:
    """Whom the actor muted, the latest first."""
    return await MUTES.page(db, page, viewer=actor.user_id)
