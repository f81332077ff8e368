"""Likes on reviews and comments."""

from app.core.ids import uuid7
from app.core.infra import Infra
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


async def test_a_like_costs_few_statements(infra: Infra, people: People) -> None:
    ana, ben = await people.make("ana"), await people.make("ben")
    review = await write_review(ana, await make_album(infra))
    async with queries(infra) as ran:
        await ben.put(f"/reviews/{review['id']}/like")
    assert ran[0] <= 4
    async with queries(infra) as ran:
        await ben.put(f"/reviews/{review['id']}/like")
    assert ran == [3]
