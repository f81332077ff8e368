"""Tracks that people listen to now: decay, listeners before repetitions, private libraries, genres, places."""

from datetime import UTC, datetime, timedelta
from math import log
from uuid import UUID

import pytest
from sqlalchemy import update

from app.catalog.models import Track
from app.discover.handlers import refresh_charts
from app.library.recording import Heard, record
from tests.discover.conftest import World
from tests.library.factories import make_track
from tests.people import Person, queries


async def hear(world: World, person: Person, track_id: UUID, *days: float) -> None:
    moments = [datetime.now(UTC) - timedelta(days=day, seconds=5) for day in days or (0,)]
    async with world.infra.db.write() as db:
        await record(db, [Heard(person.id, track_id, moment) for moment in moments], source="lastfm")


async def trending(world: World, **params: str) -> list[dict]:
    await refresh_charts(world.infra)
    answer = await world.client.get("/discover/trending-tracks", params=params)
    assert answer.status_code == 200, answer.text
    items: list[dict] = answer.json()["items"]
    return items


def shown(items: list[dict]) -> list[str]:
    return [item["track"]["title"] for item in items]


async def test_what_is_heard_now_weighs_more(world: World) -> None:
    one, two, three = [await world.people.make("fan") for _ in range(3)]
    new, older, gone = [await make_track(world.infra, title) for title in ("new", "older", "gone")]
    await hear(world, one, new)
    for person in (one, two, three):
        await hear(world, person, older, 4)
    await hear(world, two, gone, 8)
    items = await trending(world)
    assert shown(items) == ["new", "older"]
    assert [item["score"] for item in items] == pytest.approx([1, 3 / 4], rel=0.001)
    assert [(item["play_count"], item["listener_count"]) for item in items] == [(1, 1), (3, 3)]
    assert [item["rank"] for item in items] == [1, 2]


async def test_nobody_makes_a_trend_alone(world: World) -> None:
    one, two, fan = [await world.people.make("fan") for _ in range(3)]
    many, often = await make_track(world.infra, "many"), await make_track(world.infra, "often")
    await hear(world, one, many)
    await hear(world, two, many)
    await hear(world, fan, often, *(number / 100 for number in range(2)))
    items = await trending(world)
    assert shown(items) == ["many", "often"]
    assert [item["score"] for item in items] == pytest.approx([2, 1 + log(2)], rel=0.001)


@pytest.mark.parametrize("hidden", [{"library_visibility": "followers"}, {"profile_visibility": "me"}])
async def test_private_listens_make_no_trend(world: World, hidden: dict[str, str]) -> None:
    await hear(world, await world.people.make("hidden", **hidden), await make_track(world.infra))
    assert await trending(world) == []


async def test_what_is_not_for_everybody_is_no_trend(world: World) -> None:
    owner = await world.people.make("owner")
    track = await make_track(world.infra, owner_id=owner.id)
    await hear(world, owner, track)
    assert len(await trending(world)) == 1
    async with world.infra.db.write() as db:
        await db.execute(update(Track).where(Track.id == track).values(visibility="private"))
    unrefreshed = await world.client.get("/discover/trending-tracks")
    assert unrefreshed.json()["items"] == await trending(world) == []


async def test_genres_have_their_own(world: World) -> None:
    fan = await world.people.make("fan")
    await hear(world, fan, await make_track(world.infra, "swing", genres=["jazz"]))
    await hear(world, fan, await make_track(world.infra, "noise", genres=["rock"]), 1)
    assert shown(await trending(world)) == ["swing", "noise"]
    assert shown(await trending(world, genre="Rock")) == ["noise"]
    assert await trending(world, genre="polka") == []


async def test_places_change_from_one_day_to_the_next(world: World) -> None:
    fan, other = await world.people.make("fan"), await world.people.make("fan")
    first, second = await make_track(world.infra, "first"), await make_track(world.infra, "second")
    await hear(world, fan, first)
    await hear(world, fan, second, 1)
    assert [item["rank_change"] for item in await trending(world)] == [None, None]
    async with world.infra.db.write() as db:
        await db.records("UPDATE track_trends SET made_at = made_at - interval '1 day'", [])
    await hear(world, other, second)
    assert [(item["track"]["title"], item["rank_change"]) for item in await trending(world)] == [
        ("second", 1),
        ("first", -1),
    ]


async def test_the_first_reader_has_it_made(world: World) -> None:
    await hear(world, await world.people.make("fan"), await make_track(world.infra, "only"))
    answer = await world.client.get("/discover/trending-tracks")
    assert shown(answer.json()["items"]) == ["only"]


async def test_a_page_costs_two_statements_and_may_be_cached(world: World) -> None:
    fan = await world.people.make("fan")
    for number in range(3):
        await hear(world, fan, await make_track(world.infra, f"{number}"), number)
    await trending(world)
    async with queries(world.infra) as ran:
        page = await world.client.get("/discover/trending-tracks", params={"limit": "2"})
    assert (ran, page.headers["cache-control"]) == ([2], "public, max-age=60")
    rest = await world.client.get("/discover/trending-tracks", params={"cursor": page.json()["next_cursor"]})
    assert (len(page.json()["items"]), len(rest.json()["items"])) == (2, 1)
    known = {"If-None-Match": page.headers["etag"]}
    again = await world.client.get("/discover/trending-tracks", params={"limit": "2"}, headers=known)
    assert again.status_code == 304
