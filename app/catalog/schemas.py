"""Shapes of the catalogue as it is read."""

from datetime import date
from typing import Literal
from uuid import UUID

from app.core.schemas import Output, Timestamp
from app.users.schemas import PersonCard

__all__ = [
    "AlbumCard",
    "AlbumDetails",
    "AlbumRef",
    "AlbumTrack",
    "AlbumTracks",
    "ArtistCard",
    "ArtistDetails",
    "ArtistRef",
    "AudioFeatures",
    "GenreCount",
    "Hearing",
    "Identified",
    "Kind",
    "KnownWord",
    "Library",
    "LikeCount",
    "LikedAlbum",
    "LikedTrack",
    "Namesake",
    "Place",
    "Ratings",
    "SearchHit",
    "SearchResults",
    "TrackCard",
    "TrackDetails",
    "Visibility",
]

Kind = Literal["artist", "album", "track", "person"]
Visibility = Literal["public", "followers", "private"]
"""Who may hear what somebody uploaded. What is of the catalogue is public."""


class ArtistRef(Output):
    """An artist beside a work of theirs."""

    id: UUID
    name: str


class AlbumRef(Output):
    """An album beside one of its tracks."""

    id: UUID
    title: str
    year: int | None
    cover_key: str | None


class ArtistCard(Output):
    """An artist in a list."""

    id: UUID
    name: str
    genres: list[str]
    image_key: str | None
    album_count: int


class ArtistDetails(ArtistCard):
    """An artist's page; the albums are a list of their own."""

    spotify_id: str | None
    musicbrainz_id: UUID | None
    created_at: Timestamp


class AlbumCard(Output):
    """An album in a list. `mean_rating` counts half stars, 1 to 10."""

    id: UUID
    title: str
    artist: ArtistRef
    year: int | None
    genres: list[str]
    cover_key: str | None
    track_count: int
    review_count: int
    mean_rating: float | None
    like_count: int


class Ratings(Output):
    """How an album was rated, in half stars: `histogram[0]` counts the ones, `histogram[9]` the tens."""

    count: int
    mean: float | None
    histogram: list[int]


class AlbumTrack(Output):
    """A track at its place on the album."""

    id: UUID
    title: str
    artist: ArtistRef
    disc: int
    position: int | None
    duration_ms: int | None
    like_count: int
    liked: bool


class AlbumDetails(Output):
    """An album's page. `liked` is about the one who reads."""

    id: UUID
    title: str
    artist: ArtistRef
    year: int | None
    release_date: date | None
    label: str | None
    genres: list[str]
    cover_key: str | None
    spotify_id: str | None
    musicbrainz_id: UUID | None
    track_count: int
    duration_ms: int
    tracks: list[AlbumTrack]
    ratings: Ratings
    like_count: int
    liked: bool
    created_at: Timestamp


class AlbumTracks(Output):
    """The tracks of an album in their order."""

    items: list[AlbumTrack]


class AudioFeatures(Output):
    """What a track sounds like: valence and energy from 0 to 1, tempo in beats a minute."""

    valence: float | None
    energy: float | None
    tempo: float | None


class TrackCard(Output):
    """A track in a list."""

    id: UUID
    title: str
    artist: ArtistRef
    album: AlbumRef | None
    duration_ms: int | None
    like_count: int


class TrackDetails(TrackCard):
    """A track's page. `media_url` is where its recording can be heard for some hours, without a token."""

    disc: int
    position: int | None
    year: int | None
    genres: list[str]
    isrc: str | None
    spotify_id: str | None
    musicbrainz_id: UUID | None
    popularity: int | None
    features: AudioFeatures
    play_count: int
    comment_count: int
    liked: bool
    created_at: Timestamp
    visibility: Visibility
    owner: PersonCard | None
    audio_type: str | None
    media_url: str | None


class Place(Output):
    """Whether something is there, and what stays in place of it if it was a duplicate."""

    id: UUID
    kept_id: UUID | None


class Hearing(Output):
    """A track that a person may hear."""

    person_id: UUID | None
    track_id: UUID


class Library(Output):
    """A person, and whether they let the viewer see what they like."""

    user_id: UUID
    is_open: bool


class GenreCount(Output):
    """A genre and how much there is of it."""

    name: str
    album_count: int
    track_count: int


class LikedAlbum(AlbumCard):
    """An album that a person likes."""

    liked_at: Timestamp


class LikedTrack(TrackCard):
    """A track that a person likes."""

    liked_at: Timestamp


class LikeCount(Output):
    """How many people like it."""

    like_count: int


class SearchHit(Output):
    """Something found, with what is needed to draw it. `subtitle` is the artist's name, or a person's username."""

    kind: Kind
    id: UUID
    title: str
    subtitle: str | None
    image_key: str | None
    year: int | None


class SearchResults(Output):
    """The best hits first. `corrected` is what was searched for where the words as typed led nowhere."""

    items: list[SearchHit]
    corrected: str | None


class KnownWord(Output):
    """A word of the index."""

    word: str
    documents: int


class Identified(Output):
    """A track that is known by an id of somebody's."""

    kind: str
    value: str
    id: UUID


class Namesake(Output):
    """A track that is called as one that somebody looks for: `number` says which of them."""

    number: int
    id: UUID
    duration_ms: int | None
    album_key: str | None
    like_count: int
    uploaded: bool
