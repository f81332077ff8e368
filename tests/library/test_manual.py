"""Listens that people add and delete themselves."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from app.core.ids import uuid7
from app.core.infra import Infra
from tests.library.factories import NOON, hear, listened, make_track
from tests.people import People, queries


def listen(track: object, seconds: float = 0, **fields: object) -> dict[str, object]:
    return {"track_id": str(track), "listened_at": (NOON + timedelta(seconds=seconds)).isoformat(), **fields}


async def test_adding(infra: Infra, people: People, client: httpx.AsyncClient) -> None:
    ana, track = await people.make("ana"), await make_track(infra, "One")
    body = {"listens": [listen(track), listen(track, 300, played_ms=1000, client="Deck"), listen(track, 0.5)]}
    async with queries(infra) as ran:
        answer = await ana.post("/listens", json=body)
    assert ran == [5]
    assert answer.status_code == 201
    added = answer.json()
    assert added["known"] == 1
    assert [(it["client"], it["played_ms"], it["source"]) for it in added["listens"]] == [
        ("Deck", 1000, "manual"),
        (None, None, "manual"),
    ]
    assert (await client.get(f"/users/{ana.username}/listens")).json()["items"] == added["listens"]
    assert (await ana.post("/listens", json=body)).json() == {"listens": [], "known": 3}
    assert len(await listened(infra, ana)) == 2


async def test_what_a_room_has_recorded_is_known(infra: Infra, people: People) -> None:
    ana, track = await people.make("ana", record_room_listens=True), await make_track(infra)
    await hear(infra, ana, track, source="room")
    assert (await ana.post("/listens", json={"listens": [listen(track, 60)]})).json() == {"listens": [], "known": 1}


async def test_a_hundred_at_once_cost_as_much_as_one(infra: Infra, people: People) -> None:
    ana, track = await people.make("ana"), await make_track(infra)
    many = {"listens": [listen(track, n * 300) for n in range(-99, 1)]}
    async with queries(infra) as ran:
        assert len((await ana.post("/listens", json=many)).json()["listens"]) == 100
    assert ran == [5]
    answer = await ana.post("/listens", json={"listens": many["listens"] + [listen(track, 900)]})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/body/listens")


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"listened_at": (datetime.now(UTC) + timedelta(minutes=30)).isoformat()}, "/body/listens/1/listened_at"),
        ({"listened_at": "2001-12-31T23:59:59Z"}, "/body/listens/1/listened_at"),
        ({"listened_at": "2026-05-01T20:15:00"}, "/body/listens/1/listened_at"),
        ({"listened_at": 1777666500}, "/body/listens/1/listened_at"),
        ({"track_id": str(uuid7())}, "/body/listens/1/track_id"),
        ({"played_ms": -1}, "/body/listens/1/played_ms"),
        ({"client": "a\x00b"}, "/body/listens/1/client"),
        ({"source": "room"}, "/body/listens/1/source"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_kept(
    infra: Infra, people: People, fields: dict[str, object], pointer: str
) -> None:
    ana, track = await people.make("ana"), await make_track(infra)
    answer = await ana.post("/listens", json={"listens": [listen(track), listen(track, 300) | fields]})
    assert (answer.status_code, [it["pointer"] for it in answer.json()["errors"]]) == (422, [pointer])
    assert await listened(infra, ana) == []


async def test_no_listens_are_too_few(people: People) -> None:
    ana = await people.make("ana")
    assert (await ana.post("/listens", json={"listens": []})).status_code == 422


async def test_a_key_makes_it_happen_once(infra: Infra, people: People) -> None:
    ana, track = await people.make("ana"), await make_track(infra)
    headers = {"Idempotency-Key": "one"}
    first, second = [await ana.post("/listens", json={"listens": [listen(track)]}, headers=headers) for _ in range(2)]
    assert second.json() == first.json()
    assert second.headers["idempotent-replayed"] == "true"


async def test_a_player_s_token_suffices(infra: Infra, people: People) -> None:
    ana, track = await people.make("ana"), await make_track(infra)
    path, body = "/listens", {"listens": [listen(track)]}
    statuses = {}
    for scope in ("listen", "write"):
        made = await ana.post("/auth/api-tokens", json={"name": scope, "scopes": [scope]})
        player = await people.make("player")
        player.headers["Authorization"] = f"Bearer {made.json()['secret']}"
        statuses[scope] = [
            (await player.post(path, json=body)).status_code,
            (await player.put("/users/me/now-playing", json={"track_id": str(track)})).status_code,
            (await player.delete("/users/me/now-playing")).status_code,
            (await player.delete(f"{path}/{uuid7()}")).status_code,
        ]
    assert statuses == {"listen": [201, 200, 204, 403], "write": [403, 403, 403, 404]}


async def test_deleting(infra: Infra, people: People) -> None:
    ana, bob, track = await people.make("ana"), await people.make("bob"), await make_track(infra)
    await hear(infra, ana, track, 0, 300)
    first = (await ana.get(f"/users/{ana.username}/listens")).json()["items"][0]["id"]
    assert (await bob.delete(f"/listens/{first}")).status_code == 404
    async with queries(infra) as ran:
        assert (await ana.delete(f"/listens/{first}")).status_code == 204
    assert ran == [3]  # the person's counter, the listen, the track's counter
    assert (await ana.delete(f"/listens/{first}")).status_code == 404
    assert await listened(infra, ana) == [(track, 0, "lastfm")]
    assert len(await hear(infra, ana, track, 300)) == 1
