"""ListenBrainz's playlists, asked for as its clients do: a token in the header, JSON without a Content-Type."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from app.core.ids import uuid7
from app.core.infra import Infra
from tests.catalog.factories import add_artist, add_track
from tests.people import People, Person, queries

OF_PLAYLIST = "https://musicbrainz.org/doc/jspf#playlist"
OF_TRACK = "https://musicbrainz.org/doc/jspf#track"
RECORDING = "https://musicbrainz.org/recording/"


class Player:
    """A client of ListenBrainz."""

    def __init__(self, client: httpx.AsyncClient, person: Person | None, token: str | None) -> None:
        self._client, self.person = client, person
        self._headers = {"Authorization": f"Token {token}"} if token else {}

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self._client.get(f"/1{path}", params=params, headers=self._headers)

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        return await self._client.post(f"/1{path}", content=content, headers=self._headers)

    async def sends(self, path: str, body: Any = None) -> Any:
        """What is answered to what must be right."""
        answer = await self.post(path, body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] == "ok"
        return answer.json()

    async def makes(self, *tracks: dict[str, Any], title: str = "Weekly", public: Any = None, **more: Any) -> str:
        """A new playlist; its id."""
        extension = {} if public is None else {"extension": {OF_PLAYLIST: {"public": public}}}
        playlist = {"title": title, "track": list(tracks), **extension, **more}
        made: str = (await self.sends("/playlist/create", {"playlist": playlist}))["playlist_mbid"]
        return made

    async def reads(self, playlist_id: str) -> Any:
        answer = await self.get(f"/playlist/{playlist_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()["playlist"]

    async def titles(self, playlist_id: str) -> list[str]:
        return [track["title"] for track in (await self.reads(playlist_id))["track"]]


@pytest.fixture(scope="session")
async def web(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://soundscore.test") as client:
        yield client


async def player(web: httpx.AsyncClient, person: Person, *scopes: str) -> Player:
    body = {"name": "player", "scopes": list(scopes or ("read", "write"))}
    made = await person.post("/auth/app-passwords", json=body)
    assert made.status_code == 201, made.text
    return Player(web, person, made.json()["secret"])


@pytest.fixture(scope="session")
async def ana(web: httpx.AsyncClient, people: People) -> Player:
    return await player(web, await people.make("ana"))


@pytest.fixture(scope="session")
async def bo(web: httpx.AsyncClient, people: People) -> Player:
    return await player(web, await people.make("bo"))


@pytest.fixture(scope="session")
def nobody(web: httpx.AsyncClient) -> Player:
    return Player(web, None, None)


def recording(mbid: str) -> dict[str, Any]:
    return {"identifier": RECORDING + mbid}


def titled(*titles: str) -> list[dict[str, Any]]:
    return [{"title": title, "creator": "Nobody"} for title in titles]


async def test_a_playlist_of_recordings(ana: Player, people: People) -> None:
    curator = await people.make("curator", role="curator")
    artist, mbid, unknown = await add_artist(curator), str(uuid7()), str(uuid7())
    track = await add_track(curator, "Known", artist=artist, musicbrainz_id=mbid, duration_ms=200_000)
    listed = {"identifier": [RECORDING + unknown]}
    made = await ana.makes(recording(mbid), listed, annotation="For <b>you</b>", public=True)
    found = await ana.reads(made)
    assert ana.person is not None
    name = ana.person.username
    assert (found["title"], found["creator"], found["annotation"]) == ("Weekly", name, "For <b>you</b>")
    assert UUID(found["identifier"].rsplit("/", 1)[1]) == UUID(made)
    extension = found["extension"][OF_PLAYLIST]
    assert (extension["public"], extension["creator"]) == (True, name)
    first, second = found["track"]
    assert first["identifier"] == [RECORDING + mbid, f"urn:uuid:{track['id']}"]
    assert (first["title"], first["creator"], first["duration"]) == ("Known", artist["name"], 200_000)
    assert first["extension"][OF_TRACK]["added_by"] == name
    assert second["identifier"] == [RECORDING + unknown]
    assert "title" not in second


async def test_adding_at_the_end_and_at_a_place(ana: Player) -> None:
    made = await ana.makes(*titled("b"))
    await ana.sends(f"/playlist/{made}/item/add", {"playlist": {"track": titled("c", "d")}})
    await ana.sends(f"/playlist/{made}/item/add/0", {"playlist": {"track": titled("a")}})
    assert await ana.titles(made) == ["a", "b", "c", "d"]
    many = {"playlist": {"track": titled(*map(str, range(101)))}}
    refused = await ana.post(f"/playlist/{made}/item/add", many)
    assert refused.json() == {"code": 400, "error": "You may only add max 100 recordings per call."}


async def test_moving_and_removing_ranges(ana: Player) -> None:
    made = await ana.makes(*titled("a", "b", "c", "d", "e"))
    await ana.sends(f"/playlist/{made}/item/move", {"mbid": str(uuid7()), "from": 0, "to": 2, "count": 2})
    assert await ana.titles(made) == ["c", "d", "a", "b", "e"]
    await ana.sends(f"/playlist/{made}/item/move", {"mbid": "", "from": "4", "to": "0", "count": "1"})
    assert await ana.titles(made) == ["e", "c", "d", "a", "b"]
    await ana.sends(f"/playlist/{made}/item/delete", {"index": 1, "count": 3})
    assert await ana.titles(made) == ["e", "b"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/item/move", {"from": 0, "to": 1}),
        ("/item/move", {"from": 0, "to": -1, "count": 1}),
        ("/item/move", {"from": 0, "to": 5, "count": 1}),
        ("/item/delete", {"index": 0, "count": 9}),
        ("/item/delete", {"index": True, "count": 1}),
        ("/item/delete", {"index": "x", "count": 1}),
        ("/item/add/9", {"playlist": {"track": [{"title": "x"}]}}),
        ("/item/add/-1", {"playlist": {"track": [{"title": "x"}]}}),
        ("/item/add", {"playlist": {"track": [{"creator": "only"}]}}),
        ("/item/add", {"playlist": []}),
        ("/item/add", b"{"),
        ("/item/add", b"[]"),
        ("/item/add", b"\xff"),
        ("/item/add", b"[" * 100_000),
        ("/item/delete", b""),
    ],
)
async def test_what_is_wrong_is_said_in_its_own_shape(ana: Player, path: str, body: Any) -> None:
    made = await ana.makes(*titled("a", "b"))
    answer = await ana.post(f"/playlist/{made}{path}", body)
    assert answer.status_code == 400, answer.text
    assert answer.json().keys() == {"code", "error"}
    assert answer.json()["code"] == 400
    assert answer.json()["error"]
    assert await ana.titles(made) == ["a", "b"]


@pytest.mark.parametrize(
    "playlist", [{}, {"title": ""}, {"title": " "}, {"title": "x", "extension": {OF_PLAYLIST: {"public": 5}}}]
)
async def test_a_playlist_needs_a_title(ana: Player, playlist: dict[str, Any]) -> None:
    answer = await ana.post("/playlist/create", {"playlist": playlist})
    assert (answer.status_code, answer.json()["code"]) == (400, 400)


async def test_who_may_see_and_change(ana: Player, bo: Player, nobody: Player) -> None:
    hidden, shown = await ana.makes(*titled("a")), await ana.makes(*titled("a"), public="true")
    for other in (bo, nobody):
        assert (await other.get(f"/playlist/{hidden}")).status_code == 404
        assert (await other.get(f"/playlist/{shown}")).status_code == 200
    changes = {
        "/item/add": {"playlist": {"track": titled("b")}},
        "/item/move": {"from": 0, "to": 0, "count": 1},
        "/item/delete": {"index": 0, "count": 1},
        "/delete": None,
    }
    for path, body in changes.items():
        assert (await nobody.post(f"/playlist/{shown}{path}", body)).status_code == 401
        assert (await bo.post(f"/playlist/{hidden}{path}", body)).status_code == 404
        refused = await bo.post(f"/playlist/{shown}{path}", body)
        assert refused.status_code == refused.json()["code"] == 403
    assert (await bo.post(f"/playlist/edit/{shown}", {"playlist": {"title": "x"}})).status_code == 403
    assert (await nobody.get("/playlist/x")).json() == {"code": 400, "error": "Provided playlist ID is invalid."}


async def test_editing_what_it_says_of_itself(ana: Player, nobody: Player) -> None:
    made = await ana.makes(*titled("a"), annotation="Before")
    await ana.sends(f"/playlist/edit/{made}", {"playlist": {"title": "New"}})
    found = await ana.reads(made)
    assert (found["title"], found["annotation"], len(found["track"])) == ("New", "Before", 1)
    changes = {"annotation": "", "extension": {OF_PLAYLIST: {"public": True}}}
    await ana.sends(f"/playlist/edit/{made}", {"playlist": changes})
    found = await nobody.reads(made)
    assert (found["title"], "annotation" in found) == ("New", False)


async def test_copying_and_deleting(ana: Player, bo: Player) -> None:
    made = await ana.makes(*titled("a", "b"), public=True)
    copied = (await bo.sends(f"/playlist/{made}/copy"))["playlist_mbid"]
    found = await bo.reads(copied)
    assert (found["title"], found["extension"][OF_PLAYLIST]["public"]) == ("Copy of Weekly", False)
    assert await bo.titles(copied) == ["a", "b"]
    await ana.sends(f"/playlist/{made}/delete")
    assert (await ana.get(f"/playlist/{made}")).status_code == 404
    assert await bo.titles(copied) == ["a", "b"]


async def test_the_playlists_of_a_person(web: httpx.AsyncClient, people: People, bo: Player, nobody: Player) -> None:
    person = await people.make("cleo")
    cleo = await player(web, person)
    made = [await cleo.makes(title=str(number), public=number % 2 == 0) for number in range(4)]
    path = f"/user/{person.username}/playlists"

    async def listed(reader: Player, **query: Any) -> tuple[Any, ...]:
        found = (await reader.get(path, **query)).json()
        titles = [item["playlist"]["title"] for item in found["playlists"]]
        assert found["count"] == len(titles)
        return titles, found["offset"], found["playlist_count"]

    assert await listed(cleo) == (["3", "2", "1", "0"], 0, 4)
    assert await listed(bo) == await listed(nobody) == (["2", "0"], 0, 2)
    assert await listed(cleo, count=2, offset=1) == (["2", "1"], 1, 4)
    assert (await cleo.get(path, count="x")).status_code == 400
    for name in ("nobody_at_all", "%00", "a%2Fb", "ö"):
        missing = await cleo.get(f"/user/{name}/playlists")
        assert missing.status_code == 404
    async with queries_of(web) as ran:
        await listed(cleo)
    assert ran[0] <= 3
    assert len(made) == 4


def queries_of(web: httpx.AsyncClient) -> Any:
    transport = web._transport
    assert isinstance(transport, httpx.ASGITransport)
    return queries(transport.app.state.infra)  # type: ignore[attr-defined]


async def test_the_playlists_that_one_works_on(
    web: httpx.AsyncClient, people: People, infra: Infra, ana: Player, bo: Player
) -> None:
    assert ana.person is not None
    assert bo.person is not None
    made = await ana.makes(*titled("a"), title="Ours")
    sql = """INSERT INTO playlist_members (id, playlist_id, user_id, role, state, joined_at)
             VALUES ($1, $2, $3, 'editor', 'accepted', now())"""
    async with infra.db.write() as db:
        await db.records(sql, [uuid7(), UUID(made), bo.person.id])
    path = f"/user/{bo.person.username}/playlists"
    found = (await bo.get(f"{path}/collaborator")).json()
    assert [item["playlist"]["title"] for item in found["playlists"]] == ["Ours"]
    assert "Ours" not in (await bo.get(path)).text
    assert (await ana.get(f"{path}/collaborator")).json()["playlist_count"] == 0
    await bo.sends(f"/playlist/{made}/item/add", {"playlist": {"track": titled("b")}})
    assert await ana.titles(made) == ["a", "b"]
    assert (await bo.post(f"/playlist/{made}/delete")).status_code == 403


async def test_a_token_says_whose_it_is(web: httpx.AsyncClient, people: People, ana: Player, nobody: Player) -> None:
    assert ana.person is not None
    valid = {"code": 200, "message": "Token valid.", "valid": True, "user_name": ana.person.username}
    assert (await ana.get("/validate-token")).json() == valid
    invalid = await Player(web, None, "ssp_wrong").get("/validate-token")
    assert (invalid.status_code, invalid.json()["valid"]) == (200, False)
    assert (await nobody.get("/validate-token")).status_code == 400


async def test_a_bad_or_narrow_token_changes_nothing(web: httpx.AsyncClient, people: People) -> None:
    body = {"playlist": {"title": "x"}}
    refused = await Player(web, None, "ssp_wrong").post("/playlist/create", body)
    assert refused.status_code == refused.json()["code"] == 401
    reader = await player(web, await people.make("reader"), "read")
    refused = await reader.post("/playlist/create", body)
    assert refused.status_code == refused.json()["code"] == 403
    listener = await player(web, await people.make("listener"), "listen")
    assert (await listener.get(f"/playlist/{uuid7()}")).status_code == 403


async def test_clients_learn_how_much_they_may_ask(ana: Player) -> None:
    headers = (await ana.get("/validate-token")).headers
    assert int(headers["x-ratelimit-remaining"]) > 0
    assert int(headers["x-ratelimit-reset-in"]) >= 1


async def test_a_playlist_is_read_in_two_statements(ana: Player, web: httpx.AsyncClient) -> None:
    made = await ana.makes(*titled(*map(str, range(500))))
    async with queries_of(web) as ran:
        await ana.reads(made)
    assert ran == [2]


async def test_what_nobody_knows_is_not_there(web: httpx.AsyncClient, ana: Player) -> None:
    assert (await ana.get("/playlist")).status_code == 404
    assert (await web.put("/1/playlist/create")).status_code == 405


async def test_a_smart_playlist_is_read_and_copied_but_not_edited(ana: Player) -> None:
    assert ana.person is not None
    rules = {"match": "all", "conditions": [{"field": "title", "op": "is", "value": "nothing is called so"}]}
    made = await ana.person.post("/playlists", json={"name": "Smart", "rules": rules})
    assert made.status_code == 201, made.text
    playlist_id = made.json()["id"]
    assert (await ana.reads(playlist_id))["track"] == []
    refused = await ana.post(f"/playlist/{playlist_id}/item/add", {"playlist": {"track": titled("x")}})
    assert refused.status_code == refused.json()["code"] == 400
    copied = (await ana.sends(f"/playlist/{playlist_id}/copy"))["playlist_mbid"]
    await ana.sends(f"/playlist/{copied}/item/add", {"playlist": {"track": titled("x")}})
    assert await ana.titles(copied) == ["x"]
