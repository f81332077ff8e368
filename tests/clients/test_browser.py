"""The TypeScript client in a real browser, on a page of another origin than the server's."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI
from soundscore_client import position
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from app.core.config import Settings
from app.core.infra import Infra
from tests.auth.factories import PASSWORD, Signed, sign_up
from tests.clients.chromium import Browser, Page, chromium
from tests.clients.node import TYPESCRIPT, build
from tests.clients.players import CLIENTS, PATIENCE, Player, client
from tests.clients.relay import Relay, relay_to
from tests.conftest import http_client, running, serving
from tests.loopback import on_loopback
from tests.notifications.factories import tell
from tests.people import People
from tests.rooms.factories import open_room
from tests.rooms.playing import Json, add, eventually, make_tracks, press
from tests.uploads.factories import track_of, wav

SURE_MS = 15
AGREE_MS = 50
"""By how much clients on one machine may disagree: each by what it may be wrong, and what a busy machine adds."""
NEVER = 1000
"""A chance that is none: who waits by it waits for minutes."""


class PagePlayer(Player):
    """The client on a page."""

    page: Page

    def take(self, text: str) -> None:
        """What the page tells."""
        self.report(*json.loads(text))

    async def order(self, name: str, what: Any = None) -> None:
        await self.page.run(f"page.order({json.dumps(name)}, {json.dumps(what)})")

    async def call(self, name: str, *arguments: Any) -> Any:
        """Calls a function of the page; what it returns."""
        return await self.page.run(f"page.{name}({', '.join(map(json.dumps, arguments))})")


@dataclass(frozen=True, slots=True)
class Stage:
    """A server, a page of elsewhere that it trusts, and one that it does not."""

    app: FastAPI
    relay: Relay
    browser: Browser
    pages: str
    strangers: str
    people: People

    @property
    def infra(self) -> Infra:
        infra: Infra = self.app.state.infra
        return infra

    @asynccontextmanager
    async def page(self, *, origin: str | None = None) -> AsyncIterator[PagePlayer]:
        """A page, of the origin that is trusted unless it is said otherwise."""
        player = PagePlayer()
        async with self.browser.page(f"{origin or self.pages}/page.html", player.take) as player.page:
            yield player

    async def visitor(self, player: PagePlayer) -> Signed:
        """Somebody new, who signs in at the page."""
        async with http_client(self.app) as client:
            account = await sign_up(client)
        await player.call("signIn", self.relay.address, account.username, PASSWORD)
        return account

    async def guest(self, player: PagePlayer, room: Json) -> None:
        """Somebody new, who comes into a room at the page."""
        await self.visitor(player)
        await player.call("ask", "POST", f"/rooms/{room['id']}/join", {})
        await player.call("enter", "rooms", room["id"])


@pytest.fixture(scope="module")
async def stage(settings: Settings) -> AsyncIterator[Stage]:
    files = Starlette(
        routes=[
            Mount("/client", StaticFiles(directory=build())),
            Mount("/", StaticFiles(directory=TYPESCRIPT / "test")),
        ]
    )
    async with chromium() as browser, on_loopback(files) as pages, on_loopback(files) as strangers:
        trusting = settings.model_copy(update={"cors_origins": [pages]})
        async with (
            running(trusting) as app,
            serving(app, trusting) as address,
            relay_to(address) as relay,
            People(app) as people,
        ):
            yield Stage(app, relay, browser, pages, strangers, people)


def texts(state: Json) -> list[str]:
    return [message["text"] for message in state["messages"]]


async def test_a_page_talks_loses_the_network_and_misses_nothing(stage: Stage) -> None:
    ana = await stage.people.make("ana")
    room = await open_room(ana)
    chat = f"/chat/{room['id']}/messages"
    async with stage.page() as player:
        await stage.guest(player, room)
        await ana.post(chat, json={"text": "Can you hear me?"})
        await player.until("event")
        await player.order("send", "Yes")
        await player.until("ack")
        await player.page.go_offline()
        stage.relay.cut()
        await player.order("send", "Hello?")
        for number in range(5):
            await ana.post(chat, json={"text": f"Still there? {number}"})
        await player.page.go_offline(offline=False)
        await player.until("ack", 2)
        state = await player.state()
        assert player.told("welcome") == [False, True]
        assert player.told("event") == list(range(player.told("event")[0], state["sequence"] + 1))
        wanted = ["Can you hear me?", "Yes", *(f"Still there? {number}" for number in range(5)), "Hello?"]
        assert texts(state) == wanted
    heard = (await ana.get(chat)).json()["items"]
    assert sorted(message["text"] for message in heard) == sorted(wanted)


async def test_a_page_comes_back_as_soon_as_there_is_a_network(stage: Stage) -> None:
    ana = await stage.people.make("ana")
    room = await open_room(ana)
    async with stage.page() as player:
        await stage.guest(player, room)
        await player.page.run(f"page.chance = {NEVER}")
        await player.page.go_offline()
        stage.relay.cut()
        async with asyncio.timeout(PATIENCE):
            while player.told("status")[-1] != "waiting":
                await asyncio.sleep(0.02)
        # that much is certain: the next attempt would be in minutes. It may come before everybody knows of the network
        await player.page.run("page.chance = 0.1")
        await player.page.go_offline(offline=False)
        await player.until("welcome", 2)


async def test_a_page_hears_the_same_second_as_everybody(stage: Stage) -> None:
    ana = await stage.people.make("ana")
    room = await open_room(ana)
    await add(ana, room, *await make_tracks(stage.infra, 600_000))
    await press(ana, room, "play")
    async with stage.page() as player:
        await stage.guest(player, room)
        address = f"{stage.relay.address.replace('http', 'ws')}/ws/rooms/{room['id']}"
        starts = [await began(lambda: player.call("moment"))]
        for name in CLIENTS:
            async with client(name, address, ana.token) as other:
                await other.until("welcome")
                starts.append(await began(partial(moment, other)))
    assert max(starts) - min(starts) <= AGREE_MS


async def moment(player: Player) -> Json:
    """Where the track is, as the client sees it."""
    state = await player.state()
    return {**state, "position_ms": position(state["playback"], state["server_ms"])}


async def began(look: Callable[[], Awaitable[Json]]) -> float:
    """When the track began by the clock of this machine, as a client sees it that knows the server's well enough."""
    seen = await eventually(look, lambda seen: seen["position_ms"] > 0 and seen["error_ms"] < SURE_MS)
    return float(seen["wall_ms"] - seen["position_ms"])


async def test_a_page_hears_of_its_notifications(stage: Stage) -> None:
    ana = await stage.people.make("ana")
    async with stage.page() as player:
        account = await stage.visitor(player)
        me = await player.call("ask", "GET", "/auth/me")
        await player.call("listen")
        assert (await player.until("hello"))[1] == {"unread_count": 0}
        await tell(stage.infra, me["id"], ana.id)
        number, item = await player.until("notification")
        assert (number, item["unread_count"], item["actor"]["username"]) == ("1", 1, ana.username)
        assert me["username"] == account.username
        assert (player.told("stream_error"), player.page.complaints) == ([], [])


async def test_a_page_plays_a_recording_without_a_token(stage: Stage) -> None:
    ana = await stage.people.make("ana")
    data = wav(3.0)
    track = await track_of(stage.app, ana, data=data, title="Tone", artist="Fork", visibility="public")
    url = (await ana.get(f"/tracks/{track['id']}")).json()["media_url"]
    async with stage.page() as player:
        await player.call("at", stage.relay.address)
        assert await player.call("play", url, 1.5) == pytest.approx(3.0, abs=0.05)
        part = await player.call("part", url, "bytes=100-299")
        assert (part["status"], part["size"]) == (206, 200)
        assert part["content-range"] == f"bytes 100-299/{len(data)}"
        assert part["etag"]
        assert (await player.call("part", url))["size"] == len(data)
        assert player.page.complaints == []


async def test_a_page_is_told_what_is_wrong(stage: Stage) -> None:
    async with stage.page() as player:
        await stage.visitor(player)
        gone = await player.call("ask", "GET", "/rooms/00000000-0000-7000-8000-000000000000")
        assert gone == {"name": "Problem", "status": 404, "code": "not_found"}
        wrong = await player.call("ask", "POST", "/rooms", {"name": 7})
        assert (wrong["name"], wrong["status"]) == ("Problem", 422)


async def test_a_page_of_strangers_gets_nothing(stage: Stage) -> None:
    ana = await stage.people.make("ana")
    room = await open_room(ana)
    ticket = (await ana.post("/auth/tickets")).json()["ticket"]
    async with stage.page(origin=stage.strangers) as player:
        await player.call("at", stage.relay.address, ana.token)
        refused = await player.call("ask", "GET", f"/rooms/{room['id']}")
        assert refused["name"] == "Unreachable"
        assert await player.call("knock", f"/ws/rooms/{room['id']}?ticket={ticket}") == 1006
    async with stage.page() as player:
        await player.call("at", stage.relay.address)
        assert await player.call("knock", f"/ws/rooms/{room['id']}?ticket={ticket}") == "open"
