"""What several tests of people need."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar
from uuid import UUID

from sqlalchemy import func, select, text

from app.core.infra import Infra
from app.core.job_work import Event, Handler, registry, subscribers
from app.core.jobs import drain
from app.users.models import Follow, User

E = TypeVar("E", bound=Event)


@asynccontextmanager
async def handed_on(infra: Infra, kind: type[E]) -> AsyncIterator[list[E]]:
    """The events of a kind that the block causes, as a subscriber gets them."""
    await drain(infra)
    events: list[E] = []

    async def collect(_: object, event: E) -> None:
        events.append(event)

    name = f"tests.collect_{kind.__name__}"
    handler = Handler(name=name, tries=1, seconds=10.0, event=kind, function=collect)
    registry[name] = handler
    subscribers[kind].append(handler)
    try:
        yield events
        await drain(infra)
    finally:
        subscribers[kind].remove(handler)
        del registry[name]


async def counted(infra: Infra, user_id: UUID) -> tuple[int, int]:
    """Followers and followed of a person, after making sure that the counters tell the truth."""
    (kept,) = await infra.db.reader.rows(select(User.follower_count, User.following_count).where(User.id == user_id))
    followers = await infra.db.reader.one(select(func.count()).where(Follow.followed_id == user_id))
    following = await infra.db.reader.one(select(func.count()).where(Follow.follower_id == user_id))
    assert tuple(kept) == (followers, following)
    return kept.follower_count, kept.following_count


async def add_fans(infra: Infra, star_id: UUID, count: int) -> str:
    """So many people who follow the star, counted as they should be; their usernames end with what is returned."""
    tail = f"_{star_id.hex}"[:30]
    make = """
        WITH fans AS (
            INSERT INTO users (id, username, username_key, display_name, following_count)
            SELECT gen_random_uuid(), 'u' || i || :tail, 'u' || i || :tail, 'Fan', 1 FROM generate_series(1, :n) i
            RETURNING id
        )
        INSERT INTO follows (id, follower_id, followed_id) SELECT gen_random_uuid(), id, :star FROM fans"""
    async with infra.db.write() as db:
        await db.execute(text(make), {"tail": tail, "n": count, "star": star_id})
        await db.execute(text("UPDATE users SET follower_count = :n WHERE id = :star"), {"n": count, "star": star_id})
    return tail
