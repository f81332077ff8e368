"""Files that were made to do harm, and what must be neither lost nor told."""

import struct
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import func, text, update

from app.core.infra import Infra
from app.core.jobs import drain
from app.uploads.apart import read_apart
from app.uploads.handlers import give_up_on_stuck
from app.uploads.models import Upload
from app.uploads.reading import Unreadable
from tests.catalog.factories import add_track
from tests.people import People
from tests.playlists.factories import collaborate, entries_of, make_playlist
from tests.uploads.factories import announce, mp3, send, upload, wav


async def test_a_file_that_takes_too_long_to_read_is_given_up(tmp_path: Path) -> None:
    """Each of its titles is looked for among those before it."""
    titles = b"\x03" + b"\0".join(b"%06d" % number for number in range(200_000))
    tag = b"TIT2" + struct.pack(">I", len(titles)) + b"\0\0" + titles
    size = bytes(len(tag) >> shift & 0x7F for shift in (21, 14, 7, 0))
    path = tmp_path / "slow.mp3"
    path.write_bytes(b"ID3\x03\0\0" + size + tag + mp3())
    with pytest.raises(Unreadable, match="too much time") as refused:
        await read_apart(path, cpu_seconds=1)
    assert refused.value.code == "damaged"


async def test_what_was_given_up_is_taken_when_its_turn_comes(app: FastAPI, infra: Infra, people: People) -> None:
    ana, data = await people.make("ana"), wav()
    ticket = await announce(ana, data)
    await send(app, ticket, data)
    assert (await ana.post(f"/uploads/{ticket['id']}/finalise", json={})).status_code == 202
    async with infra.db.write() as db:
        slept = update(Upload).where(Upload.id == UUID(ticket["id"]))
        await db.execute(slept.values(finalised_at=func.now() - text("interval '3 hours'")))
    await give_up_on_stuck(infra)
    assert (await ana.get(f"/uploads/{ticket['id']}")).json()["state"] == "failed"
    await drain(infra)
    done = (await ana.get(f"/uploads/{ticket['id']}")).json()
    assert (done["state"], done["failure"]) == ("ready", None)


async def test_a_recording_follows_its_track_into_a_merge(app: FastAPI, people: People) -> None:
    curator = await people.make("curator", role="curator")
    duplicate, kept = await add_track(curator), await add_track(curator)
    done = await upload(app, curator, track_id=duplicate["id"])
    answer = await curator.post(f"/tracks/{duplicate['id']}/merge", json={"into": kept["id"]})
    assert answer.status_code == 200, answer.text
    assert (await curator.get(f"/tracks/{kept['id']}")).json()["audio_type"] == "audio/wav"
    assert (await curator.get(f"/tracks/{kept['id']}/stream")).status_code == 200
    assert (await curator.get(f"/uploads/{done['id']}")).json()["track"]["id"] == kept["id"]


async def test_a_private_recording_that_is_deleted_leaves_no_name(app: FastAPI, people: People) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    done = await upload(app, ana, title="Nobody knows this", visibility="private")
    playlist_id = await make_playlist(ana, UUID(done["track"]["id"]), visibility="public")
    await collaborate(ana, playlist_id, bob)
    (entry,) = await entries_of(bob, playlist_id)
    assert (entry["hidden"], entry["title"]) == (True, "")
    unmasked = await bob.patch(f"/playlists/{playlist_id}/entries/{entry['id']}", json={"track_id": None})
    assert unmasked.status_code == 404
    assert (await ana.delete(f"/uploads/{done['id']}")).status_code == 204
    told = [
        await bob.get(f"/playlists/{playlist_id}/entries"),
        await bob.get(f"/playlists/{playlist_id}/activities"),
        await bob.get(f"/playlists/{playlist_id}/export?format=jspf"),
    ]
    assert [answer.status_code for answer in told] == [200, 200, 200]
    assert not [answer.text for answer in told if "Nobody knows" in answer.text]
