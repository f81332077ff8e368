"""Edits of artists."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, delete, exists, func, literal, select, update

from app.catalog.external_ids import naming_owners
from app.catalog.inputs import ArtistChanges, ArtistInput
from app.catalog.locking import locked
from app.catalog.models import Album, Artist, Track
from app.catalog.schemas import ArtistDetails
from app.catalog.search_index import index, index_works_of, unindex
from app.catalog.service import get_artist
from app.core.db import Writer
from app.core.errors import Conflict
from app.core.text import name_key

__all__ = ["ArtistInUse", "change_artist", "count_albums", "create_artist", "delete_artist"]


class ArtistInUse(Conflict):
    code, title = "artist_in_use", "The artist has albums or tracks"


async def create_artist(db: Writer, new: ArtistInput) -> ArtistDetails:
    """A new artist. Raises ExternalIdTaken."""
    values = new.model_dump()
    artist = Artist(name_key=name_key(new.name), **values)
    async with naming_owners(db, (Artist, values)):
        db.add(artist)
    await index(db, Artist, [artist.id])
    return await get_artist(db, artist.id)


async def change_artist(db: Writer, artist_id: UUID, changes: ArtistChanges) -> ArtistDetails:
    """Changes what is given. Raises NotFound, IsDuplicate, ExternalIdTaken."""
    artist = await locked(db, Artist, artist_id)
    values = changes.model_dump(exclude_unset=True)
    async with naming_owners(db, (Artist, values)):
        for name, value in values.items():
            setattr(artist, name, value)
        artist.name_key = name_key(artist.name)
    if "name" in values:
        await index(db, Artist, [artist_id])
        await index_works_of(db, artist_id)
    return await get_artist(db, artist_id)


async def delete_artist(db: Writer, artist_id: UUID) -> None:
    """Deletes an artist without works, and with it its duplicates. Raises NotFound, IsDuplicate, ArtistInUse."""
    artist = await locked(db, Artist, artist_id)
    for works in (Track, Album):
        await db.execute(delete(works).where(works.artist_id == artist_id, works.merged_into_id.is_not(None)))
    in_use = [exists().where(works.artist_id == artist_id) for works in (Album, Track)]
    if any((await db.execute(select(*in_use))).one()):
        raise ArtistInUse("Delete or merge the artist's albums and tracks first.", album_count=artist.album_count)
    await db.execute(delete(Artist).where(Artist.merged_into_id == artist_id))
    await db.delete(artist)
    await unindex(db, [artist_id])


async def count_albums(db: Writer, artist_ids: Iterable[UUID]) -> None:
    """Counts the listed albums of these artists anew."""
    listed = Album.artist_id == Artist.id, Album.merged_into_id.is_(None), Album.listed
    albums = select(func.count()).where(*listed).scalar_subquery()
    chosen = Artist.id == any_(literal(sorted(artist_ids), ARRAY(Uuid)))
    await db.execute(update(Artist).where(chosen).values(album_count=albums))
