"""Play, pause, seek, skip, previous, ready; and what follows when a track is over.

Every function here runs in a transaction that holds the room's channel.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from app.chat.owners import Command
from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import Conflict, NotFound
from app.core.ids import uuid7
from app.core.query import Runs
from app.rooms import deck
from app.rooms.auto_dj import choose_track
from app.rooms.deck import Cue, State
from app.rooms.modes import turns_after
from app.rooms.played import begin_play, end_play, play_before
from app.rooms.playing_schemas import PressInput, ReadyInput, SeekInput
from app.rooms.quorum import forget_votes
from app.rooms.rights import require, standing
from app.rooms.stage import (
    Item,
    Stage,
    announce_queue,
    check_place,
    clock_ms,
    item_data,
    keep,
    load_item,
    load_queue,
    load_stage,
    playback_data,
    present_ids,
    write_down,
)

__all__ = [
    "COMMANDS",
    "NothingPlays",
    "VersionConflict",
    "do_what_is_due",
    "go_on",
    "playing_snapshot",
    "wake_up",
]

_TAKE = "DELETE FROM queue_items WHERE id = $1"
_PUT_BACK = "INSERT INTO queue_items (id, room_id, track_id, added_by_id, place, created_at) VALUES ($1,$2,$3,$4,$5,$6)"
Change = Callable[[State, float], State]


class VersionConflict(Conflict):
    code, title = "version_conflict", "Somebody else was faster"


class NothingPlays(Conflict):
    code, title = "nothing_plays", "There is nothing to play"


async def play(db: Writer, actor: Principal, room_id: UUID, body: PressInput) -> dict[str, Any]:
    """Goes on; begins with the first of the queue if nothing plays. Raises NothingPlays, VersionConflict."""
    stage = await _control(db, actor, room_id, body)
    if stage.state.item is None:
        stage.unheard = 0
        if not await go_on(db, stage, actor_id=actor.user_id):
            raise NothingPlays("The queue is empty. Add a track first.")
    else:
        await _change(db, stage, actor, deck.play)
    return _answer(stage)


async def pause(db: Writer, actor: Principal, room_id: UUID, body: PressInput) -> dict[str, Any]:
    """Stops where it is. Raises VersionConflict."""
    stage = await _control(db, actor, room_id, body)
    if stage.dry:
        stage.dry = False
        await write_down(db, stage)
    await _change(db, stage, actor, deck.pause)
    return _answer(stage)


async def seek(db: Writer, actor: Principal, room_id: UUID, body: SeekInput) -> dict[str, Any]:
    """Leaps. Raises NothingPlays, VersionConflict."""
    stage = _loaded(await _control(db, actor, room_id, body))
    await _change(db, stage, actor, lambda state, now_ms: deck.seek(state, now_ms, body.position_ms))
    return _answer(stage)


async def skip(db: Writer, actor: Principal, room_id: UUID, body: PressInput) -> dict[str, Any]:
    """Goes on to the next track. Raises NothingPlays, VersionConflict."""
    stage = _loaded(await _control(db, actor, room_id, body))
    stage.unheard = 0
    await go_on(db, stage, actor_id=actor.user_id)
    return _answer(stage)


async def previous(db: Writer, actor: Principal, room_id: UUID, body: PressInput) -> dict[str, Any]:
    """The beginning of the track; within its first seconds the track before. Raises NothingPlays, VersionConflict."""
    stage = await _control(db, actor, room_id, body)
    now_ms = clock_ms()
    before = None if deck.position(stage.state, now_ms) > deck.RESTART_MS else await play_before(db, stage)
    if before is None:
        await _change(db, _loaded(stage), actor, lambda state, now_ms: deck.seek(state, now_ms, 0))
        return _answer(stage)
    track_id, added_by, play_id = before
    item = await load_item(db, item_id=uuid7(), track_id=track_id, added_by=added_by)
    await _put_back(db, stage, actor, then=added_by)
    await _end(db, stage, now_ms, skipped=True)
    await _begin(db, stage, item, now_ms, actor_id=actor.user_id, back_to=play_id)
    return _answer(stage)


async def ready(db: Writer, actor: Principal, room_id: UUID, body: ReadyInput) -> dict[str, Any]:
    """Somebody's client has loaded the track. Too late, it does not matter."""
    await standing(db, room_id, actor.user_id)
    stage = await load_stage(db, room_id)
    if stage.state.waiting is not None and stage.state.version == body.version:
        present = await present_ids(db, room_id)
        await _change(db, stage, actor, lambda state, now_ms: deck.ready(state, now_ms, actor.user_id, present))
    return _answer(stage)


async def do_what_is_due(db: Writer, room_id: UUID) -> None:
    """Ends a wait or goes on, if it is time for it and nobody else has done so."""
    stage, now_ms = await load_stage(db, room_id), clock_ms()
    if deck.is_over(stage.state, now_ms):
        await go_on(db, stage, actor_id=None, by_itself=True)
    else:
        await _change(db, stage, None, lambda state, now: deck.advance(state, now, None, gated=False))


async def wake_up(db: Writer, room_id: UUID) -> None:
    """Somebody came into a room that had stopped because nobody listened: it finds something to play again."""
    stage = await load_stage(db, room_id)
    if stage.dry and stage.unheard and stage.state.item is None and await present_ids(db, room_id):
        stage.unheard = 0
        if not await go_on(db, stage, actor_id=None):
            await write_down(db, stage)


async def go_on(db: Writer, stage: Stage, *, actor_id: UUID | None, by_itself: bool = False) -> bool:
    """Begins what comes next, or stops; whether there was something."""
    now_ms = clock_ms()
    await _end(db, stage, now_ms, skipped=not by_itself)
    item = await _next(db, stage)
    if item is None and stage.state.item is None:
        return False
    await _begin(db, stage, item, now_ms, actor_id=actor_id, by_itself=by_itself)
    return item is not None


async def playing_snapshot(db: Runs, room_id: UUID) -> dict[str, Any]:
    """Queue, playback and votes to skip. Raises NotFound."""
    stage = await load_stage(db, room_id)
    queue = await load_queue(db, stage)
    skipping = {"votes": stage.skip_votes, "needed": stage.skip_needed}
    return {"queue": [item_data(item) for item in queue], "playback": playback_data(stage), "skip": skipping}


async def _control(db: Writer, actor: Principal, room_id: UUID, body: PressInput) -> Stage:
    require(await standing(db, room_id, actor.user_id), "playback.control")
    stage = await load_stage(db, room_id)
    if body.version not in {None, stage.state.version}:
        raise VersionConflict("Look at what plays now, then press again.", playback=playback_data(stage))
    return stage


def _loaded(stage: Stage) -> Stage:
    if stage.state.item is None:
        raise NothingPlays("Nothing plays.")
    return stage


def _answer(stage: Stage) -> dict[str, Any]:
    return {"playback": playback_data(stage)}


async def _change(db: Writer, stage: Stage, actor: Principal | None, change: Change) -> None:
    """Tells the room only of what it can see."""
    before, shown = stage.state, playback_data(stage)
    stage.state = change(before, clock_ms())
    if playback_data(stage) != shown:
        await keep(db, stage, actor_id=actor.user_id if actor else None)
    elif stage.state != before:
        await write_down(db, stage)


async def _next(db: Writer, stage: Stage) -> Item | None:
    """Takes the first of the queue; from an empty one, what the server chooses."""
    queue = await load_queue(db, stage)
    if not queue:
        track_id = await choose_track(db, stage)
        return await load_item(db, item_id=uuid7(), track_id=track_id, added_by=None) if track_id else None
    item = queue[0]
    await db.records(_TAKE, [item.id])
    stage.served = turns_after(item.added_by, stage.served) if stage.mode == "fair" else [item.added_by]
    await announce_queue(db, stage, queue[1:], actor_id=None)
    return item


async def _put_back(db: Writer, stage: Stage, actor: Principal, *, then: UUID | None) -> None:
    """What plays is the next in the queue again, where the queue's mode allows that; now it is the turn of `then`."""
    if stage.item is None or stage.track_id is None:
        return
    item_id, added_by = stage.state.item, stage.item["added_by"]
    queue = await load_queue(db, stage)
    check_place(len(queue))
    place = min((item.place for item in queue), default=0) - 1
    served = [person for person in stage.served if str(person) != str(added_by)]
    stage.served = turns_after(then, served) if stage.mode == "fair" else [then]
    try:
        again = await load_item(db, item_id=item_id or uuid7(), track_id=stage.track_id, added_by=added_by)
    except NotFound:  # it is no longer for everybody
        await announce_queue(db, stage, queue, actor_id=actor.user_id)
        return
    await db.records(_PUT_BACK, [again.id, stage.room_id, stage.track_id, again.added_by, place, again.added_at])
    await announce_queue(db, stage, await load_queue(db, stage), actor_id=actor.user_id)


async def _end(db: Writer, stage: Stage, now_ms: float, *, skipped: bool) -> None:
    """What plays has been played."""
    if stage.play_id is not None and stage.item is not None:
        was_heard = await end_play(db, stage, now_ms=now_ms, skipped=skipped)
        stage.unheard = 0 if was_heard or stage.item["added_by"] else stage.unheard + 1


async def _begin(
    db: Writer,
    stage: Stage,
    item: Item | None,
    now_ms: float,
    *,
    actor_id: UUID | None,
    back_to: UUID | None = None,
    by_itself: bool = False,
) -> None:
    """The item plays from now on; without one, the room falls silent."""
    cue = Cue(item.id, item.track["duration_ms"]) if item else None
    make = deck.advance if by_itself else deck.skip
    stage.state = make(stage.state, now_ms, cue, gated=bool(await present_ids(db, stage.room_id)))
    stage.item, stage.track_id = (item_data(item), item.track["id"]) if item else (None, None)
    stage.play_id = await begin_play(db, stage, item, at_ms=min(now_ms, stage.state.at_ms)) if item else None
    stage.back_to, stage.dry = back_to or stage.play_id, item is None
    await keep(db, stage, actor_id=actor_id)
    await forget_votes(db, stage)


def _command(model: type[Any], run: Callable[..., Awaitable[dict[str, Any]]]) -> Command:
    return Command(model=model, run=run)


COMMANDS: Mapping[str, Command] = {
    "playback.play": _command(PressInput, play),
    "playback.pause": _command(PressInput, pause),
    "playback.seek": _command(SeekInput, seek),
    "playback.skip": _command(PressInput, skip),
    "playback.previous": _command(PressInput, previous),
    "playback.ready": _command(ReadyInput, ready),
}
"""What clients may ask of the playback."""
