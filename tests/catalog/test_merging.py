"""Duplicates: what moves, what redirects, who is told."""

import asyncio
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from app.catalog.models import Album, Artist, Track
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.job_runner import drain
from tests.catalog.factories import Body, add_album, add_artist, add_track, spotify_id, unique
from tests.people import People, Person


async def merge(curator: Person, kind: str, duplicate: Body, into: Body) -> Body:
    answer = await curator.post(f"/{kind}s/{duplicate['id']}/merge", json={"into": into["id"]})
    assert answer.status_code == 200, answer.text
    body: Body = answer.json()
    return body


async def test_artists(curator: Person, client: httpx.AsyncClient) -> None:
    kept = await add_artist(curator, "The Beatles")
    code = spotify_id()
    duplicate = await add_artist(curator, "Beatles", spotify_id=code, genres=["rock"])
    album = await add_album(curator, artist=duplicate, tracks=[{"title": "One"}])
    await add_album(curator, artist=kept)
    merged = await merge(curator, "artist", duplicate, kept)
    assert (merged["id"], merged["spotify_id"], merged["genres"], merged["album_count"]) == (
        kept["id"],
        code,
        ["rock"],
        2,
    )
    moved = (await client.get(f"/albums/{album['id']}")).json()
    assert moved["artist"]["id"] == kept["id"]
    assert moved["tracks"][0]["artist"]["id"] == kept["id"]


async def test_a_kept_row_keeps_what_it_has(curator: Person) -> None:
    mine, theirs = spotify_id(), spotify_id()
    kept = await add_artist(curator, spotify_id=mine, genres=["fado"])
    duplicate = await add_artist(curator, spotify_id=theirs, genres=["rock"])
    merged = await merge(curator, "artist", duplicate, kept)
    assert (merged["spotify_id"], merged["genres"]) == (mine, ["fado"])


async def test_albums(curator: Person, client: httpx.AsyncClient) -> None:
    artist = await add_artist(curator)
    code = spotify_id()
    kept = await add_album(
        curator, artist=artist, tracks=[{"title": "Drive"}, {"title": "Try Not to Breathe", "duration_ms": 5000}]
    )
    duplicate = await add_album(
        curator,
        artist=artist,
        year=1992,
        spotify_id=code,
        tracks=[{"title": "DRIVE", "duration_ms": 270_000}, {"title": "Nightswimming", "duration_ms": 1000}],
    )
    merged = await merge(curator, "album", duplicate, kept)
    assert (merged["id"], merged["year"], merged["spotify_id"]) == (kept["id"], 1992, code)
    tracks = [(track["title"], track["position"], track["duration_ms"]) for track in merged["tracks"]]
    assert tracks == [("Drive", 1, 270_000), ("Try Not to Breathe", 2, 5000), ("Nightswimming", 3, 1000)]
    assert (merged["track_count"], merged["duration_ms"]) == (3, 276_000)
    assert (await client.get(f"/artists/{artist['id']}")).json()["album_count"] == 1
    listed = (await client.get(f"/artists/{artist['id']}/albums")).json()["items"]
    assert [item["id"] for item in listed] == [kept["id"]]


async def test_tracks(curator: Person) -> None:
    album = await add_album(curator, tracks=[{"title": "Drive", "duration_ms": 1000, "spotify_id": spotify_id()}])
    duplicate = album["tracks"][0]
    kept = await add_track(curator, "Drive")
    merged = await merge(curator, "track", duplicate, kept)
    assert (merged["album"]["id"], merged["position"], merged["duration_ms"]) == (album["id"], 1, 1000)
    page = (await curator.get(f"/albums/{album['id']}")).json()
    assert [track["id"] for track in page["tracks"]] == [kept["id"]]
    assert page["track_count"] == 1


@pytest.mark.parametrize("kind", ["artist", "album", "track"])
async def test_a_duplicate_redirects(curator: Person, client: httpx.AsyncClient, kind: str) -> None:
    add = {"artist": add_artist, "album": add_album, "track": add_track}[kind]
    first, second, third = [await add(curator) for _ in range(3)]
    await merge(curator, kind, first, second)
    await merge(curator, kind, second, third)
    for duplicate in (first, second):
        answer = await client.get(f"/{kind}s/{duplicate['id']}")
        assert (answer.status_code, answer.json()["code"]) == (308, "merged")
        assert answer.headers["location"] == f"/api/v1/{kind}s/{third['id']}"
        assert answer.json()["kept_id"] == third["id"]
        kept = await client.get(f"/{kind}s/{duplicate['id']}", follow_redirects=True)
        assert kept.json()["id"] == third["id"]


async def test_what_lies_below_redirects_too(curator: Person, client: httpx.AsyncClient) -> None:
    duplicate, kept = await add_album(curator), await add_album(curator)
    await merge(curator, "album", duplicate, kept)
    for path in ("tracks", "likers", "likes"):
        answer = await client.get(f"/albums/{duplicate['id']}/{path}")
        assert answer.headers["location"] == f"/api/v1/albums/{kept['id']}/{path}"
    liked = await curator.put(f"/albums/{duplicate['id']}/like", follow_redirects=True)
    assert liked.json() == {"liked": True, "like_count": 1}
    artists = await add_artist(curator), await add_artist(curator)
    await merge(curator, "artist", *artists)
    answer = await client.get(f"/artists/{artists[0]['id']}/albums")
    assert answer.headers["location"] == f"/api/v1/artists/{artists[1]['id']}/albums"


async def test_likes_follow(curator: Person, people: People, infra: Infra, client: httpx.AsyncClient) -> None:
    both, one = await people.make("both"), await people.make("one")
    artist = await add_artist(curator)
    kept = await add_album(curator, artist=artist, tracks=[{"title": "Drive"}])
    duplicate = await add_album(curator, artist=artist, tracks=[{"title": "Drive"}, {"title": "drive!"}])
    track, *copies = (album["tracks"][i]["id"] for album, i in ((kept, 0), (duplicate, 0), (duplicate, 1)))
    for person, paths in (
        (both, [f"albums/{kept['id']}", f"albums/{duplicate['id']}", *(f"tracks/{copy}" for copy in copies)]),
        (one, [f"albums/{duplicate['id']}", f"tracks/{track}", f"tracks/{copies[0]}"]),
    ):
        for path in paths:
            assert (await person.put(f"/{path}/like")).status_code == 200
    await merge(curator, "album", duplicate, kept)
    await drain(infra)
    page = (await one.get(f"/albums/{kept['id']}")).json()
    assert (page["like_count"], page["liked"]) == (2, True)
    assert [(track["like_count"], track["liked"]) for track in page["tracks"]] == [(2, True)]
    likes = await client.get(f"/albums/{kept['id']}/likes")
    assert likes.json() == {"like_count": 2}
    likers = (await client.get(f"/albums/{kept['id']}/likers")).json()["items"]
    assert {liker["id"] for liker in likers} == {str(both.id), str(one.id)}


async def test_merges_that_make_no_sense(curator: Person) -> None:
    album, other, gone = await add_album(curator), await add_album(curator), await add_album(curator)
    await merge(curator, "album", gone, other)

    async def status(duplicate: str, into: str) -> int:
        return (await curator.post(f"/albums/{duplicate}/merge", json={"into": into})).status_code

    assert await status(album["id"], album["id"]) == 422
    assert await status(album["id"], str(uuid7())) == 422
    assert await status(album["id"], gone["id"]) == 422
    assert await status(gone["id"], album["id"]) == 409
    assert await status(str(uuid7()), album["id"]) == 404


async def test_two_that_are_merged_into_each_other(curator: Person) -> None:
    one, two = await add_album(curator), await add_album(curator)
    answers = await asyncio.gather(
        curator.post(f"/albums/{one['id']}/merge", json={"into": two["id"]}),
        curator.post(f"/albums/{two['id']}/merge", json={"into": one["id"]}),
    )
    assert min(answer.status_code for answer in answers) == 200
    assert {answer.status_code for answer in answers} & {409, 422}


async def test_an_edit_of_a_duplicate_does_not_reach_the_kept_one(curator: Person, client: httpx.AsyncClient) -> None:
    duplicate, kept = await add_album(curator), await add_album(curator)
    await merge(curator, "album", duplicate, kept)
    for method in ("PATCH", "DELETE"):
        body = {"year": 1999} if method == "PATCH" else None
        answer = await curator.request(method, f"/albums/{duplicate['id']}", json=body, follow_redirects=True)
        assert (answer.status_code, answer.json()["code"]) == (409, "is_duplicate")
        assert answer.json()["kept_id"] == kept["id"]
    assert (await client.get(f"/albums/{kept['id']}")).json()["year"] == kept["year"]
    track = {"title": "T", "artist_id": kept["artist"]["id"], "album_id": duplicate["id"]}
    assert (await curator.post("/tracks", json=track)).status_code == 422


async def test_duplicates_go_with_the_kept_one(curator: Person, client: httpx.AsyncClient) -> None:
    artist, other = await add_artist(curator), await add_artist(curator)
    duplicate, kept = await add_album(curator, artist=artist), await add_album(curator, artist=artist)
    await merge(curator, "album", duplicate, kept)
    await merge(curator, "artist", other, artist)
    assert (await curator.delete(f"/albums/{kept['id']}")).status_code == 204
    assert (await client.get(f"/albums/{duplicate['id']}")).status_code == 404
    assert (await curator.delete(f"/artists/{artist['id']}")).status_code == 204
    assert (await client.get(f"/artists/{other['id']}")).status_code == 404


async def test_search_finds_the_kept_one(curator: Person, client: httpx.AsyncClient) -> None:
    name = unique("Zzyzx")
    duplicate, kept = await add_artist(curator, name), await add_artist(curator, name)
    album = await add_album(curator, "Wandering", artist=duplicate)
    await merge(curator, "artist", duplicate, kept)
    hits = (await client.get("/search", params={"q": name})).json()["items"]
    assert [hit["id"] for hit in hits] == [kept["id"], album["id"]]


@pytest.mark.parametrize(("kind", "entity"), [("artist", Artist), ("album", Album), ("track", Track)])
async def test_a_merge_waits_in_order_for_what_leads_to_its_duplicate(
    curator: Person, infra: Infra, kind: str, entity: type[Artist | Album | Track]
) -> None:
    """Somebody holds the first of a chain and then wants the second, as those do who carry on an earlier merge."""
    add = {"artist": add_artist, "album": add_album, "track": add_track}[kind]
    first, second, third = [await add(curator) for _ in range(3)]
    await merge(curator, kind, first, second)
    ids = [UUID(first["id"]), UUID(second["id"])]
    async with infra.db.write() as db:
        await db.execute(select(entity.id).where(entity.id == ids[0]).with_for_update(key_share=True))
        merging = asyncio.create_task(merge(curator, kind, second, third))
        await asyncio.sleep(0.5)
        await db.execute(select(entity.id).where(entity.id == ids[1]).with_for_update(key_share=True))
    await merging
    rows = await infra.db.reader.all(select(entity.merged_into_id).where(entity.id.in_(ids)))
    assert rows == [UUID(third["id"])] * 2
