"""SIGTERM in the middle of everything: nobody's request fails, and who stays on is sent elsewhere."""

import asyncio
import signal
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from app.core.config import Settings
from app.core.infra import Infra
from tests import clock
from tests.groups.factories import add_group, join
from tests.people import People, Person
from tests.platform.test_serve import BODY, HALF_A_LOGIN
from tests.servers import ServerProcess, servers_on
from tests.sockets import Seat, sit

STORED = "SELECT client_id FROM messages WHERE channel_id = $1"


async def talk(seat: Seat, name: str) -> set[str]:
    """Says one thing after the other until it is sent away; what was acknowledged."""
    number = 0
    try:
        while True:
            number += 1
            await seat.say(type="send", client_id=f"{name}-{number}", text="Before it is too late")
            await asyncio.sleep(0.02)
    except ConnectionClosed:
        return {frame["client_id"] for frame in seat.frames if frame["type"] == "ack"}


async def ask(client: httpx.AsyncClient, answers: list[Any]) -> None:
    """Asks until no more connections are taken."""
    while True:
        try:
            answers.append((await client.get("/livez")).status_code)
        except httpx.ConnectError:
            return
        except httpx.HTTPError as error:
            answers.append(error)


async def listen(address: str, person: Person, ready: asyncio.Event) -> list[str]:
    """A stream of events to its end."""
    headers = {"Authorization": f"Bearer {person.token}"}
    async with (
        httpx.AsyncClient(base_url=f"{address}/api/v1", headers=headers, timeout=20) as client,
        client.stream("GET", "/notifications/stream") as stream,
    ):
        lines = stream.aiter_lines()
        told = [await anext(lines)]
        ready.set()
        return told + [line async for line in lines]


async def half_asked(server: ServerProcess, count: int) -> list[Any]:
    """Requests of which the second half is still to come."""
    place = urlsplit(server.address)
    connections = await asyncio.gather(*(asyncio.open_connection(place.hostname, place.port) for _ in range(count)))
    for _, writer in connections:
        writer.write(HALF_A_LOGIN)
    return connections


async def answered(connections: list[Any]) -> list[bytes]:
    for _, writer in connections:
        writer.write(BODY[23:])
    answers = [await reader.read() for reader, _ in connections]
    for _, writer in connections:
        writer.close()
    return answers


@pytest.mark.parametrize(
    "sizes", [(20, 5, 5), pytest.param((200, 50, 50), marks=pytest.mark.slow)], ids=["few", "many"]
)
async def test_nobody_loses_anything_when_the_server_goes(
    settings: Settings, infra: Infra, people: People, sizes: tuple[int, int, int]
) -> None:
    requests, sockets, streams = sizes
    members = [await people.make("member") for _ in range(max(sockets, streams))]
    group = await add_group(members[0])
    await join(group, *members[1:])
    path = f"groups/{group['id']}"
    answers: list[Any] = []
    quick = {"PASSWORD_HASH_MEMORY_KIB": "8"}  # 200 real hashes take longer than a server may to go
    async with servers_on(settings, 1, **quick) as (server,), AsyncExitStack() as stack:
        seats = [await stack.enter_async_context(sit(server.address, path, person)) for person in members[:sockets]]
        opened = [asyncio.Event() for _ in range(streams)]
        listening = [
            asyncio.create_task(listen(server.address, person, ready))
            for person, ready in zip(members, opened, strict=False)
        ]
        await asyncio.gather(*(ready.wait() for ready in opened))
        talking = [asyncio.create_task(talk(seat, str(number))) for number, seat in enumerate(seats[:5])]
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=server.address, timeout=10))
        asking = [asyncio.create_task(ask(client, answers)) for _ in range(5)]
        connections = await half_asked(server, requests)
        await asyncio.sleep(0.3)
        started = clock.now()
        server.signal(signal.SIGTERM)
        await asyncio.sleep(0.1)
        ready = await httpx.AsyncClient().get(f"{server.address}/readyz")
        logins = await answered(connections)
        codes = await asyncio.gather(*(seat.closed() for seat in seats))
        told = await asyncio.gather(*listening)
        async with asyncio.timeout(10):
            code = await server.ended()
        seconds = clock.now() - started
        said = set().union(*await asyncio.gather(*talking))
        await asyncio.gather(*asking)
    stored = {row["client_id"] for row in await infra.db.fetch(STORED, [group["id"]])}
    print(f"\ngone after {seconds:.2f} s; {len(answers)} other requests, {len(said)} messages acknowledged")
    assert (ready.status_code, ready.json()["status"]) == (503, "draining")
    assert {login[:12] for login in logins} == {b"HTTP/1.1 401"}
    assert set(answers) == {200}
    assert set(codes) == {1012}
    for seat in seats:
        assert seat.frames[-1]["type"] == "reconnect"
        assert 0 <= seat.frames[-1]["after_ms"] <= 1000
    assert all("event: reconnect" in lines for lines in told)
    assert said <= stored
    assert said
    assert (seconds < 5, code) == (True, 0)
