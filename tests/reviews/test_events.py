"""What other modules are told, and when."""

from collections import defaultdict
from typing import Any
from uuid import UUID

import pytest

from app.core.db import Writer
from app.core.infra import Infra
from app.core.job_runner import drain
from app.core.jobs import Event, on
from app.reviews.events import CommentLiked, CommentWritten, FavoriteMarked, ReviewDeleted, ReviewLiked, ReviewPublished
from tests.people import People, Person
from tests.reviews.factories import make_album, write_comment, write_review

told: defaultdict[UUID, list[Event]] = defaultdict(list)


@on(ReviewPublished)
async def hear_published(db: Writer, event: ReviewPublished) -> None:
    told[event.review_id].append(event)


@on(FavoriteMarked)
async def hear_favorite(db: Writer, event: FavoriteMarked) -> None:
    told[event.review_id].append(event)


@on(ReviewDeleted)
async def hear_deleted(db: Writer, event: ReviewDeleted) -> None:
    told[event.review_id].append(event)


@on(ReviewLiked)
async def hear_liked(db: Writer, event: ReviewLiked) -> None:
    told[event.review_id].append(event)


@on(CommentWritten)
async def hear_comment(db: Writer, event: CommentWritten) -> None:
    told[event.review_id].append(event)


@on(CommentLiked)
async def hear_comment_liked(db: Writer, event: CommentLiked) -> None:
    told[event.review_id].append(event)


@pytest.fixture
async def ana(people: People) -> Person:
    return await people.make("ana")


async def heard(infra: Infra, review: dict[str, Any]) -> list[Event]:
    """What was told of the review since the last call, in order."""
    await drain(infra)
    return told.pop(UUID(review["id"]), [])


async def test_a_review_is_published_once(infra: Infra, ana: Person) -> None:
    album_id = await make_album(infra)
    draft = await write_review(ana, album_id, draft=True, is_favorite=True)
    review_id = UUID(draft["id"])
    assert await heard(infra, draft) == []
    await ana.patch(f"/reviews/{review_id}", json={"draft": False})
    await ana.patch(f"/reviews/{review_id}", json={"draft": False, "rating": 2})
    assert await heard(infra, draft) == [
        ReviewPublished(review_id=review_id, user_id=ana.id, album_id=album_id),
        FavoriteMarked(review_id=review_id, user_id=ana.id),
    ]


async def test_a_favorite_is_told_when_it_becomes_one(infra: Infra, ana: Person) -> None:
    review = await write_review(ana, await make_album(infra))
    assert [type(event) for event in await heard(infra, review)] == [ReviewPublished]
    for wish, expected in ((True, [FavoriteMarked]), (True, []), (False, []), (True, [FavoriteMarked])):
        await ana.patch(f"/reviews/{review['id']}", json={"is_favorite": wish})
        assert [type(event) for event in await heard(infra, review)] == expected


async def test_deleting_is_told_of_what_was_published(infra: Infra, ana: Person) -> None:
    album_id = await make_album(infra)
    draft = await write_review(ana, album_id, draft=True)
    await ana.delete(f"/reviews/{draft['id']}")
    assert await heard(infra, draft) == []
    review = await write_review(ana, album_id)
    await heard(infra, review)
    await ana.delete(f"/reviews/{review['id']}")
    assert await heard(infra, review) == [
        ReviewDeleted(review_id=UUID(review["id"]), user_id=ana.id, album_id=album_id)
    ]


async def test_likes_and_comments_are_told_when_something_changed(infra: Infra, people: People, ana: Person) -> None:
    ben = await people.make("ben")
    review = await write_review(ana, await make_album(infra))
    review_id = UUID(review["id"])
    await heard(infra, review)
    for _ in range(2):
        await ben.put(f"/reviews/{review_id}/like")
    assert await heard(infra, review) == [ReviewLiked(review_id=review_id, user_id=ben.id)]
    await ben.delete(f"/reviews/{review_id}/like")
    assert await heard(infra, review) == []
    root = await write_comment(ben, review)
    reply = await write_comment(ana, review, "Thanks", root)
    root_id, reply_id = UUID(root["id"]), UUID(reply["id"])
    assert await heard(infra, review) == [
        CommentWritten(comment_id=root_id, review_id=review_id, user_id=ben.id, parent_id=None),
        CommentWritten(comment_id=reply_id, review_id=review_id, user_id=ana.id, parent_id=root_id),
    ]
    for _ in range(2):
        await ana.put(f"/comments/{root_id}/like")
    assert await heard(infra, review) == [CommentLiked(comment_id=root_id, review_id=review_id, user_id=ana.id)]


async def test_a_refused_write_tells_nothing(infra: Infra, people: People, ana: Person) -> None:
    ben = await people.make("ben")
    review = await write_review(ana, await make_album(infra))
    await heard(infra, review)
    await ben.delete(f"/reviews/{review['id']}")
    await ana.patch(f"/reviews/{review['id']}", json={"is_favorite": True, "rating": None})
    assert await heard(infra, review) == []
