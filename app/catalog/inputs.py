"""Shapes of what is written into the catalogue."""

from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field

from app.core.examples import ARTIST, TRACKS
from app.core.ids import uuid7
from app.core.schemas import Id, Input, Line

__all__ = [
    "AlbumChanges",
    "AlbumInput",
    "AlbumTrackInput",
    "ArtistChanges",
    "ArtistInput",
    "Merge",
    "TrackChanges",
    "TrackInput",
    "TrackOrder",
    "TrackPlace",
]


def _genres(names: list[str]) -> list[str]:
    return list(dict.fromkeys(name.casefold() for name in names))


def _once_each(tracks: list[Any]) -> list[Any]:
    for field in ("isrc", "spotify_id", "musicbrainz_id"):
        given = [value for track in tracks if (value := getattr(track, field)) is not None]
        if len(given) != len(set(given)):
            raise ValueError(f"two tracks have the same {field}")
    return tracks


Name = Annotated[Line, Field(min_length=1, max_length=300)]
Label = Annotated[Line, Field(min_length=1, max_length=200, examples=["Apple"])]
Genres = Annotated[
    list[Annotated[Line, Field(min_length=1, max_length=60)]], Field(max_length=20), AfterValidator(_genres)
]
SpotifyId = Annotated[str, Field(pattern=r"^[0-9A-Za-z]{22}$", examples=["0ETFjACtuP2ADo6LFhL6HN"])]
Isrc = Annotated[
    str, Field(pattern=r"^[A-Z]{2}[A-Z0-9]{3}[0-9]{7}$", description="without hyphens", examples=["GBAYE0601690"])
]
Year = Annotated[int, Field(ge=1000, le=2100, examples=[1969])]
Day = Annotated[date, Field(strict=False, examples=["1969-09-26"])]
Milliseconds = Annotated[int, Field(ge=1, le=24 * 3600 * 1000, examples=[259_000])]
Disc = Annotated[int, Field(ge=1, le=99)]
Position = Annotated[int, Field(ge=1, le=999)]
Popularity = Annotated[int, Field(ge=0, le=100)]


class ArtistInput(Input):
    """A new artist."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Cannonball Adderley", "genres": ["jazz", "hard bop"]}]}
    )

    name: Annotated[Name, Field(examples=["The Beatles"])]
    genres: Genres = Field(default_factory=list)
    spotify_id: SpotifyId | None = None
    musicbrainz_id: Id | None = None


class ArtistChanges(Input):
    """What is to change of an artist; what is not given stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"genres": ["jazz", "cool jazz", "modal jazz"]}]})

    name: Name = Field(default_factory=str)
    genres: Genres = Field(default_factory=list)
    spotify_id: SpotifyId | None = None
    musicbrainz_id: Id | None = None


class _TrackFields(Input):
    duration_ms: Milliseconds | None = None
    disc: Disc = 1
    genres: Genres = Field(default_factory=list)
    isrc: Isrc | None = None
    spotify_id: SpotifyId | None = None
    musicbrainz_id: Id | None = None
    popularity: Popularity | None = None


class AlbumTrackInput(_TrackFields):
    """A track given with its album. Its place is that in the list; its artist, if none is given, the album's."""

    title: Annotated[Name, Field(examples=["Come Together"])]
    artist_id: Id | None = None


Tracks = Annotated[list[AlbumTrackInput], Field(max_length=300), AfterValidator(_once_each)]


class AlbumInput(Input):
    """A new album, with its tracks if they are known. Without a year that of the release date is taken."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Someday My Prince Will Come",
                    "artist_id": ARTIST,
                    "release_date": "1961-12-11",
                    "genres": ["jazz"],
                    "tracks": [
                        {"title": "Someday My Prince Will Come", "duration_ms": 544_000},
                        {"title": "Old Folks"},
                    ],
                }
            ]
        }
    )

    title: Annotated[Name, Field(examples=["Abbey Road"])]
    artist_id: Id
    year: Year | None = None
    release_date: Day | None = None
    label: Label | None = None
    genres: Genres = Field(default_factory=list)
    spotify_id: SpotifyId | None = None
    musicbrainz_id: Id | None = None
    tracks: Tracks = Field(default_factory=list)


class AlbumChanges(Input):
    """What is to change of an album; what is not given stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"label": "Columbia", "release_date": "1959-08-17"}]})

    title: Name = Field(default_factory=str)
    artist_id: Id = Field(default_factory=uuid7)
    year: Year | None = None
    release_date: Day | None = None
    label: Label | None = None
    genres: Genres = Field(default_factory=list)
    spotify_id: SpotifyId | None = None
    musicbrainz_id: Id | None = None


class TrackInput(_TrackFields):
    """A new track. On an album without a position it comes last on its disc."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"title": "Round Midnight", "artist_id": ARTIST, "duration_ms": 356_000}]}
    )

    title: Annotated[Name, Field(examples=["Come Together"])]
    artist_id: Id
    album_id: Id | None = None
    position: Position | None = None


class TrackChanges(_TrackFields):
    """What is to change of a track; what is not given stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"duration_ms": 562_000, "popularity": 74}]})

    title: Name = Field(default_factory=str)
    artist_id: Id = Field(default_factory=uuid7)
    album_id: Id | None = None
    position: Position | None = None


class TrackPlace(Input):
    """A track and the disc that it is on."""

    id: Id
    disc: Disc = 1


class TrackOrder(Input):
    """All tracks of the album in their new order; positions count from 1 on each disc."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"tracks": [{"id": track, "disc": 1} for track in reversed(TRACKS)]}]}
    )

    tracks: Annotated[list[TrackPlace], Field(max_length=1000)]


class Merge(Input):
    """Which one stays."""

    into: Id
