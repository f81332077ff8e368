"""What chat asks about rooms, and what their sockets can ask of them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.chat.owners import Command, Entry, owner
from app.chat.protocol import event_kinds
from app.core.auth import Principal
from app.core.errors import AppError
from app.core.query import Runs
from app.rooms import playback, queue, undoing, votes
from app.rooms.playback import playing_snapshot
from app.rooms.queries import EVERY_MEMBER
from app.rooms.rights import Muted, NotAllowed, NotMember, Standing, granted, standing
from app.rooms.service import room_state

__all__ = ["Rooms"]

_SPEAKERS = """
    SELECT m.user_id, m.role, m.muted_until, p.allowed FROM room_members m
    LEFT JOIN room_permissions p ON p.room_id = m.room_id AND p.role = m.role AND p.permission = 'chat.post'
    WHERE m.room_id = $1 AND m.user_id = ANY($2)"""
_NAMED = """
    SELECT u.username_key, u.id FROM room_members m JOIN users u ON u.id = m.user_id
    WHERE m.room_id = $1 AND u.username_key = ANY($2)"""


class Rooms:
    """Rooms as channels."""

    commands: Mapping[str, Command] = {**playback.COMMANDS, **queue.COMMANDS, **undoing.COMMANDS, **votes.COMMANDS}

    async def enter(self, db: Runs, actor: Principal, channel_id: UUID) -> Entry:
        """Members only."""
        mine = await standing(db, channel_id, actor.user_id)
        until = mine.muted_until if mine.is_muted else None
        return Entry(role=mine.role, can_post=_silence(mine) is None, muted_until=until)

    async def speakers(self, db: Runs, channel_id: UUID, user_ids: Sequence[UUID]) -> Mapping[UUID, AppError | None]:
        """Members whose role may post, unless they are muted."""
        found: dict[UUID, AppError | None] = {user_id: NotMember("Join the room first.") for user_id in user_ids}
        for row in await db.records(_SPEAKERS, [channel_id, list(user_ids)]):
            more, less = (["chat.post"] if row["allowed"] is said else [] for said in (True, False))
            permissions = granted(row["role"], more=more, less=less)
            found[row["user_id"]] = _silence(Standing(row["role"], permissions, row["muted_until"]))
        return found

    async def moderates(self, db: Runs, channel_id: UUID, user_id: UUID) -> bool:
        """Whose role has `chat.moderate`."""
        try:
            mine = await standing(db, channel_id, user_id)
        except AppError:
            return False
        return "chat.moderate" in mine.permissions

    async def audience(self, db: Runs, channel_id: UUID, usernames: Sequence[str]) -> Mapping[str, UUID]:
        """Members."""
        rows = await db.records(_NAMED, [channel_id, list(usernames)])
        return {row["username_key"]: row["id"] for row in rows}

    async def snapshot(self, db: Runs, actor: Principal, channel_id: UUID) -> dict[str, Any]:
        """The room, who is in it as far as the actor may see them, and what it plays."""
        state = await room_state(db, channel_id)
        members = await EVERY_MEMBER.all(db, room_id=channel_id, viewer=actor.user_id)
        shown = [member.model_dump(include={"user", "role", "muted_until"}) for member in members]
        return {"room": state.model_dump(), "members": shown, **await playing_snapshot(db, channel_id)}


def _silence(standing: Standing) -> AppError | None:
    """Why somebody may not speak."""
    if standing.is_muted:
        return Muted("Wait until it is over, or ask somebody.", until=str(standing.muted_until))
    if "chat.post" not in standing.permissions:
        return NotAllowed("Your role may not post here.", permission="chat.post")
    return None


owner("room", Rooms())
event_kinds(
    {
        "queue.changed": "The queue begins anew: `queue` is all of it, at most 500 items",
        "queue.edited": "The queue but for `removed` and `placed`, with other `votes`; then `placed` at their indexes",
        "playback.changed": "What plays, and since when: `playback`",
        "skip.votes": "Votes to skip what plays: `votes`, `needed`",
        "room.closed": "The room is no more. Everybody's sockets end",
    }
)
