"""What a feed shows, to whom."""

from typing import Any

from sqlalchemy import select

from app.core.infra import Infra
from app.core.jobs import drain
from app.feed.models import Activity
from tests.feed.factories import put, read, told
from tests.people import People, queries
from tests.reviews.factories import make_album, write_comment, write_review


async def test_a_feed_tells_what_the_followed_and_oneself_did(infra: Infra, people: People) -> None:
    ana, bruno, carla, dora = [await people.make(name) for name in ("ana", "bruno", "carla", "dora")]
    await put(ana, f"/users/{bruno.username}/follow")
    await drain(infra)
    album = await make_album(infra, "Clube da Esquina", artist="Milton Nascimento")
    await write_review(bruno, album, text="Perfect.", rating=10)
    await write_review(carla, album)
    await drain(infra)
    await write_review(ana, album)
    await drain(infra)
    await put(bruno, f"/users/{dora.username}/follow")
    items = await read(infra, ana)
    assert told(items, ana, bruno, carla) == [
        ("bruno", "follow"),
        ("ana", "review"),
        ("bruno", "review"),
        ("ana", "follow"),
    ]
    assert len(items) == 4


async def test_an_item_says_all_that_a_page_needs(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    await put(ana, f"/users/{bruno.username}/follow")
    album = await make_album(infra, "Clube da Esquina", artist="Milton Nascimento")
    review = await write_review(bruno, album, text="Perfect.", rating=10)
    await write_comment(ana, review)
    await put(ana, f"/reviews/{review['id']}/like")
    told_of_review, followed = await read(infra, ana)
    card = {"id": str(bruno.id), "username": bruno.username, "display_name": "Bruno", "avatar_key": None}
    assert told_of_review["actor"] == card
    assert told_of_review["person"] is None
    assert told_of_review["review"] == (await ana.get(f"/reviews/{review['id']}")).json()
    assert told_of_review["review"]["liked"] is True
    assert told_of_review["review"]["comment_count"] == 1
    assert told_of_review["created_at"] == review["published_at"]
    assert (followed["kind"], followed["person"], followed["review"]) == ("follow", card, None)


async def test_the_feed_of_somebody_who_follows_nobody_is_everyones_and_says_so(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    await write_review(bruno, await make_album(infra))
    await drain(infra)
    answer = (await ana.get("/feed")).json()
    assert answer["source"] == "everyone"
    assert told(answer["items"], bruno) == [("bruno", "review")]
    await put(ana, f"/users/{(await people.make('carla')).username}/follow")
    await drain(infra)
    answer = (await ana.get("/feed")).json()
    assert answer["source"] == "following"
    assert told(answer["items"], bruno, ana) == [("ana", "follow")]


async def test_a_feed_needs_a_login(client) -> None:
    answer = await client.get("/feed")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


async def test_a_page_costs_one_statement_and_three_for_who_follows_nobody(infra: Infra, people: People) -> None:
    ana, bruno, dora = [await people.make(name) for name in ("ana", "bruno", "dora")]
    await put(ana, f"/users/{bruno.username}/follow")
    for _ in range(5):
        await write_review(bruno, await make_album(infra))
    await drain(infra)
    for reader, statements in ((ana, 1), (dora, 3)):
        async with queries(infra) as ran:
            assert len((await reader.get("/feed")).json()["items"]) >= 5
        assert ran == [statements]


async def test_pages_follow_each_other_without_gap_or_repetition(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    await put(ana, f"/users/{bruno.username}/follow")
    written = []
    for _ in range(5):
        written.append((await write_review(bruno, await make_album(infra)))["id"])
        await drain(infra)
    seen: list[str] = []
    query: dict[str, Any] | None = {"limit": 2}
    while query:
        answer = (await ana.get("/feed", params=query)).json()
        seen += [it["review"]["id"] if it["review"] else it["kind"] for it in answer["items"]]
        if len(seen) == 2:
            await write_review(bruno, await make_album(infra))
            await drain(infra)
        query = {"limit": 2, "cursor": answer["next_cursor"]} if answer["next_cursor"] else None
    assert seen == [*reversed(written), "follow"]


async def test_blocked_and_muted_people_are_in_no_feed(infra: Infra, people: People) -> None:
    ana, bruno, carla, dora = [await people.make(name) for name in ("ana", "bruno", "carla", "dora")]
    for person in (bruno, carla, dora):
        await put(ana, f"/users/{person.username}/follow")
        await write_review(person, await make_album(infra))
    await put(dora, f"/users/{carla.username}/follow")
    assert len(told(await read(infra, ana), bruno, carla, dora)) == 4
    await put(ana, f"/users/{bruno.username}/mute")
    await put(ana, f"/users/{carla.username}/block")
    # at once, before any job has run; that dora follows carla is no news for ana either
    answer = (await ana.get("/feed", params={"limit": 100})).json()
    assert told(answer["items"], bruno, carla, dora) == [("dora", "review")]
    assert "carla" not in str(answer)
    assert told(await read(infra, carla), ana) == []
    await ana.delete(f"/users/{bruno.username}/mute")
    assert ("bruno", "review") in told(await read(infra, ana), bruno)


async def test_everyones_feed_hides_blocked_and_private_people(infra: Infra, people: People) -> None:
    ana, bruno, carla, dora = [await people.make(name) for name in ("ana", "bruno", "carla", "dora")]
    for person in (bruno, carla, dora):
        await write_review(person, await make_album(infra))
    await put(bruno, f"/users/{ana.username}/block")
    await carla.patch("/users/me", json={"profile_visibility": "followers"})
    assert told(await read(infra, ana), bruno, carla, dora) == [("dora", "review")]
    await carla.patch("/users/me", json={"profile_visibility": "everyone"})
    assert told(await read(infra, ana), carla) == [("carla", "review")]


async def test_a_person_who_shows_nothing_leaves_the_feeds_and_comes_back(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    await put(ana, f"/users/{bruno.username}/follow")
    await write_review(bruno, await make_album(infra))
    await bruno.patch("/users/me", json={"profile_visibility": "me"})
    assert told(await read(infra, ana), bruno) == []
    assert told(await read(infra, bruno), bruno) == [("bruno", "review")]
    await bruno.patch("/users/me", json={"profile_visibility": "followers"})
    assert told(await read(infra, ana), bruno) == [("bruno", "review")]


async def test_a_deleted_review_is_in_no_feed(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    await put(ana, f"/users/{bruno.username}/follow")
    review = await write_review(bruno, await make_album(infra))
    assert told(await read(infra, ana), bruno) == [("bruno", "review")]
    await bruno.delete(f"/reviews/{review['id']}")
    assert told(await read(infra, ana), bruno) == []
    left = await infra.db.reader.all(select(Activity.id).where(Activity.actor_id == bruno.id))
    assert left == []


async def test_a_draft_is_told_of_when_it_is_published(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    await put(ana, f"/users/{bruno.username}/follow")
    review = await write_review(bruno, await make_album(infra), draft=True)
    assert told(await read(infra, ana), bruno) == []
    await bruno.patch(f"/reviews/{review['id']}", json={"draft": False})
    assert told(await read(infra, ana), bruno) == [("bruno", "review")]


async def test_a_favourite_is_told_of_for_as_long_as_it_is_one(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    await put(ana, f"/users/{bruno.username}/follow")
    review = await write_review(bruno, await make_album(infra))
    await drain(infra)
    await bruno.patch(f"/reviews/{review['id']}", json={"is_favorite": True})
    items = await read(infra, ana)
    assert told(items, bruno) == [("bruno", "favorite"), ("bruno", "review")]
    assert items[0]["review"]["is_favorite"] is True
    await bruno.patch(f"/reviews/{review['id']}", json={"is_favorite": False})
    assert told(await read(infra, ana), bruno) == [("bruno", "review")]
