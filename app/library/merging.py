"""Listens move with tracks that turn out to be duplicates."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from app.core.db import Writer
from app.library.recording import add_counts, near

__all__ = ["move_some_listens"]

_BATCH = 2_000

# $1 duplicates, $2 the tracks that stay in place of them, $3 how many at a time
_SOME = """
    SELECT l.user_id, l.id, l.listened_at, kept.duration_ms
    FROM unnest($1::uuid[], $2::uuid[]) AS pairs (duplicate, kept_id)
    JOIN listens l ON l.track_id = pairs.duplicate JOIN tracks kept ON kept.id = pairs.kept_id
    ORDER BY l.user_id, l.id LIMIT $3"""
_LOCK = "SELECT FROM listeners WHERE user_id = ANY ($1::uuid[]) ORDER BY user_id FOR UPDATE"

# $3 people, $4 their listens that move, $5 and $6 the ids between which another one may be the same. Of two that move
# and are the same, the earlier id stays.
_DROP_KNOWN = """
    DELETE FROM listens moved
    USING unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[]) AS batch (user_id, id, nearest, farthest),
        unnest($1::uuid[], $2::uuid[]) AS pairs (duplicate, kept_id)
    WHERE moved.user_id = batch.user_id AND moved.id = batch.id AND moved.track_id = pairs.duplicate
      AND EXISTS (
        SELECT FROM listens known LEFT JOIN unnest($1::uuid[], $2::uuid[]) AS others (duplicate, kept_id)
            ON others.duplicate = known.track_id
        WHERE known.user_id = batch.user_id AND known.id BETWEEN batch.nearest AND batch.farthest
          AND (known.source <> moved.source OR known.listened_at = moved.listened_at)
          AND coalesce(others.kept_id, known.track_id) = pairs.kept_id
          AND (known.track_id = pairs.kept_id OR known.id < moved.id)
      )
    RETURNING moved.user_id, moved.track_id"""
_MOVE = """
    UPDATE listens SET track_id = pairs.kept_id
    FROM unnest($3::uuid[], $4::uuid[]) AS batch (user_id, id),
        unnest($1::uuid[], $2::uuid[]) AS pairs (duplicate, kept_id)
    WHERE listens.user_id = batch.user_id AND listens.id = batch.id AND listens.track_id = pairs.duplicate
    RETURNING pairs.duplicate, pairs.kept_id"""


async def move_some_listens(db: Writer, pairs: Sequence[tuple[UUID, UUID]]) -> bool:
    """Some of the listens of the first of a pair become listens of the second; what is there already goes.

    Whether there may be more. Ids stay as they are: they only have to be unique and in the order of time.
    """
    both = [list(column) for column in zip(*pairs, strict=True)]
    batch = await db.records(_SOME, [*both, _BATCH])
    if not batch:
        return False
    people, ids = [row["user_id"] for row in batch], [row["id"] for row in batch]
    await db.records(_LOCK, [list(set(people))])
    bounds = zip(*(near(row["listened_at"], row["duration_ms"]) for row in batch), strict=True)
    dropped = await db.records(_DROP_KNOWN, [*both, people, ids, *map(list, bounds)])
    moved = await db.records(_MOVE, [*both, people, ids])
    fewer = Counter({user_id: -count for user_id, count in Counter(row["user_id"] for row in dropped).items()})
    plays = Counter(row["kept_id"] for row in moved)
    plays.subtract(row["duplicate"] for row in moved)
    plays.subtract(row["track_id"] for row in dropped)
    await add_counts(db, people=fewer, tracks=plays)
    return True
