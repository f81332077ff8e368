"""How often tracks are heard: counted with every listen, whatever becomes of it."""

from uuid import UUID

import httpx
import pytest

from app.catalog.events import TracksMerged
from app.core.infra import Infra
from app.core.job_runner import drain
from app.core.jobs import emit
from app.users.service import delete_account
from tests.library.factories import LENGTH, hear, make_track
from tests.people import People, Person


@pytest.fixture
async def ana(people: People) -> Person:
    return await people.make("ana")


@pytest.fixture
async def ben(people: People) -> Person:
    return await people.make("ben")


async def plays(client: httpx.AsyncClient, track_id: UUID) -> int:
    answer = await client.get(f"/tracks/{track_id}")
    assert answer.status_code == 200, answer.text
    count: int = answer.json()["play_count"]
    return count


async def test_every_listen_counts_once(infra: Infra, client: httpx.AsyncClient, ana: Person, ben: Person) -> None:
    track = await make_track(infra)
    assert await plays(client, track) == 0
    await hear(infra, ana, track, 0, 1000)
    await hear(infra, ana, track, 0, source="listenbrainz")  # the same one, from elsewhere
    await hear(infra, ben, track)
    assert await plays(client, track) == 3


async def test_a_listen_that_goes_no_longer_counts(infra: Infra, client: httpx.AsyncClient, ana: Person) -> None:
    track = await make_track(infra)
    ((_, listen_id),) = await hear(infra, ana, track)
    assert (await ana.delete(f"/listens/{listen_id}")).status_code == 204
    assert (await ana.delete(f"/listens/{listen_id}")).status_code == 404
    assert await plays(client, track) == 0


async def test_listens_of_who_leaves_go(infra: Infra, client: httpx.AsyncClient, ana: Person, ben: Person) -> None:
    track, other = await make_track(infra), await make_track(infra)
    await hear(infra, ana, track, 0, 1000)
    await hear(infra, ana, other)
    await hear(infra, ben, track)
    async with infra.db.write() as db:
        await delete_account(db, ana.id, keep_content=True)
    await drain(infra)
    assert (await plays(client, track), await plays(client, other)) == (1, 0)


async def test_they_move_with_a_duplicate(infra: Infra, client: httpx.AsyncClient, ana: Person, ben: Person) -> None:
    kept = await make_track(infra)
    duplicate = await make_track(infra, like=kept)
    await hear(infra, ana, kept, 0)
    await hear(infra, ana, duplicate, 10, source="listenbrainz")  # the same listen as the one of the kept track
    await hear(infra, ben, duplicate, 0, LENGTH / 1000 * 2)
    assert (await plays(client, kept), await plays(client, duplicate)) == (1, 3)
    async with infra.db.write() as db:
        await emit(db, TracksMerged(pairs=[(duplicate, kept)]))
    await drain(infra)
    assert (await plays(client, kept), await plays(client, duplicate)) == (3, 0)
