"""Shapes of playlists."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.catalog.schemas import AlbumRef, ArtistRef
from app.core.schemas import Id, Input, Line, Output, Prose, Timestamp
from app.users.schemas import PersonCard, Username

__all__ = [
    "Action",
    "ActivityItem",
    "CopyInput",
    "EntriesAdded",
    "EntriesInput",
    "EntriesRemoved",
    "EntryIds",
    "EntryItem",
    "EntryMatch",
    "EntryTrack",
    "InviteInput",
    "Kind",
    "LikedPlaylist",
    "LiveEntry",
    "MemberItem",
    "MoveInput",
    "MyPlaylist",
    "OwnerInput",
    "PlaceholderInput",
    "PlaylistChanges",
    "PlaylistDetail",
    "PlaylistInput",
    "PlaylistInvite",
    "PlaylistItem",
    "PlaylistSort",
    "PlaylistState",
    "PlaylistVersion",
    "Role",
    "RoleInput",
    "SavedEntry",
    "Visibility",
]

MOST_ENTRIES = 10_000
MOST_AT_ONCE = 500

Visibility = Literal["public", "private"]
Kind = Literal["manual", "smart"]
Role = Literal["owner", "editor", "viewer"]
Assignable = Literal["editor", "viewer"]
PlaylistSort = Literal["new", "popular"]
Action = Literal["create", "update", "add", "remove", "move", "match", "join", "leave", "role", "owner"]

Name = Annotated[Line, Field(min_length=1, max_length=100, examples=["Sunday, slowly"])]
Description = Annotated[Prose, Field(max_length=1000, examples=["For the hour in which the coffee works."])]
Position = Annotated[int, Field(ge=0, le=MOST_ENTRIES)]
Version = Annotated[int, Field(ge=0, description="The `version` that you know: if there is a newer one, you get 409")]
Words = Annotated[Line, Field(min_length=1, max_length=500)]


class PlaylistState(Output):
    """A playlist as its sockets know it: nothing in it changes without an event."""

    id: UUID
    name: str
    description: str
    visibility: Visibility
    kind: Kind
    rules: dict[str, Any] | None = Field(description="What a smart playlist chooses by")
    cover_key: str | None
    owner_id: UUID | None
    track_count: int
    duration_ms: int
    version: int = Field(description="Grows with every change")
    created_at: Timestamp
    updated_at: Timestamp


class PlaylistItem(Output):
    """A playlist in a list. `owner` is null if one of you blocks the other, or the account is gone."""

    id: UUID
    name: str
    description: str
    visibility: Visibility
    kind: Kind
    cover_key: str | None
    owner: PersonCard | None
    track_count: int
    duration_ms: int
    like_count: int
    version: int
    created_at: Timestamp
    updated_at: Timestamp


class MyPlaylist(PlaylistItem):
    """A playlist that you own, or to which you belong."""

    role: Role


class LikedPlaylist(PlaylistItem):
    """A playlist that you like."""

    liked_at: Timestamp


class PlaylistDetail(PlaylistItem):
    """A playlist. `role` is yours, null if you only read it; `invited_as` is what you are invited to be."""

    owner_id: UUID | None
    rules: dict[str, Any] | None = Field(description="What a smart playlist chooses by")
    role: Role | None
    invited_as: Role | None
    liked: bool


class EntryTrack(Output):
    """The track of an entry."""

    id: UUID
    title: str
    artist: ArtistRef
    album: AlbumRef | None
    duration_ms: int | None


class LiveEntry(Output):
    """An entry as sockets know it.

    `title` to `duration_ms` are what was said of it when it was added; `track` is null where the catalogue has no such
    track, or not any more.
    """

    id: UUID
    track: EntryTrack | None
    title: str
    artist: str
    album: str | None
    duration_ms: int | None
    added_by_id: UUID | None
    added_at: Timestamp


class EntryItem(Output):
    """An entry of a playlist. `track` is null where the catalogue has no such track: the rest is what is known."""

    id: UUID
    track: EntryTrack | None
    title: str
    artist: str
    album: str | None
    duration_ms: int | None
    added_by: PersonCard | None
    added_at: Timestamp


class SavedEntry(Output):
    """An entry with everything by which a track can be recognised elsewhere: what is written into files."""

    id: UUID
    track_id: UUID | None
    artist_id: UUID | None
    album_id: UUID | None
    title: str
    artist: str
    album: str | None
    duration_ms: int | None
    cover_key: str | None
    isrc: str | None
    musicbrainz_id: UUID | None
    spotify_id: str | None
    location: str | None
    added_by: str | None
    added_at: datetime


class PlaylistVersion(Output):
    """How the playlist stands after a change."""

    version: int
    track_count: int
    duration_ms: int


class EntriesAdded(PlaylistVersion):
    """What was added, in its order. Tracks that were left out as known already have no entry."""

    entry_ids: list[UUID]


class EntriesRemoved(PlaylistVersion):
    """How many entries were there to be removed."""

    removed: int


class MemberItem(Output):
    """Somebody who belongs to a playlist, or is invited to."""

    user: PersonCard
    role: Role
    state: Literal["invited", "accepted"]
    joined_at: Timestamp | None


class PlaylistInvite(Output):
    """You are invited to a playlist."""

    playlist: PlaylistItem
    role: Role
    invited_by: PersonCard | None
    created_at: Timestamp


class ActivityItem(Output):
    """What somebody did. With a `count` above one, `title` and `track_id` are those of the first."""

    id: UUID
    actor: PersonCard | None
    action: Action
    title: str | None
    track_id: UUID | None
    count: int
    created_at: Timestamp


class PlaylistChanges(Input):
    """What to change; what is left out stays. A smart playlist takes new `rules`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"description": "Before anybody else is up."}]})

    name: Name = Field(default_factory=str)
    description: Description = Field(default_factory=str)
    visibility: Visibility = Field(default_factory=lambda: "private")


class PlaylistInput(Input):
    """A new playlist. It is yours. With `rules` it is a smart one, which is filled by them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Sunday, slowly", "visibility": "public"}]})

    name: Name
    description: Description = ""
    visibility: Visibility = "private"


class PlaceholderInput(Input):
    """Something that the catalogue does not have: it keeps its place, and can be matched with a track later."""

    title: Words
    artist: Words
    album: Words | None = None
    duration_ms: Annotated[int, Field(gt=0, le=86_400_000)] | None = None
    isrc: Annotated[str, Field(pattern=r"^[A-Z]{2}[A-Z0-9]{3}\d{7}$")] | None = None


class EntriesInput(Input):
    """Tracks of the catalogue, or placeholders for what it does not have: one of the two, 500 at most."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"track_ids": ["01956ec6-fa60-76d3-9f8d-5491f3360b6b"], "at": 0}]}
    )

    track_ids: Annotated[list[Id], Field(min_length=1, max_length=MOST_AT_ONCE)] | None = None
    placeholders: Annotated[list[PlaceholderInput], Field(min_length=1, max_length=MOST_AT_ONCE)] | None = None
    at: Annotated[Position, Field(description="Where the first comes to stand; left out: at the end")] | None = None
    skip_known: Annotated[bool, Field(description="Leaves out tracks that are there already")] = False
    version: Version | None = None


class EntryIds(Input):
    """What to remove. What is not there any more is passed over."""

    entry_ids: Annotated[
        list[Id], Field(min_length=1, max_length=MOST_AT_ONCE, examples=[["01956ec6-fa60-76d3-9f8d-5491f3360b6b"]])
    ]
    version: Version | None = None


class MoveInput(Input):
    """A range of entries, by the place of the first or by its id, and where the first comes to stand."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"start": 0, "length": 2, "to": 3}]})

    start: Position | None = None
    entry_id: Id | None = None
    length: Annotated[int, Field(ge=1, le=MOST_ENTRIES)] = 1
    to: Annotated[Position, Field(description="The place of the first of them afterwards")]
    version: Version | None = None


class EntryMatch(Input):
    """The track that an entry means; null makes it a placeholder again."""

    track_id: Id | None = Field(examples=["01956ec6-fa60-76d3-9f8d-5491f3360b6b"])


class CopyInput(Input):
    """What the copy is called; left out: as the original. `frozen` makes of a smart playlist the list that it is now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Mine now"}]})

    name: Name | None = None
    frozen: bool = False


class InviteInput(Input):
    """Whom to invite, and as what: editors change what is in it, viewers see it though it is private."""

    username: Username
    role: Assignable = "editor"


class RoleInput(Input):
    """The role that a member is to have."""

    role: Assignable = Field(examples=["viewer"])


class OwnerInput(Input):
    """The member to whom the playlist is to belong."""

    user_id: Id = Field(examples=["0197a5c2-7f3e-7000-8000-000000000001"])
