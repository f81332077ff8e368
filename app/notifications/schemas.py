"""Shapes of notifications."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.core.schemas import Input, Output, Timestamp
from app.users.schemas import PersonCard

__all__ = [
    "InboxState",
    "NotedAlbum",
    "NotedComment",
    "NotedGroup",
    "NotedInvite",
    "NotedMessage",
    "NotedPlaylist",
    "NotedPlaylistInvite",
    "NotedReview",
    "NotedRoom",
    "NotedRoomInvite",
    "NotedTrack",
    "NotificationEvent",
    "NotificationItem",
    "Preference",
    "PreferenceChanges",
    "Preferences",
    "UnreadCount",
]

_KindName = Annotated[str, Field(pattern=r"^[a-z_]{1,50}$")]


class NotedAlbum(Output):
    """The album of the review that it is about."""

    id: UUID
    title: str
    artist: str
    cover_key: str | None


class NotedReview(Output):
    """The review that it is about."""

    id: UUID
    album: NotedAlbum


class NotedTrack(Output):
    """The track that it is about."""

    id: UUID
    title: str
    artist: str


class NotedComment(Output):
    """The comment that it is about. `excerpt` is its beginning."""

    id: UUID
    excerpt: str


class NotedMessage(Output):
    """The message that it is about, and where it was said. `excerpt` is its beginning."""

    id: UUID
    channel_id: UUID
    channel_kind: str
    excerpt: str


class NotedGroup(Output):
    """The group to which you are invited."""

    id: UUID
    name: str
    cover_key: str | None


class NotedInvite(Output):
    """The invitation, and whether you have answered it."""

    id: UUID
    status: Literal["pending", "accepted", "declined"]
    expires_at: Timestamp
    group: NotedGroup


class NotedPlaylist(Output):
    """The playlist to which you are invited."""

    id: UUID
    name: str
    cover_key: str | None


class NotedPlaylistInvite(Output):
    """The invitation, and whether you have accepted it."""

    role: Literal["owner", "editor", "viewer"]
    state: Literal["invited", "accepted"]
    playlist: NotedPlaylist


class NotedRoom(Output):
    """The room to which you are invited."""

    id: UUID
    name: str


class NotedRoomInvite(Output):
    """The invitation, and whether you have answered it."""

    id: UUID
    status: Literal["pending", "accepted", "declined"]
    expires_at: Timestamp
    room: NotedRoom


class NotificationItem(Output):
    """What somebody did. `number` counts a person's notifications in the order in which they came.

    `review`, `track`, `comment`, `message`, `group_invite`, `playlist_invite` and `room_invite` are null where there is
    none, or where you can no longer see it.
    """

    id: UUID
    number: int
    kind: str = Field(examples=["like"])
    created_at: Timestamp
    read_at: Timestamp | None
    actor: PersonCard
    review: NotedReview | None
    comment: NotedComment | None
    track: NotedTrack | None
    message: NotedMessage | None
    group_invite: NotedInvite | None
    playlist_invite: NotedPlaylistInvite | None
    room_invite: NotedRoomInvite | None


class UnreadCount(Output):
    """How many notifications are unread now."""

    unread_count: int


class NotificationEvent(NotificationItem, UnreadCount):
    """A notification as the stream tells it: an item of the list, and how many are unread now."""


class InboxState(UnreadCount):
    """The counters, and one of the notifications that follow the number asked for, if there are any."""

    version: int
    last_number: int
    item: NotificationItem | None


class Preference(Output):
    """Whether you are notified of this kind."""

    kind: str = Field(examples=["like"])
    title: str = Field(examples=["Likes of your reviews and comments"])
    enabled: bool


class Preferences(Output):
    """Every kind of notifications."""

    items: list[Preference]


class PreferenceChanges(Input):
    """Kinds to switch on or off; those that are not named stay as they are."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"kinds": {"like": False}}]})

    kinds: Annotated[dict[_KindName, bool], Field(max_length=100)]
