"""Blocks hide two people from each other; mutes are known to one alone."""

import asyncio

from sqlalchemy import func, select

from app.core.infra import Infra
from app.users.events import Blocked, Muted
from app.users.models import Block, Follow
from tests.people import People, queries
from tests.users.factories import counted, handed_on


async def test_a_block_ends_follows_and_hides_both(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    await ana.put(f"/users/{bob.username}/follow")
    await bob.put(f"/users/{ana.username}/follow")
    async with handed_on(infra, Blocked) as events:
        for _ in range(2):
            assert (await ana.put(f"/users/{bob.username}/block")).status_code == 204
    assert [(event.blocker_id, event.blocked_id) for event in events] == [(ana.id, bob.id)]
    assert await counted(infra, ana.id) == (0, 0)
    assert await counted(infra, bob.id) == (0, 0)
    for reader, person in ((ana, bob), (bob, ana)):
        assert (await reader.get(f"/users/{person.username}")).status_code == 404
        for method in ("PUT", "DELETE"):
            for verb in ("follow", "mute"):
                assert (await reader.request(method, f"/users/{person.username}/{verb}")).status_code == 404
        assert (await reader.delete(f"/users/me/followers/{person.username}")).status_code == 404


async def test_who_is_blocked_cannot_tell_it_from_absence(people: People) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    await ana.put(f"/users/{bob.username}/block")
    for method in ("PUT", "DELETE"):
        hidden = (await bob.request(method, f"/users/{ana.username}/block")).json()
        absent = (await bob.request(method, "/users/nobody_like_this/block")).json()
        for body in (hidden, absent):
            body.pop("request_id")
        assert str(hidden).replace(ana.username, "nobody_like_this") == str(absent)
    assert (await bob.get("/users/me/blocks")).json()["items"] == []


async def test_unblock_shows_both_again_without_follows(people: People) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    await bob.put(f"/users/{ana.username}/follow")
    await ana.put(f"/users/{bob.username}/block")
    for _ in range(2):
        assert (await ana.delete(f"/users/{bob.username}/block")).status_code == 204
    seen = (await bob.get(f"/users/{ana.username}")).json()
    assert (seen["is_following"], seen["follower_count"]) == (False, 0)
    assert (await bob.put(f"/users/{ana.username}/follow")).status_code == 200


async def test_the_lists_are_ones_own_and_in_order(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    others = [await people.make("other") for _ in range(3)]
    for other in others:
        assert (await ana.put(f"/users/{other.username}/mute")).status_code == 204
    mutes = []
    cursor = None
    for _ in others:
        params = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = (await ana.get("/users/me/mutes", params=params)).json()
        mutes += page["items"]
        cursor = page["next_cursor"]
    assert [item["username"] for item in mutes] == [other.username for other in reversed(others)]
    assert cursor is None
    assert mutes[0].keys() == {"id", "username", "display_name", "avatar_key", "muted_at"}

    for other in others:
        await ana.put(f"/users/{other.username}/block")
    for path, expected in (("blocks", 3), ("mutes", 0)):  # who is blocked need not be shown among the muted
        async with queries(infra) as ran:
            items = (await ana.get(f"/users/me/{path}")).json()["items"]
        assert (len(items), ran) == (expected, [1])
    assert (await others[0].get("/users/me/blocks")).json()["items"] == []


async def test_mutes_are_idempotent_and_secret(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    async with handed_on(infra, Muted) as events:
        for _ in range(2):
            assert (await ana.put(f"/users/{bob.username}/mute")).status_code == 204
    assert [(event.muter_id, event.muted_id) for event in events] == [(ana.id, bob.id)]
    assert (await ana.get(f"/users/{bob.username}")).json()["is_muted"] is True
    assert (await bob.get(f"/users/{ana.username}")).json()["is_muted"] is False
    for _ in range(2):
        assert (await ana.delete(f"/users/{bob.username}/mute")).status_code == 204
    assert (await ana.get(f"/users/{bob.username}")).json()["is_muted"] is False


async def test_a_follow_never_outlives_a_block(people: People, infra: Infra) -> None:
    for _ in range(8):
        ana, bob = await people.make("ana"), await people.make("bob")
        await asyncio.gather(
            bob.put(f"/users/{ana.username}/follow"),
            ana.put(f"/users/{bob.username}/block"),
            ana.put(f"/users/{bob.username}/follow"),
        )
        assert await counted(infra, ana.id) == (0, 0)
        assert await counted(infra, bob.id) == (0, 0)


async def test_of_two_who_block_each_other_at_once_one_is_first(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    answers = await asyncio.gather(ana.put(f"/users/{bob.username}/block"), bob.put(f"/users/{ana.username}/block"))
    assert sorted(answer.status_code for answer in answers) == [204, 404]
    pair = [ana.id, bob.id]
    assert await infra.db.reader.one(select(func.count()).select_from(Block).where(Block.blocker_id.in_(pair))) == 1
    assert not await infra.db.reader.all(select(Follow.id).where(Follow.follower_id.in_(pair)))
