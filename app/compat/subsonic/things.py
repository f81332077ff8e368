"""What an id is of. Clients send those of songs, albums and artists in one parameter, and of pictures in another."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Select, Text, Uuid, any_, bindparam, cast, func, literal_column, null, select, union_all

from app.catalog.hearing import known_to
from app.catalog.models import Album, Artist, Track
from app.compat.subsonic.library import Kind
from app.compat.subsonic.schemas import ThingRow
from app.core.errors import NotFound
from app.core.query import Query, Runs
from app.playlists.models import Playlist
from app.playlists.queries import seen

__all__ = ["kinds_of", "picture_of"]

_IDS: Any = bindparam("ids", type_=ARRAY(Uuid))


def _kind(kind: str) -> Any:
    return cast(literal_column(f"'{kind}'"), Text).label("kind")


def _found(kind: str, entity: Any, known: Any, picture: Any) -> Select[Any]:
    columns = entity.id.label("id"), _kind(kind), picture.label("picture_key")
    return select(*columns).where(entity.id == any_(_IDS), known)


_OF_ALBUM = select(Album.cover_key).where(Album.id == Track.album_id).scalar_subquery()
_WORKS = (
    _found("artist", Artist, known_to(Artist), Artist.image_key),
    _found("album", Album, known_to(Album), Album.cover_key),
    _found("track", Track, known_to(Track), func.coalesce(_OF_ALBUM, null())),
)
_THINGS = union_all(*_WORKS).subquery()
THINGS = Query(select(_THINGS.c.id, _THINGS.c.kind, _THINGS.c.picture_key), into=ThingRow)
_SHOWN = union_all(*_WORKS, _found("playlist", Playlist, seen(), Playlist.cover_key)).subquery()
SHOWN = Query(select(_SHOWN.c.id, _SHOWN.c.kind, _SHOWN.c.picture_key), into=ThingRow)


async def kinds_of(db: Runs, viewer: UUID, ids: Sequence[UUID]) -> dict[Kind, list[UUID]]:
    """The ids by what they are of. Raises NotFound for one that is of nothing that the viewer may know."""
    kinds: dict[Kind, list[UUID]] = {"artist": [], "album": [], "track": []}
    found = await THINGS.all(db, ids=list(ids), viewer=viewer) if ids else []
    for thing in found:
        kinds[thing.kind].append(thing.id)  # type: ignore[index]
    if missing := set(ids) - {thing.id for thing in found}:
        raise NotFound(f"There is nothing with the id {min(missing)}.")
    return kinds


async def picture_of(db: Runs, viewer: UUID, thing_id: UUID) -> str:
    """The key of the picture of a thing. Raises NotFound."""
    thing = await SHOWN.first(db, ids=[thing_id], viewer=viewer)
    if thing is None or thing.picture_key is None:
        raise NotFound("There is no such picture.")
    return thing.picture_key
