"""Reviews of albums that turn out to be the same."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import update

from app.catalog.events import AlbumsMerged
from app.catalog.models import Album
from app.core.auth import Principal
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.job_runner import drain
from app.core.jobs import emit
from app.reviews.merging import move_reviews
from app.reviews.schemas import NewReview
from app.reviews.service import create_review
from tests.people import People
from tests.reviews.factories import assert_counted, make_album, write_comment, write_review


async def merge(infra: Infra, duplicate_id: UUID, kept_id: UUID) -> None:
    """As the catalogue does it."""
    async with infra.db.write() as db:
        await db.execute(update(Album).where(Album.id == duplicate_id).values(merged_into_id=kept_id))
        await emit(db, AlbumsMerged(duplicate_id=duplicate_id, kept_id=kept_id))


async def test_reviews_move_with_all_that_hangs_on_them(infra: Infra, people: People) -> None:
    ana, ben = await people.make("ana"), await people.make("ben")
    kept_id, duplicate_id = await make_album(infra), await make_album(infra)
    moved = await write_review(ana, duplicate_id, rating=9)
    await write_comment(ben, moved)
    await ben.put(f"/reviews/{moved['id']}/like")
    await write_review(ben, kept_id, rating=4)
    draft = await write_review(ben, duplicate_id, rating=None, draft=True)
    await merge(infra, duplicate_id, kept_id)
    await drain(infra)
    review = (await ana.get(f"/reviews/{moved['id']}")).json()
    assert (review["album"]["id"], review["like_count"], review["comment_count"]) == (str(kept_id), 1, 1)
    assert (await ben.get(f"/reviews/{draft['id']}")).status_code == 404
    await assert_counted(infra, albums=[kept_id, duplicate_id], people=[ana.id, ben.id])
    ratings = [review["rating"] for review in (await ana.get(f"/albums/{kept_id}/reviews")).json()["items"]]
    assert sorted(ratings) == [4, 9]


async def test_of_two_reviews_the_latest_word_stays(infra: Infra, people: People) -> None:
    ana, ben, cleo = await people.make("ana"), await people.make("ben"), await people.make("cleo")
    kept_id, duplicate_id = await make_album(infra), await make_album(infra)
    edited = await write_review(ana, kept_id, rating=1)
    await write_review(ana, duplicate_id, rating=2)
    await ana.patch(f"/reviews/{edited['id']}", json={"rating": 3})
    await write_review(ben, kept_id, rating=4)
    newer = await write_review(ben, duplicate_id, rating=5)
    published = await write_review(cleo, kept_id, rating=6)
    await write_review(cleo, duplicate_id, rating=7, draft=True)
    await merge(infra, duplicate_id, kept_id)
    await drain(infra)
    found = (await ana.get(f"/albums/{kept_id}/reviews", params={"sort": "rating"})).json()["items"]
    assert [(it["id"], it["rating"]) for it in found] == [(published["id"], 6), (newer["id"], 5), (edited["id"], 3)]
    assert (await cleo.get("/reviews/drafts")).json()["items"] == []
    people_ids = [ana.id, ben.id, cleo.id]
    await assert_counted(infra, albums=[kept_id, duplicate_id], people=people_ids)
    async with infra.db.write() as db:
        await emit(db, AlbumsMerged(duplicate_id=duplicate_id, kept_id=kept_id))
    await drain(infra)
    await assert_counted(infra, albums=[kept_id, duplicate_id], people=people_ids)


async def test_reviews_written_while_albums_merge_are_not_left_behind(infra: Infra, people: People) -> None:
    ones = [await people.make("one") for _ in range(12)]
    kept_id, duplicate_id = await make_album(infra), await make_album(infra)
    old = [await write_review(one, duplicate_id, rating=3) for one in ones[:6]]
    edits = [one.patch(f"/reviews/{it['id']}", json={"rating": 9}) for one, it in zip(ones, old, strict=False)]
    body = {"album_id": str(duplicate_id), "rating": 10}
    news = [one.post("/reviews", json=body) for one in ones[6:]]
    _, *answers = await asyncio.gather(merge(infra, duplicate_id, kept_id), *edits[:3], *news)
    await asyncio.gather(drain(infra), *edits[3:])
    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    await assert_counted(infra, albums=[kept_id, duplicate_id], people=[one.id for one in ones])
    created = sum(answer.status_code == 201 for answer in answers)
    found = (await ones[0].get(f"/albums/{kept_id}/reviews", params={"limit": 100})).json()["items"]
    assert len(found) == 6 + created


@pytest.mark.parametrize("draft", [True, False])
async def test_a_merge_that_commits_first_wins(infra: Infra, people: People, draft: bool) -> None:
    ana = await people.make("ana")
    kept_id, duplicate_id = await make_album(infra), await make_album(infra)
    body = {"album_id": str(duplicate_id), "rating": 8, "draft": draft}
    async with infra.db.write() as db:
        await db.execute(update(Album).where(Album.id == duplicate_id).values(merged_into_id=kept_id))
        writing = asyncio.create_task(ana.post("/reviews", json=body))
        await asyncio.sleep(0.3)
        assert not writing.done()
    refused = await writing
    assert (refused.status_code, refused.json()["code"]) == (409, "album_merged")
    again = await ana.post("/reviews", json=body)
    assert again.json()["album"]["id"] == str(kept_id)
    await assert_counted(infra, albums=[kept_id, duplicate_id], people=[ana.id])


async def test_a_review_that_is_being_written_is_counted(infra: Infra, people: People) -> None:
    ana, ben = await people.make("ana"), await people.make("ben")
    kept_id, duplicate_id = await make_album(infra), await make_album(infra)
    await write_review(ben, duplicate_id, rating=3)

    async def move() -> None:
        async with infra.db.write() as db:
            await move_reviews(db, duplicate_id=duplicate_id, kept_id=kept_id)

    async with infra.db.write() as db:
        new = NewReview(album_id=kept_id, rating=9)
        await create_review(db, Principal(user_id=ana.id, session_id=uuid7()), new)
        moving = asyncio.create_task(move())
        await asyncio.sleep(0.3)
        assert not moving.done()
    await moving
    await assert_counted(infra, albums=[kept_id, duplicate_id], people=[ana.id, ben.id])
