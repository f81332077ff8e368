"""Follow and unfollow: idempotent, exact, and visible in lists."""

import asyncio
import re

import httpx
import pytest

from app.core.infra import Infra
from app.users.events import Followed, Unfollowed
from app.users.queries import FOLLOWERS
from tests.people import People, Person, queries
from tests.users.factories import add_fans, counted, handed_on


async def test_following_again_changes_nothing(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    path = f"/users/{bob.username}/follow"
    async with handed_on(infra, Followed) as followed, handed_on(infra, Unfollowed) as unfollowed:
        for _ in range(2):
            answer = await ana.put(path)
            assert (answer.status_code, answer.json()) == (200, {"is_following": True, "follower_count": 1})
        assert await counted(infra, bob.id) == (1, 0)
        assert await counted(infra, ana.id) == (0, 1)
        for _ in range(2):
            answer = await ana.delete(path)
            assert (answer.status_code, answer.json()) == (200, {"is_following": False, "follower_count": 0})
        assert await counted(infra, bob.id) == (0, 0)
        assert await counted(infra, ana.id) == (0, 0)
    assert [(event.follower_id, event.followed_id) for event in followed] == [(ana.id, bob.id)]
    assert [(event.follower_id, event.followed_id) for event in unfollowed] == [(ana.id, bob.id)]


@pytest.mark.parametrize("verb", ["follow", "block", "mute"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_nobody_does_it_to_themselves_or_to_nobody(people: People, verb: str, method: str) -> None:
    ana = await people.make("ana")
    answer = await ana.request(method, f"/users/{ana.username.upper()}/{verb}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/path/username")
    assert (await ana.request(method, f"/users/nobody_like_this/{verb}")).status_code == 404


async def test_lists_are_pages_of_people_with_their_relation(people: People, client: httpx.AsyncClient) -> None:
    star, fan = await people.make("star"), await people.make("fan")
    fans = [fan, *[await people.make("other") for _ in range(4)]]
    for person in fans:
        await person.put(f"/users/{star.username}/follow")
    await fan.put(f"/users/{fans[3].username}/follow")
    await fans[3].put(f"/users/{fan.username}/follow")
    await fan.put(f"/users/{fans[2].username}/mute")

    first = (await fan.get(f"/users/{star.username}/followers", params={"limit": 3})).json()
    rest = (
        await fan.get(f"/users/{star.username}/followers", params={"limit": 3, "cursor": first["next_cursor"]})
    ).json()
    items = first["items"] + rest["items"]
    assert [item["username"] for item in items] == [person.username for person in reversed(fans)]
    assert rest["next_cursor"] is None
    assert items[1] == {
        "id": str(fans[3].id),
        "username": fans[3].username,
        "display_name": "Other",
        "avatar_key": None,
        "is_following": True,
        "follows_you": True,
        "is_muted": False,
    }
    assert [item["is_muted"] for item in items] == [False, False, True, False, False]

    following = (await client.get(f"/users/{fan.username}/following")).json()["items"]
    assert [item["username"] for item in following] == [fans[3].username, star.username]
    assert not any(item["is_following"] or item["follows_you"] for item in following)


async def test_lists_leave_out_whom_the_reader_must_not_see(people: People) -> None:
    star, blocker, reader = await people.make("star"), await people.make("blocker"), await people.make("reader")
    await blocker.put(f"/users/{star.username}/follow")
    assert len((await reader.get(f"/users/{star.username}/followers")).json()["items"]) == 1
    await blocker.put(f"/users/{reader.username}/block")
    assert (await reader.get(f"/users/{star.username}/followers")).json()["items"] == []


async def test_a_list_costs_two_statements_however_long(people: People, infra: Infra) -> None:
    star = await people.make("star")
    for count in (1, 6):
        for _ in range(count):
            await (await people.make("fan")).put(f"/users/{star.username}/follow")
        for path in ("followers", "following"):
            async with queries(infra) as ran:
                assert (await star.get(f"/users/{star.username}/{path}")).status_code == 200
            assert ran == [2]


async def test_a_follower_can_be_removed(people: People, infra: Infra) -> None:
    ana, fan = await people.make("ana"), await people.make("fan")
    await fan.put(f"/users/{ana.username}/follow")
    await ana.put(f"/users/{fan.username}/follow")
    async with handed_on(infra, Unfollowed) as events:
        for _ in range(2):
            assert (await ana.delete(f"/users/me/followers/{fan.username}")).status_code == 204
    assert [(event.follower_id, event.followed_id) for event in events] == [(fan.id, ana.id)]
    assert await counted(infra, ana.id) == (0, 1)
    assert await counted(infra, fan.id) == (1, 0)
    assert (await ana.delete("/users/me/followers/nobody_like_this")).status_code == 404


async def test_counts_stay_exact_when_all_act_at_once(people: People, infra: Infra) -> None:
    crowd = [await people.make("crowd") for _ in range(6)]

    async def act(person: Person, number: int) -> None:
        for turn in range(6):
            other = crowd[(number + 1 + turn % 5) % 6]
            method = "DELETE" if turn % 3 == 2 else "PUT"
            answers = await asyncio.gather(
                person.request(method, f"/users/{other.username}/follow"),
                person.put(f"/users/{other.username}/follow"),
            )
            assert {answer.status_code for answer in answers} == {200}

    await asyncio.gather(*(act(person, number) for number, person in enumerate(crowd)))
    for person in crowd:
        await counted(infra, person.id)


async def test_one_person_followed_by_many_at_once(people: People, infra: Infra) -> None:
    star = await people.make("star")
    crowd = [await people.make("fan") for _ in range(12)]
    path = f"/users/{star.username}/follow"
    await asyncio.gather(*(person.put(path) for person in crowd for _ in range(2)))
    assert await counted(infra, star.id) == (12, 0)
    await asyncio.gather(*(person.delete(path) for person in crowd for _ in range(2)))
    assert await counted(infra, star.id) == (0, 0)


async def test_a_page_reads_no_more_than_a_page(people: People, infra: Infra) -> None:
    star = await people.make("star")
    await add_fans(infra, star.id, 20_000)
    await infra.db.fetch("ANALYZE users, follows", [])
    bounds = {f"after_{number}": bound for number, bound in enumerate(FOLLOWERS._start)}
    arguments = FOLLOWERS._arguments({"person_id": star.id, "viewer": star.id, **bounds})
    plan = await infra.db.fetch(f"EXPLAIN ANALYZE {FOLLOWERS.sql} LIMIT 21", arguments)
    read = [re.search(r" on follows.*actual .*rows=([\d.]+) loops=(\d+)", line) for (line,) in plan]
    rows = [float(found[1]) * int(found[2]) for found in read if found]
    assert len(rows) == 3
    assert max(rows) <= 21
