"""Those who listen together hear the same, whatever dies: real servers, real sockets, the reference client."""

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from soundscore_client import Problem

from app.core.config import Settings
from app.core.infra import open_infra
from tests.conftest import create_database, running
from tests.people import People, Person
from tests.promises.ears import Agreement, Door, Ear, watched
from tests.rooms.factories import get_in, with_members
from tests.rooms.playing import Json, add, log_of, make_tracks
from tests.servers import REPOSITORY, ServerProcess, servers_on
from tests.sockets import Seat, sit

APART_MS = 50
GATE_MS, LEAD_MS = 3000, 400
LONG = 3000
"""A track that lasts long enough for somebody to press something while it plays."""


@dataclass
class Party:
    """A room whose tracks last for moments, and everybody who will come; the two hosts first."""

    settings: Settings
    room: Json
    people: list[Person]
    items: list[Json]

    @property
    def ids(self) -> list[str]:
        """The items, in the order in which they are to be played."""
        return [item["id"] for item in self.items]


async def prepare(settings: Settings, worker: int, guests: int, lengths: list[int]) -> Party:
    """All of it on a database of its own, at which nobody but the servers of the test will work."""
    url = await create_database(settings.database_url, f"soundscore_listening_{worker}")
    own = settings.model_copy(update={"database_url": url})
    async with running(own) as app, People(app) as people:
        room, hosts = await with_members(people, "dj", capacity=guests + 2)
        others = [await people.make("guest") for _ in range(guests)]
        for guest in others:
            await get_in(guest, room)
        items = await add(hosts[0], room, *await make_tracks(app.state.infra, *lengths))
    return Party(own, room, [*hosts, *others], items)


class Evening:
    """What happens in the room."""

    def __init__(self, party: Party, servers: list[ServerProcess], door: Door, stack: AsyncExitStack) -> None:
        self.party, self._servers, self._door, self._stack = party, servers, door, stack
        self.ears: list[Ear] = []

    async def come(self, *people: Person) -> None:
        """Somebody connects, and hears; one after the other, each at the next server."""
        for person in people:
            ear = Ear(self._door.address, self.party.room["id"], person.token)
            self.ears.append(await self._stack.enter_async_context(ear))
            await ear.channel.opened()

    async def plays(self, number: int, *, from_ms: float = 0) -> Any:
        """Waits until the item of this number is heard by those who are connected; the playback."""
        item, host = self.party.ids[number], self.ears[0]
        while host.playback["item"] is None or host.playback["item"]["id"] != item or host.position() <= from_ms:
            assert host.playback["version"] <= number + 1, "a track was left out"
            await asyncio.sleep(0.01)
        return host.playback

    async def press_at_once(self) -> None:
        """Both hosts skip the same track: one of them does, the other is told."""
        version = self.ears[0].playback["version"]
        skips = [ear.channel.command("playback.skip", version=version) for ear in self.ears[:2]]
        answers = await asyncio.gather(*skips, return_exceptions=True)
        (told,) = [answer for answer in answers if isinstance(answer, BaseException)]
        assert isinstance(told, Problem)
        assert told.code == "version_conflict"

    async def press_twice(self) -> None:
        """The same skip over two servers at the same moment."""
        path = f"rooms/{self.party.room['id']}"
        async with AsyncExitStack() as stack:
            addresses = [server.address for server in self._servers[:2]]
            seats = [await stack.enter_async_context(sit(one, path, self.party.people[0])) for one in addresses]
            press = {"type": "command", "name": "playback.skip", "client_id": "the-same", "body": {}}
            await asyncio.gather(*(seat.say(**press) for seat in seats))
            one, other = [await seat.get("ack", client_id="the-same") for seat in seats]
            assert one["result"] == other["result"]

    async def lose(self, number: int, *, again: bool) -> None:
        """kill -9 of a server; the first is the one at which the owner is. It may be started again."""
        here = [ear for ear in self.ears if ear.is_open]
        await self._servers[number].kill()
        while all(ear.is_open for ear in here):
            await asyncio.sleep(0.005)
        if again:
            await self._servers[number].start()
            await self._servers[number].ready()

    async def silence(self) -> None:
        """Waits until everybody knows that the last track is over."""
        while not all(ear.is_open and ear.playback["item"] is None for ear in self.ears):
            await asyncio.sleep(0.02)


async def told(party: Party) -> list[Json]:
    """What was written down of the playback."""
    async with open_infra(party.settings) as infra:
        return [data["playback"] for data in await log_of(infra, party.room, "playback.changed")]


async def assert_started_once(evening: Evening) -> None:
    """Each track began once, in order, for everybody; and soon after the one before it."""
    party, log = evening.party, await told(evening.party)
    starts = {playback["version"]: playback for playback in log}  # the last news of each
    assert sorted(starts) == list(range(1, len(party.items) + 2))
    assert [item["id"] for version in sorted(starts) if (item := starts[version]["item"])] == party.ids
    for playback in log:
        assert (playback["item"] or {}).get("id") == (starts[playback["version"]]["item"] or {}).get("id")
    for before, after in pairwise([starts[version] for version in sorted(starts)][:-1]):
        assert after["at_ms"] - (before["at_ms"] + before["duration_ms"]) < GATE_MS + LEAD_MS + 1000, "it stood still"
    for ear in evening.ears:
        assert ear.begun == party.ids[-len(ear.begun) :], "somebody missed a track, or heard it begin twice"
    assert sum(ear.begun == party.ids for ear in evening.ears) >= len(evening.ears) // 2


def assert_agreed(agreement: Agreement) -> None:
    assert agreement.playing > 50
    assert agreement.most_apart_ms <= APART_MS
    assert agreement.most_off_ms <= APART_MS
    assert agreement.longest_under_way_ms <= 1000


async def spend(settings: Settings, worker: int, count: int, guests: int, lengths: list[int], *, losses: int) -> None:
    """A whole evening: tracks end, late ones come, hosts press, servers die."""
    party = await prepare(settings, worker, guests, lengths)
    early = len(party.people) * 2 // 3
    async with (
        asyncio.timeout(40 + 6 * len(lengths)),
        servers_on(party.settings, count) as servers,
        Door(servers).open() as door,
        AsyncExitStack() as stack,
    ):
        evening = Evening(party, servers, door, stack)
        await evening.come(*party.people[:early])
        async with watched(evening.ears) as agreement:
            await evening.ears[0].channel.command("playback.play")
            late = asyncio.create_task(evening.come(*party.people[early:]))
            await evening.plays(1, from_ms=200)
            await evening.press_at_once()
            await evening.plays(2, from_ms=200)
            await evening.press_twice()
            await evening.plays(3, from_ms=100)
            await late
            for number in range(losses):
                await evening.lose(number, again=losses > 1)
            await evening.silence()
        print(f"\n{len(evening.ears)} ears, {agreement}")
    await assert_started_once(evening)
    assert_agreed(agreement)


async def test_a_small_room_agrees(settings: Settings, worker_number: int) -> None:
    """8 people at 2 servers, one of which is killed."""
    await spend(settings, worker_number, 2, 6, [800, LONG, LONG, 1200, 700], losses=1)


@pytest.mark.slow
async def test_terminals_at_two_servers_agree(settings: Settings, worker_number: int) -> None:
    """`--json` says, each second, where the track is: the second is the same for both, while tracks end and begin."""
    party = await prepare(settings, worker_number, 0, [3000, 3000, 3000])
    async with asyncio.timeout(60), servers_on(party.settings, 2) as servers:
        host, dj = party.people
        both = [asyncio.create_task(terminal(at, party.room, who)) for at, who in zip(servers, (host, dj), strict=True)]
        async with sit(servers[1].address, f"rooms/{party.room['id']}", dj) as seat:
            await people_in(seat, 2)
            await seat.say(type="command", client_id="1", name="playback.play", body={})
            heard = await asyncio.gather(*both)
    begins = [{line["track_id"]: line["wall_ms"] - line["position_ms"] for line in lines} for lines in heard]
    assert len(begins[0]) >= 3
    assert begins[0] == pytest.approx(begins[1], abs=APART_MS)


async def people_in(seat: Seat, number: int) -> None:
    """Waits until so many are present."""
    seen = len(seat.welcome["present"])
    while seen < number:
        await asyncio.sleep(0.02)
        seen = max([seen, *(frame["present_count"] for frame in seat.frames if frame["type"] == "presence")])


async def terminal(server: ServerProcess, room: Json, person: Person) -> list[Json]:
    """What a terminal says while a track is heard."""
    command = [sys.executable, "-m", "soundscore_client", "listen", room["name"], "--server", server.address]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "clients/python"), "SOUNDSCORE_TOKEN": person.token}
    options: dict[str, Any] = {"stdout": asyncio.subprocess.PIPE, "env": environment}
    process = await asyncio.create_subprocess_exec(*command, "--json", "--once", "13", **options)
    said, _ = await process.communicate()
    assert process.returncode == 0
    return [line for line in map(json.loads, said.splitlines()) if line["playing"] and line["position_ms"]]


@pytest.mark.slow
async def test_a_full_room_agrees(settings: Settings, worker_number: int) -> None:
    """50 people at 3 servers."""
    lengths = [1000, LONG, LONG, 2000, 1000, 2500, 1000, 1500, 3000, 1200, 1000, 2000, 1000, 1300]
    await spend(settings, worker_number, 3, 48, lengths, losses=3)
