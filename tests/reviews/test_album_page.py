"""The album page: what the catalogue knows, and one's own review."""

from app.core.ids import uuid7
from app.core.infra import Infra
from tests.people import People, Person, queries
from tests.reviews.factories import make_album, write_review


async def test_it_sums_up_ratings_and_shows_ones_own_review(infra: Infra, people: People, client: Person) -> None:
    ana, ben = await people.make("ana"), await people.make("ben")
    album_id = await make_album(infra, "A Love Supreme")
    review = await write_review(ana, album_id, rating=10)
    draft = await write_review(ben, album_id, rating=None, draft=True, text="Later")
    async with queries(infra) as ran:
        page = (await ana.get(f"/albums/{album_id}")).json()
    assert ran == [2]
    assert page["title"] == "A Love Supreme"
    assert page["ratings"] == {"count": 1, "mean": 10.0, "histogram": [0] * 9 + [1]}
    assert page["my_review"] == review
    assert (await ben.get(f"/albums/{album_id}")).json()["my_review"] == draft
    async with queries(infra) as ran:
        public = (await client.get(f"/albums/{album_id}")).json()
    assert ran == [1]
    assert public == page | {"my_review": None}


async def test_its_etag_changes_with_a_review(infra: Infra, people: People) -> None:
    ana, album_id = await people.make("ana"), await make_album(infra)
    first = await ana.get(f"/albums/{album_id}")
    known = {"If-None-Match": first.headers["etag"]}
    assert (await ana.get(f"/albums/{album_id}", headers=known)).status_code == 304
    await write_review(ana, album_id)
    assert (await ana.get(f"/albums/{album_id}", headers=known)).status_code == 200


async def test_a_duplicate_leads_to_the_album_that_stays(infra: Infra, people: People, client: Person) -> None:
    ana, kept_id = await people.make("ana"), await make_album(infra)
    duplicate_id = await make_album(infra, merged_into_id=kept_id)
    for reader in (ana, client):
        answer = await reader.get(f"/albums/{duplicate_id}")
        assert (answer.status_code, answer.headers["location"]) == (308, f"/api/v1/albums/{kept_id}")
        assert (await reader.get(f"/albums/{uuid7()}")).status_code == 404
