"""What nobody waits for takes room for as long as it lies there, and then it goes."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

from fastapi import FastAPI
from sqlalchemy import func, select, update

from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.jobs import drain
from app.integrations.storage import storage
from app.uploads.handlers import give_up_on_stuck, remove_abandoned
from app.uploads.leftovers import remove_unserved
from app.uploads.models import Upload, UploadLink
from app.uploads.processing import Order, inbox_key, process_upload
from tests.people import People, Person
from tests.uploads.factories import Body, announce, expire_links, send, upload, wav


async def used(person: Person) -> int:
    found: int = (await person.get("/uploads/usage")).json()["used_bytes"]
    return found


async def is_there(infra: Infra, ticket: Body) -> bool:
    return await infra.part(storage).stat(inbox_key(UUID(ticket["id"]))) is not None


async def test_a_link_that_outlives_its_upload_takes_room_until_it_expires(
    app: FastAPI, infra: Infra, people: People
) -> None:
    ana, data = await people.make("ana"), wav()
    gone, waits = await announce(ana, data), await announce(ana, data)
    await send(app, gone, data)
    assert (await ana.delete(f"/uploads/{gone['id']}")).status_code == 204
    await drain(infra)
    for ticket in (gone, waits):
        assert (await send(app, ticket, data)).status_code == 204
    assert await used(ana) == 2 * len(data)
    await remove_abandoned(infra)
    assert [await is_there(infra, ticket) for ticket in (gone, waits)] == [False, True], "it does not wait for the link"
    assert await used(ana) == 2 * len(data), "the file can come again"
    await expire_links(infra, ana)
    assert await used(ana) == len(data)
    await remove_abandoned(infra)
    assert not await infra.db.reader.all(select(UploadLink.id).filter_by(owner_id=ana.id))


async def test_what_failed_takes_room_until_its_link_expires(app: FastAPI, infra: Infra, people: People) -> None:
    ana, data = await people.make("ana"), b"no sound at all" * 100
    ticket = await announce(ana, data)
    await send(app, ticket, data)
    assert (await ana.post(f"/uploads/{ticket['id']}/finalise", json={})).status_code == 422
    assert await used(ana) == len(data)
    await expire_links(infra, ana)
    assert await used(ana) == 0


async def test_what_is_deleted_long_after_its_link_makes_room_at_once(
    app: FastAPI, infra: Infra, people: People
) -> None:
    ana, data = await people.make("ana"), wav()
    done = await upload(app, ana, data)
    assert await used(ana) == len(data)
    await expire_links(infra, ana)
    assert (await ana.delete(f"/uploads/{done['id']}")).status_code == 204
    assert await used(ana) == 0


async def test_what_was_given_up_goes_after_a_day(app: FastAPI, infra: Infra, people: People) -> None:
    ana, data = await people.make("ana"), wav()
    ticket = await announce(ana, data)
    await send(app, ticket, data)
    mine = update(Upload).where(Upload.id == UUID(ticket["id"]))
    for hours, there in ((23, True), (25, False)):
        async with infra.db.write() as db:
            finalised = func.now() - timedelta(hours=hours)
            stuck = {"state": "processing", "failure_code": None, "finalised_at": finalised, "expires_at": None}
            await db.execute(mine.values(stuck))
        await expire_links(infra, ana)
        await give_up_on_stuck(infra)
        await remove_abandoned(infra)
        assert (await is_there(infra, ticket), await used(ana)) == (there, there * len(data))
    await process_upload.function(infra, Order(upload_id=UUID(ticket["id"]), edits_catalog=False))
    assert (await ana.get(f"/uploads/{ticket['id']}")).json()["failure"]["code"] == "processing_failed"


async def test_what_a_killed_process_left_goes_by_night(app: FastAPI, infra: Infra, people: People) -> None:
    ana = await people.make("ana")
    done, failed = await upload(app, ana), await upload(app, ana)
    mine = select(Upload.key).filter_by(owner_id=ana.id).order_by(Upload.id)
    kept, unserved = await infra.db.reader.all(mine)
    rendition, orphan, young = (f"audio/{uuid7().hex}-{name}.ogg" for name in ("opus", "opus", "young"))
    for key in (rendition, orphan, young):
        await infra.part(storage).put(key, pieces(), content_type="audio/ogg")
    async with infra.db.write() as db:
        made = [{"format": "opus", "key": rendition, "size": 1, "audio_type": "audio/ogg"}]
        await db.execute(update(Upload).where(Upload.id == UUID(done["id"])).values(renditions=made))
        reason = {"state": "failed", "failure_code": "processing_failed"}
        await db.execute(update(Upload).where(Upload.id == UUID(failed["id"])).values(reason))
    for key in (kept, unserved, rendition, orphan):
        path = infra.settings.data_dir / "media" / key
        old = path.stat().st_mtime - timedelta(days=3).total_seconds()
        os.utime(path, (old, old))
    await remove_unserved(infra)
    there = [key for key in (kept, unserved, rendition, orphan, young) if await infra.part(storage).stat(key)]
    assert there == [kept, rendition, young]


async def test_what_others_put_into_the_store_stops_nothing(app: FastAPI, infra: Infra, people: People) -> None:
    ana, data = await people.make("ana"), wav()
    gone = await announce(ana, data)
    assert (await ana.delete(f"/uploads/{gone['id']}")).status_code == 204
    await drain(infra)
    await send(app, gone, data)
    foreign = ["inbox/readme.txt", f"inbox/deeper/{uuid7().hex}.bin", f"inbox/{uuid7()}.bin", "audio/readme.txt"]
    for key in foreign:
        await infra.part(storage).put(key, pieces(), content_type="text/plain")
        os.utime(infra.settings.data_dir / "media" / key, (0, 0))
    await remove_abandoned(infra)
    await remove_unserved(infra)
    assert not await is_there(infra, gone)
    assert [key for key in foreign if await infra.part(storage).stat(key)] == foreign


async def pieces() -> AsyncIterator[bytes]:
    yield b"OggS"
