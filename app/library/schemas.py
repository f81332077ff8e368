"""Shapes of what people hear."""

from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.catalog.schemas import ArtistRef, TrackCard
from app.core.schemas import Id, Input, Line, Moment, Output, Timestamp
from app.playlists.inputs import Description, Name
from app.playlists.schemas import Visibility

__all__ = [
    "HeardGenre",
    "KeptEvening",
    "KnownTrack",
    "ListenBatch",
    "ListenItem",
    "ListeningStats",
    "NewListen",
    "NowPlaying",
    "NowPlayingInput",
    "NowPlayingState",
    "Period",
    "RecentTrack",
    "RecentTracks",
    "RecordedListens",
    "Source",
    "TopEntry",
    "TopKind",
    "TopList",
]

Source = Literal["room", "stream", "spotify", "listenbrainz", "lastfm", "subsonic", "import", "manual"]
TopKind = Literal["artists", "albums", "tracks"]
Period = Literal["week", "month", "year", "all"]
TRACK = "01956ec6-f700-73a5-8c43-4797e00d8474"


class ListenItem(Output):
    """A track that was heard, from `listened_at` on. `source` says who told us, `client` with which program."""

    id: UUID
    track: TrackCard
    listened_at: Timestamp
    source: Source
    client: str | None
    played_ms: int | None


class NewListen(Input):
    """Something heard. `listened_at` is when the track began; fractions of a second are dropped."""

    track_id: Id = Field(examples=[TRACK])
    listened_at: Moment
    played_ms: int | None = Field(default=None, ge=0, le=86_400_000, description="How much of it was heard")
    client: Line | None = Field(default=None, min_length=1, max_length=60, examples=["Kitchen radio"])


class ListenBatch(Input):
    """One or many listens."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"listens": [{"track_id": TRACK, "listened_at": "2026-05-01T20:15:00Z"}]}]}
    )

    listens: list[NewListen] = Field(min_length=1, max_length=100)


class RecordedListens(Output):
    """Those that are new, the latest first; `known` were there already, from whichever source."""

    listens: list[ListenItem]
    known: int


class ListeningStats(Output):
    """How much a person has heard, and between which moments."""

    listen_count: int
    first_listened_at: Timestamp | None
    last_listened_at: Timestamp | None


class TopEntry(Output):
    """An artist, an album or a track, and how often it was heard. `artist` is null where the entry is one."""

    id: UUID
    title: str
    artist: ArtistRef | None
    image_key: str | None
    listen_count: int


class TopList(Output):
    """What a person heard most, from `since` (null: from the first listen) until now."""

    kind: TopKind
    range: Period
    since: Timestamp | None
    items: list[TopEntry]


class RecentTrack(Output):
    """A track, and when the person last began to hear it."""

    track: TrackCard
    listened_at: Timestamp


class RecentTracks(Output):
    """What a person heard of late, each track once, the last one first."""

    items: list[RecentTrack]


class NowPlayingInput(Input):
    """What begins to play, or goes on from `position_ms`."""

    track_id: Id = Field(examples=[TRACK])
    position_ms: int = Field(default=0, ge=0, le=86_400_000)
    client: Line | None = Field(default=None, min_length=1, max_length=60, examples=["Kitchen radio"])


class NowPlaying(Output):
    """A track that sounds now. It began at `started_at`, and is forgotten at `expires_at` unless it is told again."""

    track: TrackCard
    source: Source
    client: str | None
    started_at: Timestamp
    expires_at: Timestamp


class NowPlayingState(Output):
    """`playing` is null while nothing plays."""

    playing: NowPlaying | None


class KnownTrack(Output):
    """A track that was named, and the one that it stands for: itself, unless it was a duplicate."""

    named_id: UUID
    track_id: UUID
    duration_ms: int | None
    is_public: bool


class HeardGenre(Output):
    """A genre that a person heard, and how often of late."""

    user_id: UUID
    genre: str
    listen_count: int


class KeptEvening(Input):
    """A playlist to make of what a room played. What was skipped is left out, and each track comes once, unless you
    want it otherwise.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Late night jazz, Friday"}]})

    name: Name
    description: Description = ""
    visibility: Visibility = "private"
    since: Moment | None = None
    until: Moment | None = None
    skipped: bool = False
    repeats: bool = False
