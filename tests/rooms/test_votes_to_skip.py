"""Votes to skip: of those present who may, as many as the room wants."""

import pytest

from app.core.ids import uuid7
from app.core.infra import Infra
from tests.people import People
from tests.rooms.factories import with_members
from tests.rooms.playing import add, eventually, log_of, make_tracks, press, problem, show, wait_for_people
from tests.rooms.test_playback_sockets import command, seated


async def test_a_quorum_skips(live: str, people: People, infra: Infra) -> None:
    room, inside = await with_members(people, "member", "member", "member", "guest", skip_quorum=0.6)
    items = await add(inside[0], room, *await make_tracks(infra, *[60_000] * 2))
    await press(inside[0], room, "play")
    async with seated(live, room, *inside) as seats:
        item = items[0]["id"]
        refused = await command(seats[4], "skip.vote", "1", item_id=item)
        assert refused["code"] == "not_allowed"
        first = await command(seats[1], "skip.vote", "1", item_id=item)
        assert first == {"votes": 1, "needed": 3, "skipped": False}  # 0.6 of the four who may vote
        assert await command(seats[1], "skip.vote", "2", item_id=item) == first
        assert (await command(seats[2], "skip.vote", "1", item_id=item))["votes"] == 2
        assert (await command(seats[2], "skip.vote", "2", item_id=item, active=False))["votes"] == 1
        assert (await command(seats[2], "skip.vote", "3", item_id=item))["votes"] == 2
        last = await command(seats[3], "skip.vote", "1", item_id=item)
        assert last == {"votes": 3, "needed": 3, "skipped": True}
        assert (await show(inside[0], room))["item"]["id"] == items[1]["id"]
        late = await command(seats[1], "skip.vote", "9", item_id=item)
        assert (late["code"], late["status"]) == ("not_playing", 409)
        assert (await inside[1].get(f"/rooms/{room['id']}/skip-vote")).json() == {"votes": 0, "needed": 3}
        told = [data["votes"] for data in await log_of(infra, room, "skip.votes")]
        assert told == [1, 2, 1, 2, 3, 0]


async def test_the_votes_of_those_who_leave_count_no_more(live: str, people: People, infra: Infra) -> None:
    room, inside = await with_members(people, *["member"] * 4, skip_quorum=0.5)
    items = await add(inside[0], room, *await make_tracks(infra, *[60_000] * 2))
    await press(inside[0], room, "play")
    async with seated(live, room, *inside) as seats:
        for seat in seats[:2]:
            voted = await command(seat, "skip.vote", "1", item_id=items[0]["id"])
        assert voted == {"votes": 2, "needed": 3, "skipped": False}
        await seats[0].close()
        left = {"votes": 1, "needed": 2}
        path = f"/rooms/{room['id']}/skip-vote"

        async def state() -> object:
            return (await inside[2].get(path)).json()

        await eventually(state, lambda seen: seen == left)
        assert (await log_of(infra, room, "skip.votes"))[-1] == left
        for seat in seats[2:4]:  # now the one vote is half of those who are left
            await seat.close()
        await eventually(lambda: show(inside[0], room), lambda playback: playback["item"]["id"] == items[1]["id"])


async def test_a_vote_by_rest_counts_once_one_is_there(live: str, people: People, infra: Infra) -> None:
    room, [owner, member] = await with_members(people, "member")
    items = await add(owner, room, *await make_tracks(infra, *[60_000] * 2))
    await press(owner, room, "play")
    path = f"/rooms/{room['id']}/skip-vote"
    assert (await member.post(path, json={"item_id": items[0]["id"]})).json() == {"votes": 0, "needed": 1}
    assert problem(await member.post(path, json={"item_id": str(uuid7())})) == (409, "not_playing")
    async with seated(live, room, member):
        await eventually(lambda: show(owner, room), lambda playback: playback["item"]["id"] == items[1]["id"])


@pytest.mark.parametrize("allowed", [True, False])
async def test_the_owner_says_who_may_vote(live: str, people: People, infra: Infra, allowed: bool) -> None:
    role = "guest" if allowed else "member"
    room, [owner, other] = await with_members(people, role, skip_quorum=1)
    changed = await owner.patch(f"/rooms/{room['id']}/permissions/{role}", json={"permissions": {"skip.vote": allowed}})
    assert changed.status_code == 200, changed.text
    items = await add(owner, room, *await make_tracks(infra, *[60_000] * 2))
    await press(owner, room, "play")
    async with seated(live, room, owner, other) as [mine, theirs]:
        answer = await command(theirs, "skip.vote", "1", item_id=items[0]["id"])
        assert answer.get("code") == (None if allowed else "not_allowed")
        skipped = await command(mine, "skip.vote", "1", item_id=items[0]["id"])
        assert (skipped["needed"], skipped["skipped"]) == (2 if allowed else 1, True)
    await wait_for_people(owner, room, 0)
