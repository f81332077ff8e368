"""The catalogue as curators write it, or everybody where the settings say so."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from app.catalog import albums as album_edits
from app.catalog import artists as artist_edits
from app.catalog import merging
from app.catalog import tracks as track_edits
from app.catalog.albums import AlbumInUse
from app.catalog.artists import ArtistInUse
from app.catalog.external_ids import ExternalIdTaken
from app.catalog.inputs import (
    AlbumChanges,
    AlbumInput,
    ArtistChanges,
    ArtistInput,
    Merge,
    TrackChanges,
    TrackInput,
    TrackOrder,
)
from app.catalog.locking import IsDuplicate
from app.catalog.schemas import AlbumDetails, AlbumTracks, ArtistDetails, TrackDetails
from app.catalog.tracks import TrackInUse
from app.core.auth import Curator, CurrentUser, Principal
from app.core.errors import Forbidden, NotFound, Unauthorized, problems
from app.core.http import Here, Router, WriteDB
from app.core.limits import limited

__all__ = ["Editor", "albums", "artists", "tracks"]

artists = Router(prefix="/artists", tags=["artists"])
albums = Router(prefix="/albums", tags=["albums"])
tracks = Router(prefix="/tracks", tags=["tracks"])

NEW = problems(Unauthorized, Forbidden, ExternalIdTaken)
CHANGED = problems(Unauthorized, Forbidden, NotFound, IsDuplicate, ExternalIdTaken)
MERGED = problems(Unauthorized, Forbidden, NotFound, IsDuplicate)
WRITES = [limited("catalog.write", 240, 60)]


async def _editor(infra: Here, actor: CurrentUser) -> Principal:
    if infra.settings.catalog_writes == "curators" and not actor.is_curator:
        raise Forbidden("Only a curator may edit the catalogue.")
    return actor


Editor = Annotated[Principal, Depends(_editor)]
"""A curator or an admin; with CATALOG_WRITES=users everybody."""


@artists.post("", status_code=201, summary="Add an artist", responses=NEW, dependencies=WRITES)
async def create_artist(new: ArtistInput, db: WriteDB, actor: Editor) -> ArtistDetails:
    """An external id belongs to one artist: 409 names the one that has it."""
    return await artist_edits.create_artist(db, new)


@artists.patch("/{artist_id}", summary="Change an artist", responses=CHANGED, dependencies=WRITES)
async def change_artist(artist_id: UUID, changes: ArtistChanges, db: WriteDB, actor: Editor) -> ArtistDetails:
    """What is left out stays."""
    return await artist_edits.change_artist(db, artist_id, changes)


@artists.delete(
    "/{artist_id}",
    status_code=204,
    summary="Delete an artist",
    responses=MERGED | problems(ArtistInUse),
    dependencies=WRITES,
)
async def delete_artist(artist_id: UUID, db: WriteDB, actor: Editor) -> None:
    """Only without albums and tracks."""
    await artist_edits.delete_artist(db, artist_id)


@artists.post("/{artist_id}/merge", summary="Merge a duplicate artist", responses=MERGED, dependencies=WRITES)
async def merge_artists(artist_id: UUID, merge: Merge, db: WriteDB, actor: Curator) -> ArtistDetails:
    """Albums, tracks and free external ids move to the artist that stays; the duplicate redirects there."""
    return await merging.merge_artists(db, artist_id, merge.into)


@albums.post("", status_code=201, summary="Add an album", responses=NEW, dependencies=WRITES)
async def create_album(new: AlbumInput, db: WriteDB, actor: Editor) -> AlbumDetails:
    """Alone or with its tracks. An external id belongs to one entry: 409 names the one that has it."""
    return await album_edits.create_album(db, actor, new)


@albums.patch("/{album_id}", summary="Change an album", responses=CHANGED, dependencies=WRITES)
async def change_album(album_id: UUID, changes: AlbumChanges, db: WriteDB, actor: Editor) -> AlbumDetails:
    """What is left out stays."""
    return await album_edits.change_album(db, actor, album_id, changes)


@albums.delete(
    "/{album_id}",
    status_code=204,
    summary="Delete an album",
    responses=MERGED | problems(AlbumInUse),
    dependencies=WRITES,
)
async def delete_album(album_id: UUID, db: WriteDB, actor: Editor) -> None:
    """With its tracks, and only without reviews and listens."""
    await album_edits.delete_album(db, album_id)


@albums.put("/{album_id}/tracks", summary="Put an album's tracks in order", responses=MERGED, dependencies=WRITES)
async def order_album_tracks(album_id: UUID, order: TrackOrder, db: WriteDB, actor: Editor) -> AlbumTracks:
    """Each track of the album once; positions count from 1 on each disc."""
    return await album_edits.order_tracks(db, actor, album_id, order)


@albums.post("/{album_id}/merge", summary="Merge a duplicate album", responses=MERGED, dependencies=WRITES)
async def merge_albums(album_id: UUID, merge: Merge, db: WriteDB, actor: Curator) -> AlbumDetails:
    """Tracks of the same title are merged, others move; likes and reviews follow. The duplicate redirects there."""
    return await merging.merge_albums(db, actor, album_id, merge.into)


@tracks.post("", status_code=201, summary="Add a track", responses=NEW, dependencies=WRITES)
async def create_track(new: TrackInput, db: WriteDB, actor: Editor) -> TrackDetails:
    """Alone or on an album. An external id belongs to one track: 409 names the one that has it."""
    return await track_edits.create_track(db, actor, new)


@tracks.patch("/{track_id}", summary="Change a track", responses=CHANGED, dependencies=WRITES)
async def change_track(track_id: UUID, changes: TrackChanges, db: WriteDB, actor: Editor) -> TrackDetails:
    """What is left out stays."""
    return await track_edits.change_track(db, actor, track_id, changes)


@tracks.delete(
    "/{track_id}",
    status_code=204,
    summary="Delete a track",
    responses=MERGED | problems(TrackInUse),
    dependencies=WRITES,
)
async def delete_track(track_id: UUID, db: WriteDB, actor: Editor) -> None:
    """With its duplicates and likes, and only while nobody has heard it."""
    await track_edits.delete_track(db, track_id)


@tracks.post("/{track_id}/merge", summary="Merge a duplicate track", responses=MERGED, dependencies=WRITES)
async def merge_tracks(track_id: UUID, merge: Merge, db: WriteDB, actor: Curator) -> TrackDetails:
    """Likes and free external ids move to the track that stays; the duplicate redirects there."""
    return await merging.merge_tracks(db, actor, track_id, merge.into)
