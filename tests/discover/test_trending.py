"""Trending: decay, likes, and the week that it falls back to."""

import asyncio
from datetime import datetime, timedelta

import pytest

from app.discover.charts import MOST_WEEKS_BACK
from app.discover.handlers import refresh_charts
from tests.discover.conftest import World
from tests.discover.factories import charts, like, make_album, review


async def trending(world: World, **params: str) -> dict:
    answer = await world.client.get("/discover/trending", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def shown(answer: dict) -> list[str]:
    return [item["album"]["title"] for item in answer["items"]]


async def test_what_is_newer_weighs_more(world: World) -> None:
    one, two, three = [await world.people.make("fan") for _ in range(3)]
    new, older, liked = [await make_album(world.infra, title) for title in ("new", "older", "liked")]
    await review(world.infra, one.id, new, 3)
    for person in (one, two, three):
        await review(world.infra, person.id, older, 9, days=4)
    await like(world.infra, one.id, album_id=liked.id)

    answer = await trending(world)
    assert shown(answer) == ["new", "older", "liked"]
    # 1 now, a quarter after two half-lives, and half for a like
    scores = [item["score"] for item in answer["items"]]
    assert scores == pytest.approx([1, 3 / 4, 0.5], rel=0.001)
    assert [(item["review_count"], item["mean_rating"]) for item in answer["items"]] == [(1, 3), (3, 9), (0, None)]


async def test_hidden_people_do_not_make_a_trend(world: World) -> None:
    hidden = await world.people.make("hidden", profile_visibility="me")
    album = await make_album(world.infra)
    await review(world.infra, hidden.id, album, 9)
    await like(world.infra, hidden.id, album_id=album.id)
    assert shown(await trending(world)) == []


async def test_this_week_says_so(world: World) -> None:
    fan = await world.people.make("fan")
    await review(world.infra, fan.id, await make_album(world.infra, "now"), 9)
    await review(world.infra, fan.id, await make_album(world.infra, "before"), 9, days=8)
    answer = await trending(world)
    start, end, made = (datetime.fromisoformat(answer[name]) for name in ("period_start", "period_end", "made_at"))
    assert (shown(answer), answer["weeks_back"]) == (["now"], 0)
    assert end - start == timedelta(days=7)
    assert end == made


async def test_an_empty_week_falls_back_to_the_last_one_with_news(world: World) -> None:
    fan = await world.people.make("fan")
    await review(world.infra, fan.id, await make_album(world.infra, "three weeks"), 9, days=23)
    await review(world.infra, fan.id, await make_album(world.infra, "four weeks"), 9, days=30)
    answer = await trending(world)
    start, end, made = (datetime.fromisoformat(answer[name]) for name in ("period_start", "period_end", "made_at"))
    assert (shown(answer), answer["weeks_back"]) == (["three weeks"], 3)
    assert (made - end, made - start) == (timedelta(days=21), timedelta(days=28))


async def test_each_genre_falls_back_for_itself(world: World) -> None:
    fan = await world.people.make("fan")
    await review(world.infra, fan.id, await make_album(world.infra, "fresh", genres=["rock"]), 9)
    await review(world.infra, fan.id, await make_album(world.infra, "dusty", genres=["polka"]), 9, days=10)
    assert shown(await trending(world)) == ["fresh"]
    polka = await trending(world, genre="polka")
    assert (shown(polka), polka["weeks_back"]) == (["dusty"], 1)
    assert shown(await trending(world, genre="unheard of")) == []


async def test_likes_alone_are_news_too(world: World) -> None:
    fan = await world.people.make("fan")
    await like(world.infra, fan.id, album_id=(await make_album(world.infra, "liked")).id, days=9)
    answer = await trending(world)
    assert (shown(answer), answer["weeks_back"]) == (["liked"], 1)


async def test_after_a_year_it_is_no_trend(world: World) -> None:
    fan = await world.people.make("fan")
    await review(world.infra, fan.id, await make_album(world.infra), 9, days=7 * (MOST_WEEKS_BACK + 1) + 1)
    assert shown(await trending(world)) == []


async def test_the_job_brings_in_what_is_new(world: World) -> None:
    fan = await world.people.make("fan")
    await charts(world.infra)
    await review(world.infra, fan.id, await make_album(world.infra, "new"), 9)
    assert shown(await trending(world)) == []
    await refresh_charts(world.infra)
    assert shown(await trending(world)) == ["new"]


async def test_whoever_comes_first_makes_them_once(world: World) -> None:
    fan = await world.people.make("fan")
    await review(world.infra, fan.id, await make_album(world.infra, "new"), 9)
    answers = await asyncio.gather(*(trending(world) for _ in range(5)))
    assert {answer["made_at"] for answer in answers} == {answers[0]["made_at"]}
    assert shown(answers[0]) == ["new"]


async def test_genres_are_sorted_by_how_much_is_written(world: World) -> None:
    one, two = [await world.people.make("fan") for _ in range(2)]
    rock = await make_album(world.infra, "a", genres=["rock", "art rock"])
    jazz = await make_album(world.infra, "b", genres=["jazz"])
    for person in (one, two):
        await review(world.infra, person.id, rock, 9, days=40)
    await review(world.infra, one.id, jazz, 9)
    items = (await world.client.get("/discover/genres")).json()["items"]
    assert [(item["genre"], item["album_count"], item["review_count"]) for item in items] == [
        ("art rock", 1, 2),
        ("rock", 1, 2),
        ("jazz", 1, 1),
    ]
    week = (await world.client.get("/discover/genres", params={"range": "week"})).json()["items"]
    assert [item["genre"] for item in week] == ["jazz"]


async def test_recent_reviews_are_those_that_everyone_may_read(world: World) -> None:
    fan = await world.people.make("fan")
    hidden = await world.people.make("hidden", profile_visibility="followers")
    albums = [await make_album(world.infra, f"album {i}") for i in range(3)]
    for days, album in enumerate(albums):
        await review(world.infra, fan.id, album, 9, days=days)
    await review(world.infra, hidden.id, albums[0], 9)
    await review(world.infra, fan.id, await make_album(world.infra, "draft"), 9, draft=True)
    items = (await world.client.get("/discover/recent-reviews")).json()["items"]
    assert [item["album"]["title"] for item in items] == ["album 0", "album 1", "album 2"]
    assert {item["author"]["username"] for item in items} == {fan.username}
