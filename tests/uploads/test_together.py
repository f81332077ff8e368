"""Many uploads and changes at once: what is listed and found afterwards is what is public."""

import asyncio
import random

from fastapi import FastAPI

from app.core.infra import Infra
from app.core.job_runner import drain
from tests.people import People
from tests.promises.invariants import broken
from tests.uploads.factories import announce, send, upload, wav


async def test_changes_at_once_leave_everything_in_order(fresh: FastAPI) -> None:
    infra: Infra = fresh.state.infra
    dice = random.Random(3)
    async with People(fresh) as people:
        ana, curator = await people.make("ana"), await people.make("curator", role="curator")
        made = [
            (person, (await upload(fresh, person, artist="Band", album=f"Record {number % 2}"))["id"])
            for person in (ana, curator)
            for number in range(4)
        ]
        changes = [
            person.patch(
                f"/uploads/{upload_id}",
                json={
                    "visibility": dice.choice(["public", "followers", "private"]),
                    "album": dice.choice(["Record 0", "Record 1", "Record 2", None]),
                    "artist": dice.choice(["Band", "Other band"]),
                },
            )
            for person, upload_id in made * 5
        ]
        answers = await asyncio.gather(*dice.sample(changes, len(changes)))
        assert {answer.status_code for answer in answers} == {200}
        gone = await asyncio.gather(*(person.delete(f"/uploads/{upload_id}") for person, upload_id in made[::3]))
        assert {answer.status_code for answer in gone} == {204}
        await drain(infra)
        assert await broken(infra.db.reader) == {}
        await breaks_are_seen(infra)


async def breaks_are_seen(infra: Infra) -> None:
    """The statements are no decoration."""
    for name, sql in (
        ("what people uploaded is listed while something public is of it", "UPDATE albums SET listed = NOT listed"),
        ("what people uploaded is listed while something public is of it", "UPDATE artists SET listed = NOT listed"),
        ("search knows what is there, and nothing else", "UPDATE tracks SET visibility = 'private'"),
        ("a recording is ready, and its track says of which type it is", "UPDATE tracks SET audio_type = 'audio/aac'"),
    ):
        try:
            async with infra.db.write() as db:
                await db.records(f"{sql} WHERE owner_id IS NOT NULL", [])
                assert name in await broken(db), sql
                raise InterruptedError
        except InterruptedError:
            continue


async def test_of_many_finalisations_at_once_one_wins(app: FastAPI, people: People, infra: Infra) -> None:
    ana, data = await people.make("ana"), wav()
    ticket = await announce(ana, data)
    await send(app, ticket, data)
    path = f"/uploads/{ticket['id']}/finalise"
    answers = await asyncio.gather(*(ana.post(path, json={}) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 19
    await drain(infra)
    assert (await ana.get(f"/uploads/{ticket['id']}")).json()["state"] == "ready"
