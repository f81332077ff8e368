"""Who calls is known by an app password, in one of the ways that clients send it."""

import hashlib
import xml.etree.ElementTree as ET
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.compat.subsonic.calls import CALLS
from app.core.infra import Infra
from tests.conftest import http_client
from tests.people import People, Person, queries
from tests.subsonic.factories import Player, app_password, make_player


@pytest.fixture
async def ana(people: People) -> Person:
    return await people.make("ana")


@pytest.fixture
async def player(app: FastAPI, ana: Person) -> Player:
    return await make_player(app, ana)


def salted(password: str, salt: str = "c19b2d") -> dict[str, str]:
    return {"t": hashlib.md5((password + salt).encode()).hexdigest(), "s": salt}


async def ping(player: Player, **who: Any) -> dict[str, Any]:
    answer = await player.get("/ping", params={"v": "1.16.1", "c": "tests", "f": "json", **who})
    assert answer.status_code == 200
    return answer.json()["subsonic-response"]


async def test_every_way_in(player: Player, ana: Person) -> None:
    secret = player.password
    for who in (
        {"p": secret},
        {"p": f"enc:{secret.encode().hex()}"},
        {"p": f"enc:{secret.encode().hex().upper()}"},
        salted(secret),
    ):
        assert (await ping(player, u=ana.username, **who))["status"] == "ok"
    assert (await ping(player, u=ana.username.upper(), p=secret))["status"] == "ok"
    assert (await ping(player, apiKey=secret))["status"] == "ok"


async def test_the_envelope(player: Player) -> None:
    answer = await player.ask("ping")
    assert answer.pop("serverVersion")
    assert answer == {"status": "ok", "version": "1.16.1", "type": "soundscore", "openSubsonic": True}


async def test_a_form_is_as_good_as_an_address(player: Player, ana: Person) -> None:
    form = {"u": ana.username, "p": player.password, "v": "1.16.1", "c": "tests", "f": "json"}
    for address in ("/getUser", "/getUser.view"):
        answer = await player.post(address, data=form)
        assert answer.json()["subsonic-response"]["user"]["username"] == ana.username


@pytest.mark.parametrize(
    ("who", "number"),
    [
        ({"p": "wrong"}, 40),
        ({"p": "enc:zz"}, 40),
        ({"p": "enc:ff"}, 40),
        ({"t": "0" * 32, "s": "salt"}, 40),
        ({"t": "é", "s": "salt"}, 40),
        ({"t": "0" * 32}, 10),
        ({}, 10),
        ({"p": "x", "t": "0" * 32, "s": "salt"}, 43),
    ],
)
async def test_wrong_proofs(player: Player, ana: Person, who: dict[str, str], number: int) -> None:
    answer = await ping(player, u=ana.username, **who)
    assert (answer["status"], answer["error"]["code"]) == ("failed", number)


async def test_wrong_keys(player: Player, ana: Person) -> None:
    assert (await ping(player, apiKey="ssp_unknown"))["error"]["code"] == 44
    assert (await ping(player, apiKey=ana.token))["error"]["code"] == 44
    assert (await ping(player, apiKey=player.password, u=ana.username))["error"]["code"] == 43
    assert (await ping(player, p=player.password))["error"]["code"] == 10


async def test_nobody_and_somebody_else(player: Player, people: People) -> None:
    other = await people.make("other")
    assert (await ping(player, u="nobody-at-all", p=player.password))["error"]["code"] == 40
    assert (await ping(player, u=other.username, p=player.password))["error"]["code"] == 40


@pytest.mark.parametrize(("version", "number"), [("0.9", 20), ("2.0.0", 30), ("new", 0), ("1.99.0", None), (None, 10)])
async def test_versions(player: Player, version: str | None, number: int | None) -> None:
    parameters = {name: value for name, value in {**player.common, "v": version}.items() if value is not None}
    answer = (await player.get("/ping", params=parameters)).json()["subsonic-response"]
    assert answer.get("error", {}).get("code") == number


async def test_a_revoked_password_is_refused_at_once(app: FastAPI, infra: Infra, ana: Person) -> None:
    player = await make_player(app, ana)
    await player.ask("ping")
    (key,) = (await ana.get("/auth/app-passwords")).json()["items"]
    assert (await ana.delete(f"/auth/app-passwords/{key['id']}")).status_code == 204
    await infra.revocations.refresh()
    assert await player.fails("ping") == 40


async def test_a_new_password_works_beside_one_that_is_remembered(app: FastAPI, ana: Person) -> None:
    first = await make_player(app, ana)
    await first.ask("ping")
    second = await make_player(app, ana)
    await second.ask("ping")
    await first.ask("ping")


async def test_it_is_noted_when_a_password_was_used(player: Player, ana: Person) -> None:
    await player.ask("ping")
    (key,) = (await ana.get("/auth/app-passwords")).json()["items"]
    assert key["last_used_at"] is not None


async def test_a_password_that_is_remembered_costs_no_query(player: Player, infra: Infra) -> None:
    await player.ask("ping")
    async with queries(infra) as ran:
        await player.ask("ping")
    assert ran == [0]


async def test_every_call_needs_a_login(app: FastAPI) -> None:
    async with http_client(app) as client:
        client.base_url = httpx.URL("http://soundscore.test/rest")
        for name in CALLS:
            answer = (await client.get(f"/{name}", params={"v": "1.16.1", "c": "x", "f": "json"})).json()
            assert answer["subsonic-response"]["error"]["code"] == 10, name
        told = (await client.get("/getOpenSubsonicExtensions?f=json")).json()["subsonic-response"]
    names = {extension["name"] for extension in told["openSubsonicExtensions"]}
    assert {"formPost", "songLyrics", "apiKeyAuthentication"} <= names


async def test_every_call_takes_its_scope(app: FastAPI, infra: Infra, ana: Person) -> None:
    players = {scope: await make_player(app, ana, [scope]) for scope in ("read", "write", "listen", "stream")}
    for name, call in CALLS.items():
        other = next(scope for scope in players if scope != call.needs)
        assert await players[other].fails(name) == 50, name
    assert await app_password(infra, ana, ["read"])


async def test_unknown_calls(player: Player) -> None:
    assert await player.fails("getEverything") == 70
    assert await player.fails("getEverything<>") == 70


async def test_errors_in_xml(player: Player) -> None:
    answer = await player.get("/getSong", params={**player.common, "f": "xml", "id": "none<&"})
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    root = ET.fromstring(answer.text)
    assert root.tag == "{http://subsonic.org/restapi}subsonic-response"
    assert root.attrib["status"] == "failed"
    (error,) = root
    assert error.attrib["code"] == "70"
    assert "none<&" in error.attrib["message"]


async def test_who_one_is(player: Player, ana: Person, people: People, app: FastAPI) -> None:
    user = (await player.ask("getUser", username=ana.username))["user"]
    assert (user["username"], user["streamRole"], user["adminRole"], user["folder"]) == (
        ana.username,
        True,
        False,
        [1],
    )
    assert (await player.ask("tokenInfo"))["tokenInfo"] == {"username": ana.username}
    assert [one["username"] for one in (await player.ask("getUsers"))["users"]["user"]] == [ana.username]
    other = await people.make("other")
    assert await player.fails("getUser", username=other.username) == 50
    assert await player.fails("getUser", username="nobody-at-all") == 50
    admin = await make_player(app, await people.make("admin", role="admin"))
    assert (await admin.ask("getUser", username=other.username))["user"]["username"] == other.username
    assert await admin.fails("getUser", username="nobody-at-all") == 70


async def test_a_client_that_asks_too_often_is_told_when_to_come_back(app: FastAPI, player: Player) -> None:
    limiter = app.state.infra.limiter
    limiter._enabled = True
    try:
        answers = [await player.get("/ping", params={**player.common, "p": f"wrong{n}"}) for n in range(130)]
    finally:
        limiter._enabled = False
        limiter._leases.clear()
    assert answers[0].json()["subsonic-response"]["error"]["code"] == 40
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert answers[-1].json()["subsonic-response"]["error"]["code"] == 0


async def test_calls_are_measured_by_their_names(player: Player) -> None:
    await player.ask("getLicense")
    await player.fails("getEverything")
    text = (await player.get("http://soundscore.test/metrics")).text
    assert '"/rest/getLicense"' in text
    assert "getEverything" not in text
