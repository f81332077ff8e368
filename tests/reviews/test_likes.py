"""Likes on reviews and comments."""

import httpx

from app.core.ids import uuid7
from app.core.infra import Infra
from app.users.service import delete_account
from tests.people import People, queries
from tests.reviews.factories import assert_counted, make_album, write_comment, write_review


async def test_liking_is_idempotent(infra: Infra, people: People) -> None:
    ana, ben = await people.make("ana"), await people.make("ben")
    review = await write_review(ana, await make_album(infra))
    comment = await write_comment(ana, review)
    for path in (f"/reviews/{review['id']}", f"/comments/{comment['id']}"):
        methods = ("PUT", "PUT", "DELETE", "DELETE")
        answers = [(await ben.request(method, f"{path}/like")).json() for method in methods]
        assert answers == [
            {"liked": True, "like_count": 1},
            {"liked": True, "like_count": 1},
            {"liked": False, "like_count": 0},
            {"liked": False, "like_count": 0},
        ]
    await ben.put(f"/reviews/{review['id']}/like")
    own = await ana.put(f"/reviews/{review['id']}/like")
    assert own.json() == {"liked": True, "like_count": 2}
    await assert_counted(infra, albums=[review["album"]["id"]])


async def test_nothing_to_like(people: People) -> None:
    ana = await people.make("ana")
    for path in (f"/reviews/{uuid7()}/like", f"/comments/{uuid7()}/like"):
        assert (await ana.put(path)).status_code == 404
        assert (await ana.delete(path)).status_code == 404


async def test_likers_are_listed_latest_first(infra: Infra, people: People) -> None:
    ana = await people.make("ana")
    likers = [await people.make("liker") for _ in range(5)]
    review = await write_review(ana, await make_album(infra))
    for liker in likers:
        await liker.put(f"/reviews/{review['id']}/like")
    path, seen = f"/reviews/{review['id']}/likers", []
    params = {"limit": "2"}
    for _ in range(3):
        page = (await ana.get(path, params=params)).json()
        seen += [person["username"] for person in page["items"]]
        params["cursor"] = page["next_cursor"]
    assert seen == [liker.username for liker in reversed(likers)]
    assert params["cursor"] is None


async def test_likers_are_told_to_those_who_may_read_their_library(
    infra: Infra, people: People, client: httpx.AsyncClient
) -> None:
    ana, fan = await people.make("ana"), await people.make("fan")
    hidden = [
        await people.make("nowhere", profile_visibility="me", library_visibility="me"),
        await people.make("silent", library_visibility="me"),
        await people.make("shy", library_visibility="followers"),
        await people.make("closed", profile_visibility="followers"),
    ]
    blocked, plain, leaver = await people.make("blocked"), await people.make("plain"), await people.make("leaver")
    review = await write_review(ana, await make_album(infra))
    for person in (*hidden, blocked, plain, leaver):
        assert (await person.put(f"/reviews/{review['id']}/like")).status_code == 200
    for person in hidden[2:]:
        assert (await fan.put(f"/users/{person.username}/follow")).status_code == 200
    assert (await blocked.put(f"/users/{fan.username}/block")).status_code < 300
    async with infra.db.write() as db:
        await delete_account(db, leaver.id, keep_content=True)

    async def told(reader: httpx.AsyncClient) -> set[str]:
        items = (await reader.get(f"/reviews/{review['id']}/likers")).json()["items"]
        return {person["username"] for person in items}

    assert await told(client) == {plain.username, blocked.username}
    assert await told(fan) == {plain.username, hidden[2].username, hidden[3].username}
    assert await told(hidden[0]) == {plain.username, blocked.username, hidden[0].username}


async def test_a_like_costs_few_statements(infra: Infra, people: People) -> None:
    ana, ben = await people.make("ana"), await people.make("ben")
    review = await write_review(ana, await make_album(infra))
    async with queries(infra) as ran:
        await ben.put(f"/reviews/{review['id']}/like")
    assert ran[0] <= 4
    async with queries(infra) as ran:
        await ben.put(f"/reviews/{review['id']}/like")
    assert ran == [3]
