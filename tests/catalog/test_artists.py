"""Artists: reading, editing, and what may be deleted."""

import httpx

from app.core.ids import uuid7
from app.core.infra import Infra
from tests.catalog.factories import add_album, add_artist, add_track, spotify_id, unique
from tests.people import Person, queries


async def test_an_artist_is_read_by_one_statement(curator: Person, client: httpx.AsyncClient, infra: Infra) -> None:
    made = await add_artist(curator, "Milton Nascimento", genres=["MPB", "mpb", "Clube da Esquina"])
    async with queries(infra) as ran:
        answer = await client.get(f"/artists/{made['id']}")
    assert ran == [1]
    assert answer.json() == made
    assert made["genres"] == ["mpb", "clube da esquina"]
    assert made["album_count"] == 0


async def test_details_are_not_sent_twice(curator: Person, client: httpx.AsyncClient) -> None:
    made = await add_artist(curator)
    first = await client.get(f"/artists/{made['id']}")
    again = await client.get(f"/artists/{made['id']}", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    await curator.patch(f"/artists/{made['id']}", json={"name": unique("Other")})
    changed = await client.get(f"/artists/{made['id']}", headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200


async def test_artists_are_listed_by_name(curator: Person, client: httpx.AsyncClient, infra: Infra) -> None:
    names = [unique(f"!Aaa{letter}") for letter in "cab"]
    made = [await add_artist(curator, name) for name in names]
    listed: list[str] = []
    cursor = ""
    while True:
        async with queries(infra) as ran:
            page = (await client.get(f"/artists?limit=100{cursor}")).json()
        assert ran == [1]
        listed += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    mine = [item for item in listed if item in {artist["id"] for artist in made}]
    assert mine == [made[1]["id"], made[2]["id"], made[0]["id"]]
    assert len(listed) == len(set(listed))


async def test_albums_of_an_artist(curator: Person, client: httpx.AsyncClient, infra: Infra) -> None:
    artist = await add_artist(curator)
    albums = [await add_album(curator, artist=artist) for _ in range(3)]
    async with queries(infra) as ran:
        page = (await client.get(f"/artists/{artist['id']}/albums?limit=2")).json()
    assert ran == [1]
    assert [item["id"] for item in page["items"]] == [albums[2]["id"], albums[1]["id"]]
    rest = (await client.get(f"/artists/{artist['id']}/albums?limit=2&cursor={page['next_cursor']}")).json()
    assert [item["id"] for item in rest["items"]] == [albums[0]["id"]]
    assert (await client.get(f"/artists/{artist['id']}")).json()["album_count"] == 3


async def test_an_unknown_artist(client: httpx.AsyncClient) -> None:
    for path in ("", "/albums"):
        answer = await client.get(f"/artists/{uuid7()}{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_an_artist_without_albums_has_an_empty_list(curator: Person, client: httpx.AsyncClient) -> None:
    artist = await add_artist(curator)
    answer = await client.get(f"/artists/{artist['id']}/albums")
    assert (answer.status_code, answer.json()["items"]) == (200, [])


async def test_changes_leave_the_rest(curator: Person) -> None:
    artist = await add_artist(curator, genres=["fado"], spotify_id=spotify_id())
    name = unique("Mariza")
    changed = (await curator.patch(f"/artists/{artist['id']}", json={"name": name})).json()
    assert changed == artist | {"name": name}
    cleared = (await curator.patch(f"/artists/{artist['id']}", json={"spotify_id": None, "genres": []})).json()
    assert (cleared["spotify_id"], cleared["genres"]) == (None, [])


async def test_input_is_checked(curator: Person) -> None:
    faults = [
        {"name": ""},
        {"name": "  "},
        {"name": "a\u0000b"},
        {"name": "x" * 301},
        {"name": "A", "spotify_id": "too short"},
        {"name": "A", "musicbrainz_id": "no uuid"},
        {"name": "A", "fans": 3},
        {"name": 1},
        {"name": "A", "genres": ["x" * 61]},
    ]
    for body in faults:
        assert (await curator.post("/artists", json=body)).status_code == 422, body
    artist = await add_artist(curator)
    assert (await curator.patch(f"/artists/{artist['id']}", json={"name": None})).status_code == 422


async def test_an_artist_with_works_stays(curator: Person, client: httpx.AsyncClient) -> None:
    artist = await add_artist(curator)
    album = await add_album(curator, artist=artist)
    refused = await curator.delete(f"/artists/{artist['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "artist_in_use")
    assert refused.json()["album_count"] == 1
    await curator.delete(f"/albums/{album['id']}")
    track = await add_track(curator, artist=artist)
    assert (await curator.delete(f"/artists/{artist['id']}")).status_code == 409
    await curator.delete(f"/tracks/{track['id']}")
    assert (await curator.delete(f"/artists/{artist['id']}")).status_code == 204
    assert (await client.get(f"/artists/{artist['id']}")).status_code == 404
    assert (await curator.delete(f"/artists/{artist['id']}")).status_code == 404
