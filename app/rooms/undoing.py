"""Taking back what one did to the queue."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.chat.owners import Command
from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import Conflict
from app.core.jobs import every
from app.rooms.playing_schemas import NothingInput
from app.rooms.queue import UNDO_FOR, enter_queue, moved, place_items, play_if_dry
from app.rooms.rights import Standing, require
from app.rooms.stage import Item, Stage, announce_queue, check_place, load_waiting

__all__ = ["COMMANDS", "NothingToUndo", "forget_removed", "undo"]

_RECALL = """
    DELETE FROM queue_undos WHERE room_id = $1 AND actor_id = $2
    RETURNING item_ids, moved_from, created_at > clock_timestamp() - $3::interval AS is_fresh"""
_REMOVED = """
    SELECT id, track_id, added_by_id FROM queue_items
    WHERE id = ANY($1) AND removed_at IS NOT NULL ORDER BY place, id"""
_RESTORE = "UPDATE queue_items SET removed_at = NULL WHERE id = ANY($1)"


class NothingToUndo(Conflict):
    code, title = "nothing_to_undo", "There is nothing to undo"


async def undo(db: Writer, actor: Principal, room_id: UUID, body: NothingInput) -> None:
    """Takes back what the person did last to the queue, for five minutes, if they might still do it.

    Raises NothingToUndo, QueueFull, NotAllowed.
    """
    mine, stage, queue = await enter_queue(db, actor, room_id)
    rows = await db.records(_RECALL, [room_id, actor.user_id, UNDO_FOR])
    if not rows or not rows[0]["is_fresh"]:
        raise NothingToUndo("You have done nothing in the last five minutes that can be undone.")
    item_ids, moved_from = rows[0]["item_ids"], rows[0]["moved_from"]
    if moved_from is None:
        again = _that_may_wait(await _removed(db, actor, mine, item_ids), queue, stage.items_per_person)
        await _restore(db, actor, stage, queue, again)
        return
    require(mine, "queue.move")
    item = next((item for item in queue if item.id in item_ids), None)
    if item is None or stage.mode != "fifo":
        raise NothingToUndo("The track that you moved does not wait any more.")
    await place_items(db, actor, stage, moved(queue, item, moved_from))


async def _removed(db: Writer, actor: Principal, mine: Standing, item_ids: list[UUID]) -> list[Any]:
    """What was taken out, for somebody who might take it out or add it now."""
    removed = await db.records(_REMOVED, [item_ids])
    if not removed:
        raise NothingToUndo("What you took out is gone.")
    of_others = any(row["added_by_id"] != actor.user_id for row in removed)
    require(mine, ("queue.clear" if len(removed) > 1 else "queue.remove") if of_others else "queue.add")
    return removed


async def _restore(db: Writer, actor: Principal, stage: Stage, queue: Sequence[Item], again: list[UUID]) -> None:
    if not again:
        raise NothingToUndo("What you took out has been added again, or its place was taken.")
    check_place(len(queue), len(again))
    await db.records(_RESTORE, [again])
    await announce_queue(db, stage, await load_waiting(db, stage.room_id), actor_id=actor.user_id)
    await play_if_dry(db, stage)


def _that_may_wait(removed: Sequence[Any], queue: Sequence[Item], items_per_person: int) -> list[UUID]:
    """Those that break no rule of adding: each person's tracks once, and no more of them than one may have."""
    waiting: defaultdict[UUID | None, set[UUID]] = defaultdict(set)
    for item in queue:
        waiting[item.added_by].add(item.track["id"])
    again = []
    for row in removed:
        theirs = waiting[row["added_by_id"]]
        if row["track_id"] not in theirs and len(theirs) < items_per_person:
            theirs.add(row["track_id"])
            again.append(row["id"])
    return again


COMMANDS: Mapping[str, Command] = {"queue.undo": Command(NothingInput, undo)}
"""What clients may ask."""


@every("*/10 * * * *")
async def forget_removed(infra: Any) -> None:
    """What cannot be put back any more is deleted."""
    async with infra.db.write() as db:
        await db.records("DELETE FROM queue_items WHERE removed_at < clock_timestamp() - $1::interval", [UNDO_FOR])
        await db.records("DELETE FROM queue_undos WHERE created_at < clock_timestamp() - $1::interval", [UNDO_FOR])
