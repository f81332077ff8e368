"""Lists of reviews: their order, their pages, and what they cost."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from app.core.ids import uuid7
from app.core.infra import Infra
from app.reviews.models import Review
from tests.people import People, Person, queries
from tests.reviews.factories import fill_album, follow, make_album, mute, write_review

Sorts = pytest.mark.parametrize("sort", ["new", "top", "rating"])


async def pages(
    client: httpx.AsyncClient, path: str, between: Callable[[], Awaitable[object]] | None = None, **params: Any
) -> AsyncIterator[list[dict[str, Any]]]:
    """All pages of a list; `between` happens before each further one."""
    cursor: dict[str, str] = {}
    while True:
        answer = await client.get(path, params=params | cursor)
        assert answer.status_code == 200, answer.text
        yield answer.json()["items"]
        if answer.json()["next_cursor"] is None:
            assert "link" not in answer.headers
            return
        assert 'rel="next"' in answer.headers["link"]
        cursor = {"cursor": answer.json()["next_cursor"]}
        if between:
            await between()


async def spread(infra: Infra, ids: list[UUID]) -> None:
    """Gives reviews ratings, likes and times with ties among them."""
    start = datetime.now(UTC) - timedelta(days=3)
    async with infra.db.write() as db:
        for place, review_id in enumerate(ids):
            values = {"rating": place % 3 + 1, "like_count": place % 4, "published_at": start + timedelta(place // 2)}
            await db.execute(update(Review).where(Review.id == review_id).values(values))


def key_of(sort: str) -> Callable[[dict[str, Any]], tuple[Any, str]]:
    column = {"new": "published_at", "top": "like_count", "rating": "rating"}[sort]
    return lambda review: (review[column], review["id"])


@Sorts
async def test_three_pages_of_an_album_have_no_repeats_and_no_gaps(
    infra: Infra, client: httpx.AsyncClient, sort: str
) -> None:
    album_id = await make_album(infra)
    ids = await fill_album(infra, album_id, 7)
    await spread(infra, ids)

    async def others_write() -> None:
        await fill_album(infra, album_id, 1, rating=10, like_count=99)
        await fill_album(infra, album_id, 1, rating=2, like_count=0)

    found = [page async for page in pages(client, f"/albums/{album_id}/reviews", others_write, sort=sort, limit=3)]
    seen = [review for page in found for review in page]
    assert len(found) >= 3
    assert len({review["id"] for review in seen}) == len(seen)
    assert {str(review_id) for review_id in ids} <= {review["id"] for review in seen}
    assert seen == sorted(seen, key=key_of(sort), reverse=True)


@Sorts
async def test_three_pages_of_a_person(infra: Infra, client: httpx.AsyncClient, people: People, sort: str) -> None:
    ana = await people.make("ana")
    ids = [UUID((await write_review(ana, await make_album(infra)))["id"]) for _ in range(7)]
    await spread(infra, ids)

    async def ana_writes() -> None:
        await write_review(ana, await make_album(infra), rating=10)

    path = f"/users/{ana.username.upper()}/reviews"
    found = [page async for page in pages(client, path, ana_writes, sort=sort, limit=3)]
    seen = [review for page in found for review in page]
    assert len(found) >= 3
    assert len({review["id"] for review in seen}) == len(seen)
    assert {str(review_id) for review_id in ids} <= {review["id"] for review in seen}
    assert seen == sorted(seen, key=key_of(sort), reverse=True)


async def test_three_pages_of_recent_reviews(infra: Infra, client: httpx.AsyncClient) -> None:
    album_id = await make_album(infra)
    ids = await fill_album(infra, album_id, 7)

    async def others_write() -> None:
        await fill_album(infra, album_id, 2)

    seen: list[str] = []
    async for page in pages(client, "/reviews", others_write, limit=3):
        seen += [review["id"] for review in page]
        if len(seen) >= 9:
            break
    assert seen[:7] == [str(review_id) for review_id in reversed(ids)]


@Sorts
async def test_pages_of_everybodys_reviews_go_through_ties(fresh: FastAPI, sort: str) -> None:
    infra: Infra = fresh.state.infra
    async with People(fresh) as people:
        ana, hidden = await people.make("ana"), await people.make(profile_visibility="me")
        ids = await fill_album(infra, await make_album(infra), 7)
        await spread(infra, ids)
        await write_review(ana, await make_album(infra), rating=None, draft=True)
        await write_review(hidden, await make_album(infra), rating=10)

        async def others_write() -> None:
            await fill_album(infra, await make_album(infra), 1, rating=10, like_count=99)

        found = [page async for page in pages(ana, "/reviews", others_write, sort=sort, limit=2)]
    seen = [review for page in found for review in page]
    assert [len(page) for page in found] == [2, 2, 2, 1]
    assert {review["id"] for review in seen} == set(map(str, ids))
    assert seen == sorted(seen, key=key_of(sort), reverse=True)


async def test_three_pages_of_followed_people(infra: Infra, people: People) -> None:
    me = await people.make("me")
    authors = [await people.make("author") for _ in range(4)]
    stranger, hidden, muted = (
        await people.make("stranger"),
        await people.make(profile_visibility="me"),
        await people.make(),
    )
    for author in (*authors, hidden, muted):
        await follow(infra, me, author)
    await mute(infra, me, muted)
    written = []
    for turn in range(10):
        review = await write_review(authors[turn % 3], await make_album(infra))
        written.append(review["id"])
        for silent in (stranger, hidden, muted):
            await write_review(silent, await make_album(infra))
    await write_review(authors[3], await make_album(infra), rating=None, draft=True)

    async def ana_writes() -> None:
        await write_review(authors[0], await make_album(infra))

    found = [page async for page in pages(me, "/reviews/following", ana_writes, limit=4)]
    assert [len(page) for page in found] == [4, 4, 2]
    assert [review["id"] for page in found for review in page] == written[::-1]


async def test_cursors_fit_only_their_own_list(infra: Infra, client: httpx.AsyncClient) -> None:
    album_id = await make_album(infra)
    await fill_album(infra, album_id, 3)
    path = f"/albums/{album_id}/reviews"
    cursor = (await client.get(path, params={"limit": 1})).json()["next_cursor"]
    for params in ({"sort": "top"}, {"rating": 7}):
        answer = await client.get(path, params={"limit": 1, "cursor": cursor, **params})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "cursor")
    assert (await client.get("/reviews", params={"cursor": cursor})).status_code == 422
    cursor_of_all = (await client.get("/reviews", params={"limit": 1})).json()["next_cursor"]
    for sort in ("top", "rating"):
        assert (await client.get("/reviews", params={"cursor": cursor_of_all, "sort": sort})).status_code == 422
    tampered = cursor[:-2] + ("A" if cursor[-2] != "A" else "B") + cursor[-1]
    assert (await client.get(path, params={"limit": 1, "cursor": tampered})).status_code == 422


async def test_filters(infra: Infra, people: People, client: httpx.AsyncClient) -> None:
    ana = await people.make("ana")
    album_id = await make_album(infra)
    await fill_album(infra, album_id, 3, rating=4)
    favorite = await write_review(ana, album_id, rating=9, is_favorite=True)
    await write_review(ana, await make_album(infra), rating=4)
    nines = await client.get(f"/albums/{album_id}/reviews", params={"rating": 9, "sort": "top"})
    assert [review["id"] for review in nines.json()["items"]] == [favorite["id"]]
    assert (await client.get(f"/albums/{album_id}/reviews", params={"rating": 3})).json()["items"] == []
    favorites = await client.get(f"/users/{ana.username}/reviews", params={"favorites": True})
    assert [review["id"] for review in favorites.json()["items"]] == [favorite["id"]]
    assert (await client.get(f"/albums/{album_id}/reviews", params={"rating": 11})).status_code == 422
    for path in (f"/albums/{album_id}/reviews", "/reviews"):
        assert (await client.get(path, params={"sort": "old"})).status_code == 422


async def test_a_merged_album_lists_what_the_kept_one_has(infra: Infra, client: httpx.AsyncClient) -> None:
    kept_id = await make_album(infra)
    duplicate_id = await make_album(infra, merged_into_id=kept_id)
    ids = await fill_album(infra, kept_id, 2)
    found = (await client.get(f"/albums/{duplicate_id}/reviews")).json()["items"]
    assert [review["id"] for review in found] == [str(review_id) for review_id in reversed(ids)]


async def test_an_empty_list_is_told_from_a_missing_owner(infra: Infra, people: People, client: Person) -> None:
    ana = await people.make("ana")
    album_id = await make_album(infra)
    assert (await client.get(f"/albums/{album_id}/reviews")).json() == {"items": [], "next_cursor": None}
    assert (await client.get(f"/users/{ana.username}/reviews")).json()["items"] == []
    assert (await ana.get("/reviews/following")).json()["items"] == []
    assert (await client.get(f"/albums/{uuid7()}/reviews")).status_code == 404
    assert (await client.get("/users/nobody_at_all/reviews")).status_code == 404
    assert (await client.get(f"/reviews/{uuid7()}/revisions")).status_code == 404


async def test_each_list_is_one_statement(infra: Infra, people: People) -> None:
    ana, ben = await people.make("ana"), await people.make("ben")
    await follow(infra, ben, ana)
    album_id = await make_album(infra)
    await fill_album(infra, album_id, 25)
    review = await write_review(ana, album_id)
    await ana.patch(f"/reviews/{review['id']}", json={"rating": 1})
    await ben.put(f"/reviews/{review['id']}/like")
    for path in (
        f"/albums/{album_id}/reviews",
        f"/albums/{album_id}/reviews?sort=top&rating=7",
        f"/users/{ana.username}/reviews?sort=rating",
        "/reviews",
        "/reviews?sort=top",
        "/reviews?sort=rating",
        "/reviews/following",
        f"/reviews/{review['id']}/revisions",
        f"/reviews/{review['id']}/likers",
    ):
        async with queries(infra) as ran:
            answer = await ben.get(path)
        assert answer.json()["items"], path
        assert ran == [1], path


async def test_lists_say_what_the_reader_likes(infra: Infra, people: People, client: httpx.AsyncClient) -> None:
    ana, ben = await people.make("ana"), await people.make("ben")
    album_id = await make_album(infra)
    review = await write_review(ana, album_id)
    await ben.put(f"/reviews/{review['id']}/like")
    path = f"/albums/{album_id}/reviews"
    for reader, liked in ((ben, True), (ana, False), (client, False)):
        assert [it["liked"] for it in (await reader.get(path)).json()["items"]] == [liked]


async def test_large_pages_are_full(infra: Infra, people: People, client: httpx.AsyncClient) -> None:
    me, author = await people.make("me"), await people.make("author")
    await follow(infra, me, author)
    album_id = await make_album(infra)
    await fill_album(infra, album_id, 30)
    for _ in range(30):
        await write_review(author, await make_album(infra))
    for reader, path in (
        (client, f"/albums/{album_id}/reviews"),
        (client, f"/users/{author.username}/reviews"),
        (me, "/reviews/following"),
    ):
        page = (await reader.get(path, params={"limit": 29})).json()
        assert (len(page["items"]), page["next_cursor"] is None) == (29, False)
