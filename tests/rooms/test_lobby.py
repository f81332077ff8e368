"""The live list of rooms."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import httpx

from tests.people import People, Person
from tests.rooms.factories import with_members
from tests.sockets import sit


class Board:
    """What a reader of the stream knows."""

    def __init__(self) -> None:
        self.rooms: dict[str, dict[str, Any]] = {}
        self.times: list[float] = []

    def take(self, data: str) -> None:
        news = json.loads(data)
        self.times.append(time.monotonic())
        self.rooms |= {room["id"]: room for room in news["rooms"]}
        for gone in news["gone"]:
            del self.rooms[gone]

    async def until(self, room: dict[str, Any], **values: Any) -> None:
        """Waits until the room is shown like this; without values, until it is not shown."""
        async with asyncio.timeout(10):
            while not self.shows(room, values):
                await asyncio.sleep(0.02)

    def shows(self, room: dict[str, Any], values: dict[str, Any]) -> bool:
        here = self.rooms.get(room["id"])
        if not values or here is None:
            return not values and here is None
        return here.items() >= values.items()


def gaps(board: Board) -> list[float]:
    """Seconds from one event to the next."""
    return [later - earlier for earlier, later in pairwise(board.times)]


@asynccontextmanager
async def reading(live: str, person: Person, every: int = 1) -> AsyncIterator[Board]:
    """The stream, read into a board."""
    client = httpx.AsyncClient(timeout=None)
    board, headers = Board(), {"Authorization": f"Bearer {person.token}"}

    address = f"{live}/api/v1/rooms/stream?every={every}"

    async def read() -> None:
        async with client, client.stream("GET", address, headers=headers) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data: {"):
                    board.take(line.removeprefix("data: "))

    task = asyncio.create_task(read())
    try:
        yield board
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_list_is_live(live: str, people: People) -> None:
    room, [owner, member] = await with_members(people, "member")
    hidden, [hider] = await with_members(people, is_private=True)
    reader = await people.make("reader")
    async with reading(live, reader) as board, reading(live, reader, every=2) as unhurried:
        async with sit(live, f"rooms/{room['id']}", owner), sit(live, f"rooms/{hidden['id']}", hider):
            await board.until(room, present_count=1, member_count=2, now_playing=None)
            async with sit(live, f"rooms/{room['id']}", member), sit(live, f"rooms/{room['id']}", member):
                await board.until(room, present_count=2)
            await board.until(room, present_count=1)
            assert hidden["id"] not in board.rooms
        await board.until(room)
        await unhurried.until(room)
        assert min(gaps(board)) > 0.5
        assert min(gaps(unhurried)) > 1.5


async def test_rooms_of_people_who_block_each_other_are_left_out(live: str, people: People) -> None:
    (first, [blocker]), (second, [other]) = await with_members(people), await with_members(people)
    reader = await people.make("reader")
    assert (await blocker.put(f"/users/{reader.username}/block")).status_code < 300
    sockets = sit(live, f"rooms/{first['id']}", blocker), sit(live, f"rooms/{second['id']}", other)
    async with sockets[0], sockets[1], reading(live, reader) as board, reading(live, other) as others:
        await others.until(first, present_count=1)
        await board.until(second, present_count=1)
        assert first["id"] not in board.rooms
