"""Lists walk an index and stop after their page: what they cost does not grow with an album or a thread."""

from datetime import datetime
from hashlib import md5
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from app.core.infra import Infra
from app.core.paging import PageRequest
from app.core.query import PageQuery
from app.reactions.models import Comment
from app.reviews.models import Review
from app.reviews.queries import ALBUM_REVIEWS, EVERYBODYS_REVIEWS, FOLLOWED_REVIEWS, LIKERS, REVISIONS, USER_REVIEWS
from app.reviews.threads import REPLIES, THREADS

FILL = """
CREATE FUNCTION pg_temp.an_id(text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT md5($1)::uuid $$;
INSERT INTO users (id, username, username_key, display_name)
    SELECT pg_temp.an_id('u' || i), 'u' || i, 'u' || i, 'U' FROM generate_series(1, 2000) i;
INSERT INTO artists (id, name, name_key) VALUES (pg_temp.an_id('a'), 'A', 'a');
INSERT INTO albums (id, title, title_key, artist_id)
    SELECT pg_temp.an_id('b' || i), 'B', 'b', pg_temp.an_id('a') FROM generate_series(1, 400) i;
INSERT INTO reviews (id, user_id, album_id, rating, published_at, like_count)
    SELECT gen_random_uuid(), u.id, pg_temp.an_id('b' || CASE WHEN k = 0 THEN 1 ELSE 2 + (u.i * 7 + k * 31) % 399 END),
        1 + (u.i + k) % 10, now() - (u.i * 10 + k) * interval '1 minute', (u.i + k) % 50
    FROM (SELECT id, row_number() OVER () AS i FROM users) u, generate_series(0, 9) k ON CONFLICT DO NOTHING;
INSERT INTO follows (id, follower_id, followed_id)
    SELECT gen_random_uuid(), pg_temp.an_id('u1'), pg_temp.an_id('u' || i) FROM generate_series(2, 60) i;
INSERT INTO likes (id, user_id, review_id) SELECT gen_random_uuid(), user_id, id FROM reviews;
INSERT INTO likes (id, user_id, review_id)
    SELECT gen_random_uuid(), u.id, (SELECT id FROM reviews ORDER BY published_at DESC LIMIT 1) FROM users u
    ON CONFLICT DO NOTHING;
INSERT INTO comments (id, user_id, review_id, text) SELECT gen_random_uuid(), user_id, id, '' FROM reviews;
INSERT INTO comments (id, user_id, review_id, text)
    SELECT gen_random_uuid(), u.id, (SELECT id FROM reviews ORDER BY published_at DESC LIMIT 1), '' FROM users u;
INSERT INTO comments (id, user_id, review_id, parent_id, text)
    SELECT gen_random_uuid(), c.user_id, c.review_id, c.id, '' FROM comments c, generate_series(1, 2) k;
INSERT INTO review_revisions (id, review_id, rating) SELECT gen_random_uuid(), id, 5 FROM reviews;
ANALYZE
"""


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, datetime):
        return "'infinity'"
    return str(value) if isinstance(value, int) else f"'{value}'"


async def plan(infra: Infra, query: PageQuery[Any], **parameters: Any) -> str:
    """The plan of the first page as a busy connection keeps it: made once, for whichever parameters."""
    sql, arguments = query.page_statement(PageRequest(limit=20), **parameters)
    async with infra.db.engine.connect() as connection:
        await connection.exec_driver_sql("SET plan_cache_mode = force_generic_plan")
        await connection.exec_driver_sql(f"PREPARE page AS {sql}")
        explain = f"EXPLAIN EXECUTE page({', '.join(map(_literal, arguments))})"
        lines = (await connection.exec_driver_sql(explain)).scalars().all()
        await connection.exec_driver_sql("DEALLOCATE page")
    return "\n".join(lines)


@pytest.fixture
async def filled(fresh: FastAPI) -> Infra:
    infra: Infra = fresh.state.infra
    async with infra.db.write() as db:
        for statement in FILL.split(";\n"):
            await (await db.connection()).exec_driver_sql(statement)
    return infra


def an_id(name: str) -> UUID:
    return UUID(md5(name.encode()).hexdigest())


async def test_lists_walk_their_index(filled: Infra) -> None:
    viewer, album_id = an_id("u1"), an_id("b1")
    db = filled.db.reader
    review_id = await db.one(select(Review.id).order_by(Review.published_at.desc()).limit(1))
    comment_id = await db.one(select(Comment.parent_id).where(Comment.parent_id.is_not(None)).limit(1))
    assert await db.one(select(func.count()).where(Review.album_id == album_id)) == 2000
    cases: list[tuple[PageQuery[Any], dict[str, Any], str]] = [
        (EVERYBODYS_REVIEWS["new"], {}, "Backward using ix_reviews_recent"),
        (EVERYBODYS_REVIEWS["top"], {}, "Backward using ix_reviews_top"),
        (EVERYBODYS_REVIEWS["rating"], {}, "Backward using ix_reviews_rating"),
        (ALBUM_REVIEWS["new"], {"album_id": album_id, "most": 21}, "Backward using ix_reviews_album_new"),
        (ALBUM_REVIEWS["top"], {"album_id": album_id, "most": 21}, "Backward using ix_reviews_album_top"),
        (ALBUM_REVIEWS["rating"], {"album_id": album_id, "most": 21}, "Backward using ix_reviews_album_rating"),
        (USER_REVIEWS["new"], {"username_key": "u3", "most": 21}, "ix_reviews_user_new"),
        (THREADS["old"], {"review_id": review_id}, "Scan using ix_comments_threads"),
        (THREADS["new"], {"review_id": review_id}, "Backward using ix_comments_threads"),
        (REPLIES, {"comment_id": comment_id}, "Scan using ix_comments_parent_id_id"),
        (LIKERS, {"review_id": review_id}, "Backward using ix_likes_review_id_id"),
        (REVISIONS, {"review_id": review_id}, "Backward using ix_review_revisions_review_id_id"),
    ]
    for query, parameters, index in cases:
        for reader in (viewer, None):
            found = await plan(filled, query, viewer=reader, **parameters)
            assert index in found, found
            assert "Seq Scan on reviews" not in found, found
            if query is not USER_REVIEWS["new"]:  # ten reviews of each person are as well sorted
                assert found.count("Sort Key: reviews") <= 1, found  # the page itself, after it was found


async def test_followed_people_are_merged(filled: Infra) -> None:
    """Of each person the newest few, from their index; only those are sorted."""
    found = await plan(filled, FOLLOWED_REVIEWS, viewer=an_id("u1"), most=21)
    assert "Scan Backward using ix_reviews_user_new" in found, found
    assert "Seq Scan on reviews" not in found, found
