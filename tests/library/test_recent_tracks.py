"""What people played of late, each track once."""

from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.job_runner import drain
from tests.library.factories import hear, make_track
from tests.people import People, Person, queries
from tests.uploads.factories import track_of


async def titles(reader: httpx.AsyncClient, person: Person, **wanted: int) -> list[str]:
    answer = await reader.get(f"/users/{person.username}/recent-tracks", params=wanted)
    assert answer.status_code == 200, answer.text
    return [item["track"]["title"] for item in answer.json()["items"]]


async def test_each_track_once(infra: Infra, people: People, client: httpx.AsyncClient) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    assert await titles(client, ana) == []
    one, two, three = [await make_track(infra, name) for name in ("One", "Two", "Three")]
    await hear(infra, ana, one, 0, 900)
    await hear(infra, ana, two, 300)
    await hear(infra, ana, three, 600)
    await hear(infra, bob, three, 1200)
    async with queries(infra) as ran:
        assert await titles(client, ana) == ["One", "Three", "Two"]
    assert ran == [2]
    assert await titles(client, ana, limit=1) == ["One"]
    recent = (await client.get(f"/users/{ana.username}/recent-tracks")).json()["items"][0]
    (listen, *_) = (await client.get(f"/users/{ana.username}/listens")).json()["items"]
    assert recent == {"track": listen["track"], "listened_at": listen["listened_at"]}


async def test_what_one_may_not_hear_is_left_out(
    app: FastAPI, infra: Infra, people: People, client: httpx.AsyncClient
) -> None:
    ana, shown = await people.make("ana"), await make_track(infra, "Shown")
    hidden = await track_of(app, ana, title="Hidden")
    await drain(infra)
    await hear(infra, ana, shown, 0)
    await hear(infra, ana, UUID(hidden["id"]), 300)
    assert await titles(ana, ana) == ["Hidden", "Shown"]
    assert await titles(client, ana) == ["Shown"]


@pytest.mark.parametrize("field", ["profile_visibility", "library_visibility"])
async def test_a_closed_library(people: People, client: httpx.AsyncClient, field: str) -> None:
    ana = await people.make("ana", **{field: "me"})
    assert (await client.get(f"/users/{ana.username}/recent-tracks")).json()["code"] == "profile_restricted"
    assert await titles(ana, ana) == []
    assert (await client.get(f"/users/nobody_{uuid7().hex[:8]}/recent-tracks")).status_code == 404
