"""What people heard most, and which genres."""

from datetime import UTC, datetime, timedelta

from app.core.infra import Infra
from app.library.recording import Heard, record
from app.library.service import heard_genres
from tests.library.factories import NOON, hear, make_track
from tests.people import People, Person, queries


async def top(person: Person, *, reader: Person | None = None, **wanted: str | int) -> list[tuple[str, int]]:
    answer = await (reader or person).get(f"/users/{person.username}/top", params=wanted)
    assert answer.status_code == 200, answer.text
    return [(item["title"], item["listen_count"]) for item in answer.json()["items"]]


async def test_most_first(infra: Infra, people: People) -> None:
    ana = await people.make("ana")
    one = await make_track(infra, "One")
    beside, other = await make_track(infra, "Beside", like=one), await make_track(infra, "Other")
    for track, times in ((one, 2), (beside, 3), (other, 4)):
        await hear(infra, ana, track, *(n * 300 for n in range(times)))
    assert await top(ana) == [("Other", 4), ("Beside", 3), ("One", 2)]
    assert await top(ana, kind="albums") == [("Album of One", 5), ("Album of Other", 4)]
    assert await top(ana, kind="artists") == [("Artist of One", 5), ("Artist of Other", 4)]
    assert await top(ana, kind="tracks", limit=1) == [("Other", 4)]
    async with queries(infra) as ran:
        body = (await ana.get(f"/users/{ana.username}/top?kind=tracks&range=all")).json()
    assert ran == [2]
    assert (body["kind"], body["range"], body["since"]) == ("tracks", "all", None)
    assert body["items"][0]["artist"]["name"] == "Artist of Other"
    artists = (await ana.get(f"/users/{ana.username}/top?kind=artists")).json()["items"]
    assert artists[0]["artist"] is None


async def test_it_is_kept_until_the_person_changes_it(infra: Infra, people: People) -> None:
    ana, bob, track = await people.make("ana"), await people.make("bob"), await make_track(infra, "One")
    await hear(infra, ana, track)
    assert await top(ana, reader=bob) == [("One", 1)]
    async with queries(infra) as ran:
        assert await top(ana, reader=bob, limit=1) == [("One", 1)]
    assert ran == [1]
    at = (NOON + timedelta(seconds=300)).isoformat()
    added = await ana.post("/listens", json={"listens": [{"track_id": str(track), "listened_at": at}]})
    assert await top(ana, reader=bob) == [("One", 2)]
    await ana.delete(f"/listens/{added.json()['listens'][0]['id']}")
    assert await top(ana, reader=bob) == [("One", 1)]


async def test_only_the_last_days_count(infra: Infra, people: People) -> None:
    ana, track = await people.make("ana"), await make_track(infra, "One")
    now = datetime.now(UTC)
    heard = [Heard(ana.id, track, now - timedelta(days=days)) for days in (1, 8, 31, 366, 4000)]
    async with infra.db.write() as db:
        await record(db, heard, source="import")
    counts = [(await top(ana, range=name))[0][1] for name in ("week", "month", "year", "all")]
    assert counts == [1, 2, 3, 5]


async def test_a_track_without_an_album_has_none_to_count(infra: Infra, people: People) -> None:
    ana, track = await people.make("ana"), await make_track(infra, "Alone")
    await infra.db.fetch("UPDATE tracks SET album_id = NULL, position = NULL WHERE id = $1", [track])
    await hear(infra, ana, track)
    assert await top(ana) == [("Alone", 1)]
    assert await top(ana, kind="albums") == []


async def test_the_genres_of_many_are_one_statement(infra: Infra, people: People) -> None:
    ana, bob, deaf = await people.make("ana"), await people.make("bob"), await people.make("deaf")
    jazz = await make_track(infra, genres=["jazz", "modal"])
    fado, plain = await make_track(infra, genres=["fado"]), await make_track(infra)
    await hear(infra, ana, jazz, 0, 300)
    await hear(infra, ana, fado, 600)
    await hear(infra, bob, fado, 0)
    await hear(infra, bob, plain, 300)
    async with queries(infra) as ran:
        genres = await heard_genres(infra.db.reader, [ana.id, bob.id, deaf.id])
    assert ran == [1]
    assert genres == {ana.id: {"jazz": 2, "modal": 2, "fado": 1}, bob.id: {"fado": 1}}
    assert list(genres[ana.id]) == ["jazz", "modal", "fado"]
