"""Shapes of OpenMusic: payloads that coerce nothing, and what stands in `data`."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from app.auth.schemas import LONGEST_PASSWORD, Secret
from app.catalog.inputs import Name, Year
from app.compat.openmusic.envelope import Camel, CamelInput
from app.core.schemas import Line, Timestamp
from app.playlists.inputs import Name as PlaylistName
from app.users.schemas import Username

__all__ = [
    "Activity",
    "ActivityLog",
    "AlbumBox",
    "AlbumId",
    "AlbumPayload",
    "CollaborationId",
    "CollaborationPayload",
    "Likes",
    "Login",
    "NewAccess",
    "NewUser",
    "OpenMusicAlbum",
    "OpenMusicPlaylist",
    "PlaylistBox",
    "PlaylistId",
    "PlaylistPayload",
    "PlaylistRow",
    "PlaylistSong",
    "Playlists",
    "Refresh",
    "SongBox",
    "SongDetail",
    "SongId",
    "SongItem",
    "SongPayload",
    "Songs",
    "TokenPair",
    "UserId",
]

Genre = Annotated[Line, Field(min_length=1, max_length=60)]
Seconds = Annotated[int, Field(ge=1, le=24 * 3600)]
Reference = Annotated[str, Field(max_length=200)]
"""An id in a payload: whatever it is, it names something or nothing."""
SixLetters = Annotated[
    str,
    # spaces around it belong to the password
    StringConstraints(strip_whitespace=False, min_length=6, max_length=LONGEST_PASSWORD),
    Field(json_schema_extra={"format": "password"}),
]


class AlbumPayload(CamelInput):
    """An album."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Viva la vida", "year": 2008}]})

    name: Name
    year: Year


class SongPayload(CamelInput):
    """A song; `duration` in seconds."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Life in Technicolor",
                    "year": 2008,
                    "genre": "Pop",
                    "performer": "Coldplay",
                    "duration": 120,
                }
            ]
        }
    )

    title: Name
    year: Year
    genre: Genre
    performer: Name
    duration: Seconds | None = None
    album_id: Reference | None = None


class NewUser(CamelInput):
    """An account."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"username": "john", "password": "secret", "fullname": "John Doe"}]}
    )

    username: Username
    password: SixLetters
    fullname: Line = Field(min_length=1, max_length=50)


class Login(CamelInput):
    """Who signs in."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"username": "john", "password": "secret"}]})

    username: str = Field(max_length=254)
    password: Secret


class Refresh(CamelInput):
    """The token that a login gave."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"refreshToken": "ssl_…"}]})

    refresh_token: Secret


class PlaylistPayload(CamelInput):
    """A playlist."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Lagu Indie Hits Indonesia"}]})

    name: PlaylistName


class PlaylistSong(CamelInput):
    """A song of a playlist."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"songId": "01956ec6-fa60-76d3-9f8d-5491f3360b6b"}]})

    song_id: Reference


class CollaborationPayload(CamelInput):
    """Who works on what."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "playlistId": "0197a5c2-7f3e-7000-8000-000000000002",
                    "userId": "0196c6f0-ec00-7df5-9a1e-ebcdae832449",
                }
            ]
        }
    )

    playlist_id: Reference
    user_id: Reference


class AlbumId(Camel):
    """A new album."""

    album_id: UUID


class SongId(Camel):
    """A new song."""

    song_id: UUID


class UserId(Camel):
    """A new account."""

    user_id: UUID


class TokenPair(Camel):
    """The access token, and what gets another one."""

    access_token: str
    refresh_token: str


class NewAccess(Camel):
    """Another access token."""

    access_token: str


class SongItem(Camel):
    """A song in a list."""

    id: UUID
    title: str
    performer: str


class Songs(Camel):
    """The songs that were asked for."""

    songs: list[SongItem]


class SongDetail(Camel):
    """A song. What the catalogue does not know of a track is null."""

    id: UUID
    title: str
    year: int | None
    performer: str
    genre: str | None
    duration: int | None
    album_id: UUID | None


class SongBox(Camel):
    """A song in `data`."""

    song: SongDetail


class OpenMusicAlbum(Camel):
    """An album with its songs."""

    id: UUID
    name: str
    year: int | None
    cover_url: str | None
    songs: list[SongItem]


class AlbumBox(Camel):
    """An album in `data`."""

    album: OpenMusicAlbum


class Likes(Camel):
    """How many like an album."""

    likes: int


class PlaylistId(Camel):
    """A new playlist."""

    playlist_id: UUID


class PlaylistRow(Camel):
    """A playlist in a list, and whose it is."""

    id: UUID
    name: str
    username: str


class Playlists(Camel):
    """Somebody's playlists."""

    playlists: list[PlaylistRow]


class OpenMusicPlaylist(PlaylistRow):
    """A playlist with its songs."""

    songs: list[SongItem]


class PlaylistBox(Camel):
    """A playlist in `data`."""

    playlist: OpenMusicPlaylist


class Activity(Camel):
    """Who did what to which song, and when."""

    username: str
    title: str
    action: Literal["add", "delete"]
    time: Timestamp


class ActivityLog(Camel):
    """What was done to a playlist."""

    playlist_id: UUID
    activities: list[Activity]


class CollaborationId(Camel):
    """A new collaboration."""

    collaboration_id: UUID
