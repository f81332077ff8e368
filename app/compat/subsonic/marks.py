"""Stars and ratings. A starred song or album is one that the person likes; the rest is kept for themselves."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from app.catalog.many_likes import like_all, unlike_all
from app.catalog.models import Album, Track
from app.compat.subsonic.answers import Body
from app.compat.subsonic.calls import Asked, writes
from app.compat.subsonic.errors import Code, SubsonicError
from app.compat.subsonic.library import Kind
from app.compat.subsonic.models import SubsonicRating, SubsonicStar
from app.compat.subsonic.things import kinds_of
from app.core.db import Writer

__all__: list[str] = []

MOST = 500
_PARAMETERS: dict[str, Kind] = {"albumId": "album", "artistId": "artist"}


@writes("star")
async def star(asked: Asked, db: Writer) -> Body:
    """Stars songs, albums and artists; again changes nothing."""
    kinds = await _named(asked, db)
    await like_all(db, asked.actor, Album, kinds["album"])
    await like_all(db, asked.actor, Track, kinds["track"])
    if kinds["artist"]:
        rows = [{"user_id": asked.viewer, "artist_id": artist_id} for artist_id in sorted(set(kinds["artist"]))]
        await db.execute(insert(SubsonicStar).values(rows).on_conflict_do_nothing())
    return {}


@writes("unstar")
async def unstar(asked: Asked, db: Writer) -> Body:
    """Takes stars back."""
    kinds = await _named(asked, db)
    await unlike_all(db, asked.actor, Album, kinds["album"])
    await unlike_all(db, asked.actor, Track, kinds["track"])
    if kinds["artist"]:
        mine = SubsonicStar.user_id == asked.viewer, SubsonicStar.artist_id.in_(kinds["artist"])
        await db.execute(delete(SubsonicStar).where(*mine))
    return {}


@writes("setRating")
async def set_rating(asked: Asked, db: Writer) -> Body:
    """One to five stars for a song, an album or an artist; none take the rating back."""
    thing_id = asked.given.id()
    rating = _rating(asked)
    kinds = await kinds_of(db, asked.viewer, [thing_id])
    (kind,) = (kind for kind, ids in kinds.items() if ids)
    target = f"{kind}_id"
    if not rating:
        await db.execute(delete(SubsonicRating).filter_by(user_id=asked.viewer, **{target: thing_id}))
        return {}
    column: Any = getattr(SubsonicRating, target)
    add = insert(SubsonicRating).values(user_id=asked.viewer, rating=rating, **{target: thing_id})
    change = add.on_conflict_do_update(
        index_elements=[column, SubsonicRating.user_id],
        index_where=column.is_not(None),
        set_={"rating": add.excluded.rating},
    )
    await db.execute(change)
    return {}


async def _named(asked: Asked, db: Writer) -> dict[Kind, Sequence[UUID]]:
    """What is named, by its kind. `id` may be of anything."""
    ids = asked.given.ids("id")
    named = {kind: asked.given.ids(name) for name, kind in _PARAMETERS.items()}
    everything = [*ids, *(thing_id for of_kind in named.values() for thing_id in of_kind)]
    if not everything:
        raise SubsonicError(Code.MISSING, "Send at least one id, albumId or artistId.")
    if len(everything) > MOST:
        raise SubsonicError(Code.GENERIC, f"Send at most {MOST} ids at once.")
    return dict(await kinds_of(db, asked.viewer, everything))


def _rating(asked: Asked) -> int:
    written = asked.given.needed("rating")
    if written not in {"0", "1", "2", "3", "4", "5"}:
        raise SubsonicError(Code.GENERIC, "Parameter 'rating' must be 0 to 5.")
    return int(written)
