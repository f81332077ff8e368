"""Comments and their one level of replies."""

from typing import Any

import pytest
from sqlalchemy import select

from app.core.ids import uuid7
from app.core.infra import Infra
from app.reactions.models import Comment
from tests.people import People, Person, queries
from tests.reviews.factories import Body, assert_counted, make_album, write_comment, write_review


@pytest.fixture
async def ana(people: People) -> Person:
    return await people.make("ana")


@pytest.fixture
async def ben(people: People) -> Person:
    return await people.make("ben")


@pytest.fixture
async def review(infra: Infra, ana: Person) -> Body:
    return await write_review(ana, await make_album(infra))


async def threads(reader: Person, review: Body, **params: Any) -> list[Body]:
    return (await reader.get(f"/reviews/{review['id']}/comments", params=params)).json()["items"]


async def counts(reader: Person, review: Body) -> int:
    return (await reader.get(f"/reviews/{review['id']}")).json()["comment_count"]


async def test_a_comment_shows_its_author(ben: Person, review: Body) -> None:
    comment = await write_comment(ben, review, "  The second side!\n ")
    assert comment["text"] == "The second side!"
    assert comment["author"]["username"] == ben.username
    assert (comment["parent_id"], comment["edited_at"], comment["deleted"]) == (None, None, False)
    assert (comment["like_count"], comment["reply_count"], comment["liked"]) == (0, 0, False)
    assert await threads(ben, review) == [{**comment, "replies": []}]
    assert await counts(ben, review) == 1


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001, "a\x00b", None, 5])
async def test_texts_that_are_no_comments(ben: Person, review: Body, text: object) -> None:
    answer = await ben.post(f"/reviews/{review['id']}/comments", json={"text": text})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/body/text")
    assert await counts(ben, review) == 0


async def test_replies_have_one_level(ana: Person, ben: Person, review: Body) -> None:
    root = await write_comment(ben, review, "Root")
    reply = await write_comment(ana, review, "Reply", root)
    deeper = await write_comment(ben, review, "Deeper", reply)
    assert reply["parent_id"] == deeper["parent_id"] == root["id"]
    (thread,) = await threads(ana, review)
    assert (thread["reply_count"], thread["replies"]) == (2, [reply, deeper])
    assert (await ana.get(f"/comments/{root['id']}/replies")).json()["items"] == [reply, deeper]
    assert await counts(ana, review) == 3


async def test_a_reply_belongs_to_a_comment_of_the_same_review(infra: Infra, ana: Person, review: Body) -> None:
    elsewhere = await write_comment(ana, await write_review(ana, await make_album(infra)))
    for parent_id in (elsewhere["id"], str(uuid7())):
        answer = await ana.post(f"/reviews/{review['id']}/comments", json={"text": "?", "parent_id": parent_id})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert await counts(ana, review) == 0


async def test_a_page_of_threads_is_one_statement_with_three_replies_each(
    infra: Infra, ana: Person, ben: Person, review: Body
) -> None:
    roots = [await write_comment(ben, review, f"Root {n}") for n in range(3)]
    replies = [[await write_comment(ana, review, f"Reply {n}", root) for n in range(5)] for root in roots]
    await ana.put(f"/comments/{replies[0][0]['id']}/like")
    async with queries(infra) as ran:
        found = await threads(ana, review)
    assert ran == [1]
    assert [it["text"] for it in found] == ["Root 0", "Root 1", "Root 2"]
    assert [[it["text"] for it in thread["replies"]] for thread in found] == [["Reply 0", "Reply 1", "Reply 2"]] * 3
    assert {thread["reply_count"] for thread in found} == {5}
    assert [it["liked"] for it in found[0]["replies"]] == [True, False, False]
    async with queries(infra) as ran:
        page = (await ana.get(f"/comments/{roots[1]['id']}/replies", params={"limit": 4})).json()
    assert ran == [1]
    assert page["items"] == replies[1][:4]
    rest = await ana.get(f"/comments/{roots[1]['id']}/replies", params={"limit": 4, "cursor": page["next_cursor"]})
    assert rest.json()["items"] == replies[1][4:]


@pytest.mark.parametrize("sort", ["old", "new"])
async def test_three_pages_of_threads(ana: Person, ben: Person, review: Body, sort: str) -> None:
    roots = [await write_comment(ben, review, f"{n}") for n in range(5)]
    seen: list[str] = []
    params: dict[str, Any] = {"limit": 2, "sort": sort}
    for _ in range(3):
        page = (await ana.get(f"/reviews/{review['id']}/comments", params=params)).json()
        seen += [it["id"] for it in page["items"]]
        params["cursor"] = page["next_cursor"]
        late = await write_comment(ben, review, "late")
    expected = [root["id"] for root in roots]
    assert seen[:5] == (expected if sort == "old" else expected[::-1])
    assert len(set(seen)) == len(seen)
    assert late["id"] not in seen


async def test_an_edited_comment_says_so(ana: Person, ben: Person, review: Body) -> None:
    comment = await write_comment(ben, review, "Frist!")
    same = await ben.patch(f"/comments/{comment['id']}", json={"text": "Frist!"})
    assert same.json()["edited_at"] is None
    edited = await ben.patch(f"/comments/{comment['id']}", json={"text": "First!"})
    assert (edited.json()["text"], edited.json()["edited_at"] is not None) == ("First!", True)
    refused = await ana.patch(f"/comments/{comment['id']}", json={"text": "Mine"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (await ben.patch(f"/comments/{comment['id']}", json={"text": " "})).status_code == 422


async def test_who_may_delete_a_comment(infra: Infra, people: People, ana: Person, ben: Person, review: Body) -> None:
    admin, curator = await people.make("adm", role="admin"), await people.make("cur", role="curator")
    for deleter, status in ((curator, 403), (ben, 204), (ana, 204), (admin, 204)):
        comment = await write_comment(ben, review)
        answer = await deleter.delete(f"/comments/{comment['id']}")
        assert answer.status_code == status
        again = await deleter.delete(f"/comments/{comment['id']}")
        assert again.status_code == (403 if status == 403 else 404)
    assert await counts(ana, review) == 1


async def test_a_deleted_comment_with_replies_is_an_empty_place_until_the_last_is_gone(
    infra: Infra, ana: Person, ben: Person, review: Body
) -> None:
    root = await write_comment(ben, review, "Secret")
    replies = [await write_comment(ana, review, f"{n}", root) for n in range(2)]
    await ana.put(f"/comments/{root['id']}/like")
    assert (await ben.delete(f"/comments/{root['id']}")).status_code == 204
    (place,) = await threads(ana, review)
    assert (place["deleted"], place["text"], place["author"], place["like_count"]) == (True, None, None, 0)
    assert place["replies"] == replies
    assert await counts(ana, review) == 2
    kept = await infra.db.reader.one(select(Comment.text).where(Comment.id == root["id"]))
    assert kept == ""
    for answer in (
        await ana.put(f"/comments/{root['id']}/like"),
        await ben.patch(f"/comments/{root['id']}", json={"text": "Back"}),
        await ben.delete(f"/comments/{root['id']}"),
        await ana.post(f"/reviews/{review['id']}/comments", json={"text": "?", "parent_id": root["id"]}),
    ):
        assert answer.status_code == 404
    joined = await write_comment(ben, review, "Still here", replies[1])
    assert joined["parent_id"] == root["id"]
    await assert_counted(infra, albums=[review["album"]["id"]])
    for comment in (*replies, joined):
        assert len(await threads(ana, review)) == 1
        await ana.delete(f"/comments/{comment['id']}")
        await assert_counted(infra, albums=[review["album"]["id"]])
    assert await threads(ana, review) == []
    assert (await ana.get(f"/comments/{root['id']}/replies")).status_code == 404


async def test_replies_of_a_comment_that_is_not_there(ana: Person, review: Body) -> None:
    assert (await ana.get(f"/comments/{uuid7()}/replies")).status_code == 404
    lone = await write_comment(ana, review)
    assert (await ana.get(f"/comments/{lone['id']}/replies")).json()["items"] == []


async def test_one_comment(ana: Person, ben: Person, review: Body, infra: Infra) -> None:
    root = await write_comment(ben, review, "Root")
    reply = await write_comment(ana, review, "Reply", root)
    async with queries(infra) as ran:
        found = (await ana.get(f"/comments/{reply['id']}")).json()
    assert (ran, found) == ([1], reply)
    await ben.delete(f"/comments/{root['id']}")
    place = (await ana.get(f"/comments/{root['id']}")).json()
    assert (place["text"], place["author"], place["deleted"], place["reply_count"]) == (None, None, True, 1)
    await ana.delete(f"/comments/{reply['id']}")
    assert (await ana.get(f"/comments/{reply['id']}")).status_code == 404
    assert (await ana.get(f"/comments/{uuid7()}")).status_code == 404


async def test_one_comment_that_may_not_be_read(ana: Person, ben: Person, review: Body, people: People) -> None:
    comment = await write_comment(ben, review, "Hm.")
    other = await people.make("other")
    assert (await other.get(f"/comments/{comment['id']}")).status_code == 200
    await ben.put(f"/users/{other.username}/block")
    assert (await other.get(f"/comments/{comment['id']}")).status_code == 404
    await ana.patch("/users/me", json={"profile_visibility": "me"})
    third = await people.make("third")
    assert (await third.get(f"/comments/{comment['id']}")).status_code == 404
