"""Albums straight in the database; reviews and comments as people write them, over HTTP."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.catalog.models import Album, Artist
from app.core.ids import uuid7
from app.core.infra import Infra
from app.reactions.models import Comment, Like
from app.reviews.models import Review
from app.users.models import Block, Follow, Mute, User
from tests.people import Person

Body = dict[str, Any]


async def make_album(infra: Infra, title: str = "Kind of Blue", *, artist: str = "Miles Davis", **fields: Any) -> UUID:
    """An album of an artist of its own."""
    album_id, artist_id = uuid7(), uuid7()
    async with infra.db.write() as db:
        db.add(Artist(id=artist_id, name=artist, name_key=artist.lower()))
        await db.flush()
        db.add(Album(id=album_id, title=title, title_key=title.lower(), artist_id=artist_id, year=1959, **fields))
    return album_id


async def write_review(person: Person, album_id: UUID, *, rating: int | None = 8, **fields: Any) -> Body:
    """A review, as the answer describes it."""
    answer = await person.post("/reviews", json={"album_id": str(album_id), "rating": rating, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def write_comment(person: Person, review: Body, text: str = "Yes!", parent: Body | None = None) -> Body:
    """A comment, as the answer describes it."""
    body = {"text": text, "parent_id": parent["id"]} if parent else {"text": text}
    answer = await person.post(f"/reviews/{review['id']}/comments", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def fill_album(infra: Infra, album_id: UUID, count: int, **fields: Any) -> list[UUID]:
    """Published reviews of as many people, without counting them anywhere."""
    people = [_person(uuid7()) for _ in range(count)]
    rows = [
        Review(id=uuid7(), user_id=it.id, album_id=album_id, published_at=datetime.now(UTC), **{"rating": 7} | fields)
        for it in people
    ]
    async with infra.db.write() as db:
        db.add_all(people)
        await db.flush()
        db.add_all(rows)
    return [row.id for row in rows]


def _person(identifier: UUID) -> User:
    name = f"filler_{identifier.hex[-12:]}"
    return User(id=identifier, username=name, username_key=name, display_name="Filler")


async def follow(infra: Infra, follower: Person, followed: Person) -> None:
    async with infra.db.write() as db:
        db.add(Follow(follower_id=follower.id, followed_id=followed.id))


async def block(infra: Infra, blocker: Person, blocked: Person) -> None:
    async with infra.db.write() as db:
        db.add(Block(blocker_id=blocker.id, blocked_id=blocked.id))


async def mute(infra: Infra, muter: Person, muted: Person) -> None:
    async with infra.db.write() as db:
        db.add(Mute(muter_id=muter.id, muted_id=muted.id))


async def assert_counted(infra: Infra, *, albums: list[UUID] = [], people: list[UUID] = []) -> None:  # noqa: B006
    """The counters of albums and people, and of the reviews there and what hangs on them, are what can be counted."""
    db = infra.db.reader
    for owner, column, ids in ((Album, Review.album_id, albums), (User, Review.user_id, people)):
        for row in await db.all(select(owner).where(owner.id.in_(ids))):
            ratings = await db.all(select(Review.rating).where(column == row.id, Review.published_at.is_not(None)))
            assert (row.review_count, row.rating_sum) == (len(ratings), sum(ratings))
            if isinstance(row, Album):
                assert row.rating_counts == [ratings.count(rating) for rating in range(1, 11)]
    reviews = await db.all(select(Review).where(Review.album_id.in_(albums)))
    for review in reviews:
        likes = await db.one(select(func.count()).select_from(Like).where(Like.review_id == review.id))
        comments = await db.all(select(Comment).where(Comment.review_id == review.id))
        assert review.like_count == likes
        assert review.comment_count == len([comment for comment in comments if comment.deleted_at is None])
        for comment in comments:
            likes = await db.one(select(func.count()).select_from(Like).where(Like.comment_id == comment.id))
            assert comment.like_count == likes
            assert comment.deleted_at is None or (likes == 0 and comment.text == "")
            assert comment.reply_count == len([reply for reply in comments if reply.parent_id == comment.id])
