"""The zip of all of one's data."""

import asyncio
import io
import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import httpx
import pytest
from sqlalchemy import func, select, update

from app.auth.models import AccessKey, Credential, LinkedAccount, Session
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.jobs import drain
from app.integrations.storage import storage
from app.users.exports import exported, remove_old_exports, write_zip
from app.users.models import DataExport
from tests.people import People, Person, queries
from tests.reviews.factories import make_album, write_comment, write_review
from tests.users.factories import add_fans


async def made(person: Person, infra: Infra) -> dict[str, Any]:
    answer = await person.post("/users/me/exports")
    assert answer.status_code == 202
    await drain(infra)
    return (await person.get(f"/users/me/exports/{answer.json()['id']}")).json()


async def files_of(person: Person, export: dict[str, Any]) -> dict[str, Any]:
    answer = await person.get(export["download_url"].removeprefix("/api/v1"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="soundscore-export.zip"'
    assert int(answer.headers["content-length"]) == len(answer.content)
    with ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {name: json.loads(archive.read(name)) for name in archive.namelist()}


async def test_it_waits_then_holds_everything(people: People, infra: Infra) -> None:
    ana, bob, eve = await people.make("ana", bio="Olá"), await people.make("bob"), await people.make("eve")
    await ana.put(f"/users/{bob.username}/follow")
    await bob.put(f"/users/{ana.username}/follow")
    await ana.put(f"/users/{bob.username}/mute")
    await ana.put(f"/users/{eve.username}/block")

    asked = (await ana.post("/users/me/exports")).json()
    assert (asked["status"], asked["expires_at"], asked["download_url"]) == ("waiting", None, None)
    early = await ana.get(f"/users/me/exports/{asked['id']}/file")
    assert (early.status_code, early.json()["code"]) == (409, "export_not_ready")

    export = await made(ana, infra)
    assert (export["id"], export["status"]) == (asked["id"], "ready")
    life = datetime.fromisoformat(export["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=6, hours=23) < life <= timedelta(days=7)

    files = await files_of(ana, export)
    index = files["index.json"]
    assert (index["user_id"], index["username"]) == (str(ana.id), ana.username)
    assert index["files"] == {name: len(rows) for name, rows in files.items() if name != "index.json"}
    profile = files["profile.json"][0]
    assert (profile["username"], profile["bio"], profile["profile_visibility"]) == (ana.username, "Olá", "everyone")
    for name, person in (("following", bob), ("followers", bob), ("mutes", bob), ("blocks", eve)):
        assert [row["username"] for row in files[f"{name}.json"]] == [person.username], name


async def test_what_other_modules_keep_is_in_it(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    album = await make_album(infra, "Kind of Blue")
    await write_review(ana, album, text="Mine")
    theirs = await write_review(bob, album, text="Not mine")
    await write_comment(ana, theirs, "My comment")
    await ana.put(f"/reviews/{theirs['id']}/like")
    files = await files_of(ana, await made(ana, infra))
    assert [(row["text"], row["album"]) for row in files["reviews.json"]] == [("Mine", "Kind of Blue")]
    assert [row["text"] for row in files["comments.json"]] == ["My comment"]
    assert [row["review_id"] for row in files["likes.json"]] == [theirs["id"]]
    assert "Not mine" not in json.dumps(files)


async def test_the_account_is_in_it_without_its_secrets(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    email = f"{ana.username}@example.org"
    later = datetime.now(UTC) + timedelta(days=1)
    key = {"kind": "api_token", "name": "script", "scopes": ["read"], "hint": "hint", "digest": ana.id.bytes}
    async with infra.db.write() as db:
        db.add(Credential(user_id=ana.id, email=email, email_key=email, password_hash="the hash"))
        db.add(Session(user_id=ana.id, nonce=b"the nonce", expires_at=later, user_agent="Firefox"))
        db.add(AccessKey(user_id=ana.id, **key))
        db.add(LinkedAccount(user_id=ana.id, provider="google", issuer="https://g.example", subject=str(ana.id)))
    files = await files_of(ana, await made(ana, infra))
    assert [row["email"] for row in files["account.json"]] == [email]
    assert [row["user_agent"] for row in files["sessions.json"]] == ["Firefox"]
    assert [(row["name"], row["scopes"]) for row in files["access_keys.json"]] == [("script", ["read"])]
    assert [row["provider"] for row in files["linked_accounts.json"]] == ["google"]
    assert not {"password_hash", "nonce", "digest", "encrypted"} & {
        name for rows in files.values() if isinstance(rows, list) for row in rows for name in row
    }


async def test_who_blocked_me_is_not_in_it(people: People, infra: Infra) -> None:
    ana, eve = await people.make("ana"), await people.make("eve")
    await eve.put(f"/users/{ana.username}/block")
    assert eve.username not in json.dumps(await files_of(ana, await made(ana, infra)))


async def test_one_waits_at_a_time(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    answers = await asyncio.gather(*(ana.post("/users/me/exports") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    first = await made(ana, infra)
    second = await made(ana, infra)
    assert first["id"] != second["id"]
    async with queries(infra) as ran:
        listed = (await ana.get("/users/me/exports")).json()["items"]
    assert (listed, ran) == ([second, first], [1])


async def test_it_is_the_owners_alone(people: People, infra: Infra, client: httpx.AsyncClient) -> None:
    ana, eve = await people.make("ana"), await people.make("eve")
    export = await made(ana, infra)
    for path in (f"/users/me/exports/{export['id']}", f"/users/me/exports/{export['id']}/file"):
        assert (await eve.get(path)).status_code == 404
        assert (await client.get(path)).status_code == 401
    assert (await client.get(f"/media/exports/{export['id']}.zip")).status_code == 404
    assert (await eve.get("/users/me/exports")).json()["items"] == []
    assert (await ana.get(f"/users/me/exports/{uuid7()}")).status_code == 404


async def test_old_ones_are_removed(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    old, kept = await made(ana, infra), await made(ana, infra)
    past = update(DataExport).where(DataExport.id == UUID(old["id"])).values(expires_at=func.now() - timedelta(days=1))
    async with infra.db.write() as db:
        await db.execute(past)
    assert (await ana.get(f"/users/me/exports/{old['id']}")).status_code == 404
    assert (await ana.get(f"/users/me/exports/{old['id']}/file")).status_code == 404
    await remove_old_exports(infra)
    assert await infra.db.reader.one(select(DataExport.id).where(DataExport.id == UUID(old["id"]))) is None
    assert await infra.part(storage).stat(f"exports/{old['id']}.zip") is None
    assert await files_of(ana, kept)


async def test_one_that_never_came_is_told_of(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    export_id = uuid7()
    async with infra.db.write() as db:
        db.add(DataExport(id=export_id, user_id=ana.id, created_at=datetime.now(UTC) - timedelta(hours=2)))
    await remove_old_exports(infra)
    assert (await ana.get(f"/users/me/exports/{export_id}")).json()["status"] == "failed"
    assert (await ana.get(f"/users/me/exports/{export_id}/file")).status_code == 409
    assert (await made(ana, infra))["status"] == "ready"


async def test_a_lost_file_is_404(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    export = await made(ana, infra)
    await infra.part(storage).delete(f"exports/{export['id']}.zip")
    assert (await ana.get(f"/users/me/exports/{export['id']}/file")).status_code == 404


async def test_many_rows_are_all_there_in_little_memory(people: People, infra: Infra) -> None:
    star = await people.make("star")
    many = 12_000
    tail = await add_fans(infra, star.id, many)
    file = io.BytesIO()
    tracemalloc.start()
    await write_zip(infra.db.reader, star.id, file)
    peak = tracemalloc.get_traced_memory()[1] - file.tell()
    tracemalloc.stop()
    with ZipFile(file) as archive:
        rows = json.loads(archive.read("followers.json"))
    assert {row["username"] for row in rows} == {f"u{number}{tail}" for number in range(1, many + 1)}
    assert len(rows) == many
    assert peak < 8_000_000


def test_names_are_taken_once() -> None:
    with pytest.raises(ValueError, match="two exports called profile"):
        exported("profile")(lambda db, user_id: None)  # type: ignore[arg-type, return-value]
