"""Tracks: alone and on albums."""

import httpx

from app.core.ids import uuid7
from app.core.infra import Infra
from tests.catalog.factories import add_album, add_artist, add_track, unique
from tests.people import Person, queries


async def test_a_track_is_read_by_one_statement(curator: Person, client: httpx.AsyncClient, infra: Infra) -> None:
    album = await add_album(curator, year=1997)
    made = await add_track(curator, album_id=album["id"], duration_ms=299_000, genres=["Rock"], popularity=70)
    async with queries(infra) as ran:
        answer = await client.get(f"/tracks/{made['id']}")
    assert ran == [1]
    track = answer.json()
    assert track == made
    assert track["album"] == {"id": album["id"], "title": album["title"], "year": 1997, "cover_key": None}
    assert (track["disc"], track["position"], track["genres"], track["liked"]) == (1, 1, ["rock"], False)
    assert track["features"] == {"valence": None, "energy": None, "tempo": None}
    again = await client.get(f"/tracks/{made['id']}", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_a_track_may_stand_alone(curator: Person) -> None:
    track = await add_track(curator, position=4)
    assert (track["album"], track["position"]) == (None, None)


async def test_a_new_track_comes_last_on_its_disc(curator: Person) -> None:
    album = await add_album(curator, tracks=[{"title": "A"}, {"title": "B"}, {"title": "C", "disc": 2}])
    assert (await add_track(curator, album_id=album["id"]))["position"] == 3
    assert (await add_track(curator, album_id=album["id"], disc=2))["position"] == 2
    assert (await add_track(curator, album_id=album["id"], position=9))["position"] == 9


async def test_a_track_moves_between_albums(curator: Person, client: httpx.AsyncClient) -> None:
    first, second = await add_album(curator), await add_album(curator)
    track = await add_track(curator, album_id=first["id"], duration_ms=1000)
    moved = await curator.patch(f"/tracks/{track['id']}", json={"album_id": second["id"]})
    assert moved.json()["album"]["id"] == second["id"]

    async def counts() -> list[tuple[int, int]]:
        pages = [(await client.get(f"/albums/{album['id']}")).json() for album in (first, second)]
        return [(page["track_count"], page["duration_ms"]) for page in pages]

    assert await counts() == [(0, 0), (1, 1000)]
    alone = (await curator.patch(f"/tracks/{track['id']}", json={"album_id": None})).json()
    assert (alone["album"], alone["position"]) == (None, None)
    assert await counts() == [(0, 0), (0, 0)]


async def test_changes_leave_the_rest(curator: Person) -> None:
    artist = await add_artist(curator)
    track = await add_track(curator, genres=["samba"], duration_ms=1000)
    title = unique("Desafinado")
    changed = (await curator.patch(f"/tracks/{track['id']}", json={"title": title, "artist_id": artist["id"]})).json()
    assert changed == track | {"title": title, "artist": {"id": artist["id"], "name": artist["name"]}}
    for field in ("artist_id", "album_id"):
        answer = await curator.patch(f"/tracks/{track['id']}", json={field: str(uuid7())})
        assert answer.json()["errors"][0]["pointer"] == f"/body/{field}"


async def test_a_track_is_deleted(curator: Person, client: httpx.AsyncClient) -> None:
    album = await add_album(curator, tracks=[{"title": "A"}, {"title": "B"}])
    track = album["tracks"][0]["id"]
    assert (await curator.delete(f"/tracks/{track}")).status_code == 204
    assert (await client.get(f"/tracks/{track}")).status_code == 404
    assert (await client.get(f"/albums/{album['id']}")).json()["track_count"] == 1
    assert (await curator.delete(f"/tracks/{track}")).status_code == 404
    assert (await curator.patch(f"/tracks/{track}", json={"title": "x"})).status_code == 404
