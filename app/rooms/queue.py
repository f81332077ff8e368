"""What people do to a queue: add, remove, move, clear, undo, vote.

Every function here runs in a transaction that holds the room's channel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, func, or_, select

from app.catalog.hearing import heard_by
from app.catalog.models import Track
from app.chat.owners import Command
from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.ids import uuid7
from app.core.query import Query, Runs
from app.rooms.playback import go_on
from app.rooms.playing_schemas import Addable, AddInput, ItemInput, MoveItemInput, NothingInput, VoteInput
from app.rooms.rights import Standing, require, require_reader, standing
from app.rooms.stage import (
    Item,
    Stage,
    announce_queue,
    check_place,
    item_data,
    load_item,
    load_queue,
    load_stage,
    load_waiting,
)
from app.users.queries import VIEWER

__all__ = [
    "COMMANDS",
    "UNDO_FOR",
    "AlreadyWaiting",
    "NotInThisMode",
    "NotYoursToShare",
    "TooManyItems",
    "add_item",
    "announce_order",
    "enter_queue",
    "get_item",
    "list_queue",
    "moved",
    "place_items",
    "play_if_dry",
    "wake",
]

UNDO_FOR = timedelta(minutes=5)

_NAMED = or_(Track.id == bindparam("track_id", type_=Uuid), Track.spotify_id == bindparam("spotify_id", type_=Text))
_TRACK = Query(
    select(
        func.coalesce(Track.merged_into_id, Track.id).label("id"),
        or_(Track.visibility == "public", Track.owner_id == VIEWER).label("shared"),
    ).where(_NAMED, heard_by()),
    into=Addable,
)
_ADD = """
    INSERT INTO queue_items (id, room_id, track_id, added_by_id, place, created_at) VALUES ($1, $2, $3, $4, $5, $6)"""
_REMOVE = "UPDATE queue_items SET removed_at = clock_timestamp() WHERE id = ANY($1)"
_REMEMBER = """
    INSERT INTO queue_undos (room_id, actor_id, item_ids, moved_from) VALUES ($1, $2, $3, $4)
    ON CONFLICT (room_id, actor_id) DO UPDATE
    SET item_ids = excluded.item_ids, moved_from = excluded.moved_from, created_at = clock_timestamp()"""
_PLACES = """
    UPDATE queue_items q SET place = p.place
    FROM unnest($1::uuid[]) WITH ORDINALITY AS p (id, place) WHERE q.id = p.id"""
_VOTE = "INSERT INTO queue_votes (item_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1"
_UNVOTE = "DELETE FROM queue_votes WHERE item_id = $1 AND user_id = $2 RETURNING 1"
_COUNT = "UPDATE queue_items SET vote_count = vote_count + $2 WHERE id = $1"


class TooManyItems(Conflict):
    code, title = "too_many_items", "You have added as much as one person may"


class NotShareable(Forbidden):
    code, title = "not_shareable", "You may hear this track, but not play it to others"


class AlreadyWaiting(Conflict):
    code, title = "already_waiting", "You have added this track already"


class NotInThisMode(Conflict):
    code, title = "not_in_this_mode", "The order of this queue is not made by hand"


class NotYoursToShare(Forbidden):
    code, title = "not_yours_to_share", "This track is for its owner to share"


async def add_item(db: Writer, actor: Principal, room_id: UUID, body: AddInput) -> tuple[Item, int]:
    """A track at its place in the queue. A room that has run dry plays it.

    Raises NotFound, NotYoursToShare, QueueFull, TooManyItems, AlreadyWaiting.
    """
    require(await standing(db, room_id, actor.user_id), "queue.add")
    track = await _find_track(db, actor, body)
    stage, waiting = await load_stage(db, room_id), await load_waiting(db, room_id)
    _check_room_for(stage, waiting, actor, track.id)
    item = await load_item(db, item_id=uuid7(), track_id=track.id, added_by=actor.user_id)
    item = replace(item, place=max((each.place for each in waiting), default=0) + 1)
    await db.records(_ADD, [item.id, room_id, item.track["id"], actor.user_id, item.place, item.added_at])
    queue = await announce_queue(db, stage, [*waiting, item], actor_id=actor.user_id)
    await play_if_dry(db, stage)
    return item, queue.index(item)


async def _find_track(db: Writer, actor: Principal, body: AddInput) -> Addable:
    """What everybody in the room will see and hear, so it is public or the actor's own."""
    named = {"track_id": body.track_id, "spotify_id": body.spotify_id}
    track = await _TRACK.first(db, viewer=actor.user_id, **named)
    if track is None:
        raise NotFound("There is no such track.")
    if not track.shared:
        raise NotYoursToShare("Only its owner can play it to a room: it is not for everybody.")
    return track


def _check_room_for(stage: Stage, waiting: Sequence[Item], actor: Principal, track_id: UUID) -> None:
    check_place(len(waiting))
    mine = [item for item in waiting if item.added_by == actor.user_id]
    if any(item.track["id"] == track_id for item in mine):
        raise AlreadyWaiting("This track of yours waits already.")
    if len(mine) >= stage.items_per_person:
        raise TooManyItems(f"In this room at most {stage.items_per_person} tracks of one person wait.")


async def remove_item(db: Writer, actor: Principal, room_id: UUID, body: ItemInput) -> None:
    """Takes a track out: one's own, or with the right to. Raises NotFound, NotAllowed."""
    mine, stage, queue = await enter_queue(db, actor, room_id)
    item = _find(queue, body.item_id)
    if item.added_by != actor.user_id:
        require(mine, "queue.remove")
    await _take_out(db, actor, stage, queue, [item])


async def clear_queue(db: Writer, actor: Principal, room_id: UUID, body: NothingInput) -> None:
    """Takes all out. Raises NotAllowed."""
    mine, stage, queue = await enter_queue(db, actor, room_id)
    require(mine, "queue.clear")
    if queue:
        await _take_out(db, actor, stage, queue, queue)


async def move_item(db: Writer, actor: Principal, room_id: UUID, body: MoveItemInput) -> None:
    """Gives a track another place. Raises NotFound, NotAllowed, NotInThisMode."""
    mine, stage, queue = await enter_queue(db, actor, room_id)
    require(mine, "queue.move")
    if stage.mode != "fifo":
        raise NotInThisMode("Tracks can be moved where the oldest is played first.")
    item = _find(queue, body.item_id)
    moved_from = queue.index(item)
    if moved_from != min(body.index, len(queue) - 1):
        await place_items(db, actor, stage, moved(queue, item, body.index))
        await db.records(_REMEMBER, [room_id, actor.user_id, [item.id], moved_from])


async def vote(db: Writer, actor: Principal, room_id: UUID, body: VoteInput) -> dict[str, Any]:
    """For a track to come sooner, once for each person, or not any more. Raises NotFound, NotAllowed."""
    mine, stage, queue = await enter_queue(db, actor, room_id)
    require(mine, "queue.vote")
    item = _find(queue, body.item_id)
    if await db.records(_VOTE if body.active else _UNVOTE, [item.id, actor.user_id]):
        change = 1 if body.active else -1
        await db.records(_COUNT, [item.id, change])
        counted = replace(item, votes=item.votes + change)
        rest = [each for each in queue if each is not item]
        await announce_queue(db, stage, [*rest, counted], actor_id=actor.user_id)
        item = counted
    return {"votes": item.votes}


async def list_queue(db: Runs, actor: Principal | None, room_id: UUID) -> list[Item]:
    """What waits, in the order in which it will be played. Raises NotFound, NotMember."""
    await require_reader(db, room_id, actor.user_id if actor else None)
    return await load_queue(db, await load_stage(db, room_id))


async def get_item(db: Runs, actor: Principal | None, room_id: UUID, item_id: UUID) -> tuple[Item, int]:
    """A track that waits, and its place. Raises NotFound, NotMember."""
    queue = await list_queue(db, actor, room_id)
    item = _find(queue, item_id)
    return item, queue.index(item)


async def announce_order(db: Writer, room_id: UUID, *, actor_id: UUID | None) -> None:
    """Tells the room of the new order after a change of its mode."""
    stage = await load_stage(db, room_id)
    await announce_queue(db, stage, await load_waiting(db, room_id), actor_id=actor_id)


async def enter_queue(db: Writer, actor: Principal, room_id: UUID) -> tuple[Standing, Stage, list[Item]]:
    """How the person stands in the room, what plays there, and what waits. Raises NotFound, NotMember."""
    how = await standing(db, room_id, actor.user_id)
    stage = await load_stage(db, room_id)
    return how, stage, await load_queue(db, stage)


def _find(queue: Sequence[Item], item_id: UUID) -> Item:
    item = next((item for item in queue if item.id == item_id), None)
    if item is None:
        raise NotFound("This track does not wait any more.")
    return item


async def _take_out(db: Writer, actor: Principal, stage: Stage, queue: Sequence[Item], items: Sequence[Item]) -> None:
    ids = [item.id for item in items]
    await db.records(_REMOVE, [ids])
    await db.records(_REMEMBER, [stage.room_id, actor.user_id, ids, None])
    rest = [item for item in queue if item not in items]
    await announce_queue(db, stage, rest, actor_id=actor.user_id)


def moved(queue: Sequence[Item], item: Item, index: int) -> list[Item]:
    """The queue with the item at another place, counted from 0 without it."""
    order = [each for each in queue if each is not item]
    order.insert(index, item)
    return order


async def place_items(db: Writer, actor: Principal, stage: Stage, order: Sequence[Item]) -> None:
    """Writes an order down, and tells the room of it."""
    await db.records(_PLACES, [[item.id for item in order]])
    placed = [replace(item, place=place) for place, item in enumerate(order, start=1)]
    await announce_queue(db, stage, placed, actor_id=actor.user_id)


async def wake(db: Writer, room_id: UUID) -> None:
    """A room that has run dry looks again for something to play."""
    await play_if_dry(db, await load_stage(db, room_id))


async def play_if_dry(db: Writer, stage: Stage) -> None:
    """A room that ran dry plays what there is now."""
    if stage.dry:
        await go_on(db, stage, actor_id=None)


async def _add(db: Writer, actor: Principal, room_id: UUID, body: AddInput) -> dict[str, Any]:
    item, index = await add_item(db, actor, room_id, body)
    return {"item": item_data(item), "order_in_queue": index}


COMMANDS: Mapping[str, Command] = {
    "queue.add": Command(AddInput, _add),
    "queue.remove": Command(ItemInput, remove_item),
    "queue.move": Command(MoveItemInput, move_item),
    "queue.clear": Command(NothingInput, clear_queue),
    "queue.vote": Command(VoteInput, vote),
}
"""What clients may ask of the queue."""
