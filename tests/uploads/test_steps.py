"""The three steps of an upload, and what they make."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from app.catalog.models import Album, Artist, Track
from app.core.infra import Infra
from app.core.job_runner import drain
from app.core.jobs import emit
from app.integrations.storage import storage
from app.uploads.handlers import give_up_on_stuck, remove_abandoned
from app.uploads.models import Upload
from app.uploads.processing import inbox_key
from app.users.events import AccountDeleted
from tests.catalog.factories import add_album, add_artist, add_track, unique
from tests.people import People, queries
from tests.uploads.factories import adts, announce, expire_links, mp3, send, track_of, upload, wav

TAGS = {b"INAM": "From the tag", b"IART": "Tagged artist", b"IPRD": "Tagged album", b"ICRD": "1999"}


async def test_a_file_becomes_a_track(app: FastAPI, people: People) -> None:
    ana = await people.make("ana")
    done = await upload(app, ana, wav(1.0, tags=TAGS), filename="x.wav")
    assert (done["state"], done["failure"], done["audio_type"]) == ("ready", None, "audio/wav")
    assert (done["duration_ms"], done["sample_rate"], done["channels"], done["visibility"]) == (
        1000,
        8000,
        1,
        "private",
    )
    track = done["track"]
    assert (track["title"], track["artist"]["name"], track["album"]["title"]) == (
        "From the tag",
        "Tagged artist",
        "Tagged album",
    )
    page = (await ana.get(f"/tracks/{track['id']}")).json()
    assert page["owner"]["username"] == ana.username
    assert page["audio_type"] == "audio/wav"
    assert page["media_url"].startswith(f"/api/v1/media/audio/{track['id']}?expires=")


async def test_wishes_come_before_tags_and_the_name_of_the_file_after_them(app: FastAPI, people: People) -> None:
    ana = await people.make("ana")
    wished = await upload(app, ana, wav(tags=TAGS), title="Wished", artist="Me", album=None, genres=["Jazz"])
    assert wished["track"]["title"] == "Wished"
    assert wished["track"]["artist"]["name"] == "Me"
    assert wished["track"]["album"] is None
    assert (await ana.get(f"/tracks/{wished['track']['id']}")).json()["genres"] == ["jazz"]
    bare = await upload(app, ana, wav(), filename="../../etc/Late night.wav")
    assert bare["track"]["title"] == "Late night"
    assert bare["track"]["artist"]["name"] == "Ana"


@pytest.mark.parametrize(
    ("make", "content_type", "kind"),
    [
        (lambda: mp3(title="Quiet"), "audio/mp3", "audio/mpeg"),
        (adts, "audio/aac", "audio/aac"),
        (wav, "audio/x-wav", "audio/wav"),
    ],
)
async def test_kinds_of_audio(app: FastAPI, people: People, make: Any, content_type: str, kind: str) -> None:
    ana = await people.make("ana")
    done = await upload(app, ana, make(), content_type=content_type)
    assert (done["state"], done["audio_type"]) == ("ready", kind), done
    assert done["duration_ms"] > 400


async def test_tracks_of_one_album_share_it(app: FastAPI, people: People) -> None:
    ana = await people.make("ana")
    names = {"artist": unique("Band"), "album": unique("Record")}
    first, second = [await track_of(app, ana, title=title, **names) for title in ("One", "Two")]
    assert first["album"]["id"] == second["album"]["id"]
    assert first["artist"] == second["artist"]
    album = (await ana.get(f"/albums/{first['album']['id']}")).json()
    assert [(track["title"], track["position"]) for track in album["tracks"]] == [("One", 1), ("Two", 2)]
    assert album["track_count"] == 2
    assert album["duration_ms"] == 1000


async def test_a_curator_s_track_joins_the_catalogue_s_artist_and_others_do_not(app: FastAPI, people: People) -> None:
    curator, ana = await people.make("curator", role="curator"), await people.make("ana")
    artist = await add_artist(curator)
    assert (await track_of(app, curator, artist=artist["name"]))["artist"]["id"] == artist["id"]
    assert (await track_of(app, ana, artist=artist["name"]))["artist"]["id"] != artist["id"]


async def test_a_curator_adds_the_recording_of_a_track_of_the_catalogue(app: FastAPI, people: People) -> None:
    curator, ana = await people.make("curator", role="curator"), await people.make("ana")
    track = await add_track(curator)
    done = await upload(app, curator, track_id=track["id"])
    assert done["track"]["id"] == track["id"]
    assert done["visibility"] == "public"
    assert (await ana.get(f"/tracks/{track['id']}")).json()["media_url"]
    for person, status in ((ana, 403), (curator, 422)):
        data = wav()
        ticket = await announce(person, data)
        await send(app, ticket, data)
        answer = await person.post(f"/uploads/{ticket['id']}/finalise", json={"track_id": track["id"]})
        assert answer.status_code == status, answer.text
    assert (await curator.patch(f"/uploads/{done['id']}", json={"title": "No"})).status_code == 409
    assert (await curator.delete(f"/uploads/{done['id']}")).status_code == 204
    page = (await ana.get(f"/tracks/{track['id']}")).json()
    assert (page["audio_type"], page["media_url"]) == (None, None)


async def test_what_shall_not_be_public_is_not_given_to_the_catalogue(app: FastAPI, people: People) -> None:
    curator = await people.make("curator", role="curator")
    track, data = await add_track(curator), wav()
    ticket = await announce(curator, data)
    await send(app, ticket, data)
    path = f"/uploads/{ticket['id']}/finalise"
    for visibility in ("private", "followers"):
        answer = await curator.post(path, json={"track_id": track["id"], "visibility": visibility})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), answer.text
        assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/body/visibility"]
    assert (await curator.get(f"/uploads/{ticket['id']}")).json()["state"] == "waiting"
    answer = await curator.post(path, json={"track_id": track["id"], "visibility": "public"})
    assert answer.status_code == 202, answer.text


async def test_the_same_recording_twice_is_named(app: FastAPI, people: People, infra: Infra) -> None:
    ana, ben = await people.make("ana"), await people.make("ben")
    data = wav()
    first = await upload(app, ana, data)
    again = await upload(app, ana, data)
    assert again["state"] == "failed"
    assert again["failure"]["code"] == "already_uploaded"
    assert first["id"] in again["failure"]["detail"]
    digest = await infra.db.reader.one(select(Upload.sha256).filter_by(id=UUID(first["id"])))
    known = await ana.post("/uploads", json={"filename": "x", "content_type": "audio/wav", "size": 1, "sha256": digest})
    assert known.status_code == 409
    assert known.json()["existing_id"] == first["id"]
    assert (await upload(app, ben, data))["state"] == "ready", "somebody else may have it too"


async def test_what_is_damaged_fails_with_the_reason(app: FastAPI, people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    header = wav()[:44]
    for data in (header[:40] + b"\0\0\0\0", b"RIFF\xff\xff\xff\xffWAVEjunk"):
        done = await upload(app, ana, data)
        assert (done["state"], done["failure"]["code"]) == ("failed", "damaged"), done
        key = await infra.db.reader.one(select(Upload.key).filter_by(id=UUID(done["id"])))
        assert key
        assert await infra.part(storage).stat(key) is None
        assert await infra.part(storage).stat(inbox_key(UUID(done["id"]))) is None


async def test_changes_move_the_track_and_empty_places_go(app: FastAPI, people: People, infra: Infra) -> None:
    ana, ben = await people.make("ana"), await people.make("ben")
    done = await upload(app, ana, title="Old", artist=unique("Old"), album=unique("Old"))
    before = done["track"]
    assert (await ana.patch(f"/uploads/{done['id']}", json={"title": "New", "artist": "New one"})).status_code == 200
    after = (await ana.get(f"/uploads/{done['id']}")).json()["track"]
    assert after["title"] == "New"
    assert after["artist"]["name"] == "New one"
    assert after["album"]["title"] == before["album"]["title"]
    assert after["album"]["id"] != before["album"]["id"]
    for entity, gone in ((Artist, before["artist"]["id"]), (Album, before["album"]["id"])):
        assert await infra.db.reader.one(select(entity.id).filter_by(id=UUID(gone))) is None
    assert (await ana.patch(f"/uploads/{done['id']}", json={"album": None})).json()["track"]["album"] is None
    assert (await ben.patch(f"/uploads/{done['id']}", json={"title": "Ben's"})).status_code == 404


async def test_deleting_takes_files_track_and_places_along(app: FastAPI, people: People, infra: Infra) -> None:
    ana, ben, admin = [await people.make(name, role=role) for name, role in (
        ("ana", "user"), ("ben", "user"), ("admin", "admin"))]  # fmt: skip
    done = await upload(app, ana, artist=unique("Gone"), album=unique("Gone"))
    key = await infra.db.reader.one(select(Upload.key).filter_by(id=UUID(done["id"])))
    assert key
    assert await infra.part(storage).stat(key)
    assert (await ben.delete(f"/uploads/{done['id']}")).status_code == 404
    assert (await ana.delete(f"/uploads/{done['id']}")).status_code == 204
    await drain(infra)
    assert await infra.part(storage).stat(key) is None
    assert (await ana.get(f"/tracks/{done['track']['id']}")).status_code == 404
    assert await infra.db.reader.one(select(func.count()).select_from(Artist).filter_by(owner_id=ana.id)) == 0
    removed = await upload(app, ana)
    assert (await admin.delete(f"/uploads/{removed['id']}")).status_code == 204, "what breaks the rules goes"


async def test_abandoned_uploads_go_after_a_day(app: FastAPI, people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    data = wav()
    old, new = await announce(ana, data), await announce(ana, data)
    await send(app, old, data)
    late = update(Upload).where(Upload.id == UUID(old["id"])).values(expires_at=func.now() - timedelta(seconds=1))
    async with infra.db.write() as db:
        await db.execute(late)
    await remove_abandoned(infra)
    await drain(infra)
    assert (await ana.get(f"/uploads/{old['id']}")).status_code == 404
    assert (await ana.get(f"/uploads/{new['id']}")).json()["state"] == "waiting"
    assert await infra.part(storage).stat(inbox_key(UUID(old["id"]))) is None


async def test_what_nobody_could_process_fails_in_the_end(app: FastAPI, people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    ticket = await announce(ana, wav())
    async with infra.db.write() as db:
        stuck = {"state": "processing", "finalised_at": func.now() - timedelta(hours=3), "expires_at": None}
        await db.execute(update(Upload).where(Upload.id == UUID(ticket["id"])).values(stuck))
    await give_up_on_stuck(infra)
    assert (await ana.get(f"/uploads/{ticket['id']}")).json()["failure"]["code"] == "processing_failed"


async def test_there_is_only_so_much_room(app: FastAPI, people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    quota = infra.settings.upload_quota_mb * 1024 * 1024
    most = 100 * 1024 * 1024
    new = {"filename": "x.wav", "content_type": "audio/wav", "size": most}
    for _ in range(quota // most):
        assert (await ana.post("/uploads", json=new)).status_code == 201
    full = await ana.post("/uploads", json=new)
    assert (full.status_code, full.json()["code"]) == (409, "quota_exceeded")
    usage = (await ana.get("/uploads/usage")).json()
    assert usage == {"used_bytes": quota // most * most, "quota_bytes": quota}
    listed = (await ana.get("/uploads?limit=1")).json()
    assert (await ana.delete(f"/uploads/{listed['items'][0]['id']}")).status_code == 204
    assert (await ana.post("/uploads", json=new)).status_code == 409, "the link still takes a file"
    await expire_links(infra, ana)
    assert (await ana.post("/uploads", json=new)).status_code == 201


async def test_lists_cost_one_statement(app: FastAPI, people: People, infra: Infra) -> None:
    ana, ben = await people.make("ana"), await people.make("ben")
    for visibility in ("public", "private", "public"):
        await upload(app, ana, visibility=visibility)
    await announce(ana, wav())
    async with queries(infra) as ran:
        mine = (await ana.get("/uploads?limit=2")).json()
    assert ran == [1]
    assert len(mine["items"]) == 2
    assert mine["next_cursor"]
    assert len((await ana.get("/uploads?state=ready")).json()["items"]) == 3
    async with queries(infra) as ran:
        theirs = (await ben.get(f"/users/{ana.username}/uploads")).json()["items"]
    assert ran == [1]
    assert [track["visibility"] for track in theirs] == ["public", "public"]
    assert len((await ana.get(f"/users/{ana.username}/uploads")).json()["items"]) == 3
    assert (await ben.get("/users/nobody_at_all/uploads")).status_code == 404


async def test_bad_announcements_are_refused(people: People) -> None:
    ana = await people.make("ana")
    good: dict[str, Any] = {"filename": "x.wav", "content_type": "audio/wav", "size": 1000}
    for change, status in (
        ({"size": 100 * 1024 * 1024 + 1}, 413),
        ({"size": 0}, 422),
        ({"content_type": "video/mp4"}, 422),
        ({"content_type": "text/html"}, 422),
        ({"filename": "a\x00b"}, 422),
        ({"filename": ""}, 422),
    ):
        answer = await ana.post("/uploads", json=good | change)
        assert answer.status_code == status, (change, answer.text)


async def test_who_leaves_takes_along_what_others_could_not_hear(app: FastAPI, people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    secret, public = await upload(app, ana), await upload(app, ana, visibility="public")
    for keep, left in ((True, {UUID(public["track"]["id"])}), (False, set())):
        async with infra.db.write() as db:
            await emit(db, AccountDeleted(user_id=ana.id, keep_content=keep))
        await drain(infra)
        assert set(await infra.db.reader.all(select(Track.id).filter_by(owner_id=ana.id))) == left
    assert secret["state"] == "ready"


async def test_an_album_of_the_catalogue_stays_the_curators(app: FastAPI, people: People) -> None:
    curator, ana = await people.make("curator", role="curator"), await people.make("ana")
    track = await track_of(app, ana, visibility="public", album=unique("Mine"))
    album = await add_album(curator)
    for answer in (
        await curator.patch(f"/tracks/{track['id']}", json={"title": "Theirs"}),
        await curator.delete(f"/tracks/{track['id']}"),
        await curator.patch(f"/albums/{track['album']['id']}", json={"title": "Theirs"}),
        await curator.post(f"/albums/{track['album']['id']}/merge", json={"into": album["id"]}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "not_of_the_catalogue"), answer.text
