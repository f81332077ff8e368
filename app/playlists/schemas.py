"""Shapes of playlists as they are read."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from app.catalog.schemas import AlbumRef, ArtistRef
from app.core.schemas import Output, Timestamp
from app.users.schemas import PersonCard

__all__ = [
    "Action",
    "ActivityItem",
    "EntriesAdded",
    "EntriesRemoved",
    "EntryItem",
    "EntryTrack",
    "Kind",
    "LikedPlaylist",
    "LiveEntry",
    "MemberItem",
    "MyPlaylist",
    "PlaylistDetail",
    "PlaylistInvite",
    "PlaylistItem",
    "PlaylistSort",
    "PlaylistState",
    "PlaylistVersion",
    "PreviewedTracks",
    "Role",
    "SavedEntry",
    "Visibility",
]

Visibility = Literal["public", "private"]
Kind = Literal["manual", "smart"]
Role = Literal["owner", "editor", "viewer"]
PlaylistSort = Literal["new", "popular"]
Action = Literal["create", "update", "add", "remove", "move", "match", "join", "leave", "role", "owner"]


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
    """A playlist in a list. `owner` is null if one of you blocks the other, or the account is gone.

    In lists, a smart one has the numbers from when its rules were set; the first 20 of `mine` and `liked` those of now.
    """

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
    """An entry as sockets know it: as everybody may see it, so that one event does for all.

    `title` to `duration_ms` are what was said of it when it was added; `track` is null where the catalogue has no such
    track, or not any more. `hidden`: a recording that is not public; whoever may hear it finds it by REST.
    """

    id: UUID
    track: EntryTrack | None
    title: str
    artist: str
    album: str | None
    duration_ms: int | None
    hidden: bool
    added_by_id: UUID | None
    added_at: Timestamp


class EntryItem(Output):
    """An entry of a playlist. `track` is null where the catalogue has no such track: the rest is what is known.

    `hidden`: somebody's recording that you may not hear, of which nothing is said.
    """

    id: UUID
    track: EntryTrack | None
    title: str
    artist: str
    album: str | None
    duration_ms: int | None
    hidden: bool
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


class PreviewedTracks(Output):
    """What rules choose now: the first 50, and how many there are."""

    items: list[EntryTrack]
    track_count: int


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
    """What somebody did. With a `count` above one, `title` and `track_id` are those of the first.

    `actor` and `person` are null if one of you blocks the other, or the account is gone.
    """

    id: UUID
    actor: PersonCard | None
    action: Action
    person: PersonCard | None = Field(description="Who came, left, or has another role: of `join` to `owner`")
    title: str | None = Field(description="Of a track or the playlist; where there is a `person`, their username")
    track_id: UUID | None
    count: int
    created_at: Timestamp
