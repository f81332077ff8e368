"""Links into rooms."""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select

from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import Conflict, NotFound
from app.core.ids import uuid7
from app.core.paging import Page, PageRequest
from app.rooms.models import RoomInvite
from app.rooms.queries import INVITE, INVITES
from app.rooms.rights import require, standing
from app.rooms.schemas import InviteInput, InviteItem
from app.rooms.service import load_room

__all__ = ["TooManyInvites", "create_invite", "list_invites", "revoke_invite"]

MOST = 50


class TooManyInvites(Conflict):
    code, title = "too_many_invites", "The room has enough invites"


async def create_invite(db: Writer, actor: Principal, room_id: UUID, terms: InviteInput) -> InviteItem:
    """A new link. Raises NotFound, Forbidden, TooManyInvites."""
    await load_room(db, room_id)
    require(await standing(db, room_id, actor.user_id), "members.invite")
    await db.execute(delete(RoomInvite).where(RoomInvite.room_id == room_id, RoomInvite.expires_at < func.now()))
    if (await db.one(select(func.count()).where(RoomInvite.room_id == room_id)) or 0) >= MOST:
        raise TooManyInvites("Revoke one that nobody needs any more.")
    ends = datetime.now(UTC) + timedelta(minutes=terms.minutes) if terms.minutes is not None else None
    invite_id, code = uuid7(), secrets.token_urlsafe(16)
    made = {"room_id": room_id, "made_by_id": actor.user_id, "max_uses": terms.max_uses, "expires_at": ends}
    db.add(RoomInvite(id=invite_id, code=code, **made))
    invite = await INVITE.first(db, room_id=room_id, invite_id=invite_id)
    assert invite is not None, "it was just made"
    return invite


async def list_invites(db: Reader, actor: Principal, room_id: UUID, page: PageRequest) -> Page[InviteItem]:
    """The room's links, the newest first. Raises NotFound, Forbidden."""
    require(await standing(db, room_id, actor.user_id), "members.invite")
    return await INVITES.page(db, page, room_id=room_id)


async def revoke_invite(db: Writer, actor: Principal, room_id: UUID, invite_id: UUID) -> None:
    """Ends a link; who came in by it stays. Raises NotFound, Forbidden."""
    await load_room(db, room_id)
    require(await standing(db, room_id, actor.user_id), "members.invite")
    gone = delete(RoomInvite).filter_by(room_id=room_id, id=invite_id).returning(RoomInvite.id)
    if await db.scalar(gone) is None:
        raise NotFound("There is no such invite.")
