"""A play is a listen once, and nobody hears a track twice at a time."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from fastapi import FastAPI

from app.core.infra import Infra
from app.core.jobs import drain
from app.library.handlers import record_stream
from app.uploads.events import TrackStreamed
from tests.library.factories import NOON, hear, listened, make_track
from tests.people import People, Person
from tests.uploads.factories import track_of, wav


async def stream(infra: Infra, person: Person, track_id: UUID, second: float, needed_ms: int = 30_000) -> None:
    """What the job of a play does."""
    began = NOON + timedelta(seconds=second)
    said = {"started_at": began, "played_ms": needed_ms, "needed_ms": needed_ms, "client": "player"}
    async with infra.db.write() as db:
        await record_stream(db, TrackStreamed.model_validate({"user_id": person.id, "track_id": track_id, **said}))


async def seconds(infra: Infra, person: Person) -> list[float]:
    return [second for _, second, _ in await listened(infra, person)]


async def seconds_of(person: Person) -> list[datetime]:
    """When what is told of the person's listens began, the last first."""
    items = (await person.get(f"/users/{person.username}/listens")).json()["items"]
    return [datetime.fromisoformat(listen["listened_at"]) for listen in items]


@pytest.mark.parametrize(
    ("needed_ms", "told", "kept"),
    [
        (30_000, [0, 29, 30], [0, 30]),
        (30_000, [0, -29, -30], [-30, 0]),
        (30_000, [60, 30, 0, 45, 15], [0, 30, 60]),
        (1_500, range(20), range(0, 20, 2)),
        (30_000, [0, 0, 0.4, 30, 30], [0, 30]),
        (100_000, [0, 200, 400, 600], [0, 200, 400, 600]),
    ],
    ids=["in order", "backwards", "a batch that was told later", "a second apart", "again", "whole ones"],
)
async def test_a_play_begins_when_the_one_before_it_can_be_one(
    infra: Infra, people: People, needed_ms: int, told: list[float], kept: list[float]
) -> None:
    ana, track = await people.make("ana"), await make_track(infra, duration_ms=needed_ms * 2)
    for second in told:
        await stream(infra, ana, track, second, needed_ms)
    assert await seconds(infra, ana) == list(kept)


async def test_however_many_are_told_at_once(infra: Infra, people: People) -> None:
    ana, bob, track, other = *[await people.make(name) for name in ("ana", "bob")], *[
        await make_track(infra) for _ in range(2)]  # fmt: skip
    told = [(ana, track, second) for second in range(0, 60, 3)] + [(bob, track, 0), (ana, other, 0)]
    random.Random(5).shuffle(told)
    await asyncio.gather(*(stream(infra, *play) for play in told))
    mine = [second for track_id, second, _ in await listened(infra, ana) if track_id == track]
    assert 1 <= len(mine) <= 2
    assert all(after - before >= 30 for before, after in pairwise(mine))
    assert len(await listened(infra, bob)) == len(await listened(infra, ana)) - len(mine) == 1


async def test_other_sources_are_as_they_were(infra: Infra, people: People) -> None:
    ana, track = await people.make("ana"), await make_track(infra)
    assert len(await hear(infra, ana, track, 0, 1, source="lastfm")) == 2
    await stream(infra, ana, track, 30)
    assert await seconds(infra, ana) == [0, 1], "it is the one that another source has told"


async def test_twenty_plays_in_twenty_seconds_are_fewer_listens(app: FastAPI, people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    track = await track_of(app, ana, data=wav(6.0), visibility="public")
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    for second in range(20):
        told = {"started_at": (began + timedelta(seconds=second)).isoformat(), "played_ms": 6000}
        answer = await ana.post(f"/tracks/{track['id']}/plays", json=told)
        assert answer.status_code == 200, answer.text
    await drain(infra)
    heard = await seconds_of(ana)
    assert 4 <= len(heard) <= 7
    assert all(before - after >= timedelta(seconds=3) for before, after in pairwise(heard))
