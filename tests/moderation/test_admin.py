"""What admins see and do, that nobody else may, and that it is written down."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import select

from app.auth.models import AccessKey, Session
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.job_runner import Backoff, drain
from app.core.jobs import DeadLetter, enqueue, job
from app.users.models import User
from tests.auth.factories import sign_up, within
from tests.conftest import http_client
from tests.people import People, Person, queries

PATHS = [
    ("GET", "/admin/dead-letters"),
    ("POST", "/admin/dead-letters/0192f0c1-d7a8-7c3e-8000-000000000000/requeue"),
    ("DELETE", "/admin/dead-letters/0192f0c1-d7a8-7c3e-8000-000000000000"),
    ("GET", "/admin/jobs"),
    ("PUT", "/admin/users/somebody/role"),
    ("GET", "/admin/audit"),
]
broken = {"until": 0}


class Errand(BaseModel):
    """What to do."""

    text: str


@job(tries=1)
async def errand(infra: Infra, payload: Errand) -> None:
    if broken["until"] > 0:
        broken["until"] -= 1
        raise RuntimeError(f"no way to do {payload.text}")


@pytest.fixture
async def admin(people: People) -> Person:
    return await people.make("admin", role="admin")


async def bury_one(infra: Infra, text: str = "this") -> UUID:
    """A dead letter of the errand."""
    broken["until"] = 1
    async with infra.db.write() as db:
        await enqueue(db, errand, Errand(text=text))
    await drain(infra, raise_errors=False, backoff=Backoff(first=0))
    async with infra.db.write() as db:
        newest = select(DeadLetter.id).where(DeadLetter.job == errand.name).order_by(DeadLetter.id.desc()).limit(1)
        return (await db.scalars(newest)).one()


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_only_admins(method: str, path: str, people: People, client: httpx.AsyncClient) -> None:
    body = {"json": {"role": "admin"}} if method == "PUT" else {}
    assert (await client.request(method, path, **body)).status_code == 401
    for role in ("user", "curator"):
        person = await people.make(role, role=role)
        assert (await person.request(method, path, **body)).status_code == 403


async def test_a_dead_letter_is_shown_and_runs_again(admin: Person, infra: Infra) -> None:
    letter_id = await bury_one(infra)
    async with queries(infra) as ran:
        (item,) = (await admin.get("/admin/dead-letters", params={"limit": 1})).json()["items"]
    assert ran == [1]
    assert (item["id"], item["job"], item["tries"]) == (str(letter_id), errand.name, 1)
    assert json.loads(item["payload"]) == {"text": "this"}
    assert (item["error_type"], item["error"].partition("\n")[0]) == ("RuntimeError", "no way to do this")

    path = f"/admin/dead-letters/{letter_id}/requeue"
    assert (await admin.post(path)).status_code == 204
    assert (await admin.post(path)).status_code == 404
    assert await drain(infra) >= 1
    letters = (await admin.get("/admin/dead-letters")).json()["items"]
    assert str(letter_id) not in {letter["id"] for letter in letters}


async def test_a_dead_letter_can_be_given_up(admin: Person, infra: Infra) -> None:
    path = f"/admin/dead-letters/{await bury_one(infra)}"
    assert (await admin.delete(path)).status_code == 204
    assert (await admin.delete(path)).status_code == 404
    assert (await admin.post(f"{path}/requeue")).status_code == 404


async def test_jobs_are_counted_for_each_kind(admin: Person, infra: Infra) -> None:
    await bury_one(infra)
    async with infra.db.write() as db:
        await enqueue(db, errand, Errand(text="later"))
    async with queries(infra) as ran:
        answer = (await admin.get("/admin/jobs")).json()
    assert ran == [1]
    row = next(item for item in answer["jobs"] if item["job"] == errand.name)
    assert (row["due"], row["delayed"], row["running"]) == (1, 0, 0)
    assert row["dead"] >= 1
    assert row["oldest_due_at"] is not None
    assert answer["due"] == sum(item["due"] for item in answer["jobs"])
    await drain(infra)


async def test_a_new_role_ends_the_sessions(admin: Person, people: People, infra: Infra) -> None:
    person = await people.make("person")
    session = Session(id=uuid7(), user_id=person.id, nonce=b"x" * 16, expires_at=datetime.now(UTC) + timedelta(days=1))
    key = AccessKey(
        id=uuid7(), user_id=person.id, kind="api_token", name="k", scopes=["read"], digest=uuid7().bytes, hint="k"
    )
    async with infra.db.write() as db:
        db.add_all([session, key])
    answer = await admin.put(f"/admin/users/{person.username.upper()}/role", json={"role": "curator"})
    assert (answer.status_code, answer.json()) == (200, {"username": person.username, "role": "curator"})
    await infra.revocations.refresh()
    assert session.id in infra.revocations
    assert key.id in infra.revocations
    async with infra.db.write() as db:
        assert (await db.get_one(User, person.id)).role == "curator"
        assert (await db.get_one(Session, session.id)).revoked_at is not None
        # an app password goes on with the new role when nobody remembers the old one
        assert (await db.get_one(AccessKey, key.id)).revoked_at is None


async def test_every_new_role_reaches_keys_at_once(admin: Person, client: httpx.AsyncClient, infra: Infra) -> None:
    person = await sign_up(client)
    made = await client.post("/auth/api-tokens", json={"name": "k", "scopes": ["read"]}, headers=person.bearer)
    key, key_id = {"Authorization": f"Bearer {made.json()['secret']}"}, UUID(made.json()["id"])
    path = f"/admin/users/{person.username}/role"
    assert (await admin.put(path, json={"role": "admin"})).status_code == 200
    # a little more than a minute later: the key works again, with the new role
    past = "UPDATE revocations SET revoked_at = now() - interval '2 min', until = now() - interval '1 s'"
    await infra.db.fetch(f"{past} WHERE session_id = $1", [key_id])
    infra.revocations._until[key_id] = 0.0
    assert await within(5.0, lambda: answers(client, "/admin/jobs", key, 200))
    assert (await admin.put(path, json={"role": "user"})).status_code == 200
    assert await within(5.0, lambda: answers(client, "/admin/jobs", key, 401))


async def answers(client: httpx.AsyncClient, path: str, headers: dict[str, str], status: int) -> bool:
    return (await client.get(path, headers=headers)).status_code == status


async def test_the_same_role_again_changes_nothing(admin: Person, people: People) -> None:
    person = await people.make("person")
    newest = (await admin.get("/admin/audit", params={"limit": 1})).json()["items"]
    assert (await admin.put(f"/admin/users/{person.username}/role", json={"role": "user"})).status_code == 200
    assert (await admin.get("/admin/audit", params={"limit": 1})).json()["items"] == newest
    assert (await admin.put(f"/admin/users/{person.username}/role", json={"role": "king"})).status_code == 422
    assert (await admin.put("/admin/users/nobody_is_this/role", json={"role": "user"})).status_code == 404


async def test_the_last_admin_stays(fresh: FastAPI) -> None:
    async with People(fresh) as people, http_client(fresh):
        one = await people.make("one", role="admin")
        last = await one.put(f"/admin/users/{one.username}/role", json={"role": "user"})
        assert (last.status_code, last.json()["code"]) == (409, "last_admin")
        assert "python -m app create-admin" in last.json()["detail"]
        assert (await one.put(f"/admin/users/{one.username}/role", json={"role": "admin"})).status_code == 200
        two = await people.make("two", role="admin")
        assert (await one.put(f"/admin/users/{one.username}/role", json={"role": "user"})).status_code == 200
        assert (await two.get("/admin/audit")).json()["items"][0]["detail"]["to"] == "user"


async def test_what_admins_do_is_written_down(admin: Person, people: People, infra: Infra) -> None:
    person = await people.make("person")
    letter_id = await bury_one(infra, "write down")
    await admin.post(f"/admin/dead-letters/{letter_id}/requeue")
    await admin.delete(f"/admin/dead-letters/{letter_id}")
    await admin.put(f"/admin/users/{person.username}/role", json={"role": "curator"})
    await drain(infra)
    async with queries(infra) as ran:
        items = (await admin.get("/admin/audit", params={"limit": 3})).json()["items"]
    assert ran == [1]
    assert [(item["action"], item["subject"]) for item in items] == [
        ("role_changed", person.username),
        ("dead_letter_deleted", errand.name),
        ("dead_letter_requeued", errand.name),
    ]
    assert items[0]["detail"] == {"user_id": str(person.id), "from": "user", "to": "curator"}
    assert {item["actor"]["username"] for item in items} == {admin.username}


async def test_what_failed_is_not_written_down(admin: Person, infra: Infra) -> None:
    before = (await admin.get("/admin/audit", params={"limit": 1})).json()["items"]
    assert (await admin.post(f"/admin/dead-letters/{uuid7()}/requeue")).status_code == 404
    assert (await admin.get("/admin/audit", params={"limit": 1})).json()["items"] == before
