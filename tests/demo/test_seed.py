"""The demo: the same everywhere, exact in its counters, as the handlers would have made it, and removable."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from PIL import Image
from sqlalchemy import text

from app.core.infra import Infra
from app.core.job_runner import drain
from app.core.jobs import Event, emit
from app.demo.content import Content, build_content
from app.demo.echoes import build_echoes
from app.demo.ids import demo_id
from app.demo.listening import build_listens
from app.demo.removal import DemoInUse
from app.demo.seed import DEMO_LOGINS, PublicPasswords, SeedResult, reset, seed_if_empty
from app.pictures.service import Size, open_picture
from app.reviews.events import CommentLiked, CommentWritten, FavoriteMarked, ReviewLiked, ReviewPublished
from app.users.events import Followed
from tests.conftest import http_client
from tests.discover.factories import like, make_album, review
from tests.people import People, queries

# each finds rows whose counter is not what it counts
INVARIANTS = {
    "albums": """
        SELECT a.title FROM albums a LEFT JOIN LATERAL (
            SELECT count(*) AS n, coalesce(sum(rating), 0) AS s FROM reviews
            WHERE album_id = a.id AND published_at IS NOT NULL
        ) r ON true
        WHERE a.review_count <> r.n OR a.rating_sum <> r.s
           OR a.like_count <> (SELECT count(*) FROM likes WHERE album_id = a.id)
           OR (SELECT sum(c) FROM unnest(a.rating_counts) c) <> r.n
           OR (SELECT coalesce(sum(c * i), 0) FROM unnest(a.rating_counts) WITH ORDINALITY b(c, i)) <> r.s
           OR a.track_count <> (SELECT count(*) FROM tracks WHERE album_id = a.id)
           OR a.duration_ms <> (SELECT coalesce(sum(duration_ms), 0) FROM tracks WHERE album_id = a.id)""",
    "artists": "SELECT name FROM artists a WHERE album_count <> (SELECT count(*) FROM albums WHERE artist_id = a.id)",
    "tracks": "SELECT title FROM tracks t WHERE like_count <> (SELECT count(*) FROM likes WHERE track_id = t.id)",
    "users": """
        SELECT username FROM users u
        WHERE follower_count <> (SELECT count(*) FROM follows WHERE followed_id = u.id)
           OR following_count <> (SELECT count(*) FROM follows WHERE follower_id = u.id)
           OR review_count <> (SELECT count(*) FROM reviews WHERE user_id = u.id AND published_at IS NOT NULL)
           OR rating_sum <> (SELECT coalesce(sum(rating), 0) FROM reviews WHERE user_id = u.id AND published_at < now())
           OR active_at > now()""",
    "reviews": """
        SELECT id FROM reviews r
        WHERE like_count <> (SELECT count(*) FROM likes WHERE review_id = r.id)
           OR comment_count <> (SELECT count(*) FROM comments WHERE review_id = r.id)
           OR published_at > now()""",
    "comments": """
        SELECT c.id FROM comments c
        JOIN reviews r ON r.id = c.review_id LEFT JOIN comments p ON p.id = c.parent_id
        WHERE c.like_count <> (SELECT count(*) FROM likes WHERE comment_id = c.id)
           OR c.reply_count <> (SELECT count(*) FROM comments WHERE parent_id = c.id)
           OR c.created_at <= greatest(r.published_at, p.created_at) OR c.created_at > now()
           OR p.parent_id IS NOT NULL OR p.review_id <> c.review_id""",
    "likes": """
        SELECT l.id FROM likes l LEFT JOIN reviews r ON r.id = l.review_id LEFT JOIN comments c ON c.id = l.comment_id
        WHERE l.created_at > now() OR l.created_at < coalesce(r.published_at, c.created_at)""",
    "listens": """
        SELECT l.user_id FROM listens l LEFT JOIN listeners c ON c.user_id = l.user_id
        GROUP BY l.user_id, c.listen_count
        HAVING c.listen_count IS DISTINCT FROM count(*) OR max(l.listened_at) > now()""",
    "listens one after the other": """
        SELECT user_id FROM (
            SELECT user_id, listened_at < lag(listened_at) OVER mine AS late,
                listened_at - lag(listened_at) OVER mine < interval '1 ms' * (lag(played_ms) OVER mine - 1000) AS over
            FROM listens WINDOW mine AS (PARTITION BY user_id ORDER BY id)
        ) l WHERE late OR over""",
    "playlists": """
        SELECT p.name FROM playlists p LEFT JOIN LATERAL (
            SELECT count(*) AS n, coalesce(sum(duration_ms), 0) AS ms FROM playlist_entries WHERE playlist_id = p.id
        ) e ON true
        WHERE p.like_count <> (SELECT count(*) FROM likes WHERE playlist_id = p.id)
           OR p.kind = 'manual' AND (p.track_count, p.duration_ms) <> (e.n, e.ms)
           OR p.kind = 'smart' AND p.track_count < 10
           OR NOT EXISTS (SELECT FROM playlist_members WHERE playlist_id = p.id AND user_id = p.owner_id)""",
    "inboxes": """
        SELECT user_id FROM inboxes i FULL JOIN (
            SELECT user_id, count(*) AS n, max(number) AS last, count(*) FILTER (WHERE read_at IS NULL) AS unread
            FROM notifications GROUP BY user_id
        ) n USING (user_id)
        WHERE (i.last_number, i.last_number, i.unread_count) IS DISTINCT FROM (n.n, n.last, n.unread)""",
    "numbers in the order of time": """
        SELECT id FROM (
            SELECT id, created_at < lag(created_at) OVER (PARTITION BY user_id ORDER BY number) AS late
            FROM notifications
        ) n WHERE late""",
    "ids in the order of time": """
        SELECT id FROM (
            SELECT id, published_at < lag(published_at) OVER (ORDER BY id) AS late FROM reviews
            UNION ALL SELECT id, created_at < lag(created_at) OVER (ORDER BY id) FROM comments
            UNION ALL SELECT id, created_at < lag(created_at) OVER (ORDER BY id) FROM likes
            UNION ALL SELECT id, created_at < lag(created_at) OVER (ORDER BY id) FROM follows
            UNION ALL SELECT id, created_at < lag(created_at) OVER (ORDER BY id) FROM activities
        ) rows WHERE late""",
    "search": """
        SELECT id FROM (
            SELECT id FROM users UNION ALL SELECT id FROM albums UNION ALL SELECT id FROM artists
            UNION ALL SELECT id FROM tracks
        ) things FULL JOIN search_documents d ON d.entity_id = things.id WHERE id IS NULL OR entity_id IS NULL""",
}
ECHOES = {
    "activities": "SELECT actor_id, kind, review_id, followed_id FROM activities WHERE actor_id = ANY ($1)",
    "feed": """
        SELECT f.reader_id, a.actor_id, a.kind, a.review_id, a.followed_id
        FROM feed_entries f JOIN activities a ON a.id = f.activity_id WHERE a.actor_id = ANY ($1)""",
    "notifications": """
        SELECT user_id, kind, actor_id, subject, review_id, comment_id FROM notifications WHERE actor_id = ANY ($1)""",
}


@pytest.fixture
async def infra(fresh: FastAPI) -> Infra:
    infra: Infra = fresh.state.infra
    await infra.redis.flushdb()
    assert await seed_if_empty(infra) is not None
    return infra


async def check(infra: Infra) -> None:
    broken = {name: rows for name, sql in INVARIANTS.items() if (rows := await infra.db.fetch(sql, []))}
    assert broken == {}


async def snapshot(infra: Infra, statements: dict[str, str], actors: list[UUID]) -> dict[str, set[tuple[Any, ...]]]:
    return {name: {tuple(row) for row in await infra.db.fetch(sql, [actors])} for name, sql in statements.items()}


async def count(infra: Infra, table: str) -> int:
    return (await infra.db.fetch(f"SELECT count(*) FROM {table}", []))[0][0]


def test_it_is_the_same_everywhere_and_at_any_time() -> None:
    early, late = [build_content(datetime(year, 5, 1, tzinfo=UTC)) for year in (2026, 2031)]
    for one, other in (
        (early.albums, late.albums),
        (early.tracks, late.tracks),
        (early.reviews, late.reviews),
        (early.people, late.people),
    ):
        assert {key: row["id"] for key, row in one.items()} == {key: row["id"] for key, row in other.items()}
    assert [row["id"] for row in early.comments] == [row["id"] for row in late.comments]
    assert [row["id"] for row in early.likes] == [row["id"] for row in late.likes]
    first = build_echoes(early, datetime(2026, 5, 1, tzinfo=UTC))
    assert first == build_echoes(early, datetime(2026, 5, 1, tzinfo=UTC))


def test_the_ids_in_the_documentation_s_examples() -> None:
    content = build_content(datetime.now(UTC))
    assert str(content.people["ana"]["id"]) == "0196a2e4-6800-7019-889d-a55b880d69ab"
    assert str(content.artists["Miles Davis"]["id"]) == "01956ec6-f700-77a8-81ac-c7698e1ba072"
    assert str(content.albums["Miles Davis - Kind of Blue"]["id"]) == "01956ec6-f700-73a5-8c43-4797e00d8474"
    assert str(content.tracks["Miles Davis - Kind of Blue - So What"]["id"]) == "01956ec6-fa60-76d3-9f8d-5491f3360b6b"
    assert (
        str(content.reviews["marcus_t", "Miles Davis - Kind of Blue"]["id"]) == "019b6031-e000-76ae-8c01-e9cef6d02266"
    )
    assert str(content.comments[0]["id"]) == "019b7059-74ed-7a36-a749-fc3f907b38a7"


def test_ids_are_version_7_and_sort_by_time() -> None:
    older, newer = demo_id("review", "a", 10), demo_id("review", "a", 9)
    assert (older.version, older.variant) == (7, "specified in RFC 4122")
    assert older < newer
    assert demo_id("review", "b", 10) != older


async def test_there_is_enough_to_look_at(infra: Infra) -> None:
    assert await count(infra, "albums") >= 60
    assert await count(infra, "users WHERE role = 'user'") >= 10
    assert await count(infra, "reviews") >= 200
    assert await count(infra, "tracks WHERE album_id IS NOT NULL AND duration_ms > 0") >= 800
    for chart in ("top", "trending"):
        assert await count(infra, f"chart_entries WHERE kind = '{chart}' AND genre = ''") >= 20


async def test_counters_are_what_they_count(infra: Infra) -> None:
    await check(infra)


async def test_feeds_and_inboxes_are_as_the_handlers_make_them(infra: Infra) -> None:
    content = build_content(datetime.now(UTC))
    # a quarter of the people do enough of everything
    actors = [content.people[name]["id"] for name in ("ana", "bruno", "vera")]
    made = await snapshot(infra, ECHOES, actors)
    assert min(len(rows) for rows in made.values()) > 50
    await infra.db.fetch("DELETE FROM activities", [])
    await infra.db.fetch("DELETE FROM notifications", [])
    async with infra.db.write() as db:
        for event in events_of(content, actors):
            await emit(db, event)
    await drain(infra)
    assert await snapshot(infra, ECHOES, actors) == made


def test_listens_are_the_same_whenever_they_are_loaded() -> None:
    now, later = datetime(2026, 5, 1, tzinfo=UTC), datetime(2027, 3, 4, 5, 6, 7, tzinfo=UTC)
    one, other = build_listens(build_content(now), now), build_listens(build_content(later), later)
    assert len(one.listens) > 500
    assert len(one.listeners) > 8
    ages = [
        [(row["user_id"], row["track_id"], at - row["listened_at"]) for row in heard.listens]
        for heard, at in ((one, now), (other, later))
    ]
    assert ages[0] == ages[1]


def events_of(content: Content, actors: list[UUID]) -> Iterator[Event]:
    """What the services would have told of."""
    reviews_of = {comment["id"]: comment["review_id"] for comment in content.comments}
    for row in [row for row in content.follows if row["follower_id"] in actors]:
        yield Followed(follower_id=row["follower_id"], followed_id=row["followed_id"])
    for row in [row for row in content.reviews.values() if row["user_id"] in actors]:
        yield ReviewPublished(review_id=row["id"], user_id=row["user_id"], album_id=row["album_id"])
        if row["is_favorite"]:
            yield FavoriteMarked(review_id=row["id"], user_id=row["user_id"])
    for row in [row for row in content.comments if row["user_id"] in actors]:
        ids = {"comment_id": row["id"], "review_id": row["review_id"], "parent_id": row["parent_id"]}
        yield CommentWritten(user_id=row["user_id"], **ids)
    for row in [row for row in content.likes if row["user_id"] in actors]:
        if row["review_id"]:
            yield ReviewLiked(review_id=row["review_id"], user_id=row["user_id"])
        if comment_id := row["comment_id"]:
            yield CommentLiked(comment_id=comment_id, review_id=reviews_of[comment_id], user_id=row["user_id"])


async def test_it_is_loaded_once(infra: Infra) -> None:
    before = await count(infra, "users")
    assert await seed_if_empty(infra) is None
    assert await count(infra, "users") == before


async def test_processes_that_start_together_load_it_once(fresh: FastAPI) -> None:
    results = await asyncio.gather(*(seed_if_empty(fresh.state.infra) for _ in range(3)))
    assert sorted(result is None for result in results) == [False, True, True]


async def test_a_database_with_somebody_in_it_is_left_alone(fresh: FastAPI) -> None:
    async with People(fresh) as people:
        await people.make("somebody")
        assert await seed_if_empty(fresh.state.infra) is None
        assert await count(fresh.state.infra, "albums") == 0


async def test_accounts_with_known_passwords_are_not_for_production(fresh: FastAPI) -> None:
    infra: Infra = fresh.state.infra
    production = replace(infra, settings=infra.settings.model_copy(update={"environment": "production"}))
    for load in (seed_if_empty, reset):
        with pytest.raises(PublicPasswords):
            await load(production)
    assert await count(infra, "users") == 0


async def test_it_takes_few_statements(fresh: FastAPI) -> None:
    async with queries(fresh.state.infra) as ran:
        result = await seed_if_empty(fresh.state.infra)
    assert isinstance(result, SeedResult)
    assert ran[0] < 160
    assert "Sign in as ana" in str(result)


async def test_the_logins_work(infra: Infra, fresh: FastAPI) -> None:
    async with http_client(fresh) as client:
        for login in DEMO_LOGINS:
            for name in (login.username, f"{login.username}@demo.example"):
                form = {"username": name, "password": login.password}
                answer = await client.post("/auth/login", data=form)
                assert answer.status_code == 200, answer.text
            signed = {"Authorization": f"Bearer {answer.json()['access_token']}"}
            me = (await client.get("/auth/me", headers=signed)).json()
            assert (me["role"], me["email_verified"]) == (login.role, True)


async def test_pictures_are_small_and_there(infra: Infra) -> None:
    keys = [row[0] for row in await infra.db.fetch("SELECT cover_key FROM albums", [])]
    keys += [row[0] for row in await infra.db.fetch("SELECT avatar_key FROM users", [])]
    assert len(set(keys)) == len(keys)
    wanted: tuple[tuple[Size | None, int, int], ...] = ((None, 300, 20_000), (320, 300, 20_000), (96, 96, 3_000))
    for size, side, most in wanted:
        for key in keys:
            pieces, length = await open_picture(infra, key, size)
            with Image.open(BytesIO(b"".join([piece async for piece in pieces]))) as picture:
                assert (picture.format, picture.size) == ("WEBP", (side, side))
            assert length < most


async def test_reset_brings_the_demo_back(infra: Infra) -> None:
    content = build_content(datetime.now(UTC))
    ana, bruno = content.people["ana"]["id"], content.people["bruno"]["id"]
    everybody = [row["id"] for row in content.people.values()]
    before = await snapshot(infra, ECHOES, everybody)
    async with infra.db.write() as db:
        await db.execute(text("DELETE FROM reviews WHERE user_id = :id"), {"id": ana})
        await db.execute(text("UPDATE users SET username = 'x', username_key = 'x' WHERE id = :id"), {"id": bruno})
    await reset(infra)
    assert await snapshot(infra, ECHOES, everybody) == before
    await check(infra)


async def test_no_count_of_likes_outlives_a_reset(infra: Infra, fresh: FastAPI) -> None:
    """Neither those of the demo's albums nor those that its people leave behind on another one."""
    content = build_content(datetime.now(UTC))
    ana = content.people["ana"]["id"]
    demo = content.albums["Miles Davis - Kind of Blue"]
    theirs = await make_album(infra, "theirs")
    async with http_client(fresh) as client:

        async def counts() -> list[int]:
            answers = [await client.get(f"/albums/{album_id}/likes") for album_id in (demo["id"], theirs.id)]
            return [answer.json()["like_count"] for answer in answers]

        await like(infra, ana, album_id=theirs.id)
        await infra.db.fetch("UPDATE albums SET like_count = like_count + 1", [])
        assert await counts() == [demo["like_count"] + 1, 1]
        await reset(infra)
        assert await counts() == [demo["like_count"], 0]


async def test_reset_keeps_what_is_not_the_demo_s(infra: Infra, fresh: FastAPI) -> None:
    content = build_content(datetime.now(UTC))
    ana = content.people["ana"]["id"]
    beatles = content.artists["The Beatles"]["id"]
    async with People(fresh) as people:
        somebody = await people.make("somebody")
        album = await make_album(infra, "theirs")
        await review(infra, somebody.id, album, 7)
        await review(infra, ana, album, 3)
        await like(infra, ana, album_id=album.id)
        await infra.db.fetch(
            "UPDATE albums SET artist_id = $1, review_count = 2, rating_sum = 10, like_count = 1,"
            " rating_counts[3] = 1, rating_counts[7] = 1 WHERE id = $2",
            [beatles, album.id],
        )
        await infra.db.fetch("UPDATE artists SET album_count = album_count + 1 WHERE id = $1", [beatles])
        await infra.db.fetch("DELETE FROM artists WHERE name = 'Artist of theirs'", [])
        await infra.db.fetch(
            "INSERT INTO search_documents (entity_id, kind, title_key, terms, weight)"
            " VALUES ($1, 'album', 'theirs', ''::tsvector, 0), ($2, 'person', 'somebody', ''::tsvector, 0)",
            [album.id, somebody.id],
        )
        await reset(infra)
        (row,) = await infra.db.fetch(
            "SELECT review_count, rating_sum, like_count FROM albums WHERE id = $1", [album.id]
        )
        assert tuple(row) == (1, 7, 0)
        await check(infra)


# what may tie other people to the demo, and how it is undone; $1 ana, $2 somebody
TIES = {
    "follows": (
        "INSERT INTO follows (id, follower_id, followed_id) VALUES (gen_random_uuid(), $2, $1)",
        "DELETE FROM follows WHERE follower_id = $2 AND followed_id = $1",
    ),
    "reviews": (
        (
            "INSERT INTO reviews (id, user_id, album_id, rating) SELECT gen_random_uuid(), $2, album_id, 5"
            " FROM reviews WHERE user_id = $1 LIMIT 1"
        ),
        "DELETE FROM reviews WHERE user_id = $2 AND $1::uuid IS NOT NULL",
    ),
    "comments": (
        (
            "INSERT INTO comments (id, user_id, review_id, text) SELECT gen_random_uuid(), $2, id, 'x'"
            " FROM reviews WHERE user_id = $1 LIMIT 1"
        ),
        "DELETE FROM comments WHERE user_id = $2 AND $1::uuid IS NOT NULL",
    ),
    "likes": (
        (
            "INSERT INTO likes (id, user_id, review_id) SELECT gen_random_uuid(), $2, id"
            " FROM reviews WHERE user_id = $1 LIMIT 1"
        ),
        "DELETE FROM likes WHERE user_id = $2 AND $1::uuid IS NOT NULL",
    ),
    "listens": (
        (
            "INSERT INTO listens (user_id, id, track_id, listened_at, source) SELECT $2, gen_random_uuid(), track_id,"
            " now(), 'manual' FROM listens WHERE user_id = $1 LIMIT 1"
        ),
        "DELETE FROM listens WHERE user_id = $2 AND $1::uuid IS NOT NULL",
    ),
    "usernames": (
        "UPDATE users SET username_key = 'bruno' WHERE id = $2 AND $1::uuid IS NOT NULL",
        "UPDATE users SET username_key = 'free' WHERE id = $2 AND $1::uuid IS NOT NULL",
    ),
}


async def test_reset_refuses_when_other_people_would_lose_something(infra: Infra, fresh: FastAPI) -> None:
    ana = build_content(datetime.now(UTC)).people["ana"]["id"]
    async with People(fresh) as people:
        somebody = await people.make("somebody")
        # whoever took a name of the demo's cannot be overwritten
        await infra.db.fetch("UPDATE users SET username_key = 'renamed' WHERE username_key = 'bruno'", [])
        for what, (tie, untie) in TIES.items():
            await infra.db.fetch(tie, [ana, somebody.id])
            with pytest.raises(DemoInUse, match=f"1 {what} tie"):
                await reset(infra)
            await infra.db.fetch(untie, [ana, somebody.id])


async def test_reset_refuses_when_the_demo_wrote_among_others(infra: Infra, fresh: FastAPI) -> None:
    ana = build_content(datetime.now(UTC)).people["ana"]["id"]
    async with People(fresh) as people:
        theirs = await review(infra, (await people.make("somebody")).id, await make_album(infra), 8)
        await like(infra, ana, review_id=theirs.id)
        with pytest.raises(DemoInUse, match="1 likes"):
            await reset(infra)
