"""Both clients and a server that cuts, drains, refuses and forgets."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.clients.fake_server import FakeServer, serving
from tests.clients.players import CLIENTS, Player, client

HOUR_MS = 3_600_000.0
pytestmark = pytest.mark.parametrize("name", CLIENTS)


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with serving() as fake:
        yield fake


def texts(state: dict[str, Any]) -> list[str]:
    return [message["text"] for message in state["messages"]]


async def said(server: FakeServer, *words: str) -> None:
    for text in words:
        await server.log(text)


async def heard(server: FakeServer, kind: str, count: int = 1) -> None:
    async with asyncio.timeout(5):
        while len(server.frames(kind)) < count:
            await asyncio.sleep(0.01)


async def come_in(server: FakeServer, player: Player) -> None:
    """The client is there: its first ping came, so it has its welcome."""
    await player.until("welcome")
    await heard(server, "ping")


async def test_it_begins_with_a_snapshot(server: FakeServer, name: str) -> None:
    await said(server, "a", "b")
    async with client(name, server.address) as player:
        await player.until("welcome")
        await said(server, "c")
        await player.until("event")
        assert texts(await player.state()) == ["a", "b", "c"]
    assert (server.hellos, player.told("event")) == ([None], [3])
    assert server.frames("hello")[0]["client"].startswith("soundscore-")


async def test_after_cuts_nothing_is_lost_and_nothing_is_there_twice(server: FakeServer, name: str) -> None:
    async with client(name, server.address) as player:
        await come_in(server, player)
        for cut in (1, 2, 3):
            await said(server, *(f"{cut}.{number}" for number in range(10)))
            server.cut()
            await said(server, *(f"{cut}.{number}" for number in range(10, 15)))
            await player.until("welcome", cut + 1)
        await said(server, "last")
        await player.until("event", 46)
        assert texts(await player.state()) == [event["data"]["text"] for event in server.events]
    assert player.told("event") == list(range(1, 47))
    assert player.told("welcome") == [False, True, True, True]
    assert server.hellos[0] is None
    assert all(last is not None and last >= 15 * cut for cut, last in enumerate(server.hellos[1:]))


async def test_who_cannot_resume_gets_everything_anew(server: FakeServer, name: str) -> None:
    async with client(name, server.address) as player:
        await come_in(server, player)
        server.remembers = False
        server.cut()
        await said(server, "a", "b")
        await player.until("welcome", 2)
        assert texts(await player.state()) == ["a", "b"]
    assert player.told("welcome") == [False, False]
    assert player.told("event") == []


async def test_a_gap_is_closed_by_a_resume(server: FakeServer, name: str) -> None:
    async with client(name, server.address) as player:
        await come_in(server, player)
        server.withheld = {2}
        await said(server, "a", "b", "c")
        await player.until("event", 3)
        assert texts(await player.state()) == ["a", "b", "c"]
    assert (server.hellos, player.told("event")) == ([None, 1], [1, 2, 3])


async def test_what_is_told_twice_happens_once(server: FakeServer, name: str) -> None:
    server.repeats = 2
    async with client(name, server.address) as player:
        await come_in(server, player)
        await said(server, "a", "b")
        await player.until("event", 2)
        await asyncio.sleep(0.1)
        assert texts(await player.state()) == ["a", "b"]
    assert player.told("event") == [1, 2]


async def test_what_was_not_acknowledged_is_sent_again(server: FakeServer, name: str) -> None:
    async with client(name, server.address) as player:
        await come_in(server, player)
        server.swallowed_acks = 2
        await player.order("send", "once")
        assert await player.until("ack") == ["once", 1]
        await player.until("event")
    (times,) = server.sent("once").values()
    assert times == 3
    assert [event["data"]["text"] for event in server.events] == ["once"]


async def test_what_is_said_without_a_connection_waits_for_it(server: FakeServer, name: str) -> None:
    async with client(name, server.address) as player:
        await come_in(server, player)
        server.cut()
        for number in range(40):
            await player.order("send", str(number))
        await player.until("ack", 40)
        assert texts(await player.state()) == [str(number) for number in range(40)]
    assert server.hellos == [None, 0]


async def test_a_refusal_that_passes_is_tried_again(server: FakeServer, name: str) -> None:
    flood = {"code": "too_many_requests", "title": "Too many", "detail": "Wait a second.", "status": 429}
    away = {"code": "unavailable", "title": "Not now", "detail": "Send it again.", "status": 503}
    server.refusals = [flood, away]
    async with client(name, server.address) as player:
        await come_in(server, player)
        await player.order("send", "please")
        assert await player.until("ack") == ["please", 1]
    assert list(server.sent("please").values()) == [3]


async def test_a_refusal_that_does_not_pass_is_told(server: FakeServer, name: str) -> None:
    server.refusals = [{"code": "muted", "title": "You are muted", "detail": "Until eight.", "status": 403}]
    async with client(name, server.address) as player:
        await come_in(server, player)
        await player.order("send", "please")
        assert await player.until("problem") == ["please", "muted"]
        server.cut()
        await player.until("welcome", 2)
        await player.order("send", "then")
        await player.until("ack")
    assert list(server.sent("please").values()) == [1]


async def test_it_goes_when_it_is_sent_away_and_comes_back_when_it_is_told(server: FakeServer, name: str) -> None:
    async with client(name, server.address) as player:
        await come_in(server, player)
        await said(server, "a")
        await player.until("event")
        left = asyncio.get_running_loop().time()
        await server.drain(after_ms=700)
        await said(server, "b")
        await player.until("event", 2)
    assert 0.69 <= server.connected_at[1] - left <= 1.5
    assert server.hellos == [None, 1]
    assert player.told("event") == [1, 2]


@pytest.mark.parametrize("code", [4400, 4403, 4404, 4413])
async def test_it_stays_away_when_it_may_not_come_back(server: FakeServer, name: str, code: int) -> None:
    async with client(name, server.address) as player:
        await come_in(server, player)
        server.refusals = [{"code": "too_many_requests", "title": "", "detail": "", "status": 429}]
        await player.order("send", "never")
        await heard(server, "send")
        await server.close(code, "no")
        assert await player.until("ended") == code
        assert await player.until("problem") == ["never", str(code)]
        await player.order("send", "too late")
        assert await player.until("problem", 2) == ["too late", str(code)]
        await asyncio.sleep(0.5)
    assert len(server.connected_at) == 1


@pytest.mark.parametrize("code", [1001, 1011, 1012, 4408, 4409])
async def test_it_comes_back_when_it_may(server: FakeServer, name: str, code: int) -> None:
    async with client(name, server.address) as player:
        await come_in(server, player)
        await server.close(code)
        await said(server, "b")
        await player.until("event")
    assert (server.hellos, server.tokens) == ([None, 0], ["old", "old"])


async def test_a_token_that_ended_is_replaced_and_nothing_is_lost(server: FakeServer, name: str) -> None:
    async with client(name, server.address) as player:
        await come_in(server, player)
        server.accepted = {"new"}
        await server.close(4401, "unauthorized")
        await said(server, "a", "b")
        await player.until("event", 2)
    assert player.told("authorize") == [False, True]
    assert (server.tokens, server.hellos, player.told("event")) == (["old", "new"], [None, 0], [1, 2])


async def test_it_ends_when_the_new_token_is_refused_too(server: FakeServer, name: str) -> None:
    server.accepted = set()
    async with client(name, server.address) as player:
        assert await player.until("ended") == 4401
    assert (server.tokens, player.told("welcome")) == (["old", "new"], [])


async def test_it_learns_the_time_of_the_server(server: FakeServer, name: str) -> None:
    server.ahead_ms = HOUR_MS
    async with client(name, server.address) as player:
        await player.until("welcome")
        await asyncio.sleep(2.3)
        state = await player.state()
        assert len(server.frames("ping")) == 8
        assert state["server_ms"] - state["wall_ms"] == pytest.approx(HOUR_MS, abs=25)


async def test_the_farthest_mark_is_told_again(server: FakeServer, name: str) -> None:
    await said(server, "a", "b", "c")
    async with client(name, server.address) as player:
        await come_in(server, player)
        await player.order("read", 2)
        await player.order("read", 1)
        assert (await player.state())["read_sequence"] == 2
        await heard(server, "read", 2)
        server.cut()
        await player.until("welcome", 2)
        await heard(server, "read", 3)
    assert [frame["sequence"] for frame in server.frames("read")] == [2, 2, 2]


async def test_it_says_goodbye(server: FakeServer, name: str) -> None:
    async with client(name, server.address) as player:
        await come_in(server, player)
        await player.order("close")
        assert await player.until("ended") == 1000
        await asyncio.sleep(0.3)
    assert len(server.connected_at) == 1
