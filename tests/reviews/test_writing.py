"""Writing, publishing, editing and deleting reviews."""

import pytest
from sqlalchemy import select

from app.core.ids import uuid7
from app.core.infra import Infra
from app.reviews.models import Review
from tests.people import People, Person, queries
from tests.reviews.factories import assert_counted, make_album, write_comment, write_review


@pytest.fixture
async def ana(people: People) -> Person:
    return await people.make("ana")


@pytest.fixture
async def ben(people: People) -> Person:
    return await people.make("ben")


async def test_a_review_shows_its_author_and_album(infra: Infra, ana: Person) -> None:
    album_id = await make_album(infra, "Blue Train", artist="John Coltrane")
    review = await write_review(ana, album_id, rating=9, text="  Warm and patient.  ", is_favorite=True)
    assert review["rating"] == 9
    assert review["text"] == "Warm and patient."
    assert review["is_favorite"] is True
    assert review["author"]["username"] == ana.username
    assert review["album"]["title"] == "Blue Train"
    assert review["album"]["artist"]["name"] == "John Coltrane"
    assert (review["like_count"], review["comment_count"], review["liked"]) == (0, 0, False)
    assert review["published_at"] is not None
    assert review["edited_at"] is None
    assert (await ana.get(f"/reviews/{review['id']}")).json() == review
    await assert_counted(infra, albums=[album_id], people=[ana.id])


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"rating": 0}, "/body/rating"),
        ({"rating": 11}, "/body/rating"),
        ({"rating": "8"}, "/body/rating"),
        ({"rating": 7.5}, "/body/rating"),
        ({"rating": None}, "/body/rating"),
        ({"text": "x" * 5001}, "/body/text"),
        ({"text": "a\x00b"}, "/body/text"),
        ({"album_id": "kind-of-blue"}, "/body/album_id"),
        ({"stars": 5}, "/body/stars"),
        ({"is_favorite": 1}, "/body/is_favorite"),
    ],
)
async def test_faults_are_named(infra: Infra, ana: Person, change: dict[str, object], pointer: str) -> None:
    body = {"album_id": str(await make_album(infra)), "rating": 8} | change
    answer = await ana.post("/reviews", json=body)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


async def test_the_longest_text_is_kept(infra: Infra, ana: Person) -> None:
    review = await write_review(ana, await make_album(infra), text="é" * 5000)
    assert review["text"] == "é" * 5000


async def test_an_unknown_album_is_not_reviewed(ana: Person) -> None:
    answer = await ana.post("/reviews", json={"album_id": str(uuid7()), "rating": 8})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_one_review_for_each_person_and_album(infra: Infra, ana: Person, ben: Person) -> None:
    album_id = await make_album(infra)
    first = await write_review(ana, album_id)
    again = await ana.post("/reviews", json={"album_id": str(album_id), "rating": 3})
    assert (again.status_code, again.json()["code"]) == (409, "review_exists")
    assert again.json()["existing_id"] == first["id"]
    assert again.headers["location"] == f"/api/v1/reviews/{first['id']}"
    await write_review(ben, album_id, rating=2)
    await assert_counted(infra, albums=[album_id], people=[ana.id, ben.id])


async def test_a_draft_is_in_the_way_too(infra: Infra, ana: Person) -> None:
    album_id = await make_album(infra)
    draft = await write_review(ana, album_id, rating=None, draft=True)
    again = await ana.post("/reviews", json={"album_id": str(album_id), "rating": 3})
    assert again.json()["existing_id"] == draft["id"]


async def test_a_merged_album_stands_for_the_one_that_stays(infra: Infra, ana: Person) -> None:
    kept_id = await make_album(infra)
    duplicate_id = await make_album(infra, merged_into_id=kept_id)
    review = await write_review(ana, duplicate_id)
    assert review["album"]["id"] == str(kept_id)
    await assert_counted(infra, albums=[kept_id, duplicate_id])


async def test_a_draft_counts_nowhere_until_it_is_published(infra: Infra, ana: Person) -> None:
    album_id = await make_album(infra)
    draft = await write_review(ana, album_id, rating=None, text="Later", draft=True)
    assert draft["published_at"] is None
    await assert_counted(infra, albums=[album_id], people=[ana.id])
    edited = await ana.patch(f"/reviews/{draft['id']}", json={"rating": 6})
    assert (edited.json()["rating"], edited.json()["edited_at"]) == (6, None)
    published = await ana.patch(f"/reviews/{draft['id']}", json={"draft": False})
    assert published.json()["published_at"] is not None
    await assert_counted(infra, albums=[album_id], people=[ana.id])
    assert (await ana.get(f"/reviews/{draft['id']}/revisions")).json()["items"] == []


async def test_publishing_needs_a_rating(infra: Infra, ana: Person) -> None:
    draft = await write_review(ana, await make_album(infra), rating=None, draft=True)
    refused = await ana.patch(f"/reviews/{draft['id']}", json={"draft": False})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/body/rating"
    assert (await ana.get(f"/reviews/{draft['id']}")).json()["published_at"] is None


async def test_a_published_review_keeps_its_rating_and_stays_published(infra: Infra, ana: Person) -> None:
    review = await write_review(ana, await make_album(infra))
    without = await ana.patch(f"/reviews/{review['id']}", json={"rating": None})
    assert (without.status_code, without.json()["errors"][0]["pointer"]) == (422, "/body/rating")
    back = await ana.patch(f"/reviews/{review['id']}", json={"draft": True})
    assert (back.status_code, back.json()["code"]) == (409, "already_published")
    assert (await ana.get(f"/reviews/{review['id']}")).json() == review
    assert (await ana.get(f"/reviews/{review['id']}/revisions")).json()["items"] == []


async def test_an_edit_keeps_what_was_said_before(infra: Infra, ana: Person, ben: Person) -> None:
    album_id = await make_album(infra)
    review = await write_review(ana, album_id, rating=5, text="Grows slowly.")
    first = (await ana.patch(f"/reviews/{review['id']}", json={"rating": 8})).json()
    second = (await ana.patch(f"/reviews/{review['id']}", json={"text": None})).json()
    assert first["edited_at"] < second["edited_at"]
    assert (second["rating"], second["text"]) == (8, None)
    revisions = (await ben.get(f"/reviews/{review['id']}/revisions")).json()["items"]
    assert [(it["rating"], it["text"]) for it in revisions] == [(8, "Grows slowly."), (5, "Grows slowly.")]
    await assert_counted(infra, albums=[album_id], people=[ana.id])


async def test_an_edit_that_changes_no_words_is_no_edit(infra: Infra, ana: Person) -> None:
    review = await write_review(ana, await make_album(infra), rating=5, text="Fine.")
    same = await ana.patch(f"/reviews/{review['id']}", json={"rating": 5, "text": "Fine.", "is_favorite": True})
    assert same.json()["is_favorite"] is True
    assert same.json()["edited_at"] is None
    assert (await ana.get(f"/reviews/{review['id']}/revisions")).json()["items"] == []
    empty = await ana.patch(f"/reviews/{review['id']}", json={})
    assert empty.json() == same.json()


async def test_a_deleted_review_takes_everything_along(infra: Infra, ana: Person, ben: Person) -> None:
    album_id = await make_album(infra)
    review = await write_review(ana, album_id)
    comment = await write_comment(ben, review)
    await ben.put(f"/reviews/{review['id']}/like")
    await ana.put(f"/comments/{comment['id']}/like")
    await ana.patch(f"/reviews/{review['id']}", json={"rating": 2})
    assert (await ana.delete(f"/reviews/{review['id']}")).status_code == 204
    assert (await ana.delete(f"/reviews/{review['id']}")).status_code == 404
    assert (await ben.get(f"/comments/{comment['id']}/replies")).status_code == 404
    await assert_counted(infra, albums=[album_id], people=[ana.id])
    await write_review(ana, album_id, rating=1)
    await assert_counted(infra, albums=[album_id], people=[ana.id])


async def test_only_its_author_edits_and_its_author_or_an_admin_deletes(infra: Infra, people: People) -> None:
    ana, ben, admin = await people.make("ana"), await people.make("ben"), await people.make("adm", role="admin")
    curator = await people.make("cur", role="curator")
    review = await write_review(ana, await make_album(infra))
    for other in (ben, curator, admin):
        answer = await other.patch(f"/reviews/{review['id']}", json={"rating": 1})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    for other in (ben, curator):
        assert (await other.delete(f"/reviews/{review['id']}")).status_code == 403
    assert (await admin.delete(f"/reviews/{review['id']}")).status_code == 204


async def test_drafts_are_listed_for_their_author(infra: Infra, ana: Person, ben: Person) -> None:
    drafts = [await write_review(ana, await make_album(infra), rating=None, draft=True) for _ in range(3)]
    await write_review(ana, await make_album(infra))
    await write_review(ben, await make_album(infra), rating=None, draft=True)
    async with queries(infra) as ran:
        page = (await ana.get("/reviews/drafts")).json()
    assert ran == [1]
    assert page["items"] == drafts[::-1]
    assert [it["id"] for it in (await ana.get("/reviews/drafts", params={"limit": 1})).json()["items"]] == [
        drafts[-1]["id"]
    ]


async def test_a_detail_is_one_statement_and_knows_its_etag(infra: Infra, ana: Person) -> None:
    review = await write_review(ana, await make_album(infra))
    async with queries(infra) as ran:
        answer = await ana.get(f"/reviews/{review['id']}")
    assert ran == [1]
    known = {"If-None-Match": answer.headers["etag"]}
    assert (await ana.get(f"/reviews/{review['id']}", headers=known)).status_code == 304
    await ana.put(f"/reviews/{review['id']}/like")
    assert (await ana.get(f"/reviews/{review['id']}", headers=known)).status_code == 200


async def test_writes_need_a_login(client: Person) -> None:
    path = f"/reviews/{uuid7()}"
    for answer in (
        await client.post("/reviews", json={}),
        await client.patch(path, json={}),
        await client.delete(path),
        await client.get("/reviews/drafts"),
        await client.get("/reviews/following"),
        await client.put(f"{path}/like"),
        await client.post(f"{path}/comments", json={}),
        await client.patch(f"/comments/{uuid7()}", json={}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


async def test_nothing_stays_of_a_refused_review(infra: Infra, ana: Person) -> None:
    album_id = await make_album(infra)
    await ana.post("/reviews", json={"album_id": str(album_id), "rating": None})
    assert await infra.db.reader.all(select(Review).where(Review.album_id == album_id)) == []
