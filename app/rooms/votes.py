"""Votes to skip what plays."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.chat.owners import Command
from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import Conflict
from app.core.query import Runs
from app.rooms.playback import go_on
from app.rooms.playing_schemas import SkipState, SkipVoteInput
from app.rooms.quorum import recount
from app.rooms.rights import require, require_reader, standing
from app.rooms.stage import load_stage

__all__ = ["COMMANDS", "NotPlaying", "count_votes", "get_skip_state", "vote_to_skip"]

_VOTE = "INSERT INTO skip_votes (room_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_UNVOTE = "DELETE FROM skip_votes WHERE room_id = $1 AND user_id = $2"


class NotPlaying(Conflict):
    code, title = "not_playing", "Something else plays by now"


async def vote_to_skip(db: Writer, actor: Principal, room_id: UUID, body: SkipVoteInput) -> dict[str, Any]:
    """One vote for each person; with enough of them the next track begins. Raises NotAllowed, NotPlaying.

    Whoever votes without an open socket counts once they are here.
    """
    require(await standing(db, room_id, actor.user_id), "skip.vote")
    stage = await load_stage(db, room_id)
    if stage.state.item != body.item_id:
        raise NotPlaying("What you vote about does not play any more.")
    await db.records(_VOTE if body.active else _UNVOTE, [room_id, actor.user_id])
    skipped = await recount(db, stage, actor_id=actor.user_id)
    told = {"votes": stage.skip_votes, "needed": stage.skip_needed, "skipped": skipped}
    if skipped:
        await go_on(db, stage, actor_id=None)
    return told


async def count_votes(db: Writer, room_id: UUID) -> None:
    """After people have come or left: tells the room, and skips if it is enough."""
    stage = await load_stage(db, room_id)
    if stage.state.item is not None and await recount(db, stage):
        await go_on(db, stage, actor_id=None)


async def get_skip_state(db: Runs, actor: Principal | None, room_id: UUID) -> SkipState:
    """How the vote stands. Raises NotFound, NotMember."""
    await require_reader(db, room_id, actor.user_id if actor else None)
    stage = await load_stage(db, room_id)
    return SkipState(votes=stage.skip_votes, needed=stage.skip_needed)


COMMANDS: Mapping[str, Command] = {"skip.vote": Command(SkipVoteInput, vote_to_skip)}
"""What clients may ask of the vote."""
