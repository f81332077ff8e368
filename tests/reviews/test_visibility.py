"""Who may read a review, wherever it could be read."""

import pytest

from app.core.infra import Infra
from tests.people import People, Person
from tests.reviews.factories import Body, block, follow, make_album, mute, write_comment, write_review

READERS = ["author", "follower", "stranger", "anonymous", "blocked", "blocker", "muter", "admin"]
EVERYBODY = {"author", "follower", "stranger", "anonymous", "muter", "admin"}
SEEN = {"everyone": EVERYBODY, "followers": {"author", "follower"}, "me": {"author"}}


@pytest.fixture(params=["everyone", "followers", "me"])
def audience(request: pytest.FixtureRequest) -> str:
    return request.param


async def readers_of(infra: Infra, people: People, client: Person, author: Person) -> dict[str, Person]:
    readers = {name: await people.make(name) for name in READERS}
    readers |= {"author": author, "anonymous": client, "admin": await people.make("admin", role="admin")}
    await follow(infra, readers["follower"], author)
    await block(infra, author, readers["blocked"])
    await block(infra, readers["blocker"], author)
    await mute(infra, readers["muter"], author)
    return readers


def ids(page: Body) -> set[str]:
    return {item["id"] for item in page.get("items", [])}


async def test_who_reads_a_review(infra: Infra, people: People, client: Person, audience: str) -> None:
    author = await people.make("author", profile_visibility=audience)
    album_id = await make_album(infra)
    review = await write_review(author, album_id)
    await write_comment(author, review)
    for name, reader in (await readers_of(infra, people, client, author)).items():
        expected = name in SEEN[audience]
        for path in ("", "/revisions", "/comments", "/likers"):
            answer = await reader.get(f"/reviews/{review['id']}{path}")
            assert answer.status_code == (200 if expected else 404), (name, path)
        of_album = ids((await reader.get(f"/albums/{album_id}/reviews")).json())
        assert (review["id"] in of_album) == (expected and name != "muter"), name
        of_person = await reader.get(f"/users/{author.username}/reviews")
        assert (of_person.status_code == 200) == expected, name
        assert (review["id"] in ids(of_person.json())) == expected, name
        recent = ids((await reader.get("/reviews", params={"limit": 100})).json())
        assert (review["id"] in recent) == (expected and name != "muter"), name


async def test_who_acts_on_a_review(infra: Infra, people: People, client: Person, audience: str) -> None:
    author = await people.make("author", profile_visibility=audience)
    review = await write_review(author, await make_album(infra))
    comment = await write_comment(author, review)
    readers = await readers_of(infra, people, client, author)
    del readers["anonymous"]
    for name, reader in readers.items():
        expected = name in SEEN[audience]
        answers = [
            await reader.put(f"/reviews/{review['id']}/like"),
            await reader.delete(f"/reviews/{review['id']}/like"),
            await reader.post(f"/reviews/{review['id']}/comments", json={"text": "Hm."}),
            await reader.put(f"/comments/{comment['id']}/like"),
            await reader.delete(f"/comments/{comment['id']}/like"),
        ]
        statuses = {answer.status_code for answer in answers}
        assert statuses == ({200, 201} if expected else {404}), name


async def test_only_its_author_reads_a_draft(infra: Infra, people: People, client: Person) -> None:
    author = await people.make("author")
    album_id = await make_album(infra)
    draft = await write_review(author, album_id, rating=None, draft=True)
    for name, reader in (await readers_of(infra, people, client, author)).items():
        expected = name == "author"
        assert (await reader.get(f"/reviews/{draft['id']}")).status_code == (200 if expected else 404), name
        assert ids((await reader.get(f"/albums/{album_id}/reviews")).json()) == set(), name
        if name != "anonymous":
            answer = await reader.patch(f"/reviews/{draft['id']}", json={"text": "Mine?"})
            assert answer.status_code == (200 if expected else 404), name
            assert (await reader.put(f"/reviews/{draft['id']}/like")).status_code == (409 if expected else 404), name


async def test_nobody_talks_under_a_draft(infra: Infra, people: People) -> None:
    author = await people.make("author")
    draft = await write_review(author, await make_album(infra), rating=None, draft=True)
    path = f"/reviews/{draft['id']}"
    for answer in (await author.put(f"{path}/like"), await author.post(f"{path}/comments", json={"text": "Note"})):
        assert (answer.status_code, answer.json()["code"]) == (409, "review_is_draft")


async def test_no_block_keeps_an_admin_away(infra: Infra, people: People) -> None:
    author, admin = await people.make("author"), await people.make("admin", role="admin")
    stranger = await people.make("stranger")
    review = await write_review(author, await make_album(infra))
    draft = await write_review(author, await make_album(infra), rating=None, draft=True)
    comment = await write_comment(author, review)
    for other in (admin, stranger):
        await block(infra, author, other)
    for path in (f"/comments/{comment['id']}", f"/reviews/{review['id']}"):
        assert (await stranger.delete(path)).status_code == 404
        assert (await admin.delete(path)).status_code == 204
        assert (await admin.delete(path)).status_code == 404
    assert (await author.get(f"/reviews/{review['id']}")).status_code == 404
    # nobody else knows of a draft
    assert (await admin.delete(f"/reviews/{draft['id']}")).status_code == 404
    mine = await write_review(admin, await make_album(infra), rating=None, draft=True)
    assert (await admin.delete(f"/reviews/{mine['id']}")).status_code == 204


async def test_who_hides_vanishes_at_once(infra: Infra, people: People, client: Person) -> None:
    author = await people.make("author")
    album_id = await make_album(infra)
    await write_review(author, album_id)
    assert len((await client.get(f"/albums/{album_id}/reviews")).json()["items"]) == 1
    await author.patch("/users/me", json={"profile_visibility": "followers"})
    assert (await client.get(f"/albums/{album_id}/reviews")).json()["items"] == []


async def test_people_who_block_each_other_do_not_hear_each_other(infra: Infra, people: People) -> None:
    host, ana, ben = await people.make("host"), await people.make("ana"), await people.make("ben")
    review = await write_review(host, await make_album(infra))
    root = await write_comment(ana, review, "First")
    await write_comment(ben, review, "Under it", root)
    await write_comment(ben, review, "Second")
    await ana.put(f"/reviews/{review['id']}/like")
    await block(infra, ben, ana)
    path = f"/reviews/{review['id']}/comments"
    assert [it["text"] for it in (await ben.get(path)).json()["items"]] == ["Second"]
    mine = (await ana.get(path)).json()["items"]
    assert [(it["text"], it["replies"]) for it in mine] == [("First", [])]
    assert (await ben.get(f"/comments/{root['id']}/replies")).status_code == 404
    assert (await ben.put(f"/comments/{root['id']}/like")).status_code == 404
    reply = await ben.post(path, json={"text": "Hey", "parent_id": root["id"]})
    assert reply.status_code == 404
    assert (await ben.get(f"/reviews/{review['id']}/likers")).json()["items"] == []
    threads = (await host.get(path)).json()["items"]
    assert [(it["text"], len(it["replies"])) for it in threads] == [("First", 1), ("Second", 0)]


async def test_muted_people_are_not_heard(infra: Infra, people: People) -> None:
    host, ana = await people.make("host"), await people.make("ana")
    review = await write_review(host, await make_album(infra))
    await write_comment(ana, review)
    await mute(infra, host, ana)
    path = f"/reviews/{review['id']}/comments"
    assert (await host.get(path)).json()["items"] == []
    assert len((await ana.get(path)).json()["items"]) == 1
