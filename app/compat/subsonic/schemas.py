"""Rows of the library as a Subsonic client sees it: what has a recording that the person may hear."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from app.core.schemas import Output

__all__ = [
    "AlbumRow",
    "ArtistRow",
    "GenreRow",
    "ListRow",
    "LyricsRow",
    "PersonRow",
    "PlayerRow",
    "QueueRow",
    "SongRow",
    "ThingRow",
]


class SongRow(Output):
    """A track. One without an album stands among the single tracks of its artist."""

    id: UUID
    title: str
    artist_id: UUID
    artist: str
    album_id: UUID | None
    album: str | None
    album_artist_id: UUID
    album_artist: str
    disc: int
    position: int | None
    year: int | None
    genres: list[str]
    cover_key: str | None
    duration_ms: int | None
    audio_type: str
    size: int | None
    bitrate: int | None
    sample_rate: int | None
    channels: int | None
    tempo: float | None
    isrc: str | None
    musicbrainz_id: UUID | None
    created_at: datetime
    starred_at: datetime | None
    rating: int | None


class AlbumRow(Output):
    """An album with what can be heard of it, or the single tracks of an artist: then it has no id of its own."""

    id: UUID | None
    title: str | None
    artist_id: UUID
    artist: str
    year: int | None
    genres: list[str]
    cover_key: str | None
    song_count: int
    duration_ms: int
    created_at: datetime
    mean: float | None
    musicbrainz_id: UUID | None
    starred_at: datetime | None
    rating: int | None


class ArtistRow(Output):
    """An artist, and how many albums of theirs can be heard."""

    id: UUID
    name: str
    name_key: str
    image_key: str | None
    album_count: int
    changed_at: datetime
    musicbrainz_id: UUID | None
    starred_at: datetime | None
    rating: int | None


class GenreRow(Output):
    """A genre, and how much of it can be heard."""

    name: str
    song_count: int
    album_count: int


class ThingRow(Output):
    """What an id is of."""

    id: UUID
    kind: Literal["artist", "album", "track", "playlist"]
    picture_key: str | None


class ListRow(Output):
    """How much of a playlist can be heard."""

    playlist_id: UUID
    song_count: int
    duration_ms: int


class LengthRow(Output):
    """A track that can be heard."""

    id: UUID
    duration_ms: int | None


class LyricsRow(Output):
    """The words of a song as its file has them."""

    title: str
    artist: str
    lyrics: str | None


class PersonRow(Output):
    """A person by name."""

    id: UUID
    username: str
    role: str
    avatar_key: str | None


class PlayerRow(Output):
    """Somebody whose player may be looked at."""

    id: UUID
    username: str


class QueueRow(Output):
    """Where a person left off."""

    username: str
    track_ids: list[UUID]
    current: int | None
    position_ms: int
    changed_at: datetime
    changed_by: str
