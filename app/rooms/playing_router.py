"""What waits and what plays in a room."""

from typing import Any, cast
from uuid import UUID

from app.chat.log import hold
from app.core.auth import CurrentUser, MaybeUser
from app.core.errors import Forbidden, Invalid, NotFound, Unauthorized, problems
from app.core.http import ReadDB, Router, WriteDB
from app.core.limits import limited
from app.core.paging import Page, Paged
from app.rooms import playback, played, queue, undoing, votes
from app.rooms.playback import NothingPlays, VersionConflict
from app.rooms.playing_schemas import (
    AddInput,
    ControlInput,
    ItemInput,
    MoveInput,
    MoveItemInput,
    NothingInput,
    PlaybackView,
    PlayedItem,
    QueuedItem,
    SkipState,
    SkipVoteInput,
    VoteInput,
)
from app.rooms.queue import AlreadyWaiting, NotInThisMode, NotYoursToShare, TooManyItems
from app.rooms.rights import NotAllowed, NotMember, require_reader
from app.rooms.stage import Item, QueueFull, item_data, show_playback
from app.rooms.votes import NotPlaying

__all__ = ["router"]

router = Router(prefix="/rooms/{room_id}", tags=["rooms"])

READING = problems(NotFound, NotMember)
WRITING = (Unauthorized, Forbidden, NotMember, NotAllowed, NotFound)
OFTEN = [limited("rooms.control", 240, 60)]


@router.get("/queue", summary="What waits", responses=READING)
async def list_room_queue(room_id: UUID, db: ReadDB, actor: MaybeUser) -> list[QueuedItem]:
    """In the order in which it will be played, at most 500 tracks.

    Sockets get it with their welcome, and then what changes as `queue.changed` and `queue.edited`.
    """
    return _in_queue(await queue.list_queue(db, actor, room_id))


@router.post(
    "/queue",
    status_code=201,
    summary="Add a track",
    responses=problems(*WRITING, QueueFull, TooManyItems, AlreadyWaiting, NotYoursToShare),
    dependencies=OFTEN,
)
async def add_to_room_queue(room_id: UUID, body: AddInput, db: WriteDB, actor: CurrentUser) -> QueuedItem:
    """By our id or by Spotify's, one that you may hear. A room that ran out of tracks plays it."""
    await hold(db, room_id, kind="room")
    return _queued(*await queue.add_item(db, actor, room_id, body))


@router.delete("/queue", status_code=204, summary="Clear the queue", responses=problems(*WRITING), dependencies=OFTEN)
async def clear_room_queue(room_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """What plays goes on. `undo_room_queue` brings it back."""
    await hold(db, room_id, kind="room")
    await queue.clear_queue(db, actor, room_id, NothingInput())


@router.post(
    "/queue/undo",
    summary="Take back what you did",
    responses=problems(*WRITING, undoing.NothingToUndo, QueueFull),
    dependencies=OFTEN,
)
async def undo_room_queue(room_id: UUID, db: WriteDB, actor: CurrentUser) -> list[QueuedItem]:
    """Your last removal, clearing or move of the last five minutes."""
    await hold(db, room_id, kind="room")
    await undoing.undo(db, actor, room_id, NothingInput())
    return _in_queue(await queue.list_queue(db, actor, room_id))


@router.get("/queue/{item_id:uuid}", summary="A track that waits", responses=READING)
async def get_queued_item(room_id: UUID, item_id: UUID, db: ReadDB, actor: MaybeUser) -> QueuedItem:
    """With its place."""
    return _queued(*await queue.get_item(db, actor, room_id, item_id))


@router.patch(
    "/queue/{item_id:uuid}", summary="Move a track", responses=problems(*WRITING, NotInThisMode), dependencies=OFTEN
)
async def move_queued_item(
    room_id: UUID, item_id: UUID, body: MoveInput, db: WriteDB, actor: CurrentUser
) -> list[QueuedItem]:
    """Only where the oldest is played first. The whole queue in its new order."""
    await hold(db, room_id, kind="room")
    await queue.move_item(db, actor, room_id, MoveItemInput(item_id=item_id, index=body.index))
    return _in_queue(await queue.list_queue(db, actor, room_id))


@router.delete(
    "/queue/{item_id:uuid}",
    status_code=204,
    summary="Take a track out",
    responses=problems(*WRITING),
    dependencies=OFTEN,
)
async def remove_queued_item(room_id: UUID, item_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """Your own, or with the permission `queue.remove`."""
    await hold(db, room_id, kind="room")
    await queue.remove_item(db, actor, room_id, ItemInput(item_id=item_id))


@router.put(
    "/queue/{item_id:uuid}/vote",
    status_code=204,
    summary="Vote for a track",
    responses=problems(*WRITING),
    dependencies=OFTEN,
)
async def vote_for_queued_item(room_id: UUID, item_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """Once for each person; where votes count, it comes sooner."""
    await hold(db, room_id, kind="room")
    await queue.vote(db, actor, room_id, VoteInput(item_id=item_id))


@router.delete(
    "/queue/{item_id:uuid}/vote",
    status_code=204,
    summary="Take a vote back",
    responses=problems(*WRITING),
    dependencies=OFTEN,
)
async def unvote_queued_item(room_id: UUID, item_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """Without one nothing changes."""
    await hold(db, room_id, kind="room")
    await queue.vote(db, actor, room_id, VoteInput(item_id=item_id, active=False))


@router.get("/playback", summary="What plays", responses=READING)
async def get_room_playback(room_id: UUID, db: ReadDB, actor: MaybeUser) -> PlaybackView:
    """And where it is, by the server's clock. Sockets get it as `playback.changed`."""
    await require_reader(db, room_id, actor.user_id if actor else None)
    return PlaybackView.model_validate(await show_playback(db, room_id))


@router.post(
    "/playback",
    summary="Press a button",
    responses=problems(*WRITING, VersionConflict, NothingPlays, QueueFull, Invalid),
    dependencies=OFTEN,
)
async def control_room_playback(room_id: UUID, body: ControlInput, db: WriteDB, actor: CurrentUser) -> PlaybackView:
    """`play`, `pause`, `seek`, `skip`, `previous`, or `ready` with what was to be loaded.

    With `version` it is refused if somebody else was faster; the problem's `playback` is then what plays now.
    """
    await hold(db, room_id, kind="room")
    command = playback.COMMANDS[f"playback.{body.action}"]
    done = await command.run(db, actor, room_id, command.model.model_validate(body.body))
    return PlaybackView.model_validate(cast(dict[str, Any], done)["playback"])


@router.get("/skip-vote", summary="How the vote to skip stands", responses=READING)
async def get_skip_vote(room_id: UUID, db: ReadDB, actor: MaybeUser) -> SkipState:
    """Of those present who may vote."""
    return await votes.get_skip_state(db, actor, room_id)


@router.post(
    "/skip-vote", summary="Vote to skip what plays", responses=problems(*WRITING, NotPlaying), dependencies=OFTEN
)
async def vote_to_skip(room_id: UUID, body: SkipVoteInput, db: WriteDB, actor: CurrentUser) -> SkipState:
    """Or, not `active`, take the vote back. It counts while you have an open socket in the room."""
    await hold(db, room_id, kind="room")
    return SkipState.model_validate(await votes.vote_to_skip(db, actor, room_id, body))


@router.get("/history", summary="What was played", responses=READING)
async def list_room_history(room_id: UUID, db: ReadDB, actor: MaybeUser, page: Paged) -> Page[PlayedItem]:
    """The latest first."""
    return await played.list_history(db, actor, room_id, page)


def _queued(item: Item, index: int) -> QueuedItem:
    return QueuedItem.model_validate({**item_data(item), "order_in_queue": index})


def _in_queue(items: list[Item]) -> list[QueuedItem]:
    return [_queued(item, index) for index, item in enumerate(items)]
