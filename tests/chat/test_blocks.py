"""Sockets of people who block each other: neither learns of the other's coming and going."""

from typing import Any

import pytest

from tests.chat.pairs import Pair
from tests.people import People, Person
from tests.rooms.factories import with_members
from tests.rooms.playing import eventually
from tests.sockets import Seat, sit


async def block(one: Person, other: Person) -> None:
    assert (await one.put(f"/users/{other.username}/block")).status_code == 204


def news(seat: Seat) -> list[dict[str, Any]]:
    return [frame for frame in seat.frames if frame["type"] == "presence"]


async def counted(seat: Seat, number: int) -> None:
    """Until it heard that so many are there."""

    async def last() -> int:
        return news(seat)[-1]["present_count"] if news(seat) else 0

    await eventually(last, lambda count: count == number)


@pytest.mark.parametrize("by", [0, 1])
async def test_who_is_blocked_comes_and_goes_unseen(live: str, people: People, by: int) -> None:
    room, [owner, ana, bruno] = await with_members(people, "member", "member")
    await block((ana, bruno)[by], (ana, bruno)[1 - by])
    path = f"rooms/{room['id']}"
    async with sit(live, path, owner) as friend, sit(live, path, bruno) as seat:
        await counted(seat, 2)
        async with sit(live, path, ana):
            await counted(seat, 3)
            await counted(friend, 3)
        await counted(seat, 2)
        assert str(ana.id) not in str(news(seat))
        assert [card["id"] for frame in news(friend) for card in frame["joined"]][-1] == str(ana.id)
        await counted(friend, 2)
        assert news(friend)[-1]["left"] == [str(ana.id)]


async def test_a_block_while_both_are_there_is_as_if_they_had_gone(live: str, people: People) -> None:
    room, [owner, ana, bruno] = await with_members(people, "member", "member")
    path = f"rooms/{room['id']}"
    async with sit(live, path, ana) as one, sit(live, path, bruno) as other:
        await counted(one, 2)
        await counted(other, 2)
        await block(ana, bruno)
        await block(ana, owner)
        for seat, person in ((one, bruno), (other, ana)):
            gone = await seat.get("presence", left=[str(person.id)])
            assert gone["present_count"] == 2
        async with sit(live, path, owner):
            await counted(one, 3)
            await counted(other, 3)
        # of who was not there one is not told that they have gone
        assert str(owner.id) not in str(news(one))


async def test_a_block_ends_the_conversation_of_the_two(live: str, pair: Pair) -> None:
    async with sit(live, pair.path, pair.ana) as ana, sit(live, pair.path, pair.bruno) as bruno:
        await counted(bruno, 2)
        await block(pair.ana, pair.bruno)
        assert [await seat.closed() for seat in (ana, bruno)] == [4404, 4404]
        assert str(pair.ana.id) not in str([frame["left"] for frame in news(bruno)])
