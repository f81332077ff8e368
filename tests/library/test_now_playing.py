"""What sounds now: told, shown, forgotten."""

import asyncio
from datetime import UTC, datetime, timedelta

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.core.auth import Principal
from app.core.ids import uuid7
from app.core.infra import Infra
from app.library.now_playing import get_now_playing, set_now_playing, silence
from app.library.schemas import NowPlayingInput
from tests.library.factories import make_track
from tests.people import People, Person, queries

PATH = "/users/me/now-playing"


async def seen(reader: Person, person: Person) -> dict | None:
    return (await reader.get(f"/users/{person.username}/now-playing")).json()["playing"]


async def test_it_is_shown_until_the_track_is_over(infra: Infra, people: People) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    track = await make_track(infra, "One", duration_ms=200_000)
    assert await seen(bob, ana) is None
    body = {"track_id": str(track), "position_ms": 50_000, "client": "Deck"}
    async with queries(infra) as ran:
        told = (await ana.put(PATH, json=body)).json()["playing"]
    assert ran == [2]
    async with queries(infra) as ran:
        assert await seen(bob, ana) == told
    assert ran == [2]
    assert (told["track"]["title"], told["client"], told["source"]) == ("One", "Deck", "manual")
    started, ends = (datetime.fromisoformat(told[name]) for name in ("started_at", "expires_at"))
    assert ends - started == timedelta(seconds=200)
    assert abs(datetime.now(UTC) - started - timedelta(seconds=50)) < timedelta(seconds=5)
    assert 140_000 < await infra.redis.pttl(f"now-playing:{ana.id}") <= 150_000


async def test_it_expires(infra: Infra, people: People) -> None:
    ana, track = await people.make("ana"), await make_track(infra, duration_ms=200_000)
    await ana.put(PATH, json={"track_id": str(track), "position_ms": 199_800})
    await asyncio.sleep(0.3)
    assert await seen(ana, ana) is None


async def test_the_next_track_takes_its_place(infra: Infra, people: People) -> None:
    ana = await people.make("ana")
    for title in ("One", "Two"):
        await ana.put(PATH, json={"track_id": str(await make_track(infra, title))})
    playing = await seen(ana, ana)
    assert playing is not None
    assert playing["track"]["title"] == "Two"
    for _ in range(2):
        assert (await ana.delete(PATH)).status_code == 204
    assert await seen(ana, ana) is None


async def test_a_duplicate_is_shown_as_the_track_that_stays(infra: Infra, people: People) -> None:
    ana, kept = await people.make("ana"), await make_track(infra, duration_ms=None)
    duplicate = await make_track(infra, merged_into_id=kept)
    playing = (await ana.put(PATH, json={"track_id": str(duplicate)})).json()["playing"]
    assert playing["track"]["id"] == str(kept)
    started, ends = (datetime.fromisoformat(playing[name]) for name in ("started_at", "expires_at"))
    assert ends - started == timedelta(minutes=4)


async def test_what_cannot_play(infra: Infra, people: People) -> None:
    ana, track = await people.make("ana"), await make_track(infra, duration_ms=200_000)
    wrong = [
        ({"track_id": str(uuid7())}, "/body/track_id"),
        ({"track_id": str(track), "position_ms": 200_000}, "/body/position_ms"),
    ]
    for body, pointer in wrong:
        answer = await ana.put(PATH, json=body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_a_track_that_is_gone_is_not_playing(infra: Infra, people: People) -> None:
    ana, curator = await people.make("ana"), await people.make("curator", role="curator")
    track = await make_track(infra)
    await ana.put(PATH, json={"track_id": str(track)})
    assert (await curator.delete(f"/tracks/{track}")).status_code == 204
    assert await seen(ana, ana) is None


async def test_without_redis_nobody_plays_and_nothing_fails(infra: Infra, people: People) -> None:
    ana, track = await people.make("ana"), await make_track(infra)
    gone = Redis(unix_socket_path="/nowhere/redis.sock", retry=Retry(NoBackoff(), 0))
    actor, db = Principal(ana.id, uuid7()), infra.db.reader
    told = await set_now_playing(db, gone, actor, NowPlayingInput(track_id=track))
    assert told.playing is not None
    assert (await get_now_playing(db, gone, actor, ana.username)).playing is None
    await silence(gone, ana.id)
    await gone.aclose()
