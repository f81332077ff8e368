"""Messages of rooms, groups and conversations over REST; sockets get them live."""

import hashlib
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request

from app.chat import changes, direct, history, reading
from app.chat.changes import TooManyReactions
from app.chat.posting import ClientIdTaken
from app.chat.schemas import (
    ConversationItem,
    DirectUnread,
    Emoji,
    MessageChanges,
    MessageInput,
    MessageView,
    MuteInput,
    ReadInput,
    ReadState,
    Revision,
    RoomMessage,
    SearchHit,
)
from app.core.auth import CurrentUser
from app.core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized, problems
from app.core.http import Here, ReadDB, Router, WriteDB
from app.core.limits import limited
from app.core.paging import Page, Paged
from app.core.schemas import Moment
from app.users.schemas import USERNAME, PersonCard

__all__ = ["conversations", "router"]

router = Router(prefix="/chat", tags=["chat"])
conversations = Router(prefix="/direct", tags=["chat"])

ERRORS = problems(Unauthorized, Forbidden, NotFound)
POSTING = problems(Unauthorized, Forbidden, NotFound, Conflict, ClientIdTaken, Invalid)
Number = Annotated[int | None, Query(ge=0, le=2**53)]


@router.get("/{channel_id}", summary="The last messages, plainly", responses=ERRORS)
async def list_room_messages(
    channel_id: UUID,
    db: ReadDB,
    actor: CurrentUser,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    before_timestamp: Annotated[Moment | None, Query(description="Only messages before this moment")] = None,
) -> list[RoomMessage]:
    """The newest first, as clients of earlier servers expect them. `GET /chat/{channel_id}/messages` tells more."""
    return await history.list_room_messages(db, actor, channel_id, before=before_timestamp, most=limit)


@router.post(
    "/{channel_id}",
    status_code=201,
    summary="Say something, plainly",
    responses=POSTING,
    dependencies=[limited("chat.write", 240, 60)],
)
async def post_room_message(
    request: Request, channel_id: UUID, body: MessageInput, here: Here, actor: CurrentUser
) -> RoomMessage:
    """As `POST /chat/{channel_id}/messages`, with the shorter answer."""
    said = await history.post_message(here, actor, channel_id, _once(request, body))
    values = {"user_id": actor.user_id, "room_id": channel_id, "sequence": said.sequence}
    return RoomMessage(id=said.id, text=said.text or "", created_at=said.created_at, **values)


@router.get("/{channel_id}/messages", summary="Messages", responses=ERRORS)
async def list_messages(
    *, channel_id: UUID, db: ReadDB, actor: CurrentUser, page: Paged, before: Number = None, after: Number = None
) -> Page[MessageView]:
    """The newest first. `before` and `after` are sequences: so gaps can be filled."""
    return await history.list_messages(db, actor, channel_id, page, before=before, after=after or 0)


@router.post(
    "/{channel_id}/messages",
    status_code=201,
    summary="Say something",
    responses=POSTING,
    dependencies=[limited("chat.write", 240, 60)],
)
async def post_message(
    request: Request, channel_id: UUID, body: MessageInput, here: Here, actor: CurrentUser
) -> MessageView:
    """Sent again under the same `client_id`, or without one under the same Idempotency-Key, it is the same message."""
    return await history.post_message(here, actor, channel_id, _once(request, body))


def _once(request: Request, body: MessageInput) -> MessageInput:
    """Messages are written many at a time, so the key of a request stands for the client id of its message."""
    key = request.headers.get("idempotency-key")
    if key is None or body.client_id is not None:
        return body
    return body.model_copy(update={"client_id": f"key-{hashlib.sha256(key.encode()).hexdigest()[:32]}"})


@router.patch(
    "/{channel_id}/messages/{message_id}",
    status_code=204,
    summary="Change what you said",
    responses=ERRORS,
    dependencies=[limited("chat.write", 240, 60)],
)
async def edit_message(
    channel_id: UUID, message_id: UUID, body: MessageChanges, db: WriteDB, actor: CurrentUser
) -> None:
    """What it said before is kept."""
    await changes.edit_message(db, actor, channel_id, message_id=message_id, text=body.text)


@router.delete("/{channel_id}/messages/{message_id}", status_code=204, summary="Delete a message", responses=ERRORS)
async def delete_message(channel_id: UUID, message_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """Your own; moderators can delete everybody's. Its place stays, without a text."""
    await changes.delete_message(db, actor, channel_id, message_id=message_id)


@router.get("/{channel_id}/messages/{message_id}/revisions", summary="What a message said before", responses=ERRORS)
async def list_message_revisions(
    channel_id: UUID, message_id: UUID, db: ReadDB, actor: CurrentUser, page: Paged
) -> Page[Revision]:
    """The latest first."""
    return await history.list_revisions(db, actor, channel_id, message_id, page)


@router.put(
    "/{channel_id}/messages/{message_id}/reactions/{emoji}",
    status_code=204,
    summary="React to a message",
    responses=problems(Unauthorized, Forbidden, NotFound, TooManyReactions),
    dependencies=[limited("chat.write", 240, 60)],
)
async def add_reaction(
    channel_id: UUID, message_id: UUID, emoji: Annotated[Emoji, Path()], db: WriteDB, actor: CurrentUser
) -> None:
    """An emoji, or a `:name:`. Again, nothing changes."""
    await changes.react(db, actor, channel_id, message_id=message_id, emoji=emoji, active=True)


@router.delete(
    "/{channel_id}/messages/{message_id}/reactions/{emoji}",
    status_code=204,
    summary="Take a reaction back",
    responses=ERRORS,
    dependencies=[limited("chat.write", 240, 60)],
)
async def remove_reaction(
    channel_id: UUID, message_id: UUID, emoji: Annotated[Emoji, Path()], db: WriteDB, actor: CurrentUser
) -> None:
    """Yours; without one nothing changes."""
    await changes.react(db, actor, channel_id, message_id=message_id, emoji=emoji, active=False)


@router.get("/{channel_id}/search", summary="Search messages", responses=ERRORS)
async def search_messages(
    channel_id: UUID,
    db: ReadDB,
    actor: CurrentUser,
    page: Paged,
    q: Annotated[str, Query(min_length=1, max_length=100, examples=["bass line"])],
) -> Page[SearchHit]:
    """Messages with words that begin like these, the newest first. Case and accents do not matter."""
    return await history.search_messages(db, actor, channel_id, page, query=q)


@router.get("/{channel_id}/present", summary="Who is here", responses=ERRORS)
async def list_present_people(channel_id: UUID, db: ReadDB, actor: CurrentUser) -> list[PersonCard]:
    """Everybody with an open socket, at most 1,000."""
    return await history.list_present(db, actor, channel_id)


@router.get("/{channel_id}/read", summary="How far you have read", responses=ERRORS)
async def get_read_state(channel_id: UUID, db: ReadDB, actor: CurrentUser) -> ReadState:
    """With the number of messages after that."""
    return await history.get_read_state(db, actor, channel_id)


@router.put("/{channel_id}/read", summary="You have read this far", responses=ERRORS)
async def mark_channel_read(channel_id: UUID, body: ReadInput, db: WriteDB, actor: CurrentUser) -> ReadState:
    """Only forward."""
    await history.enter(db, actor, channel_id)
    await reading.mark_read(db, channel_id, actor.user_id, body.sequence)
    return await history.get_read_state(db, actor, channel_id)


@router.put("/{channel_id}/mute", summary="Switch its notifications off, or on", responses=ERRORS)
async def mute_channel(channel_id: UUID, body: MuteInput, db: WriteDB, actor: CurrentUser) -> ReadState:
    """Mentions of you in a muted channel are not notified."""
    await history.enter(db, actor, channel_id)
    await reading.set_muted(db, channel_id, actor.user_id, muted=body.muted)
    return await history.get_read_state(db, actor, channel_id)


@conversations.get("", summary="Your conversations", responses=problems(Unauthorized, Forbidden))
async def list_conversations(db: ReadDB, actor: CurrentUser, page: Paged) -> Page[ConversationItem]:
    """The one with the newest message first; those without a message are left out."""
    return await direct.list_conversations(db, actor, page)


@conversations.get(
    "/unread-count", summary="Count what is unread in conversations", responses=problems(Unauthorized, Forbidden)
)
async def get_direct_unread_count(db: ReadDB, actor: CurrentUser) -> DirectUnread:
    """In all of them together, without those that you muted."""
    return await direct.count_unread(db, actor)


@conversations.put(
    "/{username}",
    summary="The conversation with a person",
    responses=problems(Unauthorized, Forbidden, NotFound, Invalid),
    dependencies=[limited("direct.open", 60, 60)],
)
async def open_conversation(
    username: Annotated[str, Path(pattern=USERNAME, examples=["bruno"])], db: WriteDB, actor: CurrentUser
) -> ConversationItem:
    """Begins one if there is none. Its messages are at `/chat/{id}/messages`, its socket at `/ws/direct/{id}`."""
    return await direct.open_conversation(db, actor, username)
