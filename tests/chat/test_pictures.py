"""Pictures for messages: who may store them, and which messages may show them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
from sqlalchemy import select, update

from app.chat.models import ChatPicture
from app.chat.pictures import forget_pictures, forget_unused_pictures, usable_pictures, use_pictures
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.job_runner import drain
from tests.people import People, Person, queries
from tests.pictures.factories import picture


async def conversation(people: People) -> tuple[Person, Person, str]:
    ana, ben = await people.make("ana"), await people.make("ben")
    return ana, ben, (await ana.put(f"/direct/{ben.username}")).json()["id"]


async def test_a_picture_for_a_message(people: People, client: httpx.AsyncClient, infra: Infra) -> None:
    ana, ben, channel = await conversation(people)
    stored = await ana.post(f"/chat/{channel}/pictures", content=picture("JPEG", (2000, 1000)))
    assert stored.status_code == 201, stored.text
    key = stored.json()["key"]
    assert (stored.json()["width"], stored.json()["height"]) == (1280, 640)
    assert (await client.get(f"/media/{key}?size=320")).status_code == 200
    mine, theirs, elsewhere = (ana.id, key), (ben.id, key), (ana.id, "chat/other.webp")
    async with infra.db.write() as db:
        async with queries(infra) as ran:
            assert await usable_pictures(db, UUID(channel), [mine, theirs, elsewhere]) == {mine}
        assert ran == [1]
        assert await usable_pictures(db, uuid7(), [mine]) == set()
        await use_pictures(db, [key])
    async with infra.db.write() as db:
        assert await usable_pictures(db, UUID(channel), [mine]) == set()
        await forget_pictures(db, [key])
    await drain(infra)
    assert (await client.get(f"/media/{key}")).status_code == 404


async def test_only_for_those_who_may_speak(people: People, infra: Infra) -> None:
    ana, ben, channel = await conversation(people)
    stranger, path = await people.make("stranger"), f"/chat/{channel}/pictures"
    assert (await stranger.post(path, content=picture())).status_code == 404
    assert (await ana.post(f"/chat/{uuid7()}/pictures", content=picture())).status_code == 404
    await ben.put(f"/users/{ana.username}/block")
    assert (await ana.post(path, content=b"x")).status_code in {403, 404}


async def test_what_is_no_picture(people: People) -> None:
    ana, _, channel = await conversation(people)
    for content, status in ((b"no picture", 422), (b"x" * 5_000_001, 413)):
        assert (await ana.post(f"/chat/{channel}/pictures", content=content)).status_code == status


async def test_what_was_never_sent_is_forgotten(people: People, infra: Infra) -> None:
    ana, _, channel = await conversation(people)
    old, used, fresh = [
        (await ana.post(f"/chat/{channel}/pictures", content=picture())).json()["key"] for _ in range(3)
    ]
    async with infra.db.write() as db:
        before = update(ChatPicture).where(ChatPicture.key.in_([old, used]))
        await db.execute(before.values(created_at=datetime.now(UTC) - timedelta(days=2)))
        await use_pictures(db, [used])
    await forget_unused_pictures(infra)
    kept = select(ChatPicture.key).where(ChatPicture.key.in_([old, used, fresh]))
    assert set(await infra.db.reader.all(kept)) == {used, fresh}
