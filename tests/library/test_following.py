"""What follows for listens when tracks are merged and people leave; the export."""

import io
import json
from zipfile import ZipFile

from app.core.infra import Infra
from app.core.jobs import drain, emit
from app.library import merging
from app.library.service import forget_some_listens
from app.users.events import AccountDeleted
from app.users.exports import write_zip
from tests.library.factories import hear, listened, make_track
from tests.people import People, Person


async def merge(infra: Infra, curator: Person, duplicate: object, kept: object) -> None:
    answer = await curator.post(f"/tracks/{duplicate}/merge", json={"into": str(kept)})
    assert answer.status_code == 200, answer.text
    await drain(infra)


async def test_listens_move_and_what_is_the_same_goes(infra: Infra, people: People) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    curator = await people.make("curator", role="curator")
    kept, duplicate = await make_track(infra, "Kept"), await make_track(infra, "Duplicate")
    await hear(infra, ana, kept, 0, 5000, 7000)
    await hear(infra, ana, duplicate, 0, 1000)  # the first is the same to the second
    await hear(infra, ana, duplicate, 5100, source="spotify")  # the same from elsewhere
    await hear(infra, ana, duplicate, 7100)  # twice from one source is twice
    await hear(infra, bob, duplicate, 0)
    before = {item["id"] for item in (await ana.get(f"/users/{ana.username}/listens")).json()["items"]}
    await merge(infra, curator, duplicate, kept)
    assert await listened(infra, ana) == [(kept, at, "lastfm") for at in (0, 1000, 5000, 7000, 7100)]
    assert await listened(infra, bob) == [(kept, 0, "lastfm")]
    after = {item["id"] for item in (await ana.get(f"/users/{ana.username}/listens")).json()["items"]}
    assert after < before
    assert await hear(infra, ana, duplicate, 1000, source="stream") == []


async def test_a_report_from_before_the_merge_comes_again(infra: Infra, people: People) -> None:
    ana, curator = await people.make("ana"), await people.make("curator", role="curator")
    kept, duplicate = await make_track(infra, "Kept"), await make_track(infra, "Duplicate")
    await hear(infra, ana, duplicate, 0)
    await merge(infra, curator, duplicate, kept)
    assert await hear(infra, ana, duplicate, 0) == []
    assert await hear(infra, ana, kept, 0) == []
    assert len(await listened(infra, ana)) == 1


async def test_two_duplicates_of_one_track(infra: Infra, people: People) -> None:
    ana = await people.make("ana")
    kept, one, other = [await make_track(infra, title) for title in ("Kept", "One", "Other")]
    await hear(infra, ana, one, 0, 1000)
    await hear(infra, ana, other, 60, 3000, source="spotify")
    async with infra.db.write() as db:
        assert await merging.move_some_listens(db, [(one, kept), (other, kept)])
        assert not await merging.move_some_listens(db, [(one, kept), (other, kept)])
    assert await listened(infra, ana) == [(kept, 0, "lastfm"), (kept, 1000, "lastfm"), (kept, 3000, "spotify")]


async def test_more_listens_than_a_batch(infra: Infra, people: People) -> None:
    ana, curator = await people.make("ana"), await people.make("curator", role="curator")
    kept, duplicate = await make_track(infra, "Kept"), await make_track(infra, "Duplicate")
    await hear(infra, ana, duplicate, *(-n * 300 for n in range(merging._BATCH + 5)))
    await merge(infra, curator, duplicate, kept)
    assert {track for track, _, _ in await listened(infra, ana)} == {kept}


async def leave(infra: Infra, person: Person, *, keep_content: bool) -> None:
    async with infra.db.write() as db:
        await emit(db, AccountDeleted(user_id=person.id, keep_content=keep_content))
    await drain(infra)


async def test_who_leaves_leaves_no_listens(infra: Infra, people: People) -> None:
    track = await make_track(infra)
    stays = await people.make("stays")
    await hear(infra, stays, track)
    for keep in (True, False):
        ana = await people.make("ana")
        await hear(infra, ana, track, 0, 300)
        await ana.put("/users/me/now-playing", json={"track_id": str(track)})
        await leave(infra, ana, keep_content=keep)
        assert await listened(infra, ana) == []
        assert not await infra.redis.exists(f"now-playing:{ana.id}")
    assert len(await listened(infra, stays)) == 1


async def test_forgetting_ends(infra: Infra, people: People) -> None:
    ana, track = await people.make("ana"), await make_track(infra)
    await hear(infra, ana, track)
    async with infra.db.write() as db:
        assert [await forget_some_listens(db, ana.id) for _ in range(2)] == [True, False]


async def test_the_export_has_them(infra: Infra, people: People) -> None:
    ana, bob, track = await people.make("ana"), await people.make("bob"), await make_track(infra, "One")
    await hear(infra, ana, track, 0, 300, client="Deck", played_ms=1000)
    await hear(infra, bob, track)
    file = io.BytesIO()
    await write_zip(infra.db.reader, ana.id, file)
    rows = json.loads(ZipFile(file).read("listens.json"))
    assert len(rows) == 2
    assert (rows[0]["track"], rows[0]["artist"], rows[0]["client"]) == ("One", "Artist of One", "Deck")
    assert rows[0].keys() == {
        "id", "listened_at", "source", "client", "played_ms", "room_id", "track_id", "track", "artist",
    }  # fmt: skip
