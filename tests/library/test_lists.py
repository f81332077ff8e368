"""What people heard, as others may see it."""

from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from app.core.ids import uuid7
from app.core.infra import Infra
from tests.library.factories import NOON, hear, make_track
from tests.people import People, Person, queries


async def seconds(reader: httpx.AsyncClient, person: Person, **filters: object) -> list[float]:
    """When what the reader sees was heard, in seconds after noon."""
    answer = await reader.get(f"/users/{person.username}/listens", params=filters)
    assert answer.status_code == 200, answer.text
    return [(timedelta(0) + (parse(item["listened_at"]) - NOON)).total_seconds() for item in answer.json()["items"]]


def parse(text: str):
    return NOON.fromisoformat(text)


async def test_a_page(infra: Infra, people: People, client: httpx.AsyncClient) -> None:
    ana = await people.make("ana")
    one, alone = await make_track(infra, "One"), await make_track(infra, "Alone")
    await infra.db.fetch("UPDATE tracks SET album_id = NULL, position = NULL WHERE id = $1", [alone])
    await hear(infra, ana, one, 0, client="Pano Scrobbler", played_ms=150_000)
    await hear(infra, ana, alone, 300, source="spotify")
    await hear(infra, ana, one, 600)
    async with queries(infra) as ran:
        first = (await client.get(f"/users/{ana.username.upper()}/listens?limit=2")).json()
    assert ran == [2]
    assert [(item["track"]["title"], item["source"]) for item in first["items"]] == [
        ("One", "lastfm"),
        ("Alone", "spotify"),
    ]
    assert first["items"][1]["track"]["album"] is None
    second = (await client.get(f"/users/{ana.username.upper()}/listens?limit=2&cursor={first['next_cursor']}")).json()
    (item,) = second["items"]
    assert second["next_cursor"] is None
    assert item.keys() == {"id", "track", "listened_at", "source", "client", "played_ms"}
    assert (item["client"], item["played_ms"]) == ("Pano Scrobbler", 150_000)
    assert item["listened_at"] == NOON.isoformat().replace("+00:00", "Z")
    assert (item["track"]["id"], item["track"]["album"]["title"], item["track"]["artist"]["name"]) == (
        str(one),
        "Album of One",
        "Artist of One",
    )


async def test_times_are_exclusive(infra: Infra, people: People) -> None:
    ana, track = await people.make("ana"), await make_track(infra)
    await hear(infra, ana, track, 0, 300, 600)

    def at(second: float) -> str:
        return (NOON + timedelta(seconds=second)).isoformat()

    assert await seconds(ana, ana, before=at(600)) == [300, 0]
    assert await seconds(ana, ana, before=at(300.5)) == [300, 0]
    assert await seconds(ana, ana, after=at(300)) == [600]
    assert await seconds(ana, ana, after=at(299.5)) == [600, 300]
    assert await seconds(ana, ana, after=at(0), before=at(600)) == [300]
    assert await seconds(ana, ana, after="0001-01-01T00:00:00Z", before="9999-12-31T23:59:59Z") == [600, 300, 0]
    assert await seconds(ana, ana, before="0001-01-01T00:00:00+14:00") == []
    assert await seconds(ana, ana, after="9999-12-31T23:59:59.999999Z") == []


@pytest.mark.parametrize("value", ["yesterday", "2026-05-01", "2026-05-01T20:15:00", "1777666500"])
async def test_a_time_needs_its_offset(people: People, value: str) -> None:
    ana = await people.make("ana")
    answer = await ana.get(f"/users/{ana.username}/listens", params={"before": value})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/before")


async def test_filters(infra: Infra, people: People) -> None:
    ana = await people.make("ana")
    one = await make_track(infra, "One")
    beside, other = await make_track(infra, "Beside", like=one), await make_track(infra, "Other")
    for second, track in enumerate((one, beside, other, one)):
        await hear(infra, ana, track, second * 300)
    (album, artist), *_ = await infra.db.fetch("SELECT album_id, artist_id FROM tracks WHERE id = $1", [one])
    async with queries(infra) as ran:
        assert await seconds(ana, ana, album_id=album) == [900, 300, 0]
    assert ran == [2]
    assert await seconds(ana, ana, artist_id=artist) == [900, 300, 0]
    assert await seconds(ana, ana, track_id=one) == [900, 0]
    assert await seconds(ana, ana, track_id=one, album_id=album, artist_id=artist) == [900, 0]
    assert await seconds(ana, ana, track_id=one, before=(NOON + timedelta(seconds=900)).isoformat()) == [0]
    assert await seconds(ana, ana, track_id=other, album_id=album) == []
    assert await seconds(ana, ana, artist_id=uuid7()) == []
    path = f"/users/{ana.username}/listens?artist_id={artist}&limit=2"
    page = (await ana.get(path)).json()
    assert len((await ana.get(f"{path}&cursor={page['next_cursor']}")).json()["items"]) == 1


async def test_stats(infra: Infra, people: People) -> None:
    ana, track = await people.make("ana"), await make_track(infra)
    path = f"/users/{ana.username}/listens/stats"
    assert (await ana.get(path)).json() == {
        "listen_count": 0,
        "first_listened_at": None,
        "last_listened_at": None,
    }
    await hear(infra, ana, track, 0, 300, 600)
    async with queries(infra) as ran:
        stats = (await ana.get(path)).json()
    assert ran == [2]
    assert stats["listen_count"] == 3
    assert parse(stats["last_listened_at"]) - parse(stats["first_listened_at"]) == timedelta(seconds=600)


OPEN = {
    "everyone": {"anonymous", "stranger", "follower", "owner"},
    "followers": {"follower", "owner"},
    "me": {"owner"},
}


READERS = ("anonymous", "stranger", "follower", "owner", "blocked", "blocker")


@pytest.mark.parametrize("field", ["library_visibility", "profile_visibility"])
@pytest.mark.parametrize(("setting", "reader"), [(setting, reader) for setting in OPEN for reader in READERS])
async def test_who_may_see_it(app: FastAPI, people: People, field: str, setting: str, reader: str) -> None:
    infra: Infra = app.state.infra
    owner, other = await people.make("owner", **{field: setting}), await people.make(reader)
    if reader == "follower":
        await other.put(f"/users/{owner.username}/follow")
    if reader == "blocked":
        await owner.put(f"/users/{other.username}/block")
    if reader == "blocker":
        await other.put(f"/users/{owner.username}/block")
    asking = owner if reader == "owner" else other
    if reader == "anonymous":
        del asking.headers["Authorization"]
    paths = [f"/users/{owner.username}/{what}" for what in ("listens", "listens/stats", "top", "now-playing")]
    async with queries(infra) as ran:
        answers = [await asking.get(path) for path in paths]
    if reader in OPEN[setting]:
        assert [answer.status_code for answer in answers] == [200] * 4
        return
    code = "not_found" if reader in {"blocked", "blocker"} else "profile_restricted"
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, code)] * 4
    assert ran == [4]
