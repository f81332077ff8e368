"""Which genres a person is fond of."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from operator import itemgetter
from uuid import UUID

from app.core.query import Runs
from app.library.service import heard_genres

__all__ = ["Taste", "taste_of"]

MOST_REVIEWS = 200
MOST_GENRES = 30

# 6 of 10 and better speak for a genre, each by how much better than 5; the one that is spoken for most weighs 1
_GENRES = """
    WITH heard AS (
        SELECT album_id, (rating - 5) / 5.0 AS weight FROM reviews
        WHERE user_id = $1 AND published_at IS NOT NULL AND rating > 5
        ORDER BY published_at DESC, id DESC LIMIT $2
    ),
    summed AS (
        SELECT genre, sum(weight)::float8 AS weight FROM heard
        JOIN albums ON albums.id = heard.album_id CROSS JOIN unnest(albums.genres) AS genre
        GROUP BY genre ORDER BY 2 DESC, 1 LIMIT $3
    )
    SELECT genre, weight / max(weight) OVER () AS weight FROM summed ORDER BY 2 DESC, 1"""


@dataclass(frozen=True, slots=True)
class Taste:
    """Genres with their weights, above 0 and at most 1, the fondest first."""

    genres: list[str]
    weights: list[float]
    rated: frozenset[str]
    """Those that their reviews speak for, and not only what they hear."""


async def taste_of(db: Runs, user_id: UUID) -> Taste:
    """What the person's reviews say and what they hear, each of which counts as much."""
    rows = await db.records(_GENRES, [user_id, MOST_REVIEWS, MOST_GENRES])
    weights: defaultdict[str, float] = defaultdict(float, {row["genre"]: row["weight"] for row in rows})
    heard = (await heard_genres(db, [user_id])).get(user_id, Counter())
    for genre, count in heard.items():
        weights[genre] += count / max(heard.values())
    best = sorted(weights.items(), key=itemgetter(1), reverse=True)[:MOST_GENRES]
    rated = frozenset(row["genre"] for row in rows)
    return Taste([genre for genre, _ in best], [weight / best[0][1] for _, weight in best], rated)
