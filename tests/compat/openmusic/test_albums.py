"""Albums: everybody writes them, with strict types; covers; likes from a cache."""

from io import BytesIO
from typing import Any

import pytest
from fastapi import FastAPI
from PIL import Image

from app.core.infra import Infra
from tests.compat.openmusic.conftest import Speaker, add_album, add_song
from tests.people import queries

BAD: list[Any] = [
    {},
    {"name": 1},
    {"name": "Bad album"},
    {"name": "Bad album", "year": "dummy"},
    {"name": "Bad album", "year": "2010"},
    {"name": "Bad album", "year": True},
    {"name": "Bad album", "year": 2010.5},
    {"name": "", "year": 2010},
    {"name": "Nul\0", "year": 2010},
    {"name": "Bad album", "year": 2010, "more": 1},
    [],
    "album",
]


@pytest.mark.parametrize("payload", BAD)
async def test_bad_albums_are_refused_wherever_they_are_written(anybody: Speaker, payload: Any) -> None:
    await anybody.say("POST", "/albums", 400, json=payload)
    await anybody.say("PUT", f"/albums/{await add_album(anybody)}", 400, json=payload)
    await anybody.say("PUT", "/albums/xxx", 400, json=payload)


async def test_what_is_no_json_is_refused(anybody: Speaker) -> None:
    for body in (b"", b"{", b"\xff"):
        await anybody.say("POST", "/albums", 400, content=body, headers={"Content-Type": "application/json"})


async def test_a_body_without_a_type_is_json(anybody: Speaker) -> None:
    data = await anybody.say("POST", "/albums", 201, content=b'{"name": "Parachutes", "year": 2000}')
    assert (await anybody.say("GET", f"/albums/{data['albumId']}", 200))["album"]["name"] == "Parachutes"


async def test_an_album_is_added_read_changed_and_deleted_without_a_login(anybody: Speaker) -> None:
    album_id = await add_album(anybody)
    expected = {"id": album_id, "name": "Viva la vida", "year": 2008, "coverUrl": None, "songs": []}
    assert await anybody.say("GET", f"/albums/{album_id}", 200) == {"album": expected}
    payload = {"name": "Viva la vida Revision", "year": 2010}
    await anybody.say("PUT", f"/albums/{album_id}", 200, json=payload)
    assert await anybody.say("GET", f"/albums/{album_id}", 200) == {"album": expected | payload}
    await anybody.say("DELETE", f"/albums/{album_id}", 200)
    await anybody.say("GET", f"/albums/{album_id}", 404)
    await anybody.say("DELETE", f"/albums/{album_id}", 404)


@pytest.mark.parametrize("album_id", ["xxx", "01890000-0000-7000-8000-00000000dead", "%00"])
async def test_an_album_that_is_not_there(anybody: Speaker, john: Speaker, album_id: str) -> None:
    await anybody.say("GET", f"/albums/{album_id}", 404)
    await anybody.say("PUT", f"/albums/{album_id}", 404, json={"name": "None", "year": 2000})
    await anybody.say("DELETE", f"/albums/{album_id}", 404)
    await anybody.say("POST", f"/albums/{album_id}/covers", 404, files={"cover": ("a.png", picture(), "image/png")})
    await anybody.say("GET", f"/albums/{album_id}/likes", 404)
    await john.say("POST", f"/albums/{album_id}/likes", 404)
    await john.say("DELETE", f"/albums/{album_id}/likes", 404)


async def test_an_album_shows_its_songs_by_one_statement(anybody: Speaker, infra: Infra) -> None:
    album_id = await add_album(anybody)
    first = await add_song(anybody, albumId=album_id)
    second = await add_song(anybody, title="Fix You", performer="Coldplay, live", albumId=album_id)
    async with queries(infra) as ran:
        data = await anybody.say("GET", f"/albums/{album_id}", 200)
    assert ran == [1]
    assert data["album"]["songs"] == [
        {"id": first, "title": "Life in Technicolor", "performer": "Coldplay"},
        {"id": second, "title": "Fix You", "performer": "Coldplay, live"},
    ]


async def test_it_is_an_album_of_the_catalogue(anybody: Speaker) -> None:
    album_id = await add_album(anybody, "A catalogued album", 1999)
    album = (await anybody.get(f"/api/v1/albums/{album_id}")).json()
    assert (album["title"], album["year"], album["artist"]["name"]) == ("A catalogued album", 1999, "Various Artists")


async def test_an_album_with_reviews_stays(anybody: Speaker, john: Speaker) -> None:
    album_id = await add_album(anybody)
    review = await john.post("/api/v1/reviews", json={"album_id": album_id, "rating": 8})
    assert review.status_code == 201, review.text
    await anybody.say("DELETE", f"/albums/{album_id}", 400)


async def test_an_album_that_was_merged_is_not_there(anybody: Speaker, john: Speaker, infra: Infra) -> None:
    album_id, kept_id = await add_album(anybody), await add_album(anybody)
    sql = "UPDATE albums SET merged_into_id = $2 WHERE id = $1 RETURNING id"
    async with infra.db.write() as db:
        await db.records(sql, [album_id, kept_id])
    message = await anybody.say("GET", f"/albums/{album_id}", 404)
    assert kept_id in message
    await anybody.say("PUT", f"/albums/{album_id}", 404, json={"name": "None", "year": 2000})
    await john.say("POST", f"/albums/{album_id}/likes", 404)


def picture(side: int = 8) -> bytes:
    out = BytesIO()
    Image.new("RGB", (side, side), "teal").save(out, "PNG")
    return out.getvalue()


async def test_a_cover_is_stored_and_found_at_its_address(anybody: Speaker) -> None:
    album_id = await add_album(anybody)
    await anybody.say("POST", f"/albums/{album_id}/covers", 201, files={"cover": ("cover.png", picture(), "image/png")})
    url = (await anybody.say("GET", f"/albums/{album_id}", 200))["album"]["coverUrl"]
    assert url.startswith("http://soundscore.test/")
    found = await anybody.get(url)
    assert (found.status_code, found.headers["content-type"]) == (200, "image/webp")


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"files": {"cover": ("cover.txt", b"no picture", "text/plain")}}, 400),
        ({"files": {"cover": ("cover.png", b"no picture", "image/png")}}, 400),
        ({"files": {"other": ("cover.png", picture(), "image/png")}}, 400),
        ({"data": {"cover": "text"}, "files": {"none": ("", b"")}}, 400),
        ({"content": b"--x", "headers": {"Content-Type": "multipart/form-data"}}, 400),
        ({"files": {"cover": ("cover.png", picture() + bytes(512_000), "image/png")}}, 413),
        ({"files": {"cover": ("cover.png", bytes(1_500_000), "image/png")}}, 413),
    ],
    ids=["text", "disguised", "misnamed", "no file", "no form", "large", "huge"],
)
async def test_what_is_no_cover_is_refused(anybody: Speaker, form: dict[str, Any], status: int) -> None:
    album_id = await add_album(anybody)
    await anybody.say("POST", f"/albums/{album_id}/covers", status, **form)
    assert (await anybody.say("GET", f"/albums/{album_id}", 200))["album"]["coverUrl"] is None


async def test_a_cover_of_512000_bytes_is_not_too_large(anybody: Speaker) -> None:
    album_id, small = await add_album(anybody), picture()
    files = {"cover": ("cover.png", small + bytes(512_000 - len(small)), "image/png")}
    await anybody.say("POST", f"/albums/{album_id}/covers", 201, files=files)


async def test_likes_are_counted_once_for_each_person(anybody: Speaker, john: Speaker, jane: Speaker) -> None:
    album_id = await add_album(anybody)
    likes = f"/albums/{album_id}/likes"
    await anybody.say("POST", likes, 401)
    await anybody.say("DELETE", likes, 401)
    await john.say("POST", likes, 201)
    await john.say("POST", likes, 400)
    await jane.say("POST", likes, 201)
    assert await anybody.say("GET", likes, 200) == {"likes": 2}
    await jane.say("DELETE", likes, 200)
    await jane.say("DELETE", likes, 200)
    assert await anybody.say("GET", likes, 200) == {"likes": 1}
    await jane.say("POST", likes, 201)
    assert await anybody.say("GET", likes, 200) == {"likes": 2}


async def test_the_source_of_likes_is_said_only_when_it_is_the_cache(anybody: Speaker, john: Speaker) -> None:
    likes = f"/albums/{await add_album(anybody)}/likes"

    async def source() -> str | None:
        return (await anybody.get(likes)).headers.get("x-data-source")

    assert [await source(), await source()] == [None, "cache"]
    await john.say("POST", likes, 201)
    assert [await source(), await source()] == [None, "cache"]
    await john.say("DELETE", likes, 200)
    assert [await source(), await source()] == [None, "cache"]


async def test_likes_are_kept_for_half_an_hour(anybody: Speaker, infra: Infra) -> None:
    album_id = await add_album(anybody)
    await anybody.say("GET", f"/albums/{album_id}/likes", 200)
    assert 1790 <= await infra.redis.ttl(f"likes:{album_id}") <= 1800


async def test_a_bad_token_matters_only_where_a_login_is_needed(speaking: FastAPI, anybody: Speaker) -> None:
    likes = f"/albums/{await add_album(anybody)}/likes"
    async with Speaker(speaking, "bad") as stranger:
        await stranger.say("POST", likes, 401)
        await stranger.say("GET", likes, 200)
        await add_album(stranger)
