"""People named in texts."""

from uuid import UUID

import pytest

from app.core.infra import Infra
from app.reviews.mentions import mentioned_people
from app.users.mentions import mentioned
from tests.people import People
from tests.reviews.factories import block, follow


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@Ana and @ben_2, hear this!", {"ana", "ben_2"}),
        ("(@ana) @ana. @ANA", {"ana"}),
        ("@ana's and @ana-maria", {"ana"}),
        ("mail ana@example.com or @@ana", set()),
        ("@ab is too short", set()),
        (f"@{'x' * 50} but not @{'y' * 51}", {"x" * 50}),
        ("@anaé is somebody else", set()),
        ("", set()),
    ],
)
def test_names_are_found(text: str, names: set[str]) -> None:
    assert mentioned(text) == names


async def named(infra: Infra, text: str, author_id: UUID, owner_id: UUID | None = None) -> set[UUID]:
    found = await mentioned_people(infra.db.reader, text, author_id, owner_id=owner_id)
    assert len(found) == len(set(found))
    return set(found)


async def test_only_people_who_may_read_it_are_told(infra: Infra, people: People) -> None:
    author, owner = await people.make("author"), await people.make("owner", profile_visibility="followers")
    friend, stranger, enemy, foe = [await people.make(name) for name in ("friend", "stranger", "enemy", "foe")]
    await follow(infra, friend, owner)
    await block(infra, author, enemy)
    await block(infra, foe, author)
    everybody = (author, friend, stranger, enemy, foe)
    text = " ".join(f"@{person.username.upper()}" for person in everybody) + " @nobody_there"
    assert await named(infra, text, author.id) == {friend.id, stranger.id}
    assert await named(infra, text, author.id, owner.id) == {friend.id}
    async with infra.db.write() as db:
        assert set(await mentioned_people(db, text, author.id)) == {friend.id, stranger.id}
    assert await named(infra, "nobody", author.id) == set()
    assert await mentioned_people(infra.db.reader, None, author.id) == []


async def test_at_most_twenty_people_are_told(infra: Infra, people: People) -> None:
    author = await people.make("author")
    crowd = [await people.make("one") for _ in range(22)]
    text = " ".join(f"@{one.username}" for one in crowd)
    assert len(await named(infra, text, author.id)) == 20
