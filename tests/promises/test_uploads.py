"""Only what was announced is stored, whatever the store believes: six kinds of uploads that are refused."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from app.core.config import Settings
from app.core.infra import Infra
from app.core.job_runner import drain
from app.integrations.storage import storage
from app.uploads.processing import inbox_key
from tests.conftest import running
from tests.object_stores import s3_server
from tests.people import People, Person
from tests.supabase import supabase_server
from tests.uploads.factories import Body, announce, send, upload, wav

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 2000


@pytest.fixture(scope="module")
async def addresses() -> AsyncIterator[dict[str, dict[str, Any]]]:
    async with AsyncExitStack() as stack:
        yield {
            "folder": {},
            "strict": await stack.enter_async_context(s3_server(strict=True)),
            "lenient": await stack.enter_async_context(s3_server(strict=False)),
            "supabase": await stack.enter_async_context(supabase_server()),
        }


@pytest.fixture(params=["folder", "strict", "lenient", "supabase"])
async def stored(
    request: pytest.FixtureRequest, settings: Settings, addresses: dict[str, dict[str, Any]], tmp_path: Path
) -> AsyncIterator[FastAPI]:
    """The application on a store: a folder, S3 that verifies, S3 that believes anything, Supabase."""
    given = Settings(_env_file=None, **addresses[request.param]).model_dump(include=set(addresses[request.param]))
    async with running(settings.model_copy(update={**given, "data_dir": tmp_path})) as app:
        yield app


@pytest.fixture
async def crowd(stored: FastAPI) -> AsyncIterator[People]:
    async with People(stored) as people:
        yield people


async def finalise(person: Person, upload_id: str, **wishes: Any) -> tuple[int, str]:
    """The status of the third step, and why."""
    answer = await person.post(f"/uploads/{upload_id}/finalise", json=wishes)
    return answer.status_code, answer.json().get("code", "")


async def nothing_is_there(infra: Infra, person: Person, ticket: Body) -> None:
    """Neither a file nor a track, and nothing to wait for."""
    await drain(infra)
    assert await infra.part(storage).stat(inbox_key(UUID(ticket["id"]))) is None
    (row,) = await infra.db.fetch("SELECT key, state, track_id FROM uploads WHERE id = $1", [UUID(ticket["id"])])
    assert await infra.part(storage).stat(row["key"]) is None
    assert (row["state"] in {"waiting", "failed"}, row["track_id"]) == (True, None)
    assert (await person.get(f"/tracks/{ticket['id']}/stream")).status_code == 404


async def test_six_of_six_are_refused(stored: FastAPI, crowd: People) -> None:
    infra: Infra = stored.state.infra
    ana, ben, data = await crowd.make("ana"), await crowd.make("ben"), wav()

    oversize = await announce(ana, data)
    sent = await send(stored, oversize, data + b"more")
    assert await finalise(ana, oversize["id"]) == ((422, "other_content") if sent.is_success else (409, "not_uploaded"))
    await nothing_is_there(infra, ana, oversize)

    other_type = await announce(ana, PNG)
    assert (await send(stored, other_type, PNG)).is_success, "the store looks at headers alone"
    assert await finalise(ana, other_type["id"]) == (422, "other_content")
    await nothing_is_there(infra, ana, other_type)

    absent = await announce(ana, data)
    assert await finalise(ana, absent["id"]) == (409, "not_uploaded")
    await nothing_is_there(infra, ana, absent)

    assert await finalise(ana, str(uuid4())) == (404, "not_found"), "what was never announced"

    good = await announce(ana, data)
    assert (await send(stored, good, data)).is_success
    assert await finalise(ben, good["id"]) == (404, "not_found"), "another person's"
    assert await finalise(ana, good["id"]) == (202, "")
    assert await finalise(ana, good["id"]) == (409, "already_finalised")
    await drain(infra)
    assert await finalise(ana, good["id"]) == (409, "already_finalised")
    assert (await ana.get(f"/uploads/{good['id']}")).json()["state"] == "ready"


async def test_a_link_that_was_changed_stores_nothing_that_is_ever_served(stored: FastAPI, crowd: People) -> None:
    infra: Infra = stored.state.infra
    ana, data = await crowd.make("ana"), wav()
    ticket, other = await announce(ana, data), await announce(ana, data)
    url = ticket["upload"]["url"]
    name = UUID(ticket["id"]).hex
    changed = url.replace(name, UUID(other["id"]).hex) if name in url else url[:-4] + "AAAA"
    await send(stored, {"upload": ticket["upload"] | {"url": changed}}, data)
    assert await finalise(ana, ticket["id"]) == (409, "not_uploaded")
    await nothing_is_there(infra, ana, ticket)


async def test_what_comes_after_the_end_changes_nothing(stored: FastAPI, crowd: People) -> None:
    """The link is good for an hour: whoever has it may write again, into the inbox, from where nothing is served."""
    infra: Infra = stored.state.infra
    ana, data, later = await crowd.make("ana"), wav(), wav()
    ticket = await announce(ana, data)
    assert (await send(stored, ticket, data)).is_success
    assert await finalise(ana, ticket["id"]) == (202, "")
    await drain(infra)
    await send(stored, ticket, later)
    answer = await ana.get(f"/tracks/{ticket['id']}/stream")
    assert (answer.status_code, answer.content == data) == (200, True)


async def test_a_file_that_is_swapped_before_the_job_is_looked_at_again(stored: FastAPI, crowd: People) -> None:
    infra: Infra = stored.state.infra
    ana, data = await crowd.make("ana"), wav()
    ticket = await announce(ana, data)
    assert (await send(stored, ticket, data)).is_success
    assert await finalise(ana, ticket["id"]) == (202, "")
    await infra.part(storage).put(inbox_key(UUID(ticket["id"])), PNG[: len(data)], content_type="audio/wav")
    await nothing_is_there_but_the_reason(infra, ana, ticket)


async def nothing_is_there_but_the_reason(infra: Infra, person: Person, ticket: Body) -> None:
    await drain(infra)
    done = (await person.get(f"/uploads/{ticket['id']}")).json()
    assert (done["state"], done["failure"]["code"]) in {("failed", "other_size"), ("failed", "not_audio")}
    await nothing_is_there(infra, person, ticket)


@pytest.mark.parametrize("stored", ["folder"], indirect=True)
async def test_names_never_become_paths(stored: FastAPI, crowd: People) -> None:
    ana = await crowd.make("ana")
    for name in ("../../../etc/passwd", "..\\..\\boot.ini", "/dev/null", "%2e%2e%2fx", "a" * 255, "CON.wav"):
        done = await upload(stored, ana, filename=name)
        assert done["state"] == "ready", done
    keys = await stored.state.infra.db.fetch("SELECT key FROM uploads WHERE owner_id = $1", [ana.id])
    assert all(row["key"].startswith("audio/") and row["key"].count("/") == 1 for row in keys)


async def test_it_streams_by_a_redirect_where_the_settings_say_so(stored: FastAPI, crowd: People) -> None:
    infra: Infra = stored.state.infra
    ana, data = await crowd.make("ana"), wav()
    done = await upload(stored, ana, data)
    path = f"/tracks/{done['track']['id']}/stream"
    assert (await ana.get(path, headers={"Range": "bytes=9-99"})).content == data[9:100]
    infra.settings.stream_via = "redirect"
    answer = await ana.get(path)
    if answer.status_code == 200:
        assert infra.settings.s3_bucket == infra.settings.supabase_url == "", "only a folder has no links of its own"
        return
    assert answer.status_code == 302
    assert (await ana.head(path)).headers["content-length"] == str(len(data))
    async with httpx.AsyncClient() as player:
        part = await player.get(answer.headers["location"], headers={"Range": "bytes=9-99"})
    assert (part.status_code, part.content) == (206, data[9:100])
