"""Feeds as people fill and read them, and activities in bulk."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from app.core.ids import uuid7, uuid7_at
from app.core.infra import Infra
from app.core.jobs import drain
from app.feed.models import Activity, FeedEntry
from app.reviews.models import Review
from app.users.models import Follow, User
from tests.people import Person

Items = list[dict[str, Any]]


async def read(infra: Infra, person: Person, **query: Any) -> Items:
    """The person's feed once all jobs are done."""
    await drain(infra)
    answer = await person.get("/feed", params={"limit": 100, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def told(items: Items, *people: Person) -> list[tuple[str, str]]:
    """Who did what, of these people: other tests write into everyone's feed."""
    names = {person.username: person.username.split("_")[0] for person in people}
    return [(names[it["actor"]["username"]], it["kind"]) for it in items if it["actor"]["username"] in names]


async def put(person: Person, path: str) -> None:
    answer = await person.put(path)
    assert answer.is_success, answer.text


async def crowd(infra: Infra, count: int) -> list[UUID]:
    """People without a token."""
    ids = [uuid7() for _ in range(count)]
    names = {identifier: f"crowd_{identifier.hex[-12:]}" for identifier in ids}
    rows = [{"id": it, "username": name, "username_key": name, "display_name": name} for it, name in names.items()]
    async with infra.db.write() as db:
        await db.execute(insert(User), rows)
    return ids


async def past_reviews(infra: Infra, actors: list[UUID], albums: list[UUID], *, readers: list[UUID]) -> list[UUID]:
    """A review of each album by each actor, spread over the last days, in the feeds of the actor and the readers."""
    begin = datetime.now(UTC) - timedelta(days=30)
    pairs = [(actor, album) for album in albums for actor in actors]
    reviews, activities, entries = [], [], []
    for i, (actor, album) in enumerate(pairs):
        at, review_id = begin + timedelta(minutes=i), uuid7()
        activity_id = uuid7_at(at)
        reviews.append({"id": review_id, "user_id": actor, "album_id": album, "rating": 7, "published_at": at})
        activities.append(
            {"id": activity_id, "actor_id": actor, "kind": "review", "review_id": review_id, "created_at": at}
        )
        entries += [{"reader_id": reader, "activity_id": activity_id} for reader in {actor, *readers}]
    async with infra.db.write() as db:
        await db.execute(insert(Review), reviews)
        await db.execute(insert(Activity), activities)
        await db.execute(insert(FeedEntry), entries)
    return [row["id"] for row in activities]


async def follow_all(infra: Infra, follower: UUID, people: list[UUID]) -> None:
    """Follows without events."""
    async with infra.db.write() as db:
        await db.execute(insert(Follow), [{"id": uuid7(), "follower_id": follower, "followed_id": it} for it in people])
