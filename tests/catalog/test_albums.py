"""Albums: pages, filters, editing, tracks and their order."""

import asyncio
from typing import Any

import httpx
from sqlalchemy import update

from app.catalog.models import Album
from app.catalog.service import get_album
from app.core.ids import uuid7
from app.core.infra import Infra
from tests.catalog.factories import Body, add_album, add_artist, add_track, unique
from tests.people import People, Person, queries

THREE: list[Body] = [
    {"title": "Come Together", "duration_ms": 259_000},
    {"title": "Something", "duration_ms": 182_000},
    {"title": "Her Majesty", "disc": 2},
]


async def test_an_album_comes_with_its_tracks(curator: Person) -> None:
    artist = await add_artist(curator)
    album = await add_album(
        curator, "Abbey Road", artist=artist, release_date="1969-09-26", label="Apple", genres=["Rock"], tracks=THREE
    )
    assert album["artist"] == {"id": artist["id"], "name": artist["name"]}
    assert (album["year"], album["release_date"], album["label"]) == (1969, "1969-09-26", "Apple")
    places = [(track["title"], track["disc"], track["position"], track["duration_ms"]) for track in album["tracks"]]
    assert places == [("Come Together", 1, 1, 259_000), ("Something", 1, 2, 182_000), ("Her Majesty", 2, 1, None)]
    assert (album["track_count"], album["duration_ms"]) == (3, 441_000)
    assert album["ratings"] == {"count": 0, "mean": None, "histogram": [0] * 10}
    assert (album["like_count"], album["liked"]) == (0, False)


async def test_the_page_takes_one_statement(curator: Person, infra: Infra) -> None:
    album = await add_album(curator, tracks=THREE)
    async with infra.db.write() as db:
        counted = {"review_count": 3, "rating_sum": 20, "rating_counts": [0, 0, 0, 0, 0, 2, 0, 1, 0, 0]}
        await db.execute(update(Album).where(Album.id == album["id"]).values(counted))
    async with queries(infra) as ran:
        page = await get_album(infra.db.reader, None, album["id"])
    assert ran == [1]
    assert page.ratings.model_dump() == {"count": 3, "mean": 6.67, "histogram": counted["rating_counts"]}
    assert [track.title for track in page.tracks] == [track["title"] for track in THREE]


async def test_tracks_of_an_album(curator: Person, client: httpx.AsyncClient, infra: Infra) -> None:
    album = await add_album(curator, tracks=THREE)
    async with queries(infra) as ran:
        answer = await client.get(f"/albums/{album['id']}/tracks")
    assert ran == [1]
    assert answer.json()["items"] == album["tracks"]
    empty = await add_album(curator)
    assert (await client.get(f"/albums/{empty['id']}/tracks")).json() == {"items": []}
    assert (await client.get(f"/albums/{uuid7()}/tracks")).status_code == 404


async def test_filters(curator: Person, client: httpx.AsyncClient, infra: Infra) -> None:
    artist = await add_artist(curator)
    genre = unique("genre")
    old = await add_album(curator, "B old", artist=artist, year=1959, genres=[genre, "jazz"])
    mid = await add_album(curator, "A mid", artist=artist, year=1975, genres=[genre])
    new = await add_album(curator, "C new", artist=artist, year=1999)

    async def ids(query: str) -> list[str]:
        async with queries(infra) as ran:
            answer = await client.get(f"/albums?artist_id={artist['id']}{query}")
        assert answer.status_code == 200, answer.text
        assert ran == [1]
        return [item["id"] for item in answer.json()["items"]]

    assert await ids("") == [new["id"], mid["id"], old["id"]]
    assert await ids("&sort=title") == [mid["id"], old["id"], new["id"]]
    assert await ids(f"&genre={genre.upper()}") == [mid["id"], old["id"]]
    assert await ids("&year_from=1960") == [new["id"], mid["id"]]
    assert await ids("&year_from=1960&year_to=1980") == [mid["id"]]
    assert await ids(f"&year_to=1960&genre={genre}&sort=title") == [old["id"]]
    assert await ids("&genre=nothing of the kind") == []
    assert (await client.get("/albums?sort=best")).status_code == 422


async def test_pages_of_albums(curator: Person, client: httpx.AsyncClient) -> None:
    artist = await add_artist(curator)
    made = [(await add_album(curator, f"Same {i % 2}", artist=artist))["id"] for i in range(5)]
    for sort, expected in (("new", made[::-1]), ("title", [made[i] for i in (0, 2, 4, 1, 3)])):
        path: str | None = f"/albums?artist_id={artist['id']}&sort={sort}&limit=2"
        seen: list[str] = []
        while path:
            answer = await client.get(path)
            seen += [item["id"] for item in answer.json()["items"]]
            path = answer.links["next"]["url"].removeprefix("/api/v1") if "next" in answer.links else None
        assert seen == expected


async def test_genres_are_counted(curator: Person, client: httpx.AsyncClient) -> None:
    genre = unique("zz genre")

    async def counted() -> Any:
        items: list[Body] = []
        path: str | None = "/genres?limit=50"
        while path:
            answer = await client.get(path)
            items += answer.json()["items"]
            path = answer.links["next"]["url"].removeprefix("/api/v1") if "next" in answer.links else None
        counts = [(-item["album_count"], -item["track_count"], item["name"]) for item in items]
        assert counts == sorted(set(counts))
        return next(((item["album_count"], item["track_count"]) for item in items if item["name"] == genre), None)

    assert await counted() is None
    album = await add_album(curator, genres=[genre], tracks=[{"title": "One", "genres": [genre]}])
    assert await counted() == (1, 1)
    await curator.patch(f"/albums/{album['id']}", json={"genres": []})
    assert await counted() == (0, 1)
    await curator.delete(f"/albums/{album['id']}")
    assert await counted() is None


async def test_changes_of_an_album(curator: Person, client: httpx.AsyncClient) -> None:
    first, second = await add_artist(curator), await add_artist(curator)
    album = await add_album(curator, artist=first, label="Verve", tracks=THREE)
    changed = await curator.patch(f"/albums/{album['id']}", json={"artist_id": second["id"], "year": 1963})
    assert changed.status_code == 200, changed.text
    assert changed.json()["artist"]["id"] == second["id"]
    assert (changed.json()["year"], changed.json()["label"]) == (1963, "Verve")
    counts = [(await client.get(f"/artists/{artist['id']}")).json()["album_count"] for artist in (first, second)]
    assert counts == [0, 1]
    unknown = await curator.patch(f"/albums/{album['id']}", json={"artist_id": str(uuid7())})
    assert unknown.json()["errors"][0]["pointer"] == "/body/artist_id"


async def test_input_of_an_album_is_checked(curator: Person) -> None:
    artist = await add_artist(curator)
    faults: list[Body] = [
        {"artist_id": str(uuid7())},
        {"year": "1969"},
        {"year": 99},
        {"release_date": "26.9.1969"},
        {"tracks": [{"title": "A", "duration_ms": 0}]},
        {"tracks": [{"title": "A", "isrc": "GBAYE0601690"}, {"title": "B", "isrc": "GBAYE0601690"}]},
        {"tracks": [{"title": "A", "isrc": "gb-aye-06-01690"}]},
        {"tracks": [{"title": "A", "artist_id": str(uuid7())}]},
    ]
    for fault in faults:
        answer = await curator.post("/albums", json={"title": "T", "artist_id": artist["id"]} | fault)
        assert answer.status_code == 422, fault


async def test_tracks_are_put_in_order(curator: Person, client: httpx.AsyncClient) -> None:
    album = await add_album(curator, tracks=THREE)
    one, two, three = (track["id"] for track in album["tracks"])
    order = {"tracks": [{"id": three}, {"id": one, "disc": 2}, {"id": two, "disc": 2}]}
    answer = await curator.put(f"/albums/{album['id']}/tracks", json=order)
    assert answer.status_code == 200, answer.text
    places = [(track["id"], track["disc"], track["position"]) for track in answer.json()["items"]]
    assert places == [(three, 1, 1), (one, 2, 1), (two, 2, 2)]
    assert (await client.get(f"/albums/{album['id']}/tracks")).json() == answer.json()


async def test_an_order_names_each_track_once(curator: Person) -> None:
    album = await add_album(curator, tracks=THREE)
    one, two, three = ({"id": track["id"]} for track in album["tracks"])
    other = (await add_album(curator, tracks=THREE))["tracks"][0]
    for order in ([one, two], [one, two, two], [one, two, three, three], [one, two, {"id": other["id"]}], []):
        answer = await curator.put(f"/albums/{album['id']}/tracks", json={"tracks": order})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "incomplete")


async def test_a_reviewed_album_stays(curator: Person, infra: Infra) -> None:
    album = await add_album(curator, tracks=THREE)
    async with infra.db.write() as db:
        await db.execute(update(Album).where(Album.id == album["id"]).values(review_count=1))
    refused = await curator.delete(f"/albums/{album['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "album_in_use")
    async with infra.db.write() as db:
        await db.execute(update(Album).where(Album.id == album["id"]).values(review_count=0))
    assert (await curator.delete(f"/albums/{album['id']}")).status_code == 204
    assert (await curator.get(f"/tracks/{album['tracks'][0]['id']}")).status_code == 404


async def test_counts_hold_under_edits_at_once(curator: Person, client: httpx.AsyncClient, infra: Infra) -> None:
    artist = await add_artist(curator)
    album = await add_album(curator, artist=artist)
    fields = {"artist": artist, "album_id": album["id"], "duration_ms": 1000}
    await asyncio.gather(
        *(add_track(curator, **fields) for _ in range(8)), *(add_album(curator, artist=artist) for _ in range(4))
    )
    page = await get_album(infra.db.reader, None, album["id"])
    assert (page.track_count, page.duration_ms) == (8, 8000)
    assert [track.position for track in page.tracks] == list(range(1, 9))
    assert (await client.get(f"/artists/{artist['id']}")).json()["album_count"] == 5


async def test_an_album_is_made_once_for_a_key(curator: Person, client: httpx.AsyncClient) -> None:
    artist = await add_artist(curator)
    body = {"title": "Once", "artist_id": artist["id"]}
    key = {"Idempotency-Key": str(uuid7())}
    answers = [await curator.post("/albums", json=body, headers=key) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len((await client.get(f"/artists/{artist['id']}/albums")).json()["items"]) == 1


async def test_an_album_with_somebody_s_draft_stays(curator: Person, people: People) -> None:
    album, ana = await add_album(curator), await people.make("ana")
    draft = {"album_id": album["id"], "rating": 8, "text": "Half a thought", "draft": True}
    assert (await ana.post("/reviews", json=draft)).status_code == 201
    refused = await curator.delete(f"/albums/{album['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "album_in_use")
    (kept,) = (await ana.get("/reviews/drafts")).json()["items"]
    assert kept["text"] == "Half a thought"
    await ana.delete(f"/reviews/{kept['id']}")
    assert (await curator.delete(f"/albums/{album['id']}")).status_code == 204


async def test_likes_of_a_deleted_album_are_no_longer_told(curator: Person, client: httpx.AsyncClient) -> None:
    album = await add_album(curator)
    path = f"/albums/{album['id']}/likes"
    await curator.put(f"/albums/{album['id']}/like")
    for _ in range(2):
        assert (await client.get(path)).json()["like_count"] == 1
    assert (await curator.delete(f"/albums/{album['id']}")).status_code == 204
    assert (await client.get(path)).status_code == 404
