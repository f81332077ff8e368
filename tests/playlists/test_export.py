"""Playlists by mail, done by the job worker: who may, what is in it, and what becomes of failures."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import delete, func, select, update

from app.core.auth import Principal
from app.core.config import Settings
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.job_runner import drain
from app.core.jobs import DeadLetter
from app.playlists.exporting import TRIES, carry_out, hand_over_waiting, remove_old_playlist_exports
from app.playlists.models import PlaylistExport, PlaylistMember
from app.playlists.service import NewEntry, add_entries, create_playlist, delete_playlist
from tests.conftest import http_client, running
from tests.mails import Inbox, smtp_server
from tests.people import People, Person, queries
from tests.playlists.factories import make_tracks
from tests.servers import REPOSITORY

HOUR = timedelta(hours=1)


@dataclass
class Desk:
    """An application that mails to `inbox`."""

    app: FastAPI
    infra: Infra
    people: People
    inbox: Inbox


@asynccontextmanager
async def a_desk(settings: Settings, **changes: Any) -> AsyncIterator[Desk]:
    inbox = Inbox()
    with smtp_server(inbox) as port:
        given = settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{port}", **changes})
        async with running(given) as app, People(app) as people:
            await drain(app.state.infra, raise_errors=False, ahead=HOUR)
            inbox.mails.clear()
            inbox.tries = 0
            yield Desk(app, app.state.infra, people, inbox)


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with a_desk(settings) as desk:
        yield desk


@pytest.fixture(autouse=True)
def empty(desk: Desk) -> None:
    desk.inbox.mails.clear()
    desk.inbox.refusals.clear()
    desk.inbox.tries = 0


async def playlist_of(infra: Infra, person: Person, *titles: str, **fields: Any) -> UUID:
    """A playlist with placeholders."""
    actor = Principal(person.id, uuid7())
    async with infra.db.write() as db:
        made = await create_playlist(db, actor, **{"name": "Sundays", **fields})
        if titles:
            await add_entries(db, actor, made, [NewEntry(title=title, artist="Somebody") for title in titles])
    return made


async def ask(person: Person, playlist_id: UUID, to: str = "bea@example.com", **options: Any) -> dict[str, Any]:
    answer = await person.post(f"/export/playlists/{playlist_id}", json={"targetEmail": to}, **options)
    assert answer.status_code == 202, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def state_of(person: Person, export_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await person.get(f"/exports/{export_id}")).json()
    return found


async def letters_of(infra: Infra, export_id: str) -> list[DeadLetter]:
    return await infra.db.reader.all(select(DeadLetter).where(DeadLetter.payload.contains(export_id)))


# --- what is sent ---


async def test_the_mail_has_a_table_to_read_and_the_json_of_the_contract(desk: Desk) -> None:
    ana = await desk.people.make("ana")
    tracks = await make_tracks(desk.infra, 2, prefix="Étude <1>")
    name = "Söndag & <b>more</b>"
    made = await playlist_of(desk.infra, ana, name=name)
    actor = Principal(ana.id, uuid7())
    async with desk.infra.db.write() as db:
        new = [NewEntry(track_id=tracks[1]), NewEntry(title="Unknown", artist="Nobody"), NewEntry(track_id=tracks[0])]
        await add_entries(db, actor, made, new)
    answer = await ana.post(f"/export/playlists/{made}", json={"targetEmail": "bea@example.com"})
    export = answer.json()
    assert (answer.status_code, export["state"], export["attempts"]) == (202, "queued", 0)
    assert answer.headers["location"] == f"/api/v1/exports/{export['id']}"
    assert await drain(desk.infra) == 1
    state = await state_of(ana, export["id"])
    assert (state["state"], state["attempts"], state["failure"], state["sent_at"] is None) == ("sent", 1, None, False)
    assert (state["playlist_id"], state["target_email"]) == (str(made), "bea@example.com")
    (mail,) = desk.inbox.mails
    assert (mail["To"], mail["Subject"]) == ("bea@example.com", f"Playlist: {name}")
    assert mail["Message-ID"] == f"<{export['id']}@soundscore.test>"
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("sondag-and-b-more-b.json", "application/json")
    assert json.loads(file.get_content()) == {
        "playlist": {
            "id": str(made),
            "name": name,
            "songs": [
                {"id": str(tracks[1]), "title": "Étude <1> 1", "performer": "The Placeholders"},
                {"id": str(tracks[0]), "title": "Étude <1> 0", "performer": "The Placeholders"},
            ],
        }
    }
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "    1. The Placeholders - Étude <1> 1 (Places, 0:02)" in text
    assert "    2. Nobody - Unknown\r\n" in text
    assert "Ana sends you this playlist" in text
    assert "3 tracks" in text
    assert "Étude &lt;1&gt; 0</td>" in html
    assert "&lt;b&gt;more&lt;/b&gt;" in html


async def test_of_a_long_playlist_the_table_shows_the_first_and_what_the_file_has_not(desk: Desk) -> None:
    ana = await desk.people.make("ana")
    tracks = await make_tracks(desk.infra, 3, prefix="Late")
    made = await playlist_of(desk.infra, ana, *(f"Song {number}" for number in range(1, 1001)))
    new = [NewEntry(title="Song 1001", artist="Somebody"), *(NewEntry(track_id=track) for track in tracks)]
    async with desk.infra.db.write() as db:
        await add_entries(db, Principal(ana.id, uuid7()), made, new)
    await ask(ana, made)
    await drain(desk.infra)
    (mail,) = desk.inbox.mails
    text = mail.get_body(("plain",)).get_content()
    assert " 1001. Somebody - Song 1001" in text
    assert "Late" not in text
    assert "3 more are in the attached file." in text
    (file,) = mail.iter_attachments()
    songs = json.loads(file.get_content())["playlist"]["songs"]
    assert [song["id"] for song in songs] == [str(track) for track in tracks]


# --- who may ---


async def test_strangers_export_nothing(desk: Desk) -> None:
    ana, zoe = await desk.people.make("ana"), await desk.people.make("zoe")
    private = await playlist_of(desk.infra, ana)
    public = await playlist_of(desk.infra, ana, visibility="public")
    body = {"targetEmail": "zoe@example.com"}
    hidden = await zoe.post(f"/export/playlists/{private}", json=body)
    assert (hidden.status_code, hidden.json()["code"]) == (404, "not_found")
    seen = await zoe.post(f"/export/playlists/{public}", json=body)
    assert (seen.status_code, seen.json()["code"]) == (403, "not_collaborator")
    assert "Copy it" in seen.json()["detail"]
    assert await drain(desk.infra) == 0


@pytest.mark.parametrize(("state", "status"), [("accepted", 202), ("invited", 403)])
async def test_collaborators_export_and_the_invited_do_not(desk: Desk, state: str, status: int) -> None:
    ana, bea = await desk.people.make("ana"), await desk.people.make("bea")
    made = await playlist_of(desk.infra, ana)
    async with desk.infra.db.write() as db:
        db.add(PlaylistMember(playlist_id=made, user_id=bea.id, role="viewer", state=state))
    answer = await bea.post(f"/export/playlists/{made}", json={"targetEmail": "bea@example.com"})
    assert answer.status_code == status
    await drain(desk.infra)
    assert len(desk.inbox.mails) == (status == 202)


async def test_an_export_is_its_owners_alone(desk: Desk) -> None:
    ana, zoe = await desk.people.make("ana"), await desk.people.make("zoe")
    made = await playlist_of(desk.infra, ana)
    exports = [await ask(ana, made) for _ in range(3)]
    assert (await zoe.get(f"/exports/{exports[0]['id']}")).status_code == 404
    assert (await zoe.get("/exports")).json()["items"] == []
    async with queries(desk.infra) as ran:
        page = (await ana.get("/exports?limit=2")).json()
    assert [item["id"] for item in page["items"]] == [exports[2]["id"], exports[1]["id"]]
    assert ran == [1]
    rest = (await ana.get(f"/exports?limit=2&cursor={page['next_cursor']}")).json()
    assert [item["id"] for item in rest["items"]] == [exports[0]["id"]]
    async with queries(desk.infra) as ran:
        await state_of(ana, exports[0]["id"])
    assert ran == [1]
    await drain(desk.infra)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/body/targetEmail"),
        ({"targetEmail": 5}, "/body/targetEmail"),
        ({"targetEmail": "nobody"}, "/body/targetEmail"),
        ({"targetEmail": "a@example.com\r\nBcc: b@example.com"}, "/body/targetEmail"),
        ({"targetEmail": "a@example.com,b@example.com"}, "/body/targetEmail"),
        ({"targetEmail": "a@example.com", "cc": "b@example.com"}, "/body/cc"),
    ],
)
async def test_a_bad_address_is_pointed_at(desk: Desk, body: dict[str, Any], pointer: str) -> None:
    ana = await desk.people.make("ana")
    made = await playlist_of(desk.infra, ana)
    answer = await ana.post(f"/export/playlists/{made}", json=body)
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_who_left_the_playlist_meanwhile_is_sent_nothing_of_it(desk: Desk) -> None:
    ana, bea = await desk.people.make("ana"), await desk.people.make("bea")
    made, gone = await playlist_of(desk.infra, ana), await playlist_of(desk.infra, ana)
    public = await playlist_of(desk.infra, ana, visibility="public")
    async with desk.infra.db.write() as db:
        for one in (made, public):
            db.add(PlaylistMember(playlist_id=one, user_id=bea.id, role="editor", state="accepted"))
    exports = [(bea, await ask(bea, made)), (bea, await ask(bea, public)), (ana, await ask(ana, gone))]
    async with desk.infra.db.write() as db:
        await db.execute(delete(PlaylistMember).filter_by(user_id=bea.id))
        await delete_playlist(db, Principal(ana.id, uuid7()), gone)
    await drain(desk.infra, ahead=HOUR)
    for person, export in exports:
        state = await state_of(person, export["id"])
        assert (state["state"], state["failure"]) == ("failed", "playlist_gone")
        assert await letters_of(desk.infra, export["id"]) == []
    assert desk.inbox.mails == []


async def test_what_waits_is_forgotten_with_the_account(desk: Desk) -> None:
    ana = await desk.people.make("ana")
    await ask(ana, await playlist_of(desk.infra, ana))
    answer = await ana.request("DELETE", "/users/me", json={"password": "", "keep_content": True})
    if answer.status_code >= 400:  # there is no password: what deletes accounts is told directly
        from app.core.jobs import emit  # noqa: PLC0415
        from app.users.events import AccountDeleted  # noqa: PLC0415

        async with desk.infra.db.write() as db:
            await emit(db, AccountDeleted(user_id=ana.id, keep_content=True))
    await drain(desk.infra, raise_errors=False)
    assert await desk.infra.db.fetch("SELECT 1 FROM playlist_exports WHERE user_id = $1", [ana.id]) == []


async def test_the_same_request_twice_is_one_export(desk: Desk) -> None:
    ana = await desk.people.make("ana")
    made = await playlist_of(desk.infra, ana)
    headers = {"Idempotency-Key": "once"}
    exports = await asyncio.gather(*(ask(ana, made, headers=headers) for _ in range(10)))
    assert len({export["id"] for export in exports}) == 1
    await drain(desk.infra)
    assert len(desk.inbox.mails) == 1


async def test_old_exports_are_forgotten(desk: Desk) -> None:
    ana = await desk.people.make("ana")
    made = await playlist_of(desk.infra, ana)
    old, new = await ask(ana, made), await ask(ana, made)
    await drain(desk.infra)
    await desk.infra.db.fetch(
        "UPDATE playlist_exports SET created_at = now() - interval '31 days' WHERE id = $1", [UUID(old["id"])]
    )
    await remove_old_playlist_exports(desk.infra)
    assert [item["id"] for item in (await ana.get("/exports")).json()["items"]] == [new["id"]]


# --- failures ---


async def test_a_server_that_is_busy_for_a_while_gets_exactly_one_mail(desk: Desk) -> None:
    ana = await desk.people.make("ana")
    desk.inbox.refusals = ["451 Busy"] * 4
    export = await ask(ana, await playlist_of(desk.infra, ana))
    await drain(desk.infra)
    state = await state_of(ana, export["id"])
    assert (state["state"], state["attempts"]) == ("queued", 1)
    ordered = """SELECT execute_after = (SELECT next_attempt_at FROM playlist_exports WHERE id = $1) AS then,
        execute_after > now() AS later FROM pgqueuer WHERE convert_from(payload, 'UTF8') LIKE '%' || $1::text || '%'"""
    (row,) = await desk.infra.db.fetch(ordered, [UUID(export["id"])])
    assert (row["then"], row["later"]) == (True, True)
    await try_again(desk, export["id"], 6)
    state = await state_of(ana, export["id"])
    assert (state["state"], state["attempts"]) == ("sent", 5)
    assert (desk.inbox.tries, len(desk.inbox.mails)) == (5, 1)


async def try_again(desk: Desk, export_id: str, times: int) -> None:
    """As if the waits between the attempts had passed."""
    for _ in range(times):
        sooner = update(PlaylistExport).filter_by(id=UUID(export_id), state="queued")
        async with desk.infra.db.write() as db:
            await db.execute(sooner.values(next_attempt_at=func.now() - timedelta(minutes=1)))
        await hand_over_waiting(desk.infra)
        await drain(desk.infra)


async def test_an_address_that_is_refused_is_final(desk: Desk) -> None:
    ana = await desk.people.make("ana")
    made = await playlist_of(desk.infra, ana)
    nobody = await ask(ana, made, to="unknown@example.com")
    desk.inbox.refusals = ["554 Looks like spam"]
    await drain(desk.infra)
    refused = await ask(ana, made)
    await drain(desk.infra)
    await try_again(desk, refused["id"], 2)
    for export in (nobody, refused):
        state = await state_of(ana, export["id"])
        assert (state["state"], state["failure"], state["attempts"]) == ("failed", "refused", 1)
        assert await letters_of(desk.infra, export["id"]) == []
    assert desk.inbox.mails == []


async def test_what_was_given_up_is_a_dead_letter_and_can_be_sent_again(desk: Desk) -> None:
    ana, boss = await desk.people.make("ana"), await desk.people.make("boss", role="admin")
    desk.inbox.refusals = ["451 Busy"] * TRIES
    export = await ask(ana, await playlist_of(desk.infra, ana))
    await try_again(desk, export["id"], TRIES + 2)
    state = await state_of(ana, export["id"])
    assert (state["state"], state["failure"], state["attempts"]) == ("failed", "unreachable", TRIES)
    (letter,) = await letters_of(desk.infra, export["id"])
    assert (letter.job, letter.tries, letter.error_type) == ("playlists.exporting.retry_export", TRIES, "SMTPDataError")
    assert "bea@example.com" not in letter.payload
    listed = (await boss.get("/admin/dead-letters")).json()["items"]
    assert str(letter.id) in [item["id"] for item in listed]
    assert (await boss.post(f"/admin/dead-letters/{letter.id}/requeue")).status_code == 204
    await drain(desk.infra)
    state = await state_of(ana, export["id"])
    assert (state["state"], state["failure"], state["attempts"]) == ("sent", None, 1)
    assert len(desk.inbox.mails) == 1


async def test_ten_at_once_send_one_mail(desk: Desk) -> None:
    ana = await desk.people.make("ana")
    export = await ask(ana, await playlist_of(desk.infra, ana))
    await asyncio.gather(*(carry_out(desk.infra, UUID(export["id"])) for _ in range(10)))
    await drain(desk.infra)
    assert len(desk.inbox.mails) == 1
    assert (await state_of(ana, export["id"]))["attempts"] == 1


async def test_what_somebody_died_over_is_taken_up_when_their_time_is_over(desk: Desk) -> None:
    ana = await desk.people.make("ana")
    export = await ask(ana, await playlist_of(desk.infra, ana))
    await drain(desk.infra)
    desk.inbox.mails.clear()
    for waited, mails in (("+ interval '5 s'", 0), ("- interval '1 s'", 0), ("- interval '20 s'", 1)):
        await desk.infra.db.fetch(
            "UPDATE playlist_exports SET state = 'working', sent_at = NULL, handed_at = NULL,"
            f" next_attempt_at = now() {waited} WHERE id = $1",
            [UUID(export["id"])],
        )
        await hand_over_waiting(desk.infra)
        await drain(desk.infra)
        assert len(desk.inbox.mails) == mails, waited
    assert (await state_of(ana, export["id"]))["state"] == "sent"


async def test_what_everybody_dies_over_is_given_up(desk: Desk) -> None:
    ana = await desk.people.make("ana")
    export = await ask(ana, await playlist_of(desk.infra, ana))
    await desk.infra.db.fetch(
        "UPDATE playlist_exports SET state = 'working', attempts = $2, next_attempt_at = now() - interval '1 min'"
        " WHERE id = $1",
        [UUID(export["id"]), TRIES],
    )
    await drain(desk.infra)
    state = await state_of(ana, export["id"])
    assert (state["state"], state["failure"]) == ("failed", "broken")
    (letter,) = await letters_of(desk.infra, export["id"])
    assert letter.error_type == "Exhausted"
    assert desk.inbox.mails == []


async def test_a_server_that_goes_after_it_took_the_mail_has_taken_it(settings: Settings) -> None:
    """What fails after the acceptance, the farewell above all, does not send the mail again."""

    class Abrupt(Inbox):
        async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:
            server.transport.abort()
            return "221 Bye"

    inbox = Abrupt()
    with smtp_server(inbox) as port:
        given = settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{port}"})
        async with running(given) as app, People(app) as people:
            await drain(app.state.infra, raise_errors=False, ahead=HOUR)
            inbox.mails.clear()
            ana = await people.make("ana")
            export = await ask(ana, await playlist_of(app.state.infra, ana))
            await drain(app.state.infra)
            assert ((await state_of(ana, export["id"]))["state"], len(inbox.mails)) == ("sent", 1)


def test_what_rabbitmq_needs_is_loaded_only_where_there_is_one() -> None:
    look = "import sys, app.main, app.modules; app.modules.load_modules(); sys.exit('aio_pika' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], cwd=REPOSITORY, check=False).returncode == 0


async def test_without_a_mail_server_the_folder_keeps_it(app: FastAPI, infra: Infra, people: People) -> None:
    await drain(infra, raise_errors=False, ahead=HOUR)
    ana = await people.make("ana")
    export = await ask(ana, await playlist_of(infra, ana, "Only one"))
    await drain(infra)
    assert (await state_of(ana, export["id"]))["state"] == "sent"
    kept = infra.settings.data_dir / "mails" / f"{export['id']}.eml"
    assert "Only one" in kept.read_text()
    async with http_client(app) as client:
        names = [part["name"] for part in (await client.get("http://soundscore.test/health")).json()["parts"]]
    assert "broker" not in names
