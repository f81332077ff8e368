"""The catalogue as it is read and liked. The page of an album, which shows reviews too, is theirs."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Response

from app.catalog import likes, service
from app.catalog.inputs import SpotifyId
from app.catalog.queries import AlbumSort
from app.catalog.schemas import (
    AlbumCard,
    AlbumTracks,
    ArtistCard,
    ArtistDetails,
    GenreCount,
    LikeCount,
    LikedAlbum,
    LikedTrack,
    TrackCard,
    TrackDetails,
)
from app.catalog.service import Merged
from app.core.auth import CurrentUser, MaybeUser
from app.core.errors import Forbidden, NotFound, Unauthorized, problems
from app.core.etags import NOT_MODIFIED, IfNoneMatch, tagged
from app.core.http import Here, ReadDB, Router, WriteDB
from app.core.limits import limited
from app.core.paging import Page, Paged
from app.core.schemas import Line
from app.reactions.schemas import Liked
from app.users.schemas import USERNAME, PersonCard
from app.users.service import ProfileRestricted

__all__ = ["albums", "artists", "genres", "liked", "tracks"]

artists = Router(prefix="/artists", tags=["artists"])
albums = Router(prefix="/albums", tags=["albums"])
tracks = Router(prefix="/tracks", tags=["tracks"])
genres = Router(prefix="/genres", tags=["albums"])
liked = Router(prefix="/users", tags=["users"])

FOUND = problems(NotFound, Merged)
LIKES = [limited("catalog.like", 240, 60)]
LIKED = problems(Unauthorized, Forbidden, NotFound, Merged)
THEIRS = problems(NotFound, ProfileRestricted)

Username = Annotated[str, Path(pattern=USERNAME, description="Case does not matter", examples=["ana"])]
Year = Annotated[int | None, Query(ge=1000, le=2100, examples=[1967])]
Spotify = Annotated[SpotifyId | None, Query(description="The one that has this id there, or stays in place of it")]
Genre = Annotated[Line | None, Query(max_length=60, description="A name from the list of genres", examples=["rock"])]


@artists.get("", summary="Artists by name")
async def list_artists(db: ReadDB, actor: MaybeUser, page: Paged, spotify_id: Spotify = None) -> Page[ArtistCard]:
    """All artists, in the order of their names; or the one that Spotify knows by this id."""
    return await service.list_artists(db, page, spotify_id=spotify_id, actor=actor)


@artists.get("/{artist_id}", summary="An artist", response_model=ArtistDetails, responses={**FOUND, **NOT_MODIFIED})
async def get_artist(artist_id: UUID, db: ReadDB, actor: MaybeUser, known: IfNoneMatch = None) -> Response:
    """A duplicate redirects to the artist that stays."""
    return tagged(await service.get_artist(db, artist_id, actor=actor), known)


@artists.get("/{artist_id}/albums", summary="Albums of an artist", responses=FOUND)
async def list_artist_albums(artist_id: UUID, db: ReadDB, actor: MaybeUser, page: Paged) -> Page[AlbumCard]:
    """The last added first."""
    return await service.list_artist_albums(db, page, artist_id=artist_id, actor=actor)


@albums.get("", summary="Albums")
async def list_albums(
    db: ReadDB,
    actor: MaybeUser,
    page: Paged,
    *,
    sort: Annotated[AlbumSort, Query(description="The last added first, or by title")] = "new",
    artist_id: UUID | None = None,
    genre: Genre = None,
    year_from: Year = None,
    year_to: Year = None,
    spotify_id: Spotify = None,
) -> Page[AlbumCard]:
    """All albums, or those that pass all the filters that are given."""
    years = {"year_from": year_from, "year_to": year_to}
    wanted: dict[str, Any] = {"artist_id": artist_id, "genre": genre, **years, "spotify_id": spotify_id}
    return await service.list_albums(db, actor, page, sort=sort, **wanted)


@albums.get("/{album_id}/tracks", summary="Tracks of an album", responses=FOUND)
async def list_album_tracks(album_id: UUID, db: ReadDB, actor: MaybeUser) -> AlbumTracks:
    """All of them, by disc and position."""
    return await service.list_album_tracks(db, actor, album_id=album_id)


@albums.get(
    "/{album_id}/likes",
    summary="How many like an album",
    responses={
        **FOUND,
        200: {
            "headers": {
                "X-Data-Source": {"description": "`cache`, if it came from there", "schema": {"const": "cache"}}
            }
        },
    },
)
async def get_album_likes(album_id: UUID, infra: Here, db: ReadDB, response: Response) -> LikeCount:
    """Kept in a cache until somebody likes it or no longer does."""
    count, cached = await likes.count_album_likes(db, infra.cache, album_id)
    if cached:
        response.headers["X-Data-Source"] = "cache"
    return count


@albums.get("/{album_id}/likers", summary="Who likes an album", responses=FOUND)
async def list_album_likers(album_id: UUID, db: ReadDB, actor: MaybeUser, page: Paged) -> Page[PersonCard]:
    """Those who let you see what they like, the last one first."""
    return await likes.list_album_likers(db, actor, page, album_id=album_id)


@albums.put("/{album_id}/like", summary="Like an album", responses=LIKED, dependencies=LIKES)
async def like_album(album_id: UUID, db: WriteDB, actor: CurrentUser) -> Liked:
    """Done again it changes nothing."""
    return await likes.like_album(db, actor, album_id)


@albums.delete("/{album_id}/like", summary="No longer like an album", responses=LIKED, dependencies=LIKES)
async def unlike_album(album_id: UUID, db: WriteDB, actor: CurrentUser) -> Liked:
    """Done again it changes nothing."""
    return await likes.unlike_album(db, actor, album_id)


@tracks.get("", summary="Tracks")
async def list_tracks(
    db: ReadDB,
    actor: MaybeUser,
    page: Paged,
    *,
    artist_id: UUID | None = None,
    genre: Genre = None,
    recorded: Annotated[bool, Query(description="Only those whose recording can be heard here")] = False,
    spotify_id: Spotify = None,
) -> Page[TrackCard]:
    """The last added first: all that everybody may hear, or those that pass all the filters that are given."""
    wanted: dict[str, Any] = {"artist_id": artist_id, "genre": genre, "recorded": recorded, "spotify_id": spotify_id}
    return await service.list_tracks(db, actor, page, **wanted)


@tracks.get("/{track_id}", summary="A track", response_model=TrackDetails, responses={**FOUND, **NOT_MODIFIED})
async def get_track(track_id: UUID, infra: Here, db: ReadDB, actor: MaybeUser, known: IfNoneMatch = None) -> Response:
    """A duplicate redirects to the track that stays. `media_url` plays in an audio element as it is."""
    track = await service.get_track(db, actor, track_id)
    return tagged(service.with_media(track, infra.settings.secret), known)


@tracks.put("/{track_id}/like", summary="Like a track", responses=LIKED, dependencies=LIKES)
async def like_track(track_id: UUID, db: WriteDB, actor: CurrentUser) -> Liked:
    """Done again it changes nothing."""
    return await likes.like_track(db, actor, track_id)


@tracks.delete("/{track_id}/like", summary="No longer like a track", responses=LIKED, dependencies=LIKES)
async def unlike_track(track_id: UUID, db: WriteDB, actor: CurrentUser) -> Liked:
    """Done again it changes nothing."""
    return await likes.unlike_track(db, actor, track_id)


@tracks.get("/{track_id}/likers", summary="Who likes a track", responses=FOUND)
async def list_track_likers(track_id: UUID, db: ReadDB, actor: MaybeUser, page: Paged) -> Page[PersonCard]:
    """Those who let you see what they like, the last one first."""
    return await likes.list_track_likers(db, actor, page, track_id=track_id)


@genres.get("", summary="Genres")
async def list_genres(infra: Here, db: ReadDB, page: Paged) -> Page[GenreCount]:
    """Those with most albums first."""
    return await service.list_genres(db, infra.cache, page)


@liked.get("/{username}/liked-albums", summary="Albums that a person likes", responses=THEIRS)
async def list_liked_albums(username: Username, db: ReadDB, actor: MaybeUser, page: Paged) -> Page[LikedAlbum]:
    """The last liked first, if the person lets you see their library."""
    return await likes.list_liked_albums(db, actor, page, username=username)


@liked.get("/{username}/liked-tracks", summary="Tracks that a person likes", responses=THEIRS)
async def list_liked_tracks(username: Username, db: ReadDB, actor: MaybeUser, page: Paged) -> Page[LikedTrack]:
    """The last liked first, if the person lets you see their library."""
    return await likes.list_liked_tracks(db, actor, page, username=username)
