"""Reads of artists, albums, tracks and genres."""

from typing import Any, NoReturn
from uuid import UUID

from pydantic import TypeAdapter

from app.catalog.media import media_url
from app.catalog.models import Album, Artist, Entity, Track
from app.catalog.queries import (
    ALBUM,
    ALBUM_TRACKS,
    ARTIST,
    ARTIST_ALBUMS,
    GENRES,
    PLACES,
    TRACK,
    AlbumSort,
    albums_page,
    artists_page,
    tracks_page,
)
from app.catalog.schemas import (
    AlbumCard,
    AlbumDetails,
    AlbumTracks,
    ArtistCard,
    ArtistDetails,
    GenreCount,
    TrackCard,
    TrackDetails,
)
from app.core.auth import Principal
from app.core.cache import Cache
from app.core.errors import AppError, NotFound
from app.core.paging import Page, PageRequest
from app.core.query import Runs

__all__ = [
    "GENRES_KEY",
    "Merged",
    "explain_absence",
    "get_album",
    "get_artist",
    "get_track",
    "list_album_tracks",
    "list_albums",
    "list_artist_albums",
    "list_artists",
    "list_genres",
    "list_tracks",
    "require",
    "viewer_of",
    "with_media",
]

GENRES_KEY = "genres"
_GENRES_SECONDS = 1800
_GENRE_LIST = TypeAdapter(list[GenreCount])


class Merged(AppError):
    status, code, title = 308, "merged", "This was a duplicate; another one stays in its place"


def viewer_of(actor: Principal | None) -> UUID | None:
    """The parameter `viewer` of a Query."""
    return actor.user_id if actor else None


async def get_artist(db: Runs, artist_id: UUID, *, actor: Principal | None = None) -> ArtistDetails:
    """The artist. Raises NotFound, Merged."""
    artist = await ARTIST.first(db, viewer=viewer_of(actor), artist_id=artist_id)
    return artist or await explain_absence(db, Artist, artist_id, actor=actor)


async def get_album(db: Runs, actor: Principal | None, album_id: UUID) -> AlbumDetails:
    """The album's page, by one statement. Raises NotFound, Merged."""
    album = await ALBUM.first(db, viewer=viewer_of(actor), album_id=album_id)
    return album or await explain_absence(db, Album, album_id, actor=actor)


async def get_track(db: Runs, actor: Principal | None, track_id: UUID) -> TrackDetails:
    """The track. Raises NotFound, Merged."""
    track = await TRACK.first(db, viewer=viewer_of(actor), track_id=track_id)
    return track or await explain_absence(db, Track, track_id, actor=actor)


def with_media(track: TrackDetails, secret: bytes) -> TrackDetails:
    """The track with where its recording can be heard, if it has one; for somebody who may hear it."""
    if track.audio_type is None:
        return track
    return track.model_copy(update={"media_url": media_url(secret, track.id, track.visibility)})


async def list_artists(
    db: Runs, page: PageRequest, *, spotify_id: str | None = None, actor: Principal | None = None
) -> Page[ArtistCard]:
    """All artists by name, or the one with this id."""
    given = _given(spotify_id=spotify_id)
    return await artists_page(frozenset(given)).page(db, page, viewer=viewer_of(actor), **given)


async def list_artist_albums(
    db: Runs, page: PageRequest, *, artist_id: UUID, actor: Principal | None = None
) -> Page[AlbumCard]:
    """An artist's albums, the last added first. Raises NotFound, Merged."""
    albums = await ARTIST_ALBUMS.page(db, page, viewer=viewer_of(actor), artist_id=artist_id)
    if not albums.items:
        await require(db, Artist, artist_id, "/albums", actor=actor)
    return albums


async def list_albums(
    db: Runs, actor: Principal | None, page: PageRequest, *, sort: AlbumSort, genre: str | None, **filters: Any
) -> Page[AlbumCard]:
    """Albums that pass the filters that are given."""
    given = _given(genres=_folded(genre), **filters)
    return await albums_page(sort, frozenset(given)).page(db, page, viewer=viewer_of(actor), **given)


async def list_tracks(
    db: Runs, actor: Principal | None, page: PageRequest, *, genre: str | None, recorded: bool, **filters: Any
) -> Page[TrackCard]:
    """Tracks that everybody may hear and that pass the filters that are given, the last added first."""
    given = _given(genres=_folded(genre), **filters)
    wanted = {*given, "recorded"} if recorded else {*given}
    return await tracks_page(frozenset(wanted)).page(db, page, viewer=viewer_of(actor), **given)


def _given(**filters: Any) -> dict[str, Any]:
    return {name: value for name, value in filters.items() if value is not None}


def _folded(genre: str | None) -> list[str] | None:
    return None if genre is None else [genre.strip().casefold()]


async def list_album_tracks(db: Runs, actor: Principal | None, *, album_id: UUID) -> AlbumTracks:
    """An album's tracks in their order. Raises NotFound, Merged."""
    tracks = await ALBUM_TRACKS.all(db, viewer=viewer_of(actor), album_id=album_id)
    if not tracks:
        await require(db, Album, album_id, "/tracks", actor=actor)
    return AlbumTracks(items=tracks)


async def list_genres(db: Runs, cache: Cache, page: PageRequest) -> Page[GenreCount]:
    """Genres with most albums first. Counted seldom: the counts are kept until an edit changes them."""

    async def count() -> bytes:
        return _GENRE_LIST.dump_json(await GENRES.all(db))

    counted, _ = await cache.get_or_load(GENRES_KEY, _GENRES_SECONDS, count)
    genres = _GENRE_LIST.validate_json(counted)
    after = page.keys(3)
    rest = [genre for genre in genres if after is None or _rank(genre) > after]
    more = rest[page.limit :]
    return page.page(rest[: page.limit], next_keys=_rank(rest[page.limit - 1]) if more else None)


async def require(db: Runs, entity: Entity, entity_id: UUID, path: str = "", *, actor: Principal | None = None) -> None:
    """Raises NotFound if it is not there for the actor, or Merged with where `path` below it is now."""
    place = await PLACES[entity].first(db, id=entity_id, viewer=viewer_of(actor))
    name = entity.__name__.lower()
    if place is None:
        raise NotFound(f"There is no such {name}.")
    if place.kept_id is not None:
        kept = f"/api/v1/{name}s/{place.kept_id}{path}"
        raise Merged(f"This {name} is now {place.kept_id}.", headers={"Location": kept}, kept_id=place.kept_id)


async def explain_absence(db: Runs, entity: Entity, entity_id: UUID, *, actor: Principal | None = None) -> NoReturn:
    """Raises what tells why a read found nothing."""
    await require(db, entity, entity_id, actor=actor)
    raise NotFound(f"There is no such {entity.__name__.lower()}.")


def _rank(genre: GenreCount) -> list[int | str]:
    return [-genre.album_count, -genre.track_count, genre.name]
