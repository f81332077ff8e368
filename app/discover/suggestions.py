"""Whom to follow: scores from 0 to 1, and a reason in words for each.

- Rating similarity (.35): the cosine of the two people's ratings of the same albums, each less its author's mean (as in
  Pearson's correlation; below 0 counts as 0), times n/10 below ten common albums. That weight for significance is from
  Herlocker, Konstan, Borchers and Riedl, "An Algorithmic Framework for Performing Collaborative Filtering" (1999).
- Shared likes (.25) and shared favourites (.20): the cosine of two sets, common / sqrt(mine * theirs) or Ochiai's
  coefficient, times n/5 below five common likes and n/3 below three common favourites.
- Recent activity (.20): 1 now, halved for every week since the person was last active.

Who has nothing in common with anybody gets the people who were active last: in the same sum only that part is left.
"""

from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from app.core.db import Reader
from app.discover.queries import ALBUM_TITLES, CANDIDATES
from app.discover.reasons import recent_activity, shared_favorites, shared_likes, similar_ratings
from app.discover.schemas import Reason, SharedAlbum, SimilarityParts, Suggestion

__all__ = ["SUGGESTIONS", "cache_key", "suggest"]

WEIGHTS = {"rating_similarity": 0.35, "shared_likes": 0.25, "recent_activity": 0.2, "shared_favorites": 0.2}
MOST_DOINGS = 200
MOST_SHOWN_ALBUMS = 3
SUGGESTIONS = TypeAdapter(list[Suggestion])

# $1 the reader, $2 candidates, $3 most of anybody's doings that are looked at
SCORES = """
    WITH mine AS MATERIALIZED (
        SELECT album_id, rating, is_favorite FROM reviews
        WHERE user_id = $1 AND published_at IS NOT NULL ORDER BY published_at DESC, id DESC LIMIT $3
    ),
    my_likes AS MATERIALIZED (
        SELECT album_id, track_id FROM likes
        WHERE user_id = $1 AND (album_id IS NOT NULL OR track_id IS NOT NULL) ORDER BY id DESC LIMIT $3
    ),
    me AS MATERIALIZED (
        SELECT rating_sum::float8 / nullif(review_count, 0) AS mean,
               (SELECT count(*) FROM mine WHERE is_favorite) AS favorites, (SELECT count(*) FROM my_likes) AS likes
        FROM users WHERE id = $1
    ),
    people AS MATERIALIZED (
        SELECT u.id, u.follower_count, u.library_visibility = 'everyone' AS shows_likes,
               u.rating_sum::float8 / nullif(u.review_count, 0) AS mean, now() - u.active_at AS idle,
               (SELECT count(*) FROM (
                    SELECT FROM reviews r
                    WHERE r.user_id = u.id AND r.is_favorite AND r.published_at IS NOT NULL LIMIT $3
               ) favorites) AS favorites,
               (SELECT count(*) FROM (
                    SELECT FROM likes l
                    WHERE l.user_id = u.id AND (l.album_id IS NOT NULL OR l.track_id IS NOT NULL) LIMIT $3
               ) likes) AS likes
        FROM users u WHERE u.id = ANY ($2::uuid[])
    ),
    rated AS (
        SELECT p.id, count(*) AS albums,
               sum((m.rating - me.mean) * (r.rating - p.mean))
                   / nullif(sqrt(sum((m.rating - me.mean) ^ 2) * sum((r.rating - p.mean) ^ 2)), 0) AS cosine,
               count(*) FILTER (WHERE m.is_favorite AND r.is_favorite) AS favorites,
               array_agg(r.album_id ORDER BY r.album_id) FILTER (WHERE m.is_favorite AND r.is_favorite) AS favorite_ids,
               array_agg(r.album_id ORDER BY m.rating + r.rating DESC, r.album_id)
                   FILTER (WHERE m.rating >= 9 AND r.rating >= 9) AS loved_ids
        FROM people p CROSS JOIN me CROSS JOIN mine m
        JOIN reviews r ON r.user_id = p.id AND r.album_id = m.album_id AND r.published_at IS NOT NULL
        GROUP BY p.id
    ),
    liked AS (
        SELECT id, count(*) AS likes,
               array_agg(album_id ORDER BY album_id) FILTER (WHERE album_id IS NOT NULL) AS album_ids
        FROM (
            SELECT p.id, l.album_id FROM people p CROSS JOIN my_likes m
            JOIN likes l ON l.user_id = p.id AND l.album_id = m.album_id WHERE p.shows_likes
            UNION ALL
            SELECT p.id, NULL FROM people p CROSS JOIN my_likes m
            JOIN likes l ON l.user_id = p.id AND l.track_id = m.track_id WHERE p.shows_likes
        ) shared
        GROUP BY id
    ),
    parts AS (
        SELECT p.id, p.follower_count,
               greatest(coalesce(r.cosine, 0), 0) * least(r.albums / 10.0, 1) AS rating_similarity,
               coalesce(l.likes / sqrt(me.likes * p.likes) * least(l.likes / 5.0, 1), 0) AS shared_likes,
               0.5 ^ (greatest(extract(epoch FROM p.idle), 0) / 604800) AS recent_activity,
               coalesce(r.favorites / sqrt(nullif(me.favorites * p.favorites, 0)) * least(r.favorites / 3.0, 1), 0)
                   AS shared_favorites,
               coalesce(r.albums, 0) AS rated_count, coalesce(l.likes, 0) AS like_count, r.loved_ids,
               l.album_ids AS liked_ids, r.favorite_ids, extract(day FROM p.idle)::int AS idle_days
        FROM people p CROSS JOIN me LEFT JOIN rated r USING (id) LEFT JOIN liked l USING (id)
    )
    SELECT * FROM (
        SELECT *, .35 * rating_similarity + .25 * shared_likes + .20 * recent_activity + .20 * shared_favorites AS score
        FROM parts
    ) scored
    ORDER BY score DESC, follower_count DESC, id LIMIT 50"""


def cache_key(user_id: UUID) -> str:
    """Where a person's suggestions are kept."""
    return f"suggestions:{user_id}"


async def suggest(db: Reader, user_id: UUID) -> list[Suggestion]:
    """The best suggestions for a person now, best first."""
    candidates = await CANDIDATES.all(db, viewer=user_id)
    rows = await db.records(SCORES, [user_id, candidates, MOST_DOINGS]) if candidates else []
    shown = {album for row in rows for ids in _album_ids(row) for album in ids}
    titles = await ALBUM_TITLES.all(db, ids=list(shown)) if shown else []
    albums = {album.id: album for album in titles}
    return [_suggestion(row, albums) for row in rows]


def _album_ids(row: Any) -> tuple[list[UUID], ...]:
    return tuple((row[name] or [])[:MOST_SHOWN_ALBUMS] for name in ("loved_ids", "liked_ids", "favorite_ids"))


def _suggestion(row: Any, albums: dict[UUID, SharedAlbum]) -> Suggestion:
    parts = SimilarityParts(**{name: min(row[name], 1.0) for name in WEIGHTS})
    return Suggestion(id=row["id"], score=min(row["score"], 1.0), parts=parts, reasons=_reasons(row, parts, albums))


def _reasons(row: Any, parts: SimilarityParts, titles: dict[UUID, SharedAlbum]) -> list[Reason]:
    """What both have in common, what adds most to the score first; then when the person was active."""
    loved, liked, favorites = ([titles[key] for key in ids if key in titles] for ids in _album_ids(row))
    common = {
        "rating_similarity": similar_ratings(row["rated_count"], len(row["loved_ids"] or []), loved, parts),
        "shared_likes": shared_likes(row["like_count"], liked),
        "shared_favorites": shared_favorites(len(row["favorite_ids"] or []), favorites),
    }
    order = sorted(common, key=lambda name: -WEIGHTS[name] * getattr(parts, name))
    return [*(reason for name in order if (reason := common[name])), recent_activity(row["idle_days"])]
