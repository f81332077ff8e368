"""Who is put out hears nothing more, wherever their sockets are, and a banned one does not come back."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from websockets.exceptions import ConnectionClosed

from app.core.config import Settings
from app.core.feeds import Feed, Line
from app.core.infra import Infra
from tests import clock
from tests.conftest import running, serving
from tests.groups.factories import add_group
from tests.people import People, Person
from tests.rooms.factories import get_in, open_room, with_members
from tests.servers import servers_on
from tests.sockets import Ear, Seat, sit

REMOVED = """
    SELECT sequence FROM channel_events WHERE channel_id = $1 AND removes = $2 ORDER BY sequence DESC LIMIT 1"""
SAID_LATER = "SELECT count(*) FROM messages WHERE channel_id = $1 AND author_id = $2 AND sequence > $3"


@dataclass
class Place:
    """A room or a group, over the REST of any of the processes."""

    kind: str
    id: str
    owner: Person
    victim: Person
    addresses: list[str]

    @property
    def path(self) -> str:
        return f"{self.kind}/{self.id}"

    @property
    def name(self) -> str:
        return self.victim.username if self.kind == "rooms" else str(self.victim.id)

    async def ask(self, who: Person, method: str, path: str, **options: Any) -> httpx.Response:
        """Asks one of the processes."""
        headers = {"Authorization": f"Bearer {who.token}"}
        base = f"{random.choice(self.addresses)}/api/v1/{self.path}"
        async with httpx.AsyncClient(headers=headers, timeout=10) as client:
            return await client.request(method, base + path, **options)

    async def join(self, who: Person) -> None:
        answer = await self.ask(who, "POST", "/join")
        assert answer.status_code == 200, answer.text

    async def kick(self) -> None:
        answer = await self.ask(self.owner, "DELETE", f"/members/{self.name}")
        assert answer.status_code == 204, answer.text

    async def ban(self) -> None:
        answer = await self.ask(self.owner, "PUT", f"/bans/{self.name}", json={"reason": "Enough."})
        assert answer.status_code == 204, answer.text

    async def unban(self) -> None:
        answer = await self.ask(self.owner, "DELETE", f"/bans/{self.name}")
        assert answer.status_code == 204, answer.text


@dataclass
class Put:
    """What became of the sockets of who was put out."""

    seconds: list[float] = field(default_factory=list)
    heard: int = 0
    knocked: int = 0


async def talk(seat: Seat) -> None:
    """Talks without an end, and types."""
    number = 0
    with suppress(ConnectionClosed):
        while True:
            number += 1
            await seat.say(type="send", client_id=f"{id(seat)}-{number}", text="On and on.")
            await seat.say(type="typing", active=bool(number % 2))
            await asyncio.sleep(random.uniform(0.002, 0.01))


async def knock(place: Place, seats: list[Seat], over: asyncio.Event) -> None:
    """Comes in again and again while they are put out."""
    while not over.is_set():
        async with sit(random.choice(place.addresses), place.path, place.victim, hello=False) as seat:
            seats.append(seat)
            with suppress(AssertionError, ConnectionClosed):
                await seat.hello(None)
                await asyncio.sleep(random.uniform(0, 0.05))
        await asyncio.sleep(0)


async def end_of(seat: Seat) -> tuple[float, int | None]:
    code = await seat.closed()
    return clock.now(), code


async def put_out(infra: Infra, place: Place, remove: Callable[[], Awaitable[None]], put: Put) -> None:
    """Once: three sockets that talk, one that knocks, and the owner who has enough."""
    knocks: list[Seat] = []
    over = asyncio.Event()
    async with AsyncExitStack() as stack:
        seats = [await stack.enter_async_context(sit(at, place.path, place.victim)) for at in place.addresses]
        talking = [asyncio.create_task(talk(seat)) for seat in seats]
        knocking = asyncio.create_task(knock(place, knocks, over))
        await asyncio.sleep(random.uniform(0, 0.2))
        await remove()
        removed_at = clock.now()
        ends = await asyncio.gather(*(end_of(seat) for seat in seats))
        await asyncio.sleep(0.1)
        over.set()
        await asyncio.gather(knocking, *talking)
    (row,) = await infra.db.fetch(REMOVED, [UUID(place.id), place.victim.id])
    last = row["sequence"]
    assert [code for _, code in ends] == [4403] * len(seats)
    put.seconds += [at - removed_at for at, _ in ends]
    for seat in seats:
        heard_up_to(seat, last)
        put.heard += len(seat.sequences)
    for seat in knocks:
        knocked_until(seat, last)
        put.knocked += 1
    (row,) = await infra.db.fetch(SAID_LATER, [UUID(place.id), place.victim.id, last])
    assert row["count"] == 0, "they spoke after they were put out"


def heard_up_to(seat: Seat, last: int) -> None:
    """All of it to the very last event, and after that only why."""
    assert seat.sequences == list(range(seat.welcome["sequence"] + 1, last + 1))
    after = seat.frames[[frame.get("sequence") for frame in seat.frames].index(last) + 1 :]
    assert [frame["type"] for frame in after] == ["problem"], after


def knocked_until(seat: Seat, last: int) -> None:
    """They came in before they were put out and heard nothing later, or they did not come in."""
    first = seat.frames[0] if seat.frames else {"type": "problem"}
    if first["type"] == "problem":
        assert seat.connection.close_code in {4403, 4404, 1000}
        return
    sequences = [frame["sequence"] for frame in seat.frames if frame["type"] in {"event", "ack"}]
    assert max([first["sequence"], *sequences]) <= last


async def stay_out(place: Place) -> None:
    """A banned one is refused everywhere."""
    answer = await place.ask(place.victim, "POST", "/join")
    assert (answer.status_code, answer.json()["code"][:6]) == (403, "banned")
    for address in place.addresses:
        async with sit(address, place.path, place.victim, hello=False) as seat:
            await seat.say(type="hello", protocol=1)
            assert await seat.closed() == 4403
            assert [frame["type"] for frame in seat.frames] == ["problem"]


async def hold(infra: Infra, people: People, addresses: list[str], kind: str, times: int) -> Put:
    owner, victim = await people.make("owner"), await people.make("victim")
    made = await (open_room(owner) if kind == "rooms" else add_group(owner))
    place, put = Place(kind, made["id"], owner, victim, addresses), Put()
    async with AsyncExitStack() as stack:
        others = [await people.make("other") for _ in addresses]
        for other in others:
            await place.join(other)
        seats = [
            await stack.enter_async_context(sit(address, place.path, other))
            for address, other in zip(addresses, others, strict=True)
        ]
        for seat in seats:
            stack.callback(asyncio.create_task(talk(seat)).cancel)
        for turn in range(times):
            await place.join(victim)
            await put_out(infra, place, place.ban if turn % 2 else place.kick, put)
            if turn % 2:
                await stay_out(place)
                await place.unban()
        head = max(seat.sequences[-1] for seat in seats)
        for seat in seats:
            events = await seat.reach(head)
            assert seat.sequences == list(range(events[0]["sequence"], seat.sequences[-1] + 1))
    return put


@asynccontextmanager
async def three_at_once(settings: Settings) -> AsyncIterator[list[str]]:
    """Three applications in this process, each with its own connections."""
    settings = settings.model_copy(update={"socket_frames_per_second": 100_000})
    async with AsyncExitStack() as stack:
        apps = [await stack.enter_async_context(running(settings)) for _ in range(3)]
        yield [await stack.enter_async_context(serving(app, settings)) for app in apps]


@pytest.mark.parametrize("kept", [True, False])
async def test_who_comes_in_while_they_are_put_out(people: People, infra: Infra, kept: bool) -> None:
    """Whether the process has the last lines at hand or reads them: nothing after the one that puts them out."""
    room, (owner, victim) = await with_members(people, "member")
    said, path = {"text": "Hm."}, f"/chat/{room['id']}/messages"
    await owner.post(path, json=said)
    before = (await owner.post(path, json=said)).json()["sequence"]
    await owner.delete(f"/rooms/{room['id']}/members/{victim.username}")
    last = (await owner.post(path, json=said)).json()["sequence"]
    feed, ear, other = Feed(UUID(room["id"]), infra.db.reader), Ear(victim.id), Ear(owner.id)
    await feed.level(other, before - 1 if kept else last)
    await feed.read_on()
    await feed.level(ear, before - 1)
    assert (ear.heard, ear.removed) == ([before, last - 1], 1)
    feed.offer([Line(last + 1, b"more")])
    await asyncio.sleep(0)
    assert (ear.heard[-1], other.heard[-1]) == (last - 1, last + 1)


@pytest.mark.parametrize("kicked", [True, False])
async def test_who_has_come_back_stays_wherever_they_resume(live: str, people: People, kicked: bool) -> None:
    """Another device resumes from before they were out, and hears of that only after its welcome."""
    room, (owner, victim) = await with_members(people, "member")
    place, said = f"/rooms/{room['id']}", {"text": "曲" * 2000}
    async with sit(live, place[1:], victim) as seat:
        last = seat.welcome["sequence"]
    for _ in range(15):
        await owner.post(f"/chat/{room['id']}/messages", json=said)
    await (owner.delete(f"{place}/members/{victim.username}") if kicked else victim.post(f"{place}/leave"))
    assert (await victim.post(f"{place}/join", json={})).status_code == 200
    async with sit(live, place[1:], victim, last=last) as seat:
        assert seat.welcome["recovered"]
        assert seat.welcome["sequence"] < last + 16
        assert [event["kind"] for event in (await seat.reach(last + 17))[-2:]] == [
            "member.kicked" if kicked else "member.left",
            "member.joined",
        ]
        await seat.say(type="send", client_id="1", text="Still here")
        await seat.get("ack", client_id="1")
        await owner.delete(f"{place}/members/{victim.username}")
        assert await seat.closed() == 4403


async def test_who_has_come_back_stays_in_a_process_that_lags(people: People, infra: Infra) -> None:
    """It reads that they left only after it let them in, and knew already that they are back."""
    room, (owner, victim) = await with_members(people, "member")
    before = (await owner.post(f"/chat/{room['id']}/messages", json={"text": "Hm."})).json()["sequence"]
    await victim.post(f"/rooms/{room['id']}/leave")
    await get_in(victim, room)
    feed, ear, other = Feed(UUID(room["id"]), infra.db.reader), Ear(victim.id), Ear(owner.id)
    await feed.level(other, before)
    await feed.level(ear, before, head=before + 2)
    await feed.read_on()
    await asyncio.sleep(0)
    assert (ear.heard, ear.removed) == ([before + 1, before + 2], 0)
    await owner.delete(f"/rooms/{room['id']}/members/{victim.username}")
    await feed.read_on()
    assert (ear.heard[-1], ear.removed) == (before + 3, 1)


@pytest.mark.parametrize("kind", ["rooms", "groups"])
async def test_who_is_put_out_hears_nothing_more(app: FastAPI, settings: Settings, people: People, kind: str) -> None:
    async with three_at_once(settings) as addresses:
        put = await hold(app.state.infra, people, addresses, kind, 2)
    assert max(put.seconds) < 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["rooms", "groups"])
async def test_fifty_who_are_put_out_of_three_processes(
    app: FastAPI, settings: Settings, people: People, kind: str
) -> None:
    async with servers_on(settings, 3, SOCKET_FRAMES_PER_SECOND="100000") as servers:
        put = await hold(app.state.infra, people, [server.address for server in servers], kind, 50)
    print(f"\n{kind}: closed after at most {max(put.seconds):.3f} s, {put.heard} events before, {put.knocked} knocks")
    assert max(put.seconds) < 1
