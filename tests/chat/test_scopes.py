"""What a token of few scopes may do on a socket: the same as over REST."""

import pytest
from fastapi import FastAPI

from tests.chat.pairs import Pair
from tests.conftest import http_client
from tests.sockets import sit

WRITES = [
    {"type": "send", "text": "Hi"},
    {"type": "edit", "message_id": "", "text": "Hm"},
    {"type": "delete", "message_id": ""},
    {"type": "react", "message_id": "", "emoji": "🎷", "active": True},
    {"type": "command", "name": "playback.pause", "body": {}},
]


async def key_of(pair: Pair, *scopes: str) -> str:
    made = await pair.ana.post("/auth/api-tokens", json={"name": "Player", "scopes": list(scopes)})
    secret: str = made.json()["secret"]
    return secret


@pytest.mark.parametrize("scope", ["listen", "stream", "write"])
async def test_without_read_nothing_is_heard(live: str, pair: Pair, scope: str) -> None:
    async with sit(live, f"{pair.path}?token={await key_of(pair, scope)}", hello=False) as ana:
        assert await ana.closed() == 4403
        assert (ana.frames[-1]["code"], ana.frames[-1]["scope"]) == ("forbidden", "read")
    assert len(ana.frames) == 1


async def test_without_write_everything_is_heard_and_nothing_done(live: str, app: FastAPI, pair: Pair) -> None:
    key = await key_of(pair, "read")
    said = (await pair.ana.post(pair.rest, json={"text": "Hello"})).json()
    async with sit(live, f"{pair.path}?token={key}") as ana:
        for number, frame in enumerate(WRITES):
            client_id = str(number)
            of_it = {"message_id": said["id"]} if "message_id" in frame else {}
            await ana.say(**frame | of_it | {"client_id": client_id})
            problem = await ana.get("problem", client_id=client_id)
            assert (problem["code"], problem["status"], problem["scope"]) == ("forbidden", 403, "write"), frame
        await ana.say(type="typing", active=True)
        await ana.say(type="ping", id=1, client_ms=0.0)
        await ana.get("pong", id=1)
        await pair.bruno.post(pair.rest, json={"text": "Still there?"})
        assert (await ana.get("event", kind="message.created"))["data"]["text"] == "Still there?"
    (second, first) = (await pair.ana.get(pair.rest)).json()["items"]
    assert (first["text"], first["reactions"], second["text"]) == ("Hello", [], "Still there?")
    async with http_client(app) as player:
        player.headers["Authorization"] = f"Bearer {key}"
        assert (await player.post(pair.rest, json={"text": "x"})).status_code == 403


async def test_read_and_write_suffice(live: str, pair: Pair) -> None:
    key = await key_of(pair, "read", "write")
    async with sit(live, f"{pair.path}?token={key}") as ana:
        await ana.say(type="send", client_id="a", text="Hi")
        assert (await ana.get("ack", client_id="a"))["sequence"] == 1
