"""Who does not read costs little, is sent away soon, and keeps nothing from the others."""

import asyncio
import json
import math
import socket
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection

from app.core.config import Settings
from app.core.socket_protocol import MOST_WAITING
from app.core.wires import encode
from tests.chat.pairs import begin
from tests.people import People, Person
from tests.rooms.factories import get_in, open_room
from tests.servers import ServerProcess, servers_on
from tests.sockets import Seat, sit

TEXT = "曲" * 2000
WARM_UP = 100
MEGABYTE = 1_000_000


class Deaf:
    """Says hello over plain TCP and never reads again."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.port: int = connection.getsockname()[1]

    @classmethod
    async def connect(cls, address: str, path: str, person: Person) -> Self:
        loop, place = asyncio.get_running_loop(), urlsplit(address)
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        await loop.sock_connect(connection, (place.hostname, place.port))
        lines = [f"GET /ws/{path} HTTP/1.1", f"Host: {place.netloc}", "Connection: Upgrade", "Upgrade: websocket"]
        lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
        lines += [f"Authorization: Bearer {person.token}", "", ""]
        await loop.sock_sendall(connection, "\r\n".join(lines).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += await loop.sock_recv(connection, 1)
        assert b" 101 " in head, head
        hello = json.dumps({"type": "hello", "protocol": 1}).encode()
        # masked with zeros, which changes nothing
        await loop.sock_sendall(connection, bytes([0x81, 0x80 | len(hello), 0, 0, 0, 0]) + hello)
        return cls(connection)

    async def taken(self) -> list[dict[str, Any]]:
        """What the system took for it while it did not read, now that the server has hung up."""
        data = b""
        try:
            async with asyncio.timeout(10):
                while more := await asyncio.get_running_loop().sock_recv(self._connection, 1 << 20):
                    data += more
        except ConnectionResetError:
            pass
        return [json.loads(text) for text in whole_frames(data)]

    def close(self) -> None:
        self._connection.close()


def whole_frames(data: bytes) -> Iterator[bytes]:
    """The texts of a server's frames; the last one may be cut off."""
    place = 0
    while place + 4 <= len(data) and data[place] == 0x81:
        size, start = data[place + 1], place + 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size, start = int.from_bytes(data[start : start + width], "big"), start + width
        place = start + size
        if place <= len(data):
            yield data[start:place]


@dataclass
class Heard:
    """What somebody who reads has heard, and when."""

    at: dict[int, float] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    size: int = 0

    async def listen(self, connection: ClientConnection) -> None:
        async for text in connection:
            assert isinstance(text, str)
            event = json.loads(text)
            if event["type"] == "event":
                self.at[event["sequence"]] = time.monotonic()
                self.order.append(event["sequence"])
                self.size = len(encode(text.encode()))


@dataclass
class Watch:
    """What the system tells of the server while it runs: its memory, and when it let go of each connection."""

    server: ServerProcess
    deaf: list[Deaf]
    before: int = 0
    most: int = 0
    closed: dict[int, float] = field(default_factory=dict)

    async def look(self) -> None:
        self.before = self.server.seen.memory_info().rss
        while True:
            self.most = max(self.most, self.server.seen.memory_info().rss)
            ports = {connection.raddr.port for connection in self.server.seen.net_connections() if connection.raddr}
            for each in self.deaf:
                if each.port not in ports:
                    self.closed.setdefault(each.port, time.monotonic())
            await asyncio.sleep(0.05)


async def hold(app: FastAPI, settings: Settings, people: People, *, deaf: int, listeners: int, a_second: int) -> None:
    owner = await people.make("owner")
    room = await open_room(owner, capacity=deaf + 1)
    crowd = [await people.make("deaf") for _ in range(deaf)]
    for person in crowd:
        await get_in(person, room)
    path = f"rooms/{room['id']}"
    async with servers_on(settings, 1, SOCKET_FRAMES_PER_SECOND="100000") as (server,), AsyncExitStack() as stack:
        speaker = await stack.enter_async_context(sit(server.address, path, owner))
        heard = [Heard() for _ in range(listeners)]
        for each in heard:
            seat = await stack.enter_async_context(sit(server.address, path, owner))
            seat._task.cancel()
            task = asyncio.create_task(each.listen(seat.connection))
            stack.callback(task.cancel)
        others = [await Deaf.connect(server.address, path, person) for person in crowd]
        for other in others:
            stack.callback(other.close)
        said = await speak(speaker, heard, 0, WARM_UP, a_second)
        watch = Watch(server, others)
        looking = asyncio.create_task(watch.look())
        stack.callback(looking.cancel)
        async with asyncio.timeout(60):
            while len(watch.closed) < deaf:
                said = await speak(speaker, heard, said, a_second // 4, a_second)
        said = await speak(speaker, heard, said, a_second // 2, a_second)
        growth = (watch.most - watch.before) / MEGABYTE
        after = (server.seen.memory_info().rss - watch.before) / MEGABYTE
        waits = [await waited(other, heard[0], watch) for other in others]
    print(f"\n{deaf} deaf: closed {max(waits):.2f} s after full, +{growth:.1f} MB, then +{after:.1f}; {said} said")
    assert max(waits) < 5
    assert growth < 20
    first = heard[0].order[0]
    for each in heard:
        assert each.order == list(range(first, first + said)), "somebody who reads has lost something"


async def speak(speaker: Seat, heard: list[Heard], said: int, count: int, a_second: int) -> int:
    """Says so many more, evenly, and waits until they are heard; how many it were in all."""
    for number in range(said, said + count):
        await speaker.say(type="send", client_id=str(number), text=TEXT)
        if number % 5 == 0:
            await asyncio.sleep(5 / a_second)
    async with asyncio.timeout(20):
        while any(len(each.order) < said + count for each in heard):
            await asyncio.sleep(0.01)
    return said + count


async def waited(other: Deaf, heard: Heard, watch: Watch) -> float:
    """How long it was kept after more waited for it than may: beyond what the system had taken."""
    taken = [frame["sequence"] for frame in await other.taken() if frame["type"] == "event"]
    assert taken == list(range(taken[0], taken[0] + len(taken)))
    full = taken[-1] + math.ceil(MOST_WAITING / heard.size)
    return watch.closed[other.port] - heard.at[full]


async def test_a_few_who_never_read(app: FastAPI, settings: Settings, people: People) -> None:
    await hold(app, settings, people, deaf=5, listeners=2, a_second=1000)


@pytest.mark.slow
async def test_fifty_who_never_read(app: FastAPI, settings: Settings, people: People) -> None:
    await hold(app, settings, people, deaf=50, listeners=5, a_second=200)


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.slow)])
async def test_who_has_missed_much_gets_all_of_it_over_a_thin_line(live: str, people: People, whole: bool) -> None:
    """More than may wait for somebody is missing when they come back, and there is always something new."""
    pair, (count, text) = await begin(people), (900, TEXT[:250]) if whole else (150, TEXT)
    for start in range(0, count, 50):
        await asyncio.gather(*(pair.bruno.post(pair.rest, json={"text": text}) for _ in range(start, start + 50)))
    place = urlsplit(live)
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    line.setblocking(False)
    await asyncio.get_running_loop().sock_connect(line, (place.hostname, place.port))
    over = asyncio.Event()

    async def go_on() -> int:
        number = count
        while not over.is_set():
            number = (await pair.bruno.post(pair.rest, json={"text": "And on."})).json()["sequence"]
        return number

    talking = asyncio.create_task(go_on())
    async with sit(live, pair.path, pair.ana, hello=False, sock=line, max_queue=2) as ana:
        await ana.say(type="hello", protocol=1, last_sequence=0)
        ana.welcome = await ana.get("welcome")
        await asyncio.sleep(1)
        over.set()
        last = await talking
        await ana.reach(last)
        assert ana.sequences == list(range(1, last + 1))
