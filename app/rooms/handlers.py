"""What follows for rooms when people leave, and what this module adds to an export. Loads what registers itself."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from app.chat.invitations import every_invitation
from app.core.db import Reader, Writer
from app.core.jobs import enqueue, on
from app.rooms import channel, closing, hiding, lobby, scheduler
from app.rooms.closing import Leaver, leave_every_room
from app.rooms.models import Room, RoomInvitation, RoomMember, RoomVisit
from app.users.events import AccountDeleted
from app.users.exports import every_row, exported

__all__ = ["begin_to_leave", "channel", "closing", "hiding", "lobby", "scheduler"]


@on(AccountDeleted)
async def begin_to_leave(db: Writer, event: AccountDeleted) -> None:
    """The person leaves their rooms one after the other."""
    await db.execute(delete(RoomVisit).where(RoomVisit.user_id == event.user_id))
    await enqueue(db, leave_every_room, Leaver(user_id=event.user_id, keep_content=event.keep_content))


@exported("rooms")
def export_rooms(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """The rooms that the person owns."""
    own = (Room.id, Room.name, Room.description, Room.is_private, Room.capacity, Room.genres, Room.created_at)
    return every_row(db, select(*own).where(Room.owner_id == user_id), key=Room.id)


@exported("room_memberships")
def export_memberships(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """The rooms that the person is in."""
    in_them = (RoomMember.room_id, Room.name, RoomMember.role, RoomMember.joined_at, RoomMember.muted_until)
    mine = select(*in_them).join(Room, Room.id == RoomMember.room_id).where(RoomMember.user_id == user_id)
    return every_row(db, mine, key=RoomMember.room_id)


@exported("room_invitations")
def export_invitations(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """Invitations to the person and by them."""
    return every_invitation(db, RoomInvitation, user_id)


@exported("room_visits")
def export_visits(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """The rooms that the person ever came into."""
    visits = (RoomVisit.room_id, RoomVisit.visits, RoomVisit.last_at)
    return every_row(db, select(*visits).where(RoomVisit.user_id == user_id), key=RoomVisit.room_id)
