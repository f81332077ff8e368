"""Shapes of messages."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from app.core.schemas import Id, Input, Output, Prose, Timestamp
from app.users.schemas import PersonCard, Username

__all__ = [
    "ClientId",
    "ConversationItem",
    "DirectUnread",
    "Emoji",
    "InvitationInput",
    "InvitationItem",
    "LastMessage",
    "MessageChanges",
    "MessageInput",
    "MessageText",
    "MessageView",
    "MuteInput",
    "Quote",
    "ReactionCount",
    "ReadInput",
    "ReadState",
    "Revision",
    "RoomMessage",
    "SearchHit",
]

ClientId = Annotated[
    str,
    Field(
        pattern=r"^[\x21-\x7e]{1,64}$",
        description="Yours, new for each message: one that is sent again under it is not taken twice",
        examples=["c-1"],
    ),
]
MessageText = Annotated[Prose, Field(min_length=1, max_length=2000, examples=["What a bass line!"])]
PictureKey = Annotated[
    str,
    Field(
        pattern=r"^chat/[\w.-]{1,80}$",
        description="of a picture that you stored for a message in this channel; each is shown once",
        examples=["chat/5d1f0c6e9a3b47e28c0d1f3a.webp"],
    ),
]
Emoji = Annotated[str, Field(pattern=r"^[^\x00-\x7f]{1,16}$|^:[a-z0-9_+-]{1,30}:$", examples=["🔥"])]


class Quote(Output):
    """The message that is answered, as it was then. The text is null when it was deleted."""

    id: UUID
    author_id: UUID | None
    text: str | None


class ReactionCount(Output):
    """An emoji under a message, and who put it there, the first one first."""

    emoji: str
    count: int
    user_ids: list[UUID]


class MessageView(Output):
    """A message. Deleted ones keep their place without a text."""

    id: UUID
    sequence: int
    author: PersonCard | None
    text: str | None
    client_id: str | None
    reply_to: Quote | None
    mentions: list[UUID]
    track_id: UUID | None
    review_id: UUID | None
    image_key: str | None
    reactions: list[ReactionCount]
    created_at: Timestamp
    edited_at: Timestamp | None
    deleted: bool


class Revision(Output):
    """What a message said, and until when."""

    text: str
    replaced_at: Timestamp


class RoomMessage(Output):
    """A message as the clients of earlier servers know it, with its number in the channel."""

    id: UUID
    text: str
    user_id: UUID | None
    room_id: UUID
    created_at: Timestamp
    sequence: int


class SearchHit(MessageView):
    """A message that was found, and where."""

    channel_id: UUID


class MessageInput(Input):
    """A new message. It may share a track, a review or a picture, and then do without a text."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "What a bass line!", "client_id": "c-1"}]})

    client_id: ClientId | None = None
    reply_to_id: Id | None = None
    track_id: Id | None = None
    review_id: Id | None = None
    image_key: PictureKey | None = None
    text: Annotated[Prose, Field(max_length=2000, validate_default=True, examples=["What a bass line!"])] = ""

    @field_validator("text")
    @classmethod
    def _says_something(cls, text: str, info: ValidationInfo) -> str:
        if not text and not any(info.data.get(name) for name in ("track_id", "review_id", "image_key")):
            raise ValueError("say something, or share a track, a review or a picture")
        return text


class MessageChanges(Input):
    """What the message says instead."""

    text: MessageText


class InvitationInput(Input):
    """Whom to invite."""

    username: Username


class InvitationItem(Output):
    """An invitation that waits for an answer."""

    id: UUID
    user: PersonCard
    invited_by: PersonCard | None
    created_at: Timestamp
    expires_at: Timestamp


class ReadInput(Input):
    """How far the person has read."""

    sequence: Annotated[int, Field(ge=0, le=2**53, examples=[12])]


class MuteInput(Input):
    """Whether mentions in this channel are to be notified."""

    muted: Annotated[bool, Field(examples=[True])]


class ReadState(Output):
    """How far the person has read, and how many messages came after."""

    channel_id: UUID
    sequence: int
    unread_count: int
    muted: bool


class LastMessage(Output):
    """The newest message of a conversation. The text is null where it was deleted, and empty where it only shares."""

    id: UUID
    sequence: int
    author_id: UUID | None
    text: str | None
    track_id: UUID | None
    review_id: UUID | None
    image_key: str | None
    created_at: Timestamp


class ConversationItem(Output):
    """A conversation: with whom, its newest message, and how far each of you has read."""

    id: UUID
    kind: Literal["room", "group", "direct"]
    partner: PersonCard | None
    unread_count: int
    muted: bool
    last_sequence: int
    last_message_at: Timestamp | None
    last_message: LastMessage | None
    partner_read_sequence: int = Field(description="They have read up to this message")


class DirectUnread(Output):
    """How many messages of all your conversations you have not read, and of how many conversations they are."""

    unread_count: int
    conversation_count: int
