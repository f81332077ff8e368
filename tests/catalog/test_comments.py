"""Comments on tracks: moments, replies, likes, counts, who is told, and what happens when tracks become one."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select, update

from app.catalog.models import Track
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.job_runner import drain
from app.reactions.models import Comment
from app.users.service import delete_account
from tests.catalog.factories import add_track
from tests.people import People, Person, queries

Body = dict[str, Any]


@pytest.fixture
async def ana(people: People) -> Person:
    return await people.make("ana")


@pytest.fixture
async def ben(people: People) -> Person:
    return await people.make("ben")


@pytest.fixture
async def curator(people: People) -> Person:
    return await people.make("curator", role="curator")


@pytest.fixture
async def track(curator: Person) -> Body:
    return await add_track(curator, duration_ms=200_000)


async def say(person: Person, track: Body, text: str = "Hm.", **fields: Any) -> Body:
    answer = await person.post(f"/tracks/{track['id']}/comments", json={"text": text, **fields})
    assert answer.status_code == 201, answer.text
    said: Body = answer.json()
    return said


async def said(reader: httpx.AsyncClient, track: Body, sort: str = "old") -> list[Body]:
    answer = await reader.get(f"/tracks/{track['id']}/comments", params={"sort": sort})
    assert answer.status_code == 200, answer.text
    items: list[Body] = answer.json()["items"]
    return items


async def count(infra: Infra, track: Body) -> int:
    """The counter, which tells the truth."""
    track_id = UUID(track["id"])
    counted = await infra.db.reader.one(select(Track.comment_count).where(Track.id == track_id))
    there = select(func.count()).where(Comment.track_id == track_id, Comment.deleted_at.is_(None))
    assert counted == await infra.db.reader.one(there)
    assert isinstance(counted, int)
    return counted


async def test_a_comment_is_about_a_moment(infra: Infra, client: httpx.AsyncClient, ana: Person, track: Body) -> None:
    whole, late, early = [
        await say(ana, track, text, **moment)
        for text, moment in (("All", {}), ("Late", {"position_ms": 200_000}), ("Early", {"position_ms": 0}))
    ]
    assert (late["position_ms"], late["track_id"], late["review_id"]) == (200_000, track["id"], None)
    assert [item["id"] for item in await said(client, track)] == [whole["id"], late["id"], early["id"]]
    assert [item["id"] for item in await said(client, track, "new")] == [early["id"], late["id"], whole["id"]]
    assert [item["id"] for item in await said(client, track, "position")] == [early["id"], late["id"]]
    assert await count(infra, track) == 3
    assert (await client.get(f"/tracks/{track['id']}")).json()["comment_count"] == 3


@pytest.mark.parametrize("position", [-1, 200_001, 1.5, "5", 86_400_001])
async def test_moments_that_the_track_does_not_have(infra: Infra, ana: Person, track: Body, position: object) -> None:
    answer = await ana.post(f"/tracks/{track['id']}/comments", json={"text": "Hm.", "position_ms": position})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/body/position_ms")
    assert await count(infra, track) == 0


async def test_pages_by_position_leave_nothing_out(ana: Person, track: Body) -> None:
    ids = [(await say(ana, track, position_ms=moment))["id"] for moment in (5, 5, 5, 1, 9)]
    expected, got, cursor = [ids[3], *ids[:3], ids[4]], [], None
    while True:
        params = {"sort": "position", "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await ana.get(f"/tracks/{track['id']}/comments", params=params)).json()
        got += [item["id"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert got == expected


async def test_replies_stand_where_their_comment_stands(ana: Person, ben: Person, track: Body) -> None:
    root = await say(ana, track, "Root", position_ms=7)
    reply = await say(ben, track, "Reply", parent_id=root["id"])
    deeper = await say(ana, track, "Deeper", parent_id=reply["id"])
    assert reply["parent_id"] == deeper["parent_id"] == root["id"]
    answer = await ben.post(
        f"/tracks/{track['id']}/comments", json={"text": "x", "position_ms": 1, "parent_id": root["id"]}
    )
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "of_reply")
    (thread,) = await said(ana, track, "position")
    assert [item["text"] for item in thread["replies"]] == ["Reply", "Deeper"]
    replies = (await ana.get(f"/comments/{root['id']}/replies")).json()["items"]
    assert [item["id"] for item in replies] == [reply["id"], deeper["id"]]


async def test_a_parent_is_of_the_same_track(ana: Person, curator: Person, track: Body) -> None:
    elsewhere = await say(ana, await add_track(curator), "Elsewhere")
    for parent in (elsewhere["id"], str(uuid7())):
        answer = await ana.post(f"/tracks/{track['id']}/comments", json={"text": "x", "parent_id": parent})
        assert answer.status_code == 404


async def test_tracks_that_are_not_there(client: httpx.AsyncClient, ana: Person) -> None:
    path = f"/tracks/{uuid7()}/comments"
    assert (await client.get(path)).status_code == 404
    assert (await ana.post(path, json={"text": "x"})).status_code == 404
    assert (await client.post(path, json={"text": "x"})).status_code == 401


async def test_they_are_edited_liked_and_deleted_as_all_comments(
    infra: Infra, ana: Person, ben: Person, track: Body
) -> None:
    comment = await say(ana, track, "Before")
    path = f"/comments/{comment['id']}"
    assert (await ben.patch(path, json={"text": "Mine"})).status_code == 403
    assert (await ana.patch(path, json={"text": "After"})).json()["text"] == "After"
    assert (await ben.put(f"{path}/like")).json() == {"liked": True, "like_count": 1}
    assert (await said(ben, track))[0]["liked"]
    assert (await ben.delete(f"{path}/like")).json() == {"liked": False, "like_count": 0}
    assert (await ben.delete(path)).status_code == 403
    assert (await ana.delete(path)).status_code == 204
    assert await said(ana, track) == []
    assert await count(infra, track) == 0


async def test_a_deleted_comment_with_replies_leaves_its_place(
    infra: Infra, people: People, ana: Person, ben: Person, track: Body
) -> None:
    admin = await people.make("admin", role="admin")
    root = await say(ana, track)
    await say(ben, track, "Reply", parent_id=root["id"])
    assert (await admin.delete(f"/comments/{root['id']}")).status_code == 204
    (thread,) = await said(ben, track)
    assert (thread["deleted"], thread["text"], thread["author"], len(thread["replies"])) == (True, None, None, 1)
    assert await count(infra, track) == 1


async def test_blocked_people_do_not_read_each_other(ana: Person, ben: Person, track: Body) -> None:
    comment = await say(ana, track)
    assert (await ana.put(f"/users/{ben.username}/block")).status_code < 300
    assert await said(ben, track) == []
    assert (await ben.put(f"/comments/{comment['id']}/like")).status_code == 404
    answer = await ben.post(f"/tracks/{track['id']}/comments", json={"text": "x", "parent_id": comment["id"]})
    assert answer.status_code == 404


async def told(infra: Infra, person: Person) -> list[tuple[str, str | None, str | None]]:
    await drain(infra)
    items = (await person.get("/notifications")).json()["items"]
    return [(item["kind"], (item["track"] or {}).get("id"), (item["comment"] or {}).get("excerpt")) for item in items]


async def test_who_is_told(infra: Infra, people: People, ana: Person, ben: Person, track: Body) -> None:
    carl = await people.make("carl")
    root = await say(ana, track, "Root")
    await say(ben, track, f"Is it, @{carl.username} and @{ana.username}?", parent_id=root["id"])
    await carl.put(f"/comments/{root['id']}/like")
    excerpt = f"Is it, @{carl.username} and @{ana.username}?"
    assert await told(infra, ana) == [("like", track["id"], "Root"), ("reply", track["id"], excerpt)]
    assert await told(infra, carl) == [("mention", track["id"], excerpt)]
    await ana.delete(f"/comments/{root['id']}")
    assert ("like", track["id"], "Root") not in await told(infra, ana)


async def test_comments_move_with_a_duplicate(infra: Infra, ana: Person, curator: Person, track: Body) -> None:
    duplicate = await add_track(curator)
    here, there = await say(ana, track, "Here"), await say(ana, duplicate, "There")
    merged = await curator.post(f"/tracks/{duplicate['id']}/merge", json={"into": track["id"]})
    assert merged.status_code == 200, merged.text
    await drain(infra)
    assert [item["id"] for item in await said(ana, track)] == [here["id"], there["id"]]
    assert await count(infra, track) == 2
    old = await ana.get(f"/tracks/{duplicate['id']}/comments", follow_redirects=False)
    assert (old.status_code, old.headers["location"]) == (308, f"/api/v1/tracks/{track['id']}/comments")


async def test_who_leaves_takes_them_along(infra: Infra, ana: Person, ben: Person, track: Body) -> None:
    await say(ben, track, "Stays")
    await say(ana, track, "Goes")
    async with infra.db.write() as db:
        await delete_account(db, ana.id, keep_content=False)
    await drain(infra)
    assert [item["text"] for item in await said(ben, track)] == ["Stays"]
    assert await count(infra, track) == 1


async def test_a_page_is_one_statement(infra: Infra, ana: Person, ben: Person, track: Body) -> None:
    root = await say(ana, track, position_ms=3)
    for number in range(5):
        await say(ben, track, f"{number}", parent_id=root["id"])
    for sort in ("old", "new", "position"):
        async with queries(infra) as ran:
            assert len(await said(ana, track, sort)) == 1
        assert ran == [1]


async def test_only_who_may_hear_it_may_talk_about_it(
    infra: Infra, client: httpx.AsyncClient, people: People, ana: Person, track: Body
) -> None:
    ben, carl = await people.make("ben"), await people.make("carl")
    await own(infra, ana, track, "followers")
    await ben.put(f"/users/{ana.username}/follow")
    comment = await say(ben, track, f"Listen, @{carl.username}!")
    for reader in (client, carl):
        assert (await reader.get(f"/tracks/{track['id']}/comments")).status_code == 404
        assert (await reader.get(f"/comments/{comment['id']}/replies")).status_code == 404
    assert (await carl.post(f"/tracks/{track['id']}/comments", json={"text": "x"})).status_code == 404
    assert (await carl.put(f"/comments/{comment['id']}/like")).status_code == 404
    assert [item["id"] for item in await said(ben, track)] == [comment["id"]]
    assert await told(infra, ana) == [
        ("comment", track["id"], f"Listen, @{carl.username}!"),
        ("follow", None, None),
    ]
    assert await told(infra, carl) == []
    assert (await ana.delete(f"/comments/{comment['id']}")).status_code == 204
    assert await count(infra, track) == 0


async def own(infra: Infra, owner: Person, track: Body, visibility: str) -> None:
    """As if the owner had uploaded it."""
    async with infra.db.write() as db:
        await db.execute(
            update(Track).where(Track.id == UUID(track["id"])).values(owner_id=owner.id, visibility=visibility)
        )
