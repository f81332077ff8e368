"""Feeds follow the follows, whatever the order in which the news arrives."""

import asyncio
from collections.abc import Awaitable

from sqlalchemy import delete, func, insert, select

from app.core.infra import Infra
from app.core.jobs import drain
from app.feed import handlers, service
from app.feed.models import Activity, FeedEntry
from app.feed.service import SPREAD_BATCH
from app.reviews.events import ReviewPublished
from app.reviews.models import Review
from app.users.events import Followed, Unfollowed
from app.users.models import Follow
from tests.feed.factories import crowd, follow_all, past_reviews, put, read, told
from tests.people import People
from tests.reviews.factories import make_album, write_review


async def test_a_new_follow_shows_the_last_hundred(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    albums = [await make_album(infra) for _ in range(120)]
    activities = await past_reviews(infra, [bruno.id], albums, readers=[])
    await put(ana, f"/users/{bruno.username}/follow")
    await drain(infra)
    first = (await ana.get("/feed", params={"limit": 100})).json()
    rest = (await ana.get("/feed", params={"limit": 100, "cursor": first["next_cursor"]})).json()
    seen = [it["id"] for it in [*first["items"], *rest["items"]] if it["kind"] == "review"]
    assert seen == [str(it) for it in reversed(activities[20:])]


async def test_unfollowing_takes_out_what_they_did_and_that_they_were_followed(infra: Infra, people: People) -> None:
    ana, bruno, carla = [await people.make(name) for name in ("ana", "bruno", "carla")]
    await put(ana, f"/users/{bruno.username}/follow")
    await put(ana, f"/users/{carla.username}/follow")
    await write_review(bruno, await make_album(infra))
    assert told(await read(infra, ana), bruno) == [("bruno", "review")]
    await ana.delete(f"/users/{bruno.username}/follow")
    assert told(await read(infra, ana), ana, bruno) == [("ana", "follow")]
    await put(ana, f"/users/{bruno.username}/follow")
    assert told(await read(infra, ana), bruno) == [("bruno", "review")]


async def test_old_news_of_a_follow_changes_nothing(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    await write_review(bruno, await make_album(infra))
    await put(ana, f"/users/{bruno.username}/follow")
    await drain(infra)
    async with infra.db.write() as db:
        await handlers.remove_follow(db, Unfollowed(follower_id=ana.id, followed_id=bruno.id))
    assert told(await read(infra, ana), ana, bruno) == [("ana", "follow"), ("bruno", "review")]
    await ana.delete(f"/users/{bruno.username}/follow")
    await drain(infra)
    async with infra.db.write() as db:
        await handlers.add_follow(db, Followed(follower_id=ana.id, followed_id=bruno.id))
    assert await entries_of(infra, ana.id) == 0


async def test_a_repeated_event_adds_nothing(infra: Infra, people: People) -> None:
    bruno = await people.make("bruno")
    album = await make_album(infra)
    review = await write_review(bruno, album)
    await drain(infra)
    async with infra.db.write() as db:
        event = ReviewPublished(review_id=review["id"], user_id=bruno.id, album_id=album)
        await handlers.add_review(db, event)
    assert await entries_of(infra, bruno.id) == 1


async def test_an_event_of_a_review_that_is_gone_adds_nothing(infra: Infra, people: People) -> None:
    bruno = await people.make("bruno")
    review = await write_review(bruno, await make_album(infra))
    await bruno.delete(f"/reviews/{review['id']}")
    await drain(infra)
    assert await entries_of(infra, bruno.id) == 0


async def test_a_block_parts_both_and_their_follows_are_forgotten(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    await put(ana, f"/users/{bruno.username}/follow")
    await put(bruno, f"/users/{ana.username}/follow")
    await write_review(ana, await make_album(infra))
    await write_review(bruno, await make_album(infra))
    await drain(infra)
    await put(ana, f"/users/{bruno.username}/block")
    await drain(infra)
    assert (await entries_of(infra, ana.id), await entries_of(infra, bruno.id)) == (1, 1)
    await ana.delete(f"/users/{bruno.username}/block")
    assert told(await read(infra, ana), bruno) == told(await read(infra, bruno), bruno) == [("bruno", "review")]


async def test_a_deleted_account_is_in_no_feed(infra: Infra, people: People) -> None:
    ana, bruno, carla = [await people.make(name) for name in ("ana", "bruno", "carla")]
    await put(ana, f"/users/{bruno.username}/follow")
    await put(ana, f"/users/{carla.username}/follow")
    await put(carla, f"/users/{bruno.username}/follow")
    await write_review(bruno, await make_album(infra))
    await write_review(bruno, await make_album(infra))
    assert len(told(await read(infra, ana), bruno, carla)) == 3
    async with infra.db.write() as db:
        await service.forget_person(db, bruno.id)
    assert told(await read(infra, ana), ana, bruno, carla) == [("ana", "follow")]
    assert await entries_of(infra, bruno.id) == 0
    gone = select(func.count()).where((Activity.actor_id == bruno.id) | (Activity.followed_id == bruno.id))
    assert await infra.db.reader.one(gone) == 0


async def test_more_followers_than_fit_one_statement_are_all_reached(infra: Infra, people: People) -> None:
    bruno, album = await people.make("bruno"), await make_album(infra)
    followers = await crowd(infra, SPREAD_BATCH + 5)
    async with infra.db.write() as db:
        await db.execute(insert(Follow), [{"follower_id": it, "followed_id": bruno.id} for it in followers])
    await write_review(bruno, album)
    await drain(infra)
    readers = await infra.db.reader.all(
        select(FeedEntry.reader_id).join(Activity, Activity.id == FeedEntry.activity_id).filter_by(actor_id=bruno.id)
    )
    assert sorted(readers) == sorted([*followers, bruno.id])


async def test_a_follow_waits_for_a_review_that_is_being_spread(infra: Infra, people: People) -> None:
    """Neither sees the other's transaction: without the wait the review would be in nobody's hands."""
    ana, bruno = await people.make("ana"), await people.make("bruno")
    review = await write_review(bruno, album := await make_album(infra))
    spread = ReviewPublished(review_id=review["id"], user_id=bruno.id, album_id=album)

    async def fill() -> None:
        async with infra.db.write() as db:
            await handlers.add_follow(db, Followed(follower_id=ana.id, followed_id=bruno.id))

    async with infra.db.write() as db:
        await handlers.add_review(db, spread)
        await follow_all(infra, ana.id, [bruno.id])
        filling = asyncio.create_task(fill())
        await asyncio.sleep(0.2)
        assert not filling.done()
    await filling
    assert told(await read(infra, ana), ana, bruno) == [("ana", "follow"), ("bruno", "review")]


async def test_follows_and_reviews_at_once_miss_nothing(infra: Infra, people: People) -> None:
    """Each pair of a new review and a new or ended follow, handled side by side, ends as if one had come first."""
    bruno = await people.make("bruno")
    readers = await crowd(infra, 12)
    leavers = await crowd(infra, 12)
    for leaver in leavers:
        await follow_all(infra, leaver, [bruno.id])
    album_ids = [await make_album(infra) for _ in range(12)]

    async def publish(album_id) -> None:
        async with infra.db.write() as db:
            review = Review(user_id=bruno.id, album_id=album_id, rating=5, published_at=func.now())
            db.add(review)
        async with infra.db.write() as db:
            await handlers.add_review(db, ReviewPublished(review_id=review.id, user_id=bruno.id, album_id=album_id))

    async def come(reader) -> None:
        await follow_all(infra, reader, [bruno.id])
        async with infra.db.write() as db:
            await handlers.add_follow(db, Followed(follower_id=reader, followed_id=bruno.id))

    async def leave(leaver) -> None:
        async with infra.db.write() as db:
            await db.execute(delete(Follow).filter_by(follower_id=leaver, followed_id=bruno.id))
        async with infra.db.write() as db:
            await handlers.remove_follow(db, Unfollowed(follower_id=leaver, followed_id=bruno.id))

    work: list[Awaitable[None]] = []
    for album_id, reader, leaver in zip(album_ids, readers, leavers, strict=True):
        work += [publish(album_id), come(reader), leave(leaver)]
    await asyncio.gather(*work)
    assert {await entries_of(infra, reader) - 1 for reader in readers} == {12}
    assert {await entries_of(infra, leaver) for leaver in leavers} == {0}


async def entries_of(infra: Infra, reader_id) -> int:
    return await infra.db.reader.one(select(func.count()).where(FeedEntry.reader_id == reader_id)) or 0
