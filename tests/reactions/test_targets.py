"""What can be liked."""

import pytest

from app.core.ids import uuid7
from app.core.infra import Infra
from app.reactions.service import Target, like, unlike
from tests.people import People
from tests.reviews.factories import make_album


def test_a_target_is_exactly_one_thing() -> None:
    album_id = uuid7()
    assert Target(album_id=album_id).key == {"album_id": album_id}
    for ids in ({}, {"album_id": uuid7(), "track_id": uuid7()}):
        with pytest.raises(ValueError, match="exactly one"):
            Target(**ids)


async def test_only_a_change_is_one(infra: Infra, people: People) -> None:
    ana, target = await people.make("ana"), Target(album_id=await make_album(infra))
    async with infra.db.write() as db:
        assert [await like(db, ana.id, target) for _ in range(2)] == [True, False]
        assert [await unlike(db, ana.id, target) for _ in range(2)] == [True, False]
