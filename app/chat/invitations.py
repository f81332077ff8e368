"""Invitations from person to person, the same for every kind of place where people talk.

Whoever the place belongs to says who may invite, asks here about the rest, and lets people in. The place is held while
its invitations change.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, and_, delete, func, literal, literal_column, or_, select, update

from app.chat.models import Invitation
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import Conflict, Gone, NotFound
from app.core.ids import uuid7
from app.users.exports import every_row
from app.users.models import User
from app.users.queries import not_blocked, visible

__all__ = [
    "AlreadyInvited",
    "InviteAnswered",
    "InviteExpired",
    "PersonBanned",
    "add_invitation",
    "decline",
    "every_invitation",
    "find_invitee",
    "find_own",
    "forget_invitations",
    "is_open",
    "mark_accepted",
    "take_back",
]

VALID_FOR = timedelta(days=14)
I = TypeVar("I", bound=Invitation)  # noqa: E741 -- as long as what it stands for


class AlreadyInvited(Conflict):
    code, title = "already_invited", "They have an invitation that waits for their answer"


class PersonBanned(Conflict):
    code, title = "person_banned", "They are banned there"


class InviteAnswered(Conflict):
    code, title = "invite_answered", "This invitation was answered already"


class InviteExpired(Gone):
    code, title = "invite_expired", "This invitation is too old"


def is_open(table: Any) -> ColumnElement[bool]:
    """It waits for an answer, and is not too old for one."""
    return and_(table.status == literal_column("'pending'"), table.expires_at > func.now())


async def find_invitee(db: Writer, actor: Principal, username: str) -> UUID:
    """Somebody whose profile the actor may see. Raises NotFound, also where one blocks the other."""
    seen = visible(User, literal(actor.user_id, Uuid))
    named = select(User.id).where(User.username_key == username.lower(), User.deleted_at.is_(None), seen)
    person_id = await db.scalar(named)
    if person_id is None:
        raise NotFound(f"There is nobody called {username}.")
    return person_id


async def add_invitation(
    db: Writer, actor: Principal, table: type[Invitation], place_id: UUID, person_id: UUID
) -> UUID:
    """A new invitation in place of the person's earlier ones there; its id. Raises AlreadyInvited."""
    mine = {table.place: place_id, "user_id": person_id}
    waiting = await db.scalar(select(table.id).filter_by(**mine).where(is_open(table)))
    if waiting is not None:
        raise AlreadyInvited("Take that one back first.", existing_id=str(waiting))
    await db.execute(delete(table).filter_by(**mine))
    invite_id, expires_at = uuid7(), datetime.now(UTC) + VALID_FOR
    by = {"invited_by_id": actor.user_id, "status": "pending", "expires_at": expires_at}
    db.add(table(id=invite_id, **mine, **by))
    await db.flush()
    return invite_id


async def find_own(db: Writer, actor: Principal, table: type[I], invite_id: UUID) -> I:
    """The actor's invitation that can be answered; who invited them and they do not block each other.

    Raises NotFound, InviteAnswered, InviteExpired.
    """
    mine = select(table).where(table.id == invite_id, table.user_id == actor.user_id)
    near = or_(table.invited_by_id.is_(None), not_blocked(table.invited_by_id, literal(actor.user_id, Uuid)))
    invite = await db.one(mine.where(near).execution_options(populate_existing=True))
    if invite is None:
        raise NotFound("There is no such invitation.")
    if invite.status != "pending":
        raise InviteAnswered
    if invite.expires_at <= datetime.now(UTC):
        raise InviteExpired("Ask for a new one.")
    return invite


async def decline(db: Writer, actor: Principal, table: type[Invitation], invite_id: UUID) -> None:
    """Says no. Raises NotFound, InviteAnswered, InviteExpired."""
    invite = await find_own(db, actor, table, invite_id)
    own = update(table).where(table.id == invite.id, table.status == "pending")
    if await db.scalar(own.values(status="declined").returning(table.id)) is None:
        raise InviteAnswered


async def mark_accepted(db: Writer, table: type[Invitation], place_id: UUID, person_id: UUID) -> None:
    """Whoever has come in, by whatever way, has nothing to answer any more."""
    theirs = update(table).filter_by(**{table.place: place_id}, user_id=person_id, status="pending")
    await db.execute(theirs.values(status="accepted"))


async def take_back(
    db: Writer, actor: Principal, table: type[Invitation], place_id: UUID, invite_id: UUID, *, every: bool
) -> None:
    """Deletes an invitation that waits: one's own, or `every` one. Raises NotFound: others' are not shown to all."""
    one = delete(table).filter_by(**{table.place: place_id}, id=invite_id, status="pending")
    one = one if every else one.where(table.invited_by_id == actor.user_id)
    if await db.scalar(one.returning(table.id)) is None:
        raise NotFound("There is no such invitation.")


async def forget_invitations(db: Writer, table: type[Invitation], user_id: UUID) -> None:
    """Nothing is left of those to the person and by them."""
    await db.execute(delete(table).where(or_(table.user_id == user_id, table.invited_by_id == user_id)))


def every_invitation(db: Reader, table: type[Invitation], user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """Invitations to the person and by them, for an export."""
    where: Any = getattr(table, table.place)
    told = select(table.id, where, table.user_id, table.invited_by_id, table.status)
    mine = or_(table.user_id == user_id, table.invited_by_id == user_id)
    return every_row(db, told.add_columns(table.created_at, table.expires_at).where(mine), key=table.id)
