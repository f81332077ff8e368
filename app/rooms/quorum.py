"""Votes to skip: those count who are present and may vote, and of them a share is needed that the room sets."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from app.chat.log import append
from app.core.db import Writer
from app.core.query import Runs
from app.rooms.rights import DEFAULTS
from app.rooms.stage import ALIVE, Stage

__all__ = ["changed_rooms", "forget_votes", "recount"]

_COUNT = f"""
    SELECT b.room_id, b.skip_votes, b.skip_needed, count(e.user_id) FILTER (WHERE e.votes) AS votes,
           greatest(1, ceil(r.skip_quorum * count(e.user_id) - 1e-9))::int AS needed
    FROM playbacks b JOIN rooms r ON r.id = b.room_id LEFT JOIN LATERAL (
        SELECT m.user_id, v.user_id IS NOT NULL AS votes
        FROM room_members m
        LEFT JOIN room_permissions o ON o.room_id = m.room_id AND o.role = m.role AND o.permission = 'skip.vote'
        LEFT JOIN skip_votes v ON v.room_id = m.room_id AND v.user_id = m.user_id
        WHERE m.room_id = b.room_id AND (m.role = 'owner' OR coalesce(o.allowed, m.role = ANY($2)))
            AND EXISTS (SELECT FROM presences p JOIN heartbeats h USING (process_id)
                        WHERE p.channel_id = m.room_id AND p.user_id = m.user_id AND {ALIVE})) e ON true
    WHERE b.room_id = ANY($1) GROUP BY b.room_id, r.skip_quorum"""  # noqa: S608 -- constants only
_VOTED = "SELECT DISTINCT room_id FROM skip_votes"
_TOLD = "UPDATE playbacks SET skip_votes = $2, skip_needed = $3 WHERE room_id = $1"
_MAY = [role for role, permissions in DEFAULTS.items() if "skip.vote" in permissions]


async def recount(db: Writer, stage: Stage, *, actor_id: UUID | None = None) -> bool:
    """Counts anew and tells the room if that changes anything; whether it is enough to skip."""
    (row,) = await _count(db, [stage.room_id])
    votes, needed = row["votes"], row["needed"]
    if (votes, needed) != (stage.skip_votes, stage.skip_needed):
        stage.skip_votes, stage.skip_needed = votes, needed
        await db.records(_TOLD, [stage.room_id, votes, needed])
        data = {"votes": votes, "needed": needed}
        await append(db, stage.room_id, kind="skip.votes", actor_id=actor_id, data=data)
    return bool(votes >= needed)


async def forget_votes(db: Writer, stage: Stage) -> None:
    """A new track has none."""
    await db.records("DELETE FROM skip_votes WHERE room_id = $1", [stage.room_id])
    await recount(db, stage)


async def changed_rooms(db: Runs) -> list[UUID]:
    """Rooms with votes that count otherwise than the room was told: people came, or left."""
    voted = [row["room_id"] for row in await db.records(_VOTED, [])]
    rows = await _count(db, voted) if voted else []
    return [row["room_id"] for row in rows if _is_news(row)]


def _is_news(row: Any) -> bool:
    return (row["votes"], row["needed"]) != (row["skip_votes"], row["skip_needed"]) or row["votes"] >= row["needed"]


async def _count(db: Runs, room_ids: Collection[UUID]) -> list[Any]:
    return await db.records(_COUNT, [list(room_ids), _MAY])
