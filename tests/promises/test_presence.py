"""Who is there is there, and who is not is in no list: whatever becomes of the process that held them."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

import pytest
from fastapi import FastAPI

from app.chat.presence import BEAT_SECONDS, LIFE_SECONDS
from app.core.config import Settings
from app.core.infra import Infra
from tests.groups.factories import add_group, join
from tests.people import People, Person
from tests.servers import ServerProcess, servers_on
from tests.sockets import Seat, sit

BURY = "DELETE FROM heartbeats WHERE process_id IN (SELECT process_id FROM presences WHERE user_id = $1)"
AGE = f"""
    UPDATE heartbeats SET seen_at = seen_at - interval '{LIFE_SECONDS} seconds'
    WHERE process_id IN (SELECT process_id FROM presences WHERE user_id = $1)"""
ROWS = "SELECT user_id, count(*) FROM presences WHERE channel_id = $1 GROUP BY user_id"


class Group:
    """A group and everybody in it."""

    def __init__(self, infra: Infra, id_: str, owner: Person, members: list[Person]) -> None:
        self.infra, self.id, self.owner, self.members = infra, id_, owner, members

    @property
    def path(self) -> str:
        return f"groups/{self.id}"

    async def listed(self) -> set[str]:
        """Who is there, says REST."""
        answer = await self.owner.get(f"/chat/{self.id}/present")
        return {person["id"] for person in answer.json()}

    async def rows(self) -> Counter[str]:
        """How many sockets of each person are written down."""
        return Counter({str(row["user_id"]): row["count"] for row in await self.infra.db.fetch(ROWS, [UUID(self.id)])})

    async def shows(self, seat: Seat, there: set[str], seconds: float) -> float:
        """Waits until the list and the frames of a socket say so; how long it took."""
        started = time.monotonic()
        while (await self.listed(), seen_by(seat)) != (there, there):
            if time.monotonic() - started > seconds:
                raise AssertionError(f"listed {await self.listed()}, seen {seen_by(seat)}, there are {there}")
            await asyncio.sleep(0.02)
        return time.monotonic() - started


def seen_by(seat: Seat) -> set[str]:
    """Who is there, as a client knows it from the welcome and the frames."""
    there = {person["id"] for person in seat.welcome["present"]}
    for frame in seat.frames:
        if frame["type"] == "presence":
            there |= {person["id"] for person in frame["joined"]}
            there -= set(frame["left"])
    return there


async def gather(app: FastAPI, people: People, size: int) -> Group:
    owner, members = await people.make("owner"), [await people.make("member") for _ in range(size)]
    group = await add_group(owner)
    await join(group, *members)
    return Group(app.state.infra, group["id"], owner, members)


@asynccontextmanager
async def tabs(group: Group, address: str, *people: Person) -> AsyncIterator[list[Seat]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(sit(address, group.path, person)) for person in people]


def ids(*people: Person) -> set[str]:
    return {str(person.id) for person in people}


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.slow)])
async def test_those_of_a_killed_process_are_gone(
    app: FastAPI, live: str, settings: Settings, people: People, whole: bool
) -> None:
    """One of them has a second tab elsewhere. The short version makes the dead process look older than it is."""
    group = await gather(app, people, 10 if whole else 3)
    async with (
        servers_on(settings, 1) as (server,),
        tabs(group, live, group.owner, group.members[0]) as (here, _),
        tabs(group, server.address, *group.members),
    ):
        await group.shows(here, ids(group.owner, *group.members), 2)
        await server.kill()
        seconds = LIFE_SECONDS + 2.0
        if not whole:
            await group.infra.db.fetch(AGE, [group.members[-1].id])
            seconds = BEAT_SECONDS + 1
        took = await group.shows(here, ids(group.owner, group.members[0]), seconds)
        print(f"\nkill -9: gone after {took:.1f} s")
        for frame in here.frames:
            assert str(group.members[0].id) not in frame.get("left", []), "they have a second tab"


async def test_a_process_that_was_taken_for_dead_comes_back(app: FastAPI, live: str, people: People) -> None:
    group = await gather(app, people, 2)
    async with tabs(group, live, group.owner, *group.members) as (here, first, _):
        everybody = ids(group.owner, *group.members)
        await group.shows(here, everybody, 2)
        await group.infra.db.fetch(BURY, [group.owner.id])
        await group.shows(here, everybody, BEAT_SECONDS + 1)
        await first.close()
        await group.shows(here, everybody - ids(group.members[0]), 2)
        assert await group.rows() == Counter([str(group.owner.id), str(group.members[1].id)])


@pytest.mark.slow
async def test_a_process_that_stood_still_comes_back(
    app: FastAPI, live: str, settings: Settings, people: People
) -> None:
    """For longer than its life: its people are gone, and there again when it goes on."""
    group = await gather(app, people, 3)
    everybody = ids(group.owner, *group.members)
    async with (
        servers_on(settings, 1) as (server,),
        tabs(group, live, group.owner) as (here,),
        tabs(group, server.address, *group.members) as (first, *others),
    ):
        await group.shows(here, everybody, 2)
        server.signal(signal.SIGSTOP)
        took = await group.shows(here, ids(group.owner), LIFE_SECONDS + 2)
        await asyncio.sleep(2)
        await first.connection.send('{"type": "ping", "id": 1, "client_ms": 0}')
        server.signal(signal.SIGCONT)
        back = await group.shows(here, everybody, BEAT_SECONDS + 1)
        print(f"\nstopped: gone after {took:.1f} s, back after {back:.1f} s")
        await first.get("pong")
        for other in others:
            await group.shows(other, everybody, 1)
        await first.close()
        await group.shows(here, everybody - ids(group.members[0]), 1)
        assert sum((await group.rows()).values()) == 3


class Traffic:
    """People who come and go at random, in up to three tabs, while processes are killed."""

    def __init__(self, group: Group, servers: list[ServerProcess], chance: random.Random) -> None:
        self.group, self.servers, self.chance = group, servers, chance
        self.open: list[tuple[int, Person, Seat, AsyncExitStack]] = []
        self.witnesses: dict[int, tuple[Seat, AsyncExitStack]] = {}

    async def come(self) -> None:
        person, where = self.chance.choice(self.group.members), self.chance.randrange(len(self.servers))
        if sum(other is person for _, other, _, _ in self.open) < 3:
            self.open.append((where, person, *await self._sit(where, person)))

    async def go(self) -> None:
        if self.open:
            *_, stack = self.open.pop(self.chance.randrange(len(self.open)))
            await stack.aclose()

    async def kill(self) -> None:
        where = self.chance.randrange(len(self.servers))
        await self.servers[where].kill()
        for _, _, _, stack in [each for each in self.open if each[0] == where]:
            await stack.aclose()
        self.open = [each for each in self.open if each[0] != where]
        await self.servers[where].start()
        await self.servers[where].ready()
        await self.witness(where)

    async def witness(self, where: int) -> None:
        """The owner looks on at this process."""
        if where in self.witnesses:
            await self.witnesses[where][1].aclose()
        self.witnesses[where] = await self._sit(where, self.group.owner)

    async def is_seen(self) -> float:
        """Waits until everybody sees who is there, and no more is written down; how long it took."""
        there = {str(person.id) for _, person, _, _ in self.open} | ids(self.group.owner)
        tabs = Counter([str(person.id) for _, person, _, _ in self.open] + [str(self.group.owner.id)] * 3)
        took = [await self.group.shows(seat, there, LIFE_SECONDS + 2) for seat, _ in self.witnesses.values()]
        async with asyncio.timeout(LIFE_SECONDS + 2):
            while await self.group.rows() != tabs:
                await asyncio.sleep(0.05)
        return max(took)

    async def close(self) -> None:
        for stack in [each[-1] for each in [*self.open, *self.witnesses.values()]]:
            await stack.aclose()

    async def _sit(self, where: int, person: Person) -> tuple[Seat, AsyncExitStack]:
        stack = AsyncExitStack()
        return await stack.enter_async_context(sit(self.servers[where].address, self.group.path, person)), stack


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
async def test_no_ghosts_after_comings_and_goings_with_kills(
    app: FastAPI, settings: Settings, people: People, seed: int
) -> None:
    """100 comings and goings, five at a time, a kill after each 20."""
    group = await gather(app, people, 12)
    async with servers_on(settings, 3, SOCKET_FRAMES_PER_SECOND="1000") as servers:
        traffic = Traffic(group, servers, random.Random(seed))
        try:
            for where in range(3):
                await traffic.witness(where)
            for _ in range(5):
                for _ in range(4):
                    acts = traffic.chance.choices([traffic.come, traffic.go], [6, 4], k=5)
                    await asyncio.gather(*(act() for act in acts))
                    await asyncio.sleep(traffic.chance.uniform(0, 0.3))
                await traffic.kill()
            took = await traffic.is_seen()
        finally:
            await traffic.close()
    print(f"\n{len(traffic.open)} sockets; seen by everybody after {took:.1f} s")
