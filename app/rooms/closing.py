"""Rooms that nobody comes to any more, and what is left of closed ones."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from app.chat.channels import close_channel
from app.chat.invitations import forget_invitations
from app.core.db import Writer
from app.core.errors import NotFound
from app.core.infra import Infra
from app.core.jobs import every, job
from app.rooms.members import settle, take_out
from app.rooms.models import Room, RoomInvitation
from app.rooms.service import close_room, load_room

__all__ = ["Leaver", "close_idle_rooms", "forget_closed_rooms", "leave_every_room"]

IDLE = timedelta(days=1)
"""A temporary room is closed when nobody was there for so long."""
BATCH = 50

_VISITED = """
    UPDATE rooms SET last_active_at = now() WHERE id IN (
        SELECT p.channel_id FROM presences p JOIN heartbeats h USING (process_id)
        WHERE h.seen_at > clock_timestamp() - interval '8 seconds')"""
_IDLE = "SELECT id FROM rooms WHERE NOT is_permanent AND last_active_at < now() - $1::interval LIMIT $2"
# sockets in other processes may have to read yet that the room is closed
_CLOSED = """
    SELECT c.id FROM channels c
    WHERE c.kind = 'room' AND NOT EXISTS (SELECT FROM rooms r WHERE r.id = c.id) AND NOT EXISTS (
        SELECT FROM channel_events e
        WHERE e.channel_id = c.id AND e.sequence = c.last_sequence AND e.created_at > now() - interval '1 minute')
    LIMIT $1"""
_MEMBERSHIPS = "SELECT room_id FROM room_members WHERE user_id = $1"
_LEFT_BEHIND = "SELECT id FROM rooms WHERE owner_id = $1"


class Leaver(BaseModel):
    """Who left SoundScore, and whether what they made stays."""

    user_id: UUID
    keep_content: bool


@every("*/10 * * * *")
async def close_idle_rooms(infra: Infra) -> None:
    """Notes which rooms have somebody in them, and closes temporary ones that had nobody for a day."""
    async with infra.db.write() as db:
        await db.records(_VISITED, [])
    for row in await infra.db.reader.records(_IDLE, [IDLE, BATCH]):
        async with infra.db.write() as db:
            room = await _still(db, row["id"])
            if room is not None and not room.is_permanent:
                await close_room(db, room.id, actor_id=None)


@every("*/5 * * * *")
async def forget_closed_rooms(infra: Infra) -> None:
    """Deletes the logs of closed rooms, one at a time: they may be long."""
    for row in await infra.db.reader.records(_CLOSED, [BATCH]):
        async with infra.db.write() as db:
            await close_channel(db, row["id"])


@job()
async def leave_every_room(infra: Any, leaver: Leaver) -> None:
    """One transaction for each room. A permanent room without people stays if what the person made stays."""
    for row in await infra.db.reader.records(_MEMBERSHIPS, [leaver.user_id]):
        async with infra.db.write() as db:
            room = await _still(db, row["room_id"])
            if room is not None:
                await take_out(db, room, leaver.user_id, kind="member.left", actor_id=leaver.user_id)
                await settle(db, room, leaver.user_id)
    for row in await infra.db.reader.records(_LEFT_BEHIND, [leaver.user_id]):
        async with infra.db.write() as db:
            room = await _still(db, row["id"])
            if room is not None and room.owner_id == leaver.user_id:
                await _abandon(db, room, leaver)
    async with infra.db.write() as db:
        await forget_invitations(db, RoomInvitation, leaver.user_id)


async def _abandon(db: Writer, room: Room, leaver: Leaver) -> None:
    """The room has no owner among its people, or no people."""
    if room.member_count == 0 and not leaver.keep_content:
        await close_room(db, room.id, actor_id=None)
        return
    room.owner_id = leaver.user_id
    await settle(db, room, leaver.user_id)
    if room.member_count == 0:
        room.owner_id = None


async def _still(db: Writer, room_id: UUID) -> Room | None:
    try:
        return await load_room(db, room_id)
    except NotFound:
        return None
