"""Reviews and comments are written once, however often the same request arrives."""

import asyncio
import uuid

from app.core.infra import Infra
from tests.people import People
from tests.reviews.factories import assert_counted, make_album, write_review


async def test_fifty_times_the_same_key_is_one_review(infra: Infra, people: People) -> None:
    ana, album_id = await people.make("ana"), await make_album(infra)
    body, headers = {"album_id": str(album_id), "rating": 8, "text": "Once."}, {"Idempotency-Key": str(uuid.uuid4())}
    answers = await asyncio.gather(*(ana.post("/reviews", json=body, headers=headers) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 49
    await assert_counted(infra, albums=[album_id], people=[ana.id])
    other = await ana.post("/reviews", json=body | {"rating": 9}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_refused_review_does_not_use_its_key_up(infra: Infra, people: People) -> None:
    ana, album_id = await people.make("ana"), await make_album(infra)
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    refused = await ana.post("/reviews", json={"album_id": str(album_id)}, headers=headers)
    assert refused.status_code == 422
    again = await ana.post("/reviews", json={"album_id": str(album_id), "rating": 8}, headers=headers)
    assert again.status_code == 201


async def test_comments_are_written_once_too(infra: Infra, people: People) -> None:
    ana = await people.make("ana")
    review = await write_review(ana, await make_album(infra))
    path, headers = f"/reviews/{review['id']}/comments", {"Idempotency-Key": str(uuid.uuid4())}
    answers = await asyncio.gather(*(ana.post(path, json={"text": "Once."}, headers=headers) for _ in range(20)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await ana.get(path)).json()["items"]) == 1
