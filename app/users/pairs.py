"""Two people whose relation changes."""

from uuid import UUID

from sqlalchemy import or_, select

from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import Invalid, NotFound
from app.users.models import Block, User

__all__ = ["lock_pair", "lock_people"]


async def lock_pair(db: Writer, actor: Principal, username: str, *, blocked: bool = False) -> tuple[User, User]:
    """The actor and the other person, locked. Raises NotFound, also when one blocks the other; Invalid for oneself.

    `blocked`: a block by the actor is no hindrance.
    """
    key = username.lower()
    people = await _lock(db, or_(User.id == actor.user_id, User.username_key == key))
    me = next((person for person in people if person.id == actor.user_id), None)
    other = next((person for person in people if person.username_key == key), None)
    if me is None or other is None or me.deleted_at or other.deleted_at:
        raise NotFound(f"There is nobody called {username}.")
    if me is other:
        raise Invalid.field("/path/username", "This is you.", "self")
    blockers = await _blockers(db, me.id, other.id)
    if blockers and not (blocked and me.id in blockers):
        raise NotFound(f"There is nobody called {username}.")
    return me, other


async def lock_people(db: Writer, ids: set[UUID]) -> dict[UUID, User]:
    """The people by id, locked: what is counted on them is exact until the end of the transaction."""
    return {person.id: person for person in await _lock(db, User.id.in_(ids))}


async def _lock(db: Writer, which: object) -> list[User]:
    # always the lower id first, so that people who follow, block and leave at once wait but never deadlock;
    # not FOR UPDATE, which would also hold up every insert that refers to these people
    statement = select(User).where(which).order_by(User.id).with_for_update(key_share=True)  # type: ignore[arg-type]
    return await db.all(statement.execution_options(populate_existing=True))


async def _blockers(db: Writer, one: UUID, other: UUID) -> list[UUID]:
    """Who of the two blocks the other; read after the lock, so that a block that was under way is seen."""
    pair = [one, other]
    return await db.all(select(Block.blocker_id).where(Block.blocker_id.in_(pair), Block.blocked_id.in_(pair)))
