"""Top albums: the order, what counts, and how they are served."""

import pytest
from sqlalchemy import update

from app.catalog.models import Album
from app.discover.models import ChartEntry
from tests.discover.conftest import World
from tests.discover.factories import ago, charts, make_album, review
from tests.people import queries


async def titles(world: World, **params: str) -> list[str]:
    answer = await world.client.get("/discover/top-albums", params=params)
    assert answer.status_code == 200, answer.text
    return [item["album"]["title"] for item in answer.json()["items"]]


async def test_one_ten_does_not_beat_many_nines(world: World) -> None:
    fans = [await world.people.make("fan") for _ in range(12)]
    loved, hyped, weak = [await make_album(world.infra, title) for title in ("loved", "hyped", "weak")]
    for fan in fans:
        await review(world.infra, fan.id, loved, 9)
        await review(world.infra, fan.id, weak, 4)
    await review(world.infra, fans[0].id, hyped, 10)

    week = (await world.client.get("/discover/top-albums", params={"range": "week"})).json()["items"]
    assert [item["album"]["title"] for item in week] == ["loved", "hyped", "weak"]
    # m = (12*9 + 12*4 + 10) / 25 = 6.64 and C = 5
    assert week[0]["score"] == pytest.approx((5 * 6.64 + 108) / 17)
    assert week[1]["score"] == pytest.approx((5 * 6.64 + 10) / 6)
    assert [item["rank"] for item in week] == [1, 2, 3]
    assert (week[0]["mean_rating"], week[0]["review_count"]) == (9, 12)
    # in a longer period a single review gives no place at all
    assert await titles(world, range="all") == ["loved", "weak"]


async def test_each_range_counts_its_own_days(world: World) -> None:
    fans = [await world.people.make("fan") for _ in range(3)]
    for title, days in (("week", 1), ("month", 20), ("year", 200), ("all", 800)):
        album = await make_album(world.infra, title)
        for fan in fans:
            await review(world.infra, fan.id, album, 8, days=days)

    assert set(await titles(world, range="week")) == {"week"}
    assert set(await titles(world, range="month")) == {"week", "month"}
    assert set(await titles(world, range="year")) == {"week", "month", "year"}
    assert set(await titles(world, range="all")) == {"week", "month", "year", "all"}
    assert (await world.client.get("/discover/top-albums", params={"range": "day"})).status_code == 422


async def test_drafts_hidden_people_and_merged_albums_do_not_count(world: World) -> None:
    seen = await world.people.make("seen")
    followers, nobody = [
        await world.people.make("hidden", profile_visibility=audience) for audience in ("followers", "me")
    ]
    open_, hidden, draft, merged = [await make_album(world.infra, t) for t in ("open", "hidden", "draft", "merged")]
    await review(world.infra, seen.id, open_, 8)
    await review(world.infra, followers.id, open_, 1)
    await review(world.infra, nobody.id, hidden, 10)
    await review(world.infra, seen.id, draft, 10, draft=True)
    await review(world.infra, seen.id, merged, 10)
    async with world.infra.db.write() as db:
        await db.execute(update(Album).where(Album.id == merged.id).values(merged_into_id=open_.id))

    answer = (await world.client.get("/discover/top-albums", params={"range": "week"})).json()
    assert [(item["album"]["title"], item["review_count"], item["mean_rating"]) for item in answer["items"]] == [
        ("open", 1, 8)
    ]


async def test_a_genre_has_a_chart_of_its_own(world: World) -> None:
    fan = await world.people.make("fan")
    jazz = await make_album(world.infra, "jazz", genres=["jazz", "modal jazz"])
    rock = await make_album(world.infra, "rock", genres=["rock"])
    await review(world.infra, fan.id, jazz, 7)
    await review(world.infra, fan.id, rock, 9)

    assert await titles(world, range="week") == ["rock", "jazz"]
    assert await titles(world, range="week", genre=" Jazz ") == ["jazz"]
    assert await titles(world, range="week", genre="polka") == []


async def test_rank_change_is_since_yesterday(world: World) -> None:
    fan = await world.people.make("fan")
    up, down = await make_album(world.infra, "up"), await make_album(world.infra, "down")
    await review(world.infra, fan.id, up, 7)
    await review(world.infra, fan.id, down, 8)
    await charts(world.infra)
    async with world.infra.db.write() as db:
        await db.execute(update(ChartEntry).values(made_at=ago(1)))

    for name in ("late", "later"):
        another, new = await world.people.make(name), await make_album(world.infra, name)
        await review(world.infra, another.id, up, 10)
        await review(world.infra, another.id, new, 1)
        await charts(world.infra)
        items = (await world.client.get("/discover/top-albums", params={"range": "week"})).json()["items"]
        assert [(item["album"]["title"], item["rank_change"]) for item in items[:2]] == [("up", 1), ("down", -1)]
        assert {item["rank_change"] for item in items[2:]} == {None}


async def test_places_that_are_gone_leave_the_chart(world: World) -> None:
    fan = await world.people.make("fan")
    albums = [await make_album(world.infra, f"album {i}", genres=["g"]) for i in range(3)]
    reviews = [await review(world.infra, fan.id, album, 8) for album in albums]
    await charts(world.infra)
    async with world.infra.db.write() as db:
        for row in reviews[:2]:
            await db.delete(await db.get(type(row), row.id))
    await charts(world.infra)
    assert await titles(world, range="week") == await titles(world, range="week", genre="g") == ["album 2"]


async def test_pages_link_to_the_next_and_cost_two_statements(world: World) -> None:
    fan = await world.people.make("fan")
    for i in range(5):
        await review(world.infra, fan.id, await make_album(world.infra, f"album {i}"), 1 + i)
    await charts(world.infra)

    async with queries(world.infra) as ran:
        first = await world.client.get("/discover/top-albums", params={"range": "week", "limit": 3})
    assert ran == [2]
    cursor = first.json()["next_cursor"]
    assert f"cursor={cursor}" in first.headers["link"]
    second = await world.client.get("/discover/top-albums", params={"range": "week", "limit": 3, "cursor": cursor})
    ranks = [item["rank"] for answer in (first, second) for item in answer.json()["items"]]
    assert ranks == [1, 2, 3, 4, 5]
    assert second.json()["next_cursor"] is None


async def test_anybody_may_cache_it_for_a_minute(world: World) -> None:
    fan = await world.people.make("fan")
    await review(world.infra, fan.id, await make_album(world.infra), 8)
    for path in ("top-albums", "trending", "recent-reviews", "genres"):
        answer = await world.client.get(f"/discover/{path}")
        assert answer.headers["cache-control"] == "public, max-age=60"
        assert "authorization" not in answer.headers["vary"].lower()
        again = await world.client.get(f"/discover/{path}", headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["cache-control"] == "public, max-age=60"
        # the same for somebody who is signed in, or caches would mix them up
        assert (await fan.get(f"/discover/{path}")).content == answer.content


async def test_an_empty_server_has_empty_charts(world: World) -> None:
    for path in ("top-albums", "trending"):
        answer = (await world.client.get(f"/discover/{path}")).json()
        assert (answer["items"], answer["next_cursor"], answer["weeks_back"]) == ([], None, 0)
    assert (await world.client.get("/discover/genres")).json()["items"] == []
    assert (await world.client.get("/discover/recent-reviews")).json()["items"] == []
