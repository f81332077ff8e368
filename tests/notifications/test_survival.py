"""The promise of the stream: whatever dies, a reader who reconnects gets every notification once and in order."""

import asyncio

import httpx
import pytest

from app.core.config import Settings
from app.core.infra import Infra
from tests.notifications.factories import check_counters, stream, tell
from tests.people import People, Person
from tests.servers import ServerProcess, servers_on


class Reader:
    """Reads on from where it is, at the next server when one is gone."""

    def __init__(self, person: Person, servers: list[ServerProcess], wanted: int) -> None:
        self._person, self._servers, self.wanted = person, servers, wanted
        self.turn = 0
        self.numbers: list[int] = []

    async def read(self) -> None:
        while len(self.numbers) < self.wanted:
            try:
                await self._read_until_cut()
            except httpx.TransportError:
                await asyncio.sleep(0.02)
            self.turn = (self.turn + 1) % len(self._servers)

    async def _read_until_cut(self) -> None:
        last = self.numbers[-1] if self.numbers else 0
        async with stream(self._servers[self.turn].address, self._person, after=last) as events:
            async for event in events:
                if event.name == "notification":
                    assert event.id == str(event.data["number"])
                    self.numbers.append(event.data["number"])
                if len(self.numbers) >= self.wanted:
                    return


@pytest.mark.parametrize(("number", "kills"), [(1_000, 3), pytest.param(10_000, 12, marks=pytest.mark.slow)])
async def test_notifications_survive_kills(
    settings: Settings, infra: Infra, people: People, number: int, kills: int
) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")

    async def write(part: int) -> None:
        for i in range(part, number, 4):
            await tell(infra, ana.id, bruno.id, str(i))

    async with servers_on(settings, kills + 1) as servers, asyncio.timeout(20 + number / 25):
        reader = Reader(ana, servers, number)
        reading = asyncio.create_task(reader.read())
        writing = [asyncio.create_task(write(part)) for part in range(4)]
        for kill in range(1, kills + 1):
            while len(reader.numbers) < kill * number // (kills + 1):
                await asyncio.sleep(0.001)
            assert not reading.done()
            await servers[reader.turn].kill()
        await asyncio.gather(*writing, reading)
    assert reader.numbers == list(range(1, number + 1))
    await check_counters(infra, ana.id)
