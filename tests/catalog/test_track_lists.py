"""Lists of tracks, what is found by an id of Spotify's, and who likes a track."""

import httpx
import pytest
from fastapi import FastAPI

from app.core.ids import uuid7
from app.core.infra import Infra
from tests.catalog.factories import Body, add_album, add_artist, add_track, letters, spotify_id
from tests.people import People, Person, queries
from tests.uploads.factories import track_of


async def ids(reader: httpx.AsyncClient, path: str) -> list[str]:
    answer = await reader.get(path)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_pages_of_tracks(curator: Person, client: httpx.AsyncClient, infra: Infra) -> None:
    artist = await add_artist(curator)
    tracks = [(await add_track(curator, artist=artist))["id"] for _ in range(3)]
    path = f"/tracks?artist_id={artist['id']}&limit=2"
    async with queries(infra) as ran:
        page = (await client.get(path)).json()
    assert ran == [1]
    assert [item["id"] for item in page["items"]] == [tracks[2], tracks[1]]
    assert (page["items"][0]["artist"]["name"], page["items"][0]["album"]) == (artist["name"], None)
    assert await ids(client, f"{path}&cursor={page['next_cursor']}") == [tracks[0]]
    assert (await ids(client, "/tracks?limit=1"))[0] == tracks[2]


async def test_tracks_of_a_genre(curator: Person, client: httpx.AsyncClient) -> None:
    genre, artist = letters(), await add_artist(curator)
    track = await add_track(curator, artist=artist, genres=[genre])
    await add_track(curator, artist=artist)
    assert await ids(client, f"/tracks?genre={genre.upper()}") == [track["id"]]


@pytest.mark.parametrize(("visibility", "listed"), [("public", True), ("followers", False), ("private", False)])
async def test_only_what_is_for_everybody_is_listed(
    app: FastAPI, people: People, client: httpx.AsyncClient, *, visibility: str, listed: bool
) -> None:
    owner, other = await people.make("owner"), await people.make("other")
    await other.put(f"/users/{owner.username}/follow")
    track = (await track_of(app, owner, visibility=visibility))["id"]
    for reader in (client, other, owner):
        assert (track in await ids(reader, "/tracks?recorded=true&limit=5")) is listed
    await owner.put(f"/users/{other.username}/block")
    assert track not in await ids(other, "/tracks?recorded=true&limit=5")


async def test_what_has_no_recording_is_left_out(
    app: FastAPI, curator: Person, people: People, client: httpx.AsyncClient
) -> None:
    heard = (await track_of(app, await people.make("owner"), visibility="public"))["id"]
    silent = (await add_track(curator))["id"]
    assert (await ids(client, "/tracks?limit=2")) == [silent, heard]
    assert (await ids(client, "/tracks?recorded=true&limit=1")) == [heard]


@pytest.mark.parametrize("kind", ["artists", "albums", "tracks"])
async def test_the_id_of_spotify_finds_it(curator: Person, client: httpx.AsyncClient, infra: Infra, kind: str) -> None:
    add = {"artists": add_artist, "albums": add_album, "tracks": add_track}[kind]
    kept_id, other_id = spotify_id(), spotify_id()
    kept, duplicate = await add(curator, spotify_id=kept_id), await add(curator, spotify_id=other_id)
    async with queries(infra) as ran:
        assert await ids(client, f"/{kind}?spotify_id={kept_id}") == [kept["id"]]
    assert ran == [1]
    merged = await curator.post(f"/{kind}/{duplicate['id']}/merge", json={"into": kept["id"]})
    assert merged.status_code == 200, merged.text
    assert await ids(client, f"/{kind}?spotify_id={other_id}") == [kept["id"]]
    assert await ids(client, f"/{kind}?spotify_id={spotify_id()}") == []
    assert (await client.get(f"/{kind}?spotify_id=x")).status_code == 422


async def test_who_likes_a_track(curator: Person, people: People, client: httpx.AsyncClient, infra: Infra) -> None:
    ana, ben, shy = [await people.make(name, library_visibility=who) for name, who in LIKERS]
    track = await add_track(curator)
    path = f"/tracks/{track['id']}/likers"
    for person in (ana, ben, shy):
        await person.put(f"/tracks/{track['id']}/like")
    async with queries(infra) as ran:
        page = (await client.get(f"{path}?limit=1")).json()
    assert ran == [1]
    assert [item["id"] for item in page["items"]] == [str(ben.id)]
    assert await ids(client, f"{path}?cursor={page['next_cursor']}") == [str(ana.id)]
    await ben.put(f"/users/{ana.username}/block")
    assert await ids(ben, path) == [str(ben.id)]
    assert (await client.get(f"/tracks/{uuid7()}/likers")).status_code == 404


LIKERS = (("ana", "everyone"), ("ben", "everyone"), ("shy", "me"))


async def test_who_likes_a_hidden_track(app: FastAPI, people: People, client: httpx.AsyncClient) -> None:
    owner = await people.make("owner")
    track: Body = await track_of(app, owner)
    await owner.put(f"/tracks/{track['id']}/like")
    assert await ids(owner, f"/tracks/{track['id']}/likers") == [str(owner.id)]
    assert (await client.get(f"/tracks/{track['id']}/likers")).status_code == 404
