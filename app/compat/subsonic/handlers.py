"""What follows for ratings, stars and queues when tracks and albums become one, and when people leave."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from app.catalog.events import AlbumsMerged, ArtistsMerged, TracksMerged
from app.compat.subsonic.models import PlayQueue, SubsonicRating, SubsonicStar
from app.core.db import Reader, Writer
from app.core.jobs import on
from app.users.events import AccountDeleted
from app.users.exports import every_row, exported

__all__: list[str] = []

# $1 duplicates, $2 what stays. Whoever has rated both keeps what they said of the one that stays; of two duplicates of
# one thing, the later rating.
_MOVE_RATINGS = """
    WITH pairs AS (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS pairs (duplicate, kept)),
    gone AS (
        DELETE FROM subsonic_ratings USING pairs WHERE {target} = pairs.duplicate
        RETURNING subsonic_ratings.id, user_id, pairs.kept, rating
    )
    INSERT INTO subsonic_ratings (id, user_id, {target}, rating)
    SELECT DISTINCT ON (user_id, kept) id, user_id, kept, rating FROM gone ORDER BY user_id, kept, id DESC
    ON CONFLICT DO NOTHING"""


_MOVE_STARS = """
    WITH gone AS (DELETE FROM subsonic_stars WHERE artist_id = $1 RETURNING user_id, created_at)
    INSERT INTO subsonic_stars (user_id, artist_id, created_at) SELECT user_id, $2, created_at FROM gone
    ON CONFLICT DO NOTHING"""


@on(ArtistsMerged)
async def move_artist_marks(db: Writer, event: ArtistsMerged) -> None:
    """Who rated or starred a duplicate rated or starred the artist that stays."""
    await _move(db, "artist_id", [(event.duplicate_id, event.kept_id)])
    await db.records(_MOVE_STARS, [event.duplicate_id, event.kept_id])


@on(TracksMerged)
async def move_track_ratings(db: Writer, event: TracksMerged) -> None:
    """What was rated a duplicate is rated the track that stays."""
    await _move(db, "track_id", event.pairs)


@on(AlbumsMerged)
async def move_album_ratings(db: Writer, event: AlbumsMerged) -> None:
    """What was rated a duplicate is rated the album that stays."""
    await _move(db, "album_id", [(event.duplicate_id, event.kept_id)])


@on(AccountDeleted)
async def forget_marks(db: Writer, event: AccountDeleted) -> None:
    """All of it was for the person alone."""
    for table in (PlayQueue, SubsonicRating, SubsonicStar):
        await db.execute(delete(table).where(table.user_id == event.user_id))


@exported("subsonic_ratings")
def export_ratings(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """What the person rated with a player."""
    of = (SubsonicRating.artist_id, SubsonicRating.album_id, SubsonicRating.track_id)
    own = select(*of, SubsonicRating.rating, SubsonicRating.created_at).where(SubsonicRating.user_id == user_id)
    return every_row(db, own, key=SubsonicRating.id)


@exported("subsonic_stars")
def export_stars(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """Artists whom the person starred with a player."""
    own = select(SubsonicStar.artist_id, SubsonicStar.created_at).where(SubsonicStar.user_id == user_id)
    return every_row(db, own, key=SubsonicStar.artist_id)


@exported("play_queue")
def export_queue(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """Where the person left off with a player."""
    kept = (PlayQueue.track_ids, PlayQueue.current, PlayQueue.position_ms, PlayQueue.changed_at, PlayQueue.changed_by)
    return every_row(db, select(*kept).where(PlayQueue.user_id == user_id), key=PlayQueue.user_id)


async def _move(db: Writer, target: str, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    duplicates, kept = [duplicate for duplicate, _ in pairs], [stays for _, stays in pairs]
    await db.records(_MOVE_RATINGS.format(target=target), [duplicates, kept])
