"""However long events are, nobody's coming back costs more than a little at a time, and nobody is cut off for one."""

import asyncio
import random
import socket
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from app.chat.lines import load_lines
from app.chat.log import append
from app.chat.ws import MOST_RECOVERED_BYTES
from app.core.feeds import MOUTHFUL, Feed, Line
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.socket_protocol import MOST_WAITING
from tests.chat.pairs import Pair, begin
from tests.people import People
from tests.sockets import Ear, sit

TEXT = "曲" * 2000


def long_data(size: int) -> dict[str, Any]:
    """About so many bytes of JSON as it usually is: ids, and words that come again."""
    chance = random.Random(size)
    ids = [UUID(int=chance.getrandbits(128)) for _ in range(size // 75)]
    return {"all": [{"id": str(one), "title": "Blue in Green"} for one in ids]}


async def log(infra: Infra, pair: Pair, *sizes: int) -> int:
    """Logs events that long; the number of the last."""
    sequence = 0
    async with infra.db.write() as db:
        for size in sizes:
            sequence = await append(db, UUID(pair.id), kind="test.long", actor_id=None, data=long_data(size))
    return sequence


async def test_what_is_read_at_once_ends_at_a_number_of_bytes(infra: Infra, people: People) -> None:
    pair = await begin(people)
    last = await log(infra, pair, *[30_000] * 10, 200_000, 200_000)
    position, helpings = 0, []
    while lines := await load_lines(infra.db.reader, UUID(pair.id), position):
        position = lines[-1].sequence
        helpings.append([len(line.payload) for line in lines])
    assert position == last
    assert len(helpings) >= 5
    # beyond the budget goes only the line with which it is reached
    assert max(sum(sizes[:-1]) for sizes in helpings) <= MOUTHFUL
    assert sum(map(len, helpings)) == last


async def test_who_missed_too_much_gets_the_whole_state(live: str, people: People, infra: Infra) -> None:
    pair = await begin(people)
    kept = await log(infra, pair, 10_000)
    await log(infra, pair, *[200_000] * 10)
    async with sit(live, pair.path, pair.ana, last=kept) as seat:
        assert (seat.welcome["recovered"], seat.welcome["events"]) == (False, [])
    texts = MOST_RECOVERED_BYTES // len(TEXT.encode()) + 10
    before = await log(infra, pair, 100)
    for _ in range(0, texts, 50):
        await asyncio.gather(*(pair.bruno.post(pair.rest, json={"text": TEXT}) for _ in range(50)))
    async with sit(live, pair.path, pair.ana, last=before) as seat:
        assert not seat.welcome["recovered"]
        assert len(seat.welcome["snapshot"]["messages"]) == 50
    async with sit(live, pair.path, pair.ana, last=seat.welcome["sequence"] - 50) as seat:
        assert seat.welcome["recovered"]


async def test_a_process_keeps_no_more_than_so_many_bytes(infra: Infra, people: People) -> None:
    pair, early, late = await begin(people), Ear(uuid7()), Ear(uuid7())
    last = await log(infra, pair, *[100_000] * 12)
    feed = Feed(UUID(pair.id), infra.db.reader)
    await feed.level(early, 0)
    feed.catch_up(last)
    async with asyncio.timeout(10):
        while early.heard != list(range(1, last + 1)):
            await asyncio.sleep(0.01)
    kept = [len(line.payload) for line in feed._recent.after(0)]
    assert 0 < sum(kept) <= 256 * 1024
    for number in range(20):
        feed.offer([Line(0, b"passing" * 10_000 + bytes([number]))])
    assert sum(len(line.payload) for line in feed._passing.last(100)) <= 256 * 1024
    await feed.level(late, 0, passed=feed.passed)
    assert late.heard == list(range(1, last + 1))


async def test_one_long_event_does_not_cut_off_who_reads(live: str, people: People, infra: Infra) -> None:
    """It fills the line, and more follows before it is through."""
    pair, place = await begin(people), urlsplit(live)
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.setblocking(False)
    await asyncio.get_running_loop().sock_connect(line, (place.hostname, place.port))
    async with sit(live, pair.path, pair.ana, sock=line, max_queue=1) as ana:
        ana._task.cancel()  # for a moment it does not read
        last = await log(infra, pair, 40 * MOST_WAITING)
        for number in range(10):
            last = (await pair.bruno.post(pair.rest, json={"text": str(number)})).json()["sequence"]
        ana._task = asyncio.create_task(ana._read())
        await ana.reach(last)
