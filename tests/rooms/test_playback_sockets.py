"""People hear together: the same events for all, a start that waits for the slowest but not for long."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from app.core.infra import Infra
from tests.people import People, Person
from tests.rooms.factories import with_members
from tests.rooms.playing import (
    Json,
    add,
    eventually,
    log_of,
    make_tracks,
    press,
    queues_told,
    show,
    titles,
    wait_for_people,
)
from tests.sockets import Seat, sit

GATE, LEAD = 3000, 400


@asynccontextmanager
async def seated(live: str, room: Json, *people: Person) -> AsyncIterator[list[Seat]]:
    """Everybody with a socket in the room."""
    async with AsyncExitStack() as stack:
        seats = [await stack.enter_async_context(sit(live, f"rooms/{room['id']}", person)) for person in people]
        await wait_for_people(people[0], room, len(people))
        yield seats


async def command(seat: Seat, name: str, client_id: str, **body: Any) -> Any:
    """Asks for something; the answer, or the refusal."""
    before = len(seat.frames)
    await seat.say(type="command", client_id=client_id, name=name, body=body)

    async def answers() -> list[Json]:
        return [frame for frame in seat.frames[before:] if frame.get("client_id") == client_id]

    frame = (await eventually(answers, bool))[0]
    return frame["result"] if frame["type"] == "ack" else frame


def playbacks(seat: Seat) -> list[Json]:
    """What the seat was told of the playback."""
    return [event["data"]["playback"] for event in seat.events if event["kind"] == "playback.changed"]


async def told(seat: Seat, times: int) -> None:
    """Waits until the seat was told of the playback so often: an answer may come before it."""

    async def often() -> int:
        return len(playbacks(seat))

    await eventually(often, lambda number: number >= times)


@pytest.fixture
async def party(people: People, infra: Infra) -> tuple[Json, list[Person], list[Json]]:
    """A room with two hosts and a member, and three tracks in its queue."""
    room, inside = await with_members(people, "dj", "member")
    return room, inside, await add(inside[0], room, *await make_tracks(infra, *[60_000] * 3))


Party = tuple[Json, list[Person], list[Json]]


async def test_two_seats_hear_the_same(live: str, party: Party) -> None:
    room, [owner, dj, _], items = party
    async with seated(live, room, owner, dj) as [one, other]:
        answer = await command(one, "playback.play", "1")
        await command(other, "playback.pause", "2")
        await command(one, "playback.seek", "3", position_ms=30_000)
        await command(other, "playback.skip", "4")
        await told(one, 4)
        (last,) = [event for event in one.events if event["kind"] == "playback.changed"][-1:]
        await other.reach(last["sequence"])
        await one.reach(last["sequence"])
        assert one.events == other.events
        assert playbacks(one)[0] == answer["playback"]
        assert [playback["version"] for playback in playbacks(one)] == [1, 2, 3, 4]
        assert playbacks(one)[0]["item"]["id"] == items[0]["id"]
        actors = [event["actor"]["id"] for event in one.events if event["kind"] == "playback.changed"]
        assert actors == [str(owner.id), str(dj.id)] * 2


async def test_a_command_sent_twice_is_done_once(live: str, party: Party) -> None:
    room, [owner, *_], _ = party
    async with seated(live, room, owner) as [seat]:
        first = await command(seat, "playback.play", "a")
        again = [await command(seat, "playback.skip", "b") for _ in range(2)]
        assert again[0] == again[1] != first
    async with seated(live, room, owner) as [seat]:  # and over another socket
        assert await command(seat, "playback.skip", "b") == again[0]
    assert (await show(owner, room))["version"] == 2


async def test_of_two_hosts_one_is_told(live: str, party: Party) -> None:
    room, [owner, dj, _], _ = party
    async with seated(live, room, owner, dj) as seats:
        version = (await command(seats[0], "playback.play", "1"))["playback"]["version"]
        presses = [command(seat, "playback.skip", f"2{n}", version=version) for n, seat in enumerate(seats)]
        answers = await asyncio.gather(*presses)
        (told,) = [answer for answer in answers if answer.get("type") == "problem"]
        (won,) = [answer for answer in answers if answer is not told]
        assert (told["code"], told["status"]) == ("version_conflict", 409)
        assert told["playback"] == won["playback"]


async def test_the_queue_over_a_socket(live: str, party: Party, infra: Infra) -> None:
    room, [owner, *_], items = party
    (track,) = await make_tracks(infra, 60_000)
    async with seated(live, room, owner) as [seat]:
        added = await command(seat, "queue.add", "1", track_id=str(track))
        assert added["order_in_queue"] == 3
        await command(seat, "queue.move", "2", item_id=items[2]["id"], index=0)
        await command(seat, "queue.vote", "3", item_id=items[0]["id"])
        await command(seat, "queue.remove", "4", item_id=items[1]["id"])
        await command(seat, "queue.clear", "5")
        await command(seat, "queue.undo", "6")
        await seat.reach(seat.welcome["sequence"] + 6)
        known = (await queues_told(infra, room))[-6:]
        assert [titles(queue) for queue in known] == ["ABCA", "CABA", "CABA", "CAA", "", "CAA"]
        assert [item["votes"] for item in known[2]] == [0, 1, 0, 0]
        wrong = await command(seat, "queue.remove", "7", item_id="x")
        assert (wrong["code"], wrong["errors"][0]["pointer"]) == ("invalid", "/body/item_id")


async def test_the_start_waits_for_the_last_who_is_ready(live: str, party: Party) -> None:
    room, [owner, _, member], _ = party
    async with seated(live, room, owner, member) as [one, other]:
        before = time.time() * 1000
        playing = (await command(one, "playback.play", "1"))["playback"]
        assert playing["waiting"]["ready"] == []
        assert playing["at_ms"] == playing["waiting"]["until_ms"]
        assert GATE <= playing["at_ms"] - before < GATE + 1500
        await command(one, "playback.ready", "2", version=playing["version"] - 1)  # of another track
        half = (await command(one, "playback.ready", "3", version=playing["version"]))["playback"]
        assert half["waiting"]["ready"] == [str(owner.id)]
        assert half["at_ms"] == playing["at_ms"]
        begun = (await command(other, "playback.ready", "3", version=playing["version"]))["playback"]
        now = time.time() * 1000
        assert begun["waiting"] is None
        assert begun["version"] == playing["version"]
        assert begun["at_ms"] <= now + LEAD
        assert begun["at_ms"] < playing["at_ms"]
        late = (await command(one, "playback.ready", "4", version=playing["version"]))["playback"]
        assert late == begun
        assert playbacks(one) == [playing, half, begun]


async def test_a_slow_client_holds_nobody_up(live: str, party: Party) -> None:
    room, [owner, dj, _], _ = party
    async with seated(live, room, owner, dj) as [one, _]:
        playing = (await command(one, "playback.play", "1"))["playback"]
        await command(one, "playback.ready", "2", version=playing["version"])
        event = [event for event in one.events if event["kind"] == "playback.changed"][-1]
        await one.reach(event["sequence"] + 1)
        over = playbacks(one)[-1]
        assert (over["waiting"], over["at_ms"]) == (None, playing["at_ms"])
        assert 0 <= time.time() * 1000 - playing["at_ms"] < 1000


async def test_a_full_room_hears_of_the_first_who_are_ready(live: str, people: People, infra: Infra) -> None:
    room, inside = await with_members(people, *["member"] * 22)
    await add(inside[0], room, *await make_tracks(infra, 60_000))
    async with seated(live, room, *inside) as seats:
        version = (await command(seats[0], "playback.play", "1"))["playback"]["version"]
        await asyncio.gather(*(command(seat, "playback.ready", "2", version=version) for seat in seats))
        assert (await show(inside[0], room))["waiting"] is None
        assert len(await log_of(infra, room, "playback.changed")) == 1 + 20 + 1


async def test_with_nobody_there_nothing_is_waited_for(party: Party) -> None:
    room, [owner, *_], _ = party
    assert (await press(owner, room, "play"))["waiting"] is None


async def test_who_is_no_host_may_only_be_ready(live: str, party: Party) -> None:
    room, [owner, _, member], _ = party
    async with seated(live, room, member) as [seat]:
        assert (await command(seat, "playback.play", "1"))["code"] == "not_allowed"
        version = (await press(owner, room, "play"))["version"]
        assert (await command(seat, "playback.ready", "2", version=version))["playback"]["waiting"] is None
