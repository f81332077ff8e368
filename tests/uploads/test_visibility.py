"""Who may hear what somebody uploaded: nothing of it shows anywhere to anybody else."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from app.catalog.hearing import hearable
from app.core.infra import Infra
from app.core.job_runner import drain
from app.discover.charts import make_charts
from app.users.exports import write_zip
from tests.catalog.factories import letters
from tests.people import People, Person
from tests.uploads.factories import Body, upload, wav

NOON = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


@dataclass(slots=True)
class Secret:
    """A recording whose names nothing else has."""

    owner: Person
    word: str
    upload: Body

    @property
    def ids(self) -> tuple[str, str, str]:
        """Of the track, the album and the artist."""
        track = self.upload["track"]
        return track["id"], track["album"]["id"], track["artist"]["id"]

    async def become(self, visibility: str) -> None:
        """Changes who may hear it."""
        answer = await self.owner.patch(f"/uploads/{self.upload['id']}", json={"visibility": visibility})
        assert answer.status_code == 200, answer.text


async def make_secret(app: FastAPI, owner: Person, visibility: str = "private") -> Secret:
    word = letters()
    names = {name: f"{name} {word}" for name in ("title", "artist", "album")}
    done = await upload(app, owner, wav(30, rate=1000), **names, genres=[f"genre {word}"], visibility=visibility)
    assert done["state"] == "ready", done
    return Secret(owner, word, done)


def pages(secret: Secret) -> list[str]:
    """Everything that could tell of it, to whoever knows all of its ids."""
    track, album, artist = secret.ids
    person, word = f"/users/{secret.owner.username}", secret.word
    return [
        *(f"/search?q={word}&limit=50", f"/search?q=title+{word[:-1]}", f"/search?q={word}&kind=artist"),
        *("/artists?limit=100", f"/artists/{artist}", f"/artists/{artist}/albums", "/genres?limit=100"),
        *(f"/albums?artist_id={artist}", "/albums?limit=100", "/albums?sort=title&limit=100"),
        *(f"/albums/{album}{rest}" for rest in ("", "/tracks", "/likes", "/likers", "/reviews")),
        *(f"/tracks/{track}{rest}" for rest in ("", "/stream", "/waveform")),
        *(f"{person}{rest}" for rest in ("/uploads", "/liked-tracks", "/liked-albums", "/listens", "/now-playing")),
        *(f"{person}/listens?{kind}={key}" for kind, key in (("track_id", track), ("album_id", album))),
        *(f"{person}/top?kind={kind}&range=all" for kind in ("tracks", "albums", "artists")),
        *("/feed", "/discover/top-albums?period=all", "/discover/trending", "/notifications", "/discover/people"),
        *("/rooms?limit=50", "/reviews", f"{person}/reviews"),
    ]


async def told(reader: httpx.AsyncClient, secret: Secret) -> list[str]:
    """Which pages say its name to the reader, or give what is asked for by its ids."""
    found = []
    for page in pages(secret):
        answer = await reader.get(page)
        assert answer.status_code < 500, (page, answer.text)
        says = secret.word in answer.text.replace(page, "")
        by_id = any(page.startswith((f"/tracks/{key}", f"/albums/{key}", f"/artists/{key}")) for key in secret.ids)
        if says or (by_id and answer.status_code == 200):
            found.append(page)
    return found


async def live_with_it(secret: Secret) -> None:
    """The owner likes it, hears it and plays it now."""
    track, album, _ = secret.ids
    for answer in (
        await secret.owner.put(f"/tracks/{track}/like"),
        await secret.owner.put(f"/albums/{album}/like"),
        await secret.owner.post("/listens", json={"listens": [{"track_id": track, "listened_at": NOON.isoformat()}]}),
        await secret.owner.put("/users/me/now-playing", json={"track_id": track}),
    ):
        assert answer.status_code in {200, 201}, answer.text


@pytest.fixture
async def strangers(people: People, client: httpx.AsyncClient) -> Sequence[httpx.AsyncClient]:
    """Everybody else, those with more rights too."""
    roles: Any = ("user", "curator", "admin")
    return [client, *[await people.make(role, role=role) for role in roles]]


async def test_what_is_private_shows_nowhere(
    app: FastAPI, people: People, infra: Infra, strangers: Sequence[httpx.AsyncClient]
) -> None:
    ana = await people.make("ana")
    secret = await make_secret(app, ana)
    await live_with_it(secret)
    async with infra.db.write() as db:
        await make_charts(db)
    for stranger in strangers:
        assert await told(stranger, secret) == []
    mine = await told(ana, secret)
    track, album, artist = secret.ids
    for page in (f"/tracks/{track}", f"/albums/{album}", f"/artists/{artist}", f"/artists/{artist}/albums"):
        assert page in mine
    for page in ("liked-tracks", "liked-albums", "listens", "now-playing", "uploads"):
        assert f"/users/{ana.username}/{page}" in mine
    for kind in ("tracks", "albums", "artists"):
        assert f"/users/{ana.username}/top?kind={kind}&range=all" in mine
    assert not [page for page in mine if page.startswith(("/search", "/genres", "/artists?", "/albums?"))]


async def test_what_is_public_shows_everywhere_and_hides_again(
    app: FastAPI, people: People, infra: Infra, strangers: Sequence[httpx.AsyncClient]
) -> None:
    ana = await people.make("ana")
    secret = await make_secret(app, ana, "public")
    await live_with_it(secret)
    ben = strangers[1]
    track, album, artist = secret.ids
    shown = await told(ben, secret)
    for page in (f"/search?q={secret.word}&limit=50", "/genres?limit=100", f"/albums?artist_id={artist}"):
        assert page in shown, page
    for page in (f"/tracks/{track}/stream", f"/albums/{album}/tracks", f"/users/{ana.username}/uploads"):
        assert page in shown, page
    for reader in strangers[1:]:
        for path in (f"/tracks/{track}/like", f"/albums/{album}/like"):
            assert (await reader.put(path)).status_code == 200
        heard = {"listens": [{"track_id": track, "listened_at": NOON.isoformat()}]}
        assert (await reader.post("/listens", json=heard)).status_code == 201
    async with infra.db.write() as db:
        await make_charts(db)
    assert "/discover/trending" in await told(ben, secret)
    await secret.become("private")
    await drain(infra)
    for stranger in strangers:
        assert await told(stranger, secret) == []
    assert isinstance(ben, Person)
    for page in ("liked-tracks", "liked-albums", "listens", "top?kind=tracks&range=all"):
        assert secret.word not in (await ben.get(f"/users/{ben.username}/{page}")).text
    assert secret.word not in await everything_of(infra, ben)
    assert secret.word in await everything_of(infra, ana)
    await secret.become("public")
    assert f"/search?q={secret.word}&limit=50" in await told(ben, secret)


async def everything_of(infra: Infra, person: Person) -> str:
    """All of somebody's data as they get it."""
    file = io.BytesIO()
    await write_zip(infra.db.reader, person.id, file)
    with zipfile.ZipFile(file) as archive:
        return "".join(archive.read(name).decode() for name in archive.namelist())


async def test_what_is_for_followers(app: FastAPI, people: People, strangers: Sequence[httpx.AsyncClient]) -> None:
    ana, fan = await people.make("ana"), await people.make("fan")
    secret = await make_secret(app, ana, "followers")
    await live_with_it(secret)
    assert (await fan.put(f"/users/{ana.username}/follow")).status_code == 200
    track, album, artist = secret.ids
    for stranger in strangers:
        assert await told(stranger, secret) == []
    shown = await told(fan, secret)
    for page in (f"/tracks/{track}", f"/tracks/{track}/stream", f"/albums/{album}", f"/artists/{artist}"):
        assert page in shown, page
    assert f"/users/{ana.username}/uploads" in shown
    assert not [page for page in shown if page.startswith(("/search", "/genres", "/artists?", "/albums?", "/discover"))]
    assert (await fan.delete(f"/users/{ana.username}/follow")).status_code in {200, 204}
    assert await told(fan, secret) == []


async def test_who_is_blocked_hears_nothing(app: FastAPI, people: People, client: httpx.AsyncClient) -> None:
    ana, ben = await people.make("ana"), await people.make("ben")
    secret = await make_secret(app, ana, "public")
    assert (await ana.put(f"/users/{ben.username}/block")).status_code < 300
    numbers = {"/genres?limit=100", f"/albums/{secret.ids[1]}/likes"}
    assert set(await told(ben, secret)) == numbers, "which are counted once for everybody"
    assert f"/tracks/{secret.ids[0]}" in await told(client, secret)
    theirs = await make_secret(app, ben, "public")
    assert not [page for page in await told(ana, theirs) if theirs.ids[0] in page or "/search" in page]


async def test_an_album_shows_each_viewer_what_they_may_hear(app: FastAPI, people: People) -> None:
    ana, ben = await people.make("ana"), await people.make("ben")
    names = {"artist": letters(), "album": letters()}
    tracks = [
        (await upload(app, ana, title=visibility, visibility=visibility, **names))["track"]
        for visibility in ("public", "private", "followers")
    ]
    album = f"/albums/{tracks[0]['album']['id']}"
    for reader, titles in ((ben, ["public"]), (ana, ["public", "private", "followers"])):
        page = (await reader.get(album)).json()
        assert [track["title"] for track in page["tracks"]] == titles
        assert (page["track_count"], page["duration_ms"]) == (len(titles), 500 * len(titles))
        assert len((await reader.get(f"{album}/tracks")).json()["items"]) == len(titles)
        (card,) = (await reader.get(f"/artists/{tracks[0]['artist']['id']}/albums")).json()["items"]
        assert card["track_count"] == len(titles)


async def test_nobody_refers_to_what_they_may_not_hear(
    app: FastAPI, people: People, infra: Infra, strangers: Sequence[httpx.AsyncClient]
) -> None:
    ana, ben = await people.make("ana"), await people.make("ben")
    secret = await make_secret(app, ana)
    track, album, _ = secret.ids
    room = (await ben.post("/rooms", json={"name": ben.username[:50]})).json()["id"]
    talk = (await ben.put(f"/direct/{strangers[1].username}")).json()["id"]  # type: ignore[attr-defined]
    heard = {"listens": [{"track_id": track, "listened_at": NOON.isoformat()}]}
    for answer, status in (
        (await ben.put(f"/tracks/{track}/like"), 404),
        (await ben.delete(f"/albums/{album}/like"), 404),
        (await ben.put(f"/albums/{album}/like"), 404),
        (await ben.post("/reviews", json={"album_id": album, "rating": 9}), 404),
        (await ana.post("/reviews", json={"album_id": album, "rating": 9}), 404),
        (await ben.post("/listens", json=heard), 422),
        (await ben.put("/users/me/now-playing", json={"track_id": track}), 422),
        (await ben.post(f"/rooms/{room}/queue", json={"track_id": track}), 404),
        (await ben.post(f"/chat/{talk}/messages", json={"text": "Hm.", "track_id": track}), 404),
    ):
        assert answer.status_code in {status, 422 if status == 404 else status}, answer.text
        assert secret.word not in answer.text
    assert await hearable(infra.db.reader, ben.id, [UUID(track)]) == set()
    assert await hearable(infra.db.reader, ana.id, [UUID(track)]) == {UUID(track)}
    assert await hearable(infra.db.reader, None, [UUID(track)]) == set()


async def test_curators_cannot_reach_what_is_private(app: FastAPI, people: People) -> None:
    ana, curator = await people.make("ana"), await people.make("curator", role="curator")
    track, album, artist = (await make_secret(app, ana)).ids
    for answer in (
        await curator.patch(f"/tracks/{track}", json={"title": "x"}),
        await curator.delete(f"/tracks/{track}"),
        await curator.patch(f"/albums/{album}", json={"title": "x"}),
        await curator.delete(f"/albums/{album}"),
        await curator.patch(f"/artists/{artist}", json={"name": "x"}),
        await curator.delete(f"/artists/{artist}"),
    ):
        assert answer.status_code == 404, answer.text
    for path, body in (
        ("/albums", {"title": "x", "artist_id": artist}),
        ("/tracks", {"title": "x", "artist_id": artist}),
    ):
        assert (await curator.post(path, json=body)).status_code == 422
    assert (await ana.get(f"/tracks/{track}")).status_code == 200


async def test_a_room_plays_what_its_owner_shares_and_lets_go_of_what_others_may_not_hear_any_more(
    app: FastAPI, people: People, infra: Infra, client: httpx.AsyncClient
) -> None:
    ana, fan = await people.make("ana"), await people.make("fan")
    mine, theirs = await make_secret(app, ana), await make_secret(app, ana, "public")
    for_fans = await make_secret(app, ana, "followers")
    await fan.put(f"/users/{ana.username}/follow")
    room = (await fan.post("/rooms", json={"name": fan.username[:50], "is_permanent": True})).json()["id"]
    await ana.post(f"/rooms/{room}/join")
    refused = await fan.post(f"/rooms/{room}/queue", json={"track_id": for_fans.ids[0]})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_yours_to_share")
    for person, secret in ((fan, theirs), (ana, mine), (fan, await make_secret(app, fan))):
        added = await person.post(f"/rooms/{room}/queue", json={"track_id": secret.ids[0]})
        assert added.status_code == 201, added.text
    assert mine.word in (await client.get(f"/rooms/{room}/queue")).text, "its owner shared it"
    await fan.post(f"/rooms/{room}/playback", json={"action": "play"})
    assert theirs.word in (await client.get(f"/rooms/{room}")).text
    await theirs.become("private")
    assert theirs.word not in (await client.get(f"/rooms/{room}")).text
    await drain(infra)
    for page in (f"/rooms/{room}", f"/rooms/{room}/queue", f"/rooms/{room}/playback", f"/rooms/{room}/history"):
        assert theirs.word not in (await client.get(page)).text, page
    assert mine.word in (await client.get(f"/rooms/{room}/playback")).text, "it went on to the next"
    assert (await ana.delete(f"/uploads/{mine.upload['id']}")).status_code == 204
    await drain(infra)
    for page in (f"/rooms/{room}", f"/rooms/{room}/queue", f"/rooms/{room}/playback", f"/rooms/{room}/history"):
        assert mine.word not in (await client.get(page)).text, page
