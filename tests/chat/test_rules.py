"""What a socket may and may not do, and the code with which it ends."""

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from fastapi import FastAPI
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.core import sockets
from app.core.config import Settings
from app.core.infra import Infra
from app.core.revocations import revoke
from app.core.socket_protocol import MOST_WAITING
from app.core.tokens import AccessTokens
from tests.chat.pairs import Pair, begin
from tests.conftest import running, serving
from tests.people import People, Person
from tests.sockets import sit


@pytest.mark.parametrize(
    ("frame", "code", "problem"),
    [
        ("no json", 4400, "bad_request"),
        ('{"type": "dance"}', 4400, "bad_request"),
        ('{"no": "type"}', 4400, "bad_request"),
        ("[]", 4400, "bad_request"),
        (b"\x00\x01", 4400, "bad_request"),
        ("x" * 17_000, 4413, "payload_too_large"),
    ],
)
async def test_what_is_no_frame_ends_the_socket(
    live: str, pair: Pair, frame: str | bytes, code: int, problem: str
) -> None:
    async with sit(live, pair.path, pair.ana) as ana:
        await ana.connection.send(frame)
        assert await ana.closed() == code
        assert (ana.frames[-1]["type"], ana.frames[-1]["code"]) == ("problem", problem)
        assert ana.connection.close_reason == problem


async def test_a_faulty_frame_is_refused_and_the_socket_stays(live: str, pair: Pair) -> None:
    async with sit(live, pair.path, pair.ana) as ana:
        await ana.say(type="send", client_id="a", text="")
        problem = await ana.get("problem", client_id="a")
        assert (problem["status"], problem["errors"][0]["pointer"]) == (422, "/text")
        await ana.say(type="send", client_id="b", text="x" * 2001)
        assert (await ana.get("problem", client_id="b"))["errors"][0]["code"] == "string_too_long"
        await ana.say(type="send", client_id="c", text="Hm", reply_to_id=str(uuid4()))
        assert (await ana.get("problem", client_id="c"))["errors"][0]["pointer"] == "/reply_to_id"
        await ana.say(type="command", client_id="d", name="fly")
        assert (await ana.get("problem", client_id="d"))["code"] == "not_found"
        await ana.say(type="edit", client_id="e", message_id=str(uuid4()), text="x")
        assert (await ana.get("problem", client_id="e"))["code"] == "not_found"
        await ana.say(type="send", client_id="f", text="Still here")
        assert (await ana.get("ack", client_id="f"))["sequence"] == 1


async def test_the_first_frame_is_a_hello(live: str, pair: Pair) -> None:
    for first in ({"type": "ping", "id": 1, "client_ms": 0.0}, {"type": "hello", "protocol": 2}):
        async with sit(live, pair.path, pair.ana, hello=False) as ana:
            await ana.say(**first)
            assert await ana.closed() == 4400


async def test_who_says_nothing_is_closed(live: str, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "HELLO_SECONDS", 0.1)
    async with sit(live, pair.path, pair.ana, hello=False) as ana:
        assert await ana.closed() == 4409


async def test_who_sends_too_much_is_warned_and_then_cut_off(live: str, pair: Pair) -> None:
    async with sit(live, pair.path, pair.ana) as ana:
        with suppress(ConnectionClosed):
            for number in range(1000):
                await ana.connection.send(json.dumps({"type": "ping", "id": number, "client_ms": 0.0}))
                await asyncio.sleep(0)
        assert await ana.closed() == 4429
        assert {frame["code"] for frame in ana.frames if frame["type"] == "problem"} == {"too_many_requests"}
        assert sum(frame["type"] == "pong" for frame in ana.frames) >= 60


async def test_a_page_of_somebody_elses_may_not_connect(live: str, pair: Pair) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        async with sit(live, pair.path, pair.ana, origin="https://elsewhere.example"):
            pass
    async with sit(live, pair.path, pair.ana, origin=live) as ana:
        assert ana.welcome["sequence"] == 0


async def test_with_cors_for_all_every_page_may_connect(
    live: str, pair: Pair, infra: Infra, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(infra.settings, "cors_origins", ["*"])
    async with sit(live, pair.path, pair.ana, origin="http://localhost:3000") as ana:
        assert ana.welcome["sequence"] == 0


async def test_three_ways_to_sign_in(live: str, pair: Pair) -> None:
    ticket = (await pair.ana.post("/auth/tickets")).json()["ticket"]
    async with sit(live, f"{pair.path}?ticket={ticket}") as ana:
        assert ana.welcome["you"]["username"] == pair.ana.username
    async with sit(live, f"{pair.path}?token={pair.ana.token}") as ana:
        assert ana.welcome["you"]["username"] == pair.ana.username
    for bad in ("", f"?ticket={ticket}", "?token=none"):
        async with sit(live, pair.path + bad, hello=False) as nobody:
            assert await nobody.closed() == 4401
            assert nobody.frames[-1]["code"] == "unauthorized"


async def test_the_end_of_a_session_ends_its_sockets(live: str, pair: Pair, infra: Infra) -> None:
    principal = await infra.principal(pair.ana.token)
    async with sit(live, pair.path, pair.ana) as ana, sit(live, pair.path, pair.bruno) as bruno:
        async with infra.db.write() as db:
            await revoke(db, [principal.session_id], until=datetime.now(UTC) + timedelta(hours=1))
        async with asyncio.timeout(2):
            assert await ana.closed() == 4401
        await bruno.say(type="ping", id=1, client_ms=0.0)
        await bruno.get("pong", id=1)


async def test_an_expired_token_ends_the_socket_and_a_new_one_resumes(live: str, pair: Pair, infra: Infra) -> None:
    tokens = AccessTokens(infra.settings.model_copy(update={"access_token_minutes": 1 / 60}))
    short, _ = tokens.issue(pair.ana.id, uuid4(), "user")
    async with sit(live, f"{pair.path}?token={short}") as ana:
        await ana.say(type="send", client_id="1", text="before")
        await ana.get("ack", client_id="1")
        assert await ana.closed() == 4401
    await pair.bruno.post(pair.rest, json={"text": "meanwhile"})
    async with sit(live, pair.path, pair.ana, last=1) as ana:
        assert (ana.welcome["recovered"], ana.sequences) == (True, [2])


async def test_who_does_not_read_is_closed_and_others_lose_nothing(live: str, pair: Pair, infra: Infra) -> None:
    text = "x" * 1990
    async with (
        sit(live, pair.path, pair.bruno) as bruno,
        sit(live, pair.path, pair.ana, max_queue=(1, 0)) as ana,
    ):
        ana.connection.transport.pause_reading()
        count = 4 * MOST_WAITING // len(text) + 2500
        for start in range(0, count, 100):
            posts = [pair.bruno.post(pair.rest, json={"text": text}) for _ in range(start, start + 100)]
            await asyncio.gather(*posts)
            if len(infra.part(sockets.sockets)) < 2:
                break
        assert len(infra.part(sockets.sockets)) == 1
        last = (await pair.bruno.get(pair.rest, params={"limit": 1})).json()["items"][0]["sequence"]
        await bruno.reach(last)
        assert bruno.sequences == list(range(1, last + 1))


async def test_a_block_hides_what_the_other_says(live: str, people: People) -> None:
    pair = await begin(people)
    async with sit(live, pair.path, pair.ana) as ana:
        assert (await pair.ana.put(f"/users/{pair.bruno.username}/block")).status_code in {200, 204}
        answer = await pair.bruno.post(pair.rest, json={"text": "Hello?"})
        assert answer.status_code == 404
        assert ana.events == []
    assert (await pair.ana.get("/direct")).json()["items"] == []


async def test_the_drain_sends_everybody_away(fresh: FastAPI, settings: Settings) -> None:
    infra: Infra = fresh.state.infra
    async with People(fresh) as people, serving(fresh, settings) as address:
        pair = await begin(people)
        async with sit(address, pair.path, pair.ana) as ana:
            infra.drain()
            assert await ana.closed() == 1012
            assert ana.frames[-1]["type"] == "reconnect"
            assert ana.frames[-1]["after_ms"] <= 1000


async def test_two_processes_and_a_deaf_broker(app: FastAPI, live: str, pair: Pair, settings: Settings) -> None:
    infra: Infra = app.state.infra
    async with (
        running(settings) as other,
        serving(other, settings) as elsewhere,
        sit(live, pair.path, pair.ana) as ana,
        sit(elsewhere, pair.path, pair.bruno) as bruno,
    ):
        await talk_and_hear(pair.ana, pair, bruno, 1)
        await infra.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await talk_and_hear(pair.ana, pair, bruno, 2)
        await talk_and_hear(pair.bruno, pair, ana, 3)
        assert bruno.sequences == [1, 2, 3]


async def talk_and_hear(who: Person, pair: Pair, listener: object, sequence: int) -> None:
    """A word, and within two seconds it is heard."""
    assert (await who.post(pair.rest, json={"text": str(sequence)})).json()["sequence"] == sequence
    async with asyncio.timeout(2):
        await listener.reach(sequence)  # type: ignore[attr-defined]
