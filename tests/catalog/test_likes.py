"""Likes on albums and tracks, their cached count, and who may see them."""

import asyncio

import httpx
import pytest
from sqlalchemy import update

from app.catalog.like_queries import ALBUM_LIKES
from app.catalog.likes import count_album_likes
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.job_runner import drain
from app.core.jobs import emit
from app.users.events import AccountDeleted
from app.users.models import Block, User
from tests.catalog.factories import Body, add_album, add_track
from tests.people import People, Person, queries


@pytest.mark.parametrize("kind", ["album", "track"])
async def test_liking_again_changes_nothing(curator: Person, people: People, kind: str) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    thing = await (add_album if kind == "album" else add_track)(curator)
    path = f"/{kind}s/{thing['id']}/like"
    steps = [
        (ana.put, True, 1),
        (ana.put, True, 1),
        (bruno.put, True, 2),
        (ana.delete, False, 1),
        (ana.delete, False, 1),
        (bruno.delete, False, 0),
    ]
    for call, liked, count in steps:
        assert (await call(path)).json() == {"liked": liked, "like_count": count}


@pytest.mark.parametrize("kind", ["album", "track"])
async def test_what_is_not_there(curator: Person, client: httpx.AsyncClient, kind: str) -> None:
    path = f"/{kind}s/{uuid7()}/like"
    assert (await curator.put(path)).status_code == 404
    assert (await curator.delete(path)).status_code == 404
    assert (await client.put(path)).status_code == 401


async def test_of_many_likes_at_once_each_counts_once(curator: Person, people: People, infra: Infra) -> None:
    album = await add_album(curator)
    fans = [await people.make("fan") for _ in range(5)]
    await asyncio.gather(*(fan.put(f"/albums/{album['id']}/like") for fan in fans for _ in range(3)))
    count = await ALBUM_LIKES.first(infra.db.reader, album_id=album["id"])
    assert count is not None
    assert count.like_count == 5


async def test_pages_say_what_the_viewer_likes(curator: Person, people: People, client: httpx.AsyncClient) -> None:
    ana = await people.make("ana")
    album = await add_album(curator, tracks=[{"title": "A"}, {"title": "B"}])
    track = album["tracks"][1]["id"]
    await ana.put(f"/albums/{album['id']}/like")
    await ana.put(f"/tracks/{track}/like")
    mine, theirs = (await ana.get(f"/albums/{album['id']}")).json(), (await client.get(f"/albums/{album['id']}")).json()
    assert (mine["liked"], [item["liked"] for item in mine["tracks"]]) == (True, [False, True])
    assert (theirs["liked"], [item["liked"] for item in theirs["tracks"]]) == (False, [False, False])
    assert theirs["like_count"] == 1
    assert (await ana.get(f"/tracks/{track}")).json()["liked"]


async def test_the_count_says_when_it_came_from_the_cache(
    curator: Person, people: People, client: httpx.AsyncClient
) -> None:
    ana = await people.make("ana")
    album = await add_album(curator)

    async def read() -> tuple[int, str | None]:
        answer = await client.get(f"/albums/{album['id']}/likes")
        return answer.json()["like_count"], answer.headers.get("x-data-source")

    assert [await read() for _ in range(3)] == [(0, None), (0, "cache"), (0, "cache")]
    await ana.put(f"/albums/{album['id']}/like")
    assert [await read() for _ in range(2)] == [(1, None), (1, "cache")]
    await ana.put(f"/albums/{album['id']}/like")
    assert await read() == (1, "cache")
    await ana.delete(f"/albums/{album['id']}/like")
    assert [await read() for _ in range(2)] == [(0, None), (0, "cache")]


async def test_the_cached_count_lasts_half_an_hour(curator: Person, client: httpx.AsyncClient, infra: Infra) -> None:
    album = await add_album(curator)
    await client.get(f"/albums/{album['id']}/likes")
    (key,) = [key async for key in infra.redis.scan_iter(f"*{album['id']}*")]
    assert 1790 <= await infra.redis.ttl(key) <= 1800


async def test_fifty_readers_are_one_load(curator: Person, infra: Infra) -> None:
    album = await add_album(curator)
    async with queries(infra) as ran:
        answers = await asyncio.gather(
            *(count_album_likes(infra.db.reader, infra.cache, album["id"]) for _ in range(50))
        )
    assert ran == [1]
    assert [cached for _, cached in answers].count(False) == 1


async def test_an_unknown_album_is_not_waited_for(client: httpx.AsyncClient) -> None:
    path = f"/albums/{uuid7()}/likes"
    async with asyncio.timeout(2):
        assert [(await client.get(path)).status_code for _ in range(3)] == [404] * 3


async def test_likers(curator: Person, people: People, client: httpx.AsyncClient, infra: Infra) -> None:
    ana, bruno, carla = [await people.make(name) for name in ("ana", "bruno", "carla")]
    shy = await people.make("shy", library_visibility="me")
    hidden = await people.make("hidden", profile_visibility="me")
    album = await add_album(curator)
    for person in (ana, bruno, shy, hidden, carla):
        await person.put(f"/albums/{album['id']}/like")
    async with queries(infra) as ran:
        page = (await client.get(f"/albums/{album['id']}/likers?limit=2")).json()
    assert ran == [1]
    assert [item["id"] for item in page["items"]] == [str(carla.id), str(bruno.id)]
    assert page["items"][0].keys() == {"id", "username", "display_name", "avatar_key"}
    rest = (await client.get(f"/albums/{album['id']}/likers?limit=2&cursor={page['next_cursor']}")).json()
    assert ([item["id"] for item in rest["items"]], rest["next_cursor"]) == ([str(ana.id)], None)
    async with infra.db.write() as db:
        db.add(Block(blocker_id=carla.id, blocked_id=ana.id))
    seen = (await ana.get(f"/albums/{album['id']}/likers")).json()["items"]
    assert [item["id"] for item in seen] == [str(bruno.id), str(ana.id)]
    assert str(shy.id) in [item["id"] for item in (await shy.get(f"/albums/{album['id']}/likers")).json()["items"]]
    assert (await client.get(f"/albums/{uuid7()}/likers")).status_code == 404


async def test_what_a_person_likes(curator: Person, people: People, client: httpx.AsyncClient, infra: Infra) -> None:
    ana = await people.make("ana")
    albums = [await add_album(curator) for _ in range(3)]
    track = await add_track(curator, album_id=albums[0]["id"])
    for album in albums:
        await ana.put(f"/albums/{album['id']}/like")
    await ana.put(f"/tracks/{track['id']}/like")
    async with queries(infra) as ran:
        page = (await client.get(f"/users/{ana.username.upper()}/liked-albums?limit=2")).json()
    assert ran == [2]
    assert [item["id"] for item in page["items"]] == [albums[2]["id"], albums[1]["id"]]
    rest = (await client.get(f"/users/{ana.username.upper()}/liked-albums?limit=2&cursor={page['next_cursor']}")).json()
    assert [item["id"] for item in rest["items"]] == [albums[0]["id"]]
    (liked,) = (await client.get(f"/users/{ana.username}/liked-tracks")).json()["items"]
    assert (liked["id"], liked["album"]["id"], liked["liked_at"][-1]) == (track["id"], albums[0]["id"], "Z")


@pytest.mark.parametrize("field", ["profile_visibility", "library_visibility"])
async def test_a_closed_library(people: People, client: httpx.AsyncClient, field: str) -> None:
    ana = await people.make("ana", **{field: "followers"})
    fan = await people.make("fan")
    for kind in ("albums", "tracks"):
        path = f"/users/{ana.username}/liked-{kind}"
        assert ((await client.get(path)).status_code, (await fan.get(path)).json()["code"]) == (
            404,
            "profile_restricted",
        )
        assert (await ana.get(path)).status_code == 200
    await fan.put(f"/users/{ana.username}/follow")
    assert (await fan.get(f"/users/{ana.username}/liked-albums")).status_code == 200


async def test_nobody_sees_the_library_of_a_blocker(people: People, infra: Infra) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    async with infra.db.write() as db:
        db.add(Block(blocker_id=ana.id, blocked_id=bruno.id))
    answer = await bruno.get(f"/users/{ana.username}/liked-albums")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await bruno.get("/users/nobody_at_all/liked-tracks")).status_code == 404


@pytest.mark.parametrize("keep", [True, False])
async def test_likes_of_people_who_left(
    curator: Person, people: People, client: httpx.AsyncClient, infra: Infra, keep: bool
) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    album, track = await add_album(curator), await add_track(curator)
    for person in (ana, bruno):
        await person.put(f"/albums/{album['id']}/like")
        await person.put(f"/tracks/{track['id']}/like")
    await client.get(f"/albums/{album['id']}/likes")
    async with infra.db.write() as db:
        await db.execute(update(User).where(User.id == ana.id).values(deleted_at=User.created_at))
        await emit(db, AccountDeleted(user_id=ana.id, keep_content=keep))
    await drain(infra)
    expected: Body = {"like_count": 2 if keep else 1}
    assert (await client.get(f"/albums/{album['id']}/likes")).json() == expected
    assert (await client.get(f"/tracks/{track['id']}")).json()["like_count"] == expected["like_count"]
    likers = (await client.get(f"/albums/{album['id']}/likers")).json()["items"]
    assert [item["id"] for item in likers] == [str(bruno.id)]
