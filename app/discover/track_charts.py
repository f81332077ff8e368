"""Makes the chart of the tracks that are heard most now, by one statement: the places of every genre.

Each listener counts with their latest listen of the last seven days, halved for every two days of its age, as
radioactive decay does; whoever heard the track more often counts (1 + ln n) times, so that nobody makes a trend alone.
Only listens of people count whose library everyone may see.
"""

from datetime import timedelta

from app.core.db import Writer

__all__ = ["make_track_trends"]

HALF_LIFE = timedelta(days=2)
LENGTH = timedelta(days=7)
LONGEST = 100
LONGEST_SECONDS = 60.0

MAKE_TRENDS = """
    WITH heard AS (
        SELECT l.track_id, count(*) AS plays, now() - max(l.listened_at) AS age
        FROM listens l JOIN users u ON u.id = l.user_id
        WHERE l.listened_at > now() - $1::interval AND l.listened_at <= now()
          AND u.library_visibility = 'everyone' AND u.profile_visibility = 'everyone'
        GROUP BY l.track_id, l.user_id
    ),
    counted AS (
        SELECT track_id, sum(plays)::bigint AS plays, count(*) AS listeners,
               sum((1 + ln(plays::float8)) * 0.5 ^ (extract(epoch FROM age)::float8 / extract(epoch FROM $2::interval)))
               AS score
        FROM heard GROUP BY track_id
    ),
    placed AS (
        SELECT genre, c.*, row_number() OVER (PARTITION BY genre ORDER BY score DESC, plays DESC, track_id) AS rank
        FROM counted c JOIN tracks t ON t.id = c.track_id
            AND t.merged_into_id IS NULL AND t.visibility = 'public'
        CROSS JOIN unnest(t.genres || ''::text) AS genre
    )
    INSERT INTO track_trends (genre, rank, track_id, score, play_count, listener_count, previous_rank)
    SELECT p.genre, p.rank, p.track_id, p.score, p.plays, p.listeners,
           CASE WHEN e.made_at < date_trunc('day', now(), 'UTC') THEN e.rank ELSE e.previous_rank END
    FROM placed p LEFT JOIN track_trends e ON e.genre = p.genre AND e.track_id = p.track_id
    WHERE p.rank <= $3
    ON CONFLICT (genre, rank) DO UPDATE SET
        track_id = excluded.track_id, score = excluded.score, play_count = excluded.play_count,
        listener_count = excluded.listener_count, previous_rank = excluded.previous_rank, made_at = now()"""
_FORGET = "DELETE FROM track_trends WHERE made_at <> now()"


async def make_track_trends(db: Writer) -> None:
    """Makes it anew; one process at a time. Readers see the old one until the commit."""
    await db.records(MAKE_TRENDS, [LENGTH, HALF_LIFE, LONGEST], seconds=LONGEST_SECONDS)
    await db.records(_FORGET, [])
