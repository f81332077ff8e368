"""Ids of other catalogues belong to one entry."""

import asyncio
from uuid import uuid4

import pytest

from tests.catalog.factories import Body, add_album, add_artist, add_track, spotify_id
from tests.people import Person


def isrc() -> str:
    return f"GBAYE{uuid4().int % 10**7:07d}"


def conflict(body: Body) -> tuple[str, str, str]:
    return body["code"], body["field"], body["existing_id"]


@pytest.mark.parametrize("field", ["spotify_id", "musicbrainz_id"])
async def test_artists(curator: Person, field: str) -> None:
    value = spotify_id() if field == "spotify_id" else str(uuid4())
    first = await add_artist(curator, **{field: value})
    taken = await curator.post("/artists", json={"name": "Other", field: value})
    assert taken.status_code == 409
    assert conflict(taken.json()) == ("external_id_taken", field, first["id"])
    other = await add_artist(curator)
    taken = await curator.patch(f"/artists/{other['id']}", json={field: value})
    assert conflict(taken.json()) == ("external_id_taken", field, first["id"])
    same = await curator.patch(f"/artists/{first['id']}", json={field: value})
    assert same.status_code == 200


@pytest.mark.parametrize("field", ["spotify_id", "musicbrainz_id"])
async def test_albums(curator: Person, field: str) -> None:
    value = spotify_id() if field == "spotify_id" else str(uuid4())
    artist = await add_artist(curator)
    first = await add_album(curator, artist=artist, **{field: value})
    taken = await curator.post("/albums", json={"title": "Other", "artist_id": artist["id"], field: value})
    assert conflict(taken.json()) == ("external_id_taken", field, first["id"])
    other = await add_album(curator)
    taken = await curator.patch(f"/albums/{other['id']}", json={field: value})
    assert conflict(taken.json()) == ("external_id_taken", field, first["id"])


@pytest.mark.parametrize("field", ["isrc", "spotify_id", "musicbrainz_id"])
async def test_tracks(curator: Person, field: str) -> None:
    value = {"isrc": isrc(), "spotify_id": spotify_id(), "musicbrainz_id": str(uuid4())}[field]
    artist = await add_artist(curator)
    first = await add_track(curator, artist=artist, **{field: value})
    bodies: list[tuple[str, Body]] = [
        ("/tracks", {"title": "Other", "artist_id": artist["id"], field: value}),
        (
            "/albums",
            {"title": "Other", "artist_id": artist["id"], "tracks": [{"title": "New"}, {"title": "T", field: value}]},
        ),
    ]
    for path, body in bodies:
        taken = await curator.post(path, json=body)
        assert taken.status_code == 409, taken.text
        assert conflict(taken.json()) == ("external_id_taken", field, first["id"])
    other = await add_track(curator)
    taken = await curator.patch(f"/tracks/{other['id']}", json={field: value})
    assert conflict(taken.json()) == ("external_id_taken", field, first["id"])


async def test_a_refused_album_leaves_nothing(curator: Person) -> None:
    artist = await add_artist(curator)
    code = isrc()
    await add_track(curator, artist=artist, isrc=code)
    await curator.post(
        "/albums", json={"title": "Half", "artist_id": artist["id"], "tracks": [{"title": "T", "isrc": code}]}
    )
    assert (await curator.get(f"/artists/{artist['id']}")).json()["album_count"] == 0
    assert (await curator.get(f"/artists/{artist['id']}/albums")).json()["items"] == []


async def test_of_many_at_once_one_wins(curator: Person) -> None:
    code = spotify_id()
    answers = await asyncio.gather(
        *(curator.post("/artists", json={"name": "A", "spotify_id": code}) for _ in range(6))
    )
    (made,) = (answer.json() for answer in answers if answer.status_code == 201)
    assert {answer.json()["existing_id"] for answer in answers if answer.status_code == 409} == {made["id"]}
