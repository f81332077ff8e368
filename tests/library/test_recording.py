"""A listen is written down once, however often and by whomever it is reported."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from app.catalog.models import Track
from app.core.errors import Invalid
from app.core.ids import uuid7, uuid7_time
from app.core.infra import Infra
from app.library.events import ListensRecorded
from app.library.recording import Heard, record
from app.users.models import User
from tests.library.factories import LENGTH, NOON, hear, listened, make_track
from tests.people import People, queries
from tests.users.factories import handed_on


async def test_a_report_that_comes_again_changes_nothing(infra: Infra, people: People) -> None:
    ana, track = await people.make("ana"), await make_track(infra)
    assert len(await hear(infra, ana, track, 0, 0.4, 300)) == 2
    ((_, third),) = await hear(infra, ana, track, 0, 0.9, 300, 600)
    assert uuid7_time(third) == NOON + timedelta(seconds=600)
    assert await listened(infra, ana) == [(track, 0, "lastfm"), (track, 300, "lastfm"), (track, 600, "lastfm")]


@pytest.mark.parametrize(
    ("seconds", "source", "kept"),
    [
        (199, "room", False),
        (-199, "spotify", False),
        (0, "manual", False),
        (200, "listenbrainz", True),
        (-200, "listenbrainz", True),
        (100, "lastfm", True),
    ],
)
async def test_another_source_within_the_track_s_length_means_the_same(
    infra: Infra, people: People, seconds: int, source: str, kept: bool
) -> None:
    ana, track = await people.make("ana", record_room_listens=True), await make_track(infra, duration_ms=LENGTH)
    await hear(infra, ana, track, 0, source="lastfm")
    assert len(await hear(infra, ana, track, seconds, source=source)) == kept  # type: ignore[arg-type]
    assert len(await listened(infra, ana)) == 1 + kept


async def test_a_track_of_unknown_length_is_taken_for_four_minutes(infra: Infra, people: People) -> None:
    ana, track = await people.make("ana"), await make_track(infra, duration_ms=None)
    await hear(infra, ana, track, 0)
    assert await hear(infra, ana, track, 239, source="stream") == []
    assert len(await hear(infra, ana, track, 240, source="stream")) == 1


async def test_others_and_other_tracks_are_not_the_same(infra: Infra, people: People) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    one, other = await make_track(infra), await make_track(infra)
    await hear(infra, ana, one)
    assert len(await hear(infra, bob, one, source="stream")) == 1
    assert len(await hear(infra, ana, other, source="stream")) == 1


async def test_two_sources_at_the_same_moment_are_counted_once(infra: Infra, people: People) -> None:
    track = await make_track(infra)
    for _ in range(5):
        ana = await people.make("ana")
        sources = ("stream", "lastfm", "spotify", "listenbrainz", "subsonic")
        new = await asyncio.gather(*(hear(infra, ana, track, n, source=name) for n, name in enumerate(sources)))  # type: ignore[arg-type]
        assert sorted(map(len, new)) == [0, 0, 0, 0, 1]
        assert len(await listened(infra, ana)) == 1


async def test_the_second_of_two_sources_waits_for_the_first(infra: Infra, people: People) -> None:
    ana, track = await people.make("ana"), await make_track(infra)
    async with infra.db.write() as db:
        assert len(await record(db, [Heard(ana.id, track, NOON)], source="stream")) == 1
        second = asyncio.create_task(hear(infra, ana, track, 3))
        await asyncio.sleep(0.3)
        assert not second.done()
    assert await second == []
    assert await listened(infra, ana) == [(track, 0, "stream")]


async def test_batches_of_the_same_people_do_not_deadlock(infra: Infra, people: People) -> None:
    crowd, track = [await people.make("fan") for _ in range(6)], await make_track(infra)

    async def batch(number: int) -> int:
        order = crowd if number % 2 else crowd[::-1]
        heard = [Heard(it.id, track, NOON + timedelta(seconds=number * 300)) for it in order]
        async with infra.db.write() as db:
            return len(await record(db, heard, source="stream"))

    assert await asyncio.gather(*map(batch, range(8))) == [6] * 8
    assert [len(await listened(infra, it)) for it in crowd] == [8] * 6


async def test_a_duplicate_s_listen_is_one_of_the_track_that_stays(infra: Infra, people: People) -> None:
    ana, kept = await people.make("ana"), await make_track(infra)
    duplicate = await make_track(infra, merged_into_id=kept)
    assert len(await hear(infra, ana, duplicate)) == 1
    assert await hear(infra, ana, kept) == []
    assert await listened(infra, ana) == [(kept, 0, "lastfm")]


async def test_a_room_keeps_the_listens_of_those_who_agreed(infra: Infra, people: People) -> None:
    willing, other = await people.make("willing", record_room_listens=True), await people.make("other")
    track, room = await make_track(infra), uuid7()
    heard = [Heard(it.id, track, NOON, room_id=room, played_ms=150_000) for it in (willing, other)]
    async with infra.db.write() as db:
        assert [user_id for user_id, _ in await record(db, heard, source="room")] == [willing.id]
    (row,) = await infra.db.fetch("SELECT room_id, played_ms FROM listens WHERE user_id = $1", [willing.id])
    assert tuple(row) == (room, 150_000)
    assert await listened(infra, other) == []
    await other.patch("/users/me", json={"record_room_listens": True})
    assert len(await hear(infra, other, track, source="room")) == 1


async def test_who_left_hears_nothing(infra: Infra, people: People) -> None:
    ana, track = await people.make("ana"), await make_track(infra)
    async with infra.db.write() as db:
        await db.execute(update(User).where(User.id == ana.id).values(deleted_at=User.created_at))
    assert await hear(infra, ana, track) == []


async def test_wrong_times_and_tracks_are_named(infra: Infra, people: People) -> None:
    ana, track, now = await people.make("ana"), await make_track(infra), datetime.now(UTC)
    heard = [
        Heard(ana.id, track, now),
        Heard(ana.id, track, now + timedelta(minutes=6)),
        Heard(ana.id, uuid7(), now),
        Heard(ana.id, track, datetime(2001, 12, 31, tzinfo=UTC)),
    ]
    async with infra.db.write() as db:
        with pytest.raises(Invalid) as refused:
            await record(db, heard, source="import")
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [
        ("/body/listens/1/listened_at", "out_of_range"),
        ("/body/listens/2/track_id", "unknown_id"),
        ("/body/listens/3/listened_at", "out_of_range"),
    ]
    assert await listened(infra, ana) == []


async def test_a_batch_costs_the_same_however_large(infra: Infra, people: People) -> None:
    crowd, track = [await people.make("fan", record_room_listens=True) for _ in range(40)], await make_track(infra)
    ran = []
    for number, count in enumerate((1, 40)):
        heard = [Heard(it.id, track, NOON + timedelta(hours=number)) for it in crowd[:count]]
        async with queries(infra) as counted, infra.db.write() as db:
            assert len(await record(db, heard, source="room")) == count
        ran += counted
    assert ran == [4, 4]


async def test_a_batch_is_one_event(infra: Infra, people: People) -> None:
    ana, track = await people.make("ana"), await make_track(infra)
    async with handed_on(infra, ListensRecorded) as events:
        new = await hear(infra, ana, track, 0, 300)
        assert await hear(infra, ana, track, 0, 300) == []
    assert [(event.source, event.listens) for event in events] == [("lastfm", new)]


async def test_nothing_is_no_batch(infra: Infra) -> None:
    async with infra.db.write() as db:
        assert await record(db, [], source="import") == []


async def test_a_track_that_was_heard_is_not_deleted(infra: Infra, people: People) -> None:
    ana, curator, track = (
        await people.make("ana"),
        await people.make("curator", role="curator"),
        await make_track(infra),
    )
    album = await infra.db.reader.one(
        Track.__table__.select().with_only_columns(Track.album_id).where(Track.id == track)
    )
    await hear(infra, ana, track)
    for path, code in ((f"/tracks/{track}", "track_in_use"), (f"/albums/{album}", "album_in_use")):
        answer = await curator.delete(path)
        assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert len(await listened(infra, ana)) == 1
