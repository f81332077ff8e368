"""Makes the charts, each by one statement: from all reviews to the places of every genre.

Only published reviews of people whose profile everyone may see count, and only likes of such people.

Top albums: the Bayesian mean (C*m + sum) / (C + n), as IMDb's Top 250 reckons it. n and sum are an album's ratings in
the period, m is the mean of all ratings in the period, and C = 5 says how many ratings it takes before an album's own
mean counts more than m. Below a floor of reviews, which depends on the period, an album has no place at all.

Trending: the sum over a week's reviews (1 each) and likes of the album (0.5 each), each halved for every two days of
its age, as radioactive decay does. A genre with nothing in the last seven days shows the seven days before, and so on.
"""

from datetime import timedelta
from typing import Literal

from app.core.db import Writer
from app.discover.track_charts import make_track_trends

__all__ = ["Period", "make_charts", "make_first_charts"]

Period = Literal["week", "month", "year", "all"]

PRIOR_WEIGHT = 5
LEAST_REVIEWS: dict[Period, int] = {"week": 1, "month": 2, "year": 3, "all": 3}
LENGTHS: dict[Period, timedelta | None] = {
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
    "all": None,
}
HALF_LIFE = timedelta(days=2)
LIKE_WEIGHT = 0.5
MOST_WEEKS_BACK = 52
LONGEST_CHART = 100
LONGEST_SECONDS = 60.0
_LOCK = 0x43_48_41_52  # one process makes charts, others wait

# $1 kind, $2 period, $3 its length, $4 fewest reviews, $5 most places, from $6 on what the kind needs.
# In both statements `genred` holds each counted album once for each of its genres and once for '', all genres together.
_COUNTED_TOP = """
    counted AS MATERIALIZED (
        SELECT r.album_id, count(*) AS reviews, sum(r.rating) AS ratings
        FROM reviews r JOIN users u ON u.id = r.user_id
        WHERE r.published_at > coalesce(now() - $3::interval, '-infinity') AND u.profile_visibility = 'everyone'
        GROUP BY r.album_id
    ),
    prior AS (SELECT sum(ratings) / sum(reviews) AS mean FROM counted),
    genred AS (
        SELECT genre, album_id, reviews, ratings, now() - $3::interval AS starts_at, now() AS ends_at, 0 AS weeks_back,
               ($6 * mean + ratings) / ($6 + reviews) AS score
        FROM counted JOIN albums a ON a.id = album_id AND a.merged_into_id IS NULL AND a.listed
        CROSS JOIN prior CROSS JOIN unnest(a.genres || ''::text) AS genre
    ),"""

_COUNTED_TRENDING = """
    events AS (
        SELECT r.album_id, r.published_at AS at, 1.0::float8 AS weight, r.rating
        FROM reviews r JOIN users u ON u.id = r.user_id
        WHERE r.published_at > now() - $3::interval * $8::int AND u.profile_visibility = 'everyone'
        UNION ALL
        SELECT l.album_id, l.created_at, $7::float8, NULL
        FROM likes l JOIN users u ON u.id = l.user_id
        WHERE l.album_id IS NOT NULL AND u.profile_visibility = 'everyone'
          AND l.created_at > now() - $3::interval * $8::int
    ),
    counted AS (
        SELECT album_id, floor(extract(epoch FROM now() - at) / extract(epoch FROM $3::interval))::int AS weeks_back,
               count(rating) AS reviews, sum(rating) AS ratings,
               sum(weight * 0.5 ^ (extract(epoch FROM now() - at)::float8 / extract(epoch FROM $6::interval))) AS score
        FROM events GROUP BY 1, 2
    ),
    latest AS (
        SELECT genre, album_id, reviews, ratings, score, weeks_back,
               now() - $3::interval * (weeks_back + 1) AS starts_at, now() - $3::interval * weeks_back AS ends_at,
               min(weeks_back) OVER (PARTITION BY genre) AS latest
        FROM counted JOIN albums a ON a.id = album_id AND a.merged_into_id IS NULL AND a.listed
        CROSS JOIN unnest(a.genres || ''::text) AS genre
    ),
    genred AS (SELECT * FROM latest WHERE weeks_back = latest),"""

_KEEP = """
    kept AS (
        INSERT INTO charts (kind, period, genre, starts_at, ends_at, weeks_back, album_count, review_count)
        SELECT $1, $2, genre, max(starts_at), max(ends_at), max(weeks_back), count(album_id), coalesce(sum(reviews), 0)
        FROM (
            SELECT genre, starts_at, ends_at, weeks_back, album_id, reviews FROM genred
            UNION ALL
            -- the chart of all genres is there even if nothing is in it
            SELECT '', now() - $3::interval, now(), 0, NULL, 0 WHERE NOT EXISTS (SELECT FROM genred)
        ) counts
        GROUP BY genre
        ON CONFLICT (kind, period, genre) DO UPDATE SET
            starts_at = excluded.starts_at, ends_at = excluded.ends_at, weeks_back = excluded.weeks_back,
            album_count = excluded.album_count, review_count = excluded.review_count, made_at = now()
    ),
    placed AS (
        SELECT *, row_number() OVER (PARTITION BY genre ORDER BY score DESC, reviews DESC, album_id) AS rank
        FROM genred WHERE reviews >= $4
    )
    INSERT INTO chart_entries (kind, period, genre, rank, album_id, score, mean_rating, review_count, previous_rank)
    SELECT $1, $2, p.genre, p.rank, p.album_id, p.score, p.ratings::float8 / nullif(p.reviews, 0), p.reviews,
           CASE WHEN e.made_at < date_trunc('day', now(), 'UTC') THEN e.rank ELSE e.previous_rank END
    FROM placed p LEFT JOIN chart_entries e
    ON e.kind = $1 AND e.period = $2 AND e.genre = p.genre AND e.album_id = p.album_id
    WHERE p.rank <= $5
    ON CONFLICT (kind, period, genre, rank) DO UPDATE SET
        album_id = excluded.album_id, score = excluded.score, mean_rating = excluded.mean_rating,
        review_count = excluded.review_count, previous_rank = excluded.previous_rank, made_at = now()"""


MAKE_TOP = f"WITH {_COUNTED_TOP}{_KEEP}"
MAKE_TRENDING = f"WITH {_COUNTED_TRENDING}{_KEEP}"
_FORGET = ("DELETE FROM chart_entries WHERE made_at <> now()", "DELETE FROM charts WHERE made_at <> now()")


async def make_first_charts(db: Writer) -> None:
    """Makes all charts, unless somebody else did so while this waited."""
    await _wait(db)
    if not await db.records("SELECT FROM charts LIMIT 1", []):
        await make_charts(db)


async def make_charts(db: Writer) -> None:
    """Makes all charts anew. Readers see the old ones until the commit."""
    await _wait(db)
    for period, length in LENGTHS.items():
        top = ["top", period, length, LEAST_REVIEWS[period], LONGEST_CHART, PRIOR_WEIGHT]
        await db.records(MAKE_TOP, top, seconds=LONGEST_SECONDS)
    trending = ["trending", "week", LENGTHS["week"], 0, LONGEST_CHART, HALF_LIFE, LIKE_WEIGHT, MOST_WEEKS_BACK + 1]
    await db.records(MAKE_TRENDING, trending, seconds=LONGEST_SECONDS)
    for statement in _FORGET:
        await db.records(statement, [])
    await make_track_trends(db)


async def _wait(db: Writer) -> None:
    await db.records("SELECT pg_advisory_xact_lock($1)", [_LOCK], seconds=LONGEST_SECONDS)
