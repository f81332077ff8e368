"""Many people, albums, reviews and feed entries, made by set-based SQL on PostgreSQL 18."""

from uuid import UUID

import asyncpg

__all__ = ["Sample", "fill", "fill_tracks"]

PER_PERSON = 80
ALBUMS = 5_000
_TEXT = (
    "A record that grows with each listen: the arrangements are patient, the voice is close, and the last track stays."
)

_ALBUMS = """
WITH made AS (
  INSERT INTO artists (id, name, name_key)
  SELECT uuidv7(), 'Artist ' || n, 'artist ' || n FROM generate_series(1, $1::int / 10) n RETURNING id
), numbered AS (SELECT id, row_number() OVER () AS n, count(*) OVER () AS total FROM made)
INSERT INTO albums (id, title, title_key, artist_id, year, genres, track_count)
SELECT uuidv7(), 'Album ' || a, 'album ' || a, numbered.id, 1960 + a % 65, ARRAY['rock'], 10
FROM generate_series(1, $1) a JOIN numbered ON numbered.n = 1 + a % numbered.total
"""
_TRACKS_OF_ALBUM = """
INSERT INTO tracks (id, title, title_key, artist_id, album_id, position, duration_ms)
SELECT uuidv7(), 'Track ' || n, 'track ' || n, artist_id, id, n, 180000 + n * 1000
FROM albums, generate_series(1, 10) n
"""
_PEOPLE = """
INSERT INTO users (id, username, username_key, display_name)
SELECT uuidv7(), 'person_' || n, 'person_' || n, 'Person ' || n FROM generate_series($1::int, $2::int) n
"""
# Everybody reviews the first album, so that its list is long at every size; the others in a spread of their own.
_REVIEWS = """
WITH a AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM albums),
     u AS (SELECT id, substr(username, 8)::int AS n FROM users WHERE username LIKE 'person_%'
           AND substr(username, 8)::int BETWEEN $1 AND $2)
INSERT INTO reviews (id, user_id, album_id, rating, text, is_favorite, published_at, like_count)
SELECT uuidv7(), u.id, a.id, 1 + (u.n * 7 + k * 3) % 10, $3, k % 20 = 0,
       now() - make_interval(secs => (u.n * 7919 + k * 104729) % 7776000), (u.n + k) % 50
FROM u, generate_series(0, $4 - 1) k JOIN a ON true
WHERE a.n = CASE WHEN k = 0 THEN 0 ELSE 1 + (u.n * 61 + k * 59) % ($5 - 1) END
ON CONFLICT DO NOTHING
"""
_COUNTS = """
UPDATE albums SET review_count = c.n, rating_sum = c.s, rating_counts = c.h FROM (
  SELECT album_id, count(*) AS n, sum(rating) AS s,
         ARRAY(SELECT 0::bigint FROM generate_series(1, 10)) AS h
  FROM reviews GROUP BY album_id) c WHERE c.album_id = albums.id
"""
_ACTIVITIES = """
INSERT INTO activities (id, actor_id, kind, review_id, created_at)
SELECT uuidv7(published_at - now()), user_id, 'review', id, published_at FROM reviews ON CONFLICT DO NOTHING
"""
_FOLLOWS = """
INSERT INTO follows (id, follower_id, followed_id)
SELECT uuidv7(), $1, id FROM users WHERE id <> $1 AND username LIKE 'person_%' ORDER BY id LIMIT $2
ON CONFLICT DO NOTHING
"""
_ENTRIES = """
INSERT INTO feed_entries (reader_id, activity_id)
SELECT $1, activities.id FROM activities JOIN follows f ON f.followed_id = actor_id WHERE f.follower_id = $1
ORDER BY activities.id DESC LIMIT 5000 ON CONFLICT DO NOTHING
"""
_TRACKS = """
WITH a AS (SELECT id, row_number() OVER () - 1 AS n, count(*) OVER () AS total FROM artists)
INSERT INTO tracks (id, title, title_key, artist_id, popularity)
SELECT uuidv7(), w.title, lower(w.title), a.id, g % 100
FROM generate_series(1, $1::int) g
CROSS JOIN LATERAL (SELECT initcap(
                             words[1 + g % 60] || ' ' || words[1 + (g / 60) % 60] || ' ' || words[1 + (g / 3600) % 60])
                           || CASE WHEN g > 216000 THEN ' ' || (g / 216000) ELSE '' END AS title
                    FROM (SELECT $2::text[] AS words) s) w
JOIN a ON a.n = g % a.total
"""
_WORDS = (
    "love night river golden silver shadow summer winter blue crimson dancing lonely forever midnight morning city "
    "ocean mountain desert garden thunder whisper echo mirror velvet electric broken holy wild gentle secret distant "
    "burning frozen falling rising running sleeping dreaming waiting singing crying laughing shining dark bright sweet "
    "bitter old young lost found first last only never always again together apart heart soul"
)


class Sample:
    """The rows that are asked for: an album that everybody reviewed, and readers who follow a few and many."""

    album: UUID
    few: UUID
    many: UUID


async def fill(dsn: str, reviews: int) -> Sample:
    """Brings the database to about this many reviews; what is there stays."""
    connection = await asyncpg.connect(dsn)
    try:
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM albums)"):
            await connection.execute(_ALBUMS, ALBUMS)
            await connection.execute(_TRACKS_OF_ALBUM)
            await _readers(connection)
        have = await connection.fetchval("SELECT count(*) FROM users WHERE username LIKE 'person_%'")
        want = reviews // PER_PERSON
        if want > have:
            await connection.execute(_PEOPLE, have + 1, want)
            await connection.execute(_REVIEWS, have + 1, want, _TEXT, PER_PERSON, ALBUMS)
        return await _finish(connection)
    finally:
        await connection.close()


async def _readers(connection: asyncpg.Connection) -> None:
    sql = "INSERT INTO users (id, username, username_key, display_name) VALUES (uuidv7(), $1, $1, $1)"
    for name in ("reader_few", "reader_many"):
        await connection.execute(sql, name)


async def _finish(connection: asyncpg.Connection) -> Sample:
    sample = Sample()
    sample.album = await connection.fetchval("SELECT id FROM albums ORDER BY id LIMIT 1")
    sample.few = await connection.fetchval("SELECT id FROM users WHERE username = 'reader_few'")
    sample.many = await connection.fetchval("SELECT id FROM users WHERE username = 'reader_many'")
    await connection.execute(_COUNTS)
    await connection.execute(_ACTIVITIES)
    for reader, people in ((sample.few, 10), (sample.many, 1000)):
        await connection.execute(_FOLLOWS, reader, people)
        await connection.execute(_ENTRIES, reader)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    return sample


async def fill_tracks(dsn: str, tracks: int) -> None:
    """Adds tracks with names of three common words."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_TRACKS, tracks, _WORDS.split())
    finally:
        await connection.close()
