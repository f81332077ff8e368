"""Whom to follow: the scores on a worked example, the reasons, and who is never named."""

from math import sqrt
from typing import Any

import pytest
from sqlalchemy import select

from app.core.config import Settings
from app.core.job_runner import drain
from app.core.jobs import emit
from app.discover.handlers import export_dismissals
from app.discover.models import Dismissal
from app.users.events import AccountDeleted
from app.users.models import Block, Follow, Mute
from tests.conftest import running
from tests.discover.conftest import World
from tests.discover.factories import active, like, make_album, make_track, review
from tests.people import People, Person, queries


async def suggested(person: Person, **params: Any) -> list[dict[str, Any]]:
    answer = await person.get("/discover/people", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def names(person: Person) -> list[str]:
    return [item["username"] for item in await suggested(person)]


async def test_scores_of_a_worked_example(world: World) -> None:
    ana, bob = await world.people.make("ana"), await world.people.make("bob")
    albums = [await make_album(world.infra, f"album {i}") for i in range(4)]
    # ana's mean is 7, bob's is 6; they share the first three albums
    for album, rating in zip(albums, (10, 9, 5, 4), strict=True):
        await review(world.infra, ana.id, album, rating, favorite=rating >= 9)
    for album, rating in zip(albums[:3], (9, 5, 4), strict=True):
        await review(world.infra, bob.id, album, rating, favorite=rating == 9)
    # of ana's three likes and bob's two they share two: an album and a track
    track = await make_track(world.infra, albums[3])
    for person, target in (
        (ana, {"album_id": albums[0].id}),
        (ana, {"track_id": track.id}),
        (ana, {"album_id": albums[2].id}),
        (bob, {"album_id": albums[0].id}),
        (bob, {"track_id": track.id}),
    ):
        await like(world.infra, person.id, **target)
    await active(world.infra, bob.id, 7.01)

    (row,) = await suggested(ana)
    cosine = (3 * 3 + 2 * -1 + -2 * -2) / sqrt((9 + 4 + 4) * (9 + 1 + 4))
    parts = {
        "rating_similarity": cosine * 3 / 10,
        "shared_likes": 2 / sqrt(3 * 2) * 2 / 5,
        "recent_activity": 0.5,
        "shared_favorites": 1 / sqrt(2 * 1) * 1 / 3,
    }
    assert row["parts"] == pytest.approx(parts, abs=0.001)
    weights = {"rating_similarity": 0.35, "shared_likes": 0.25, "recent_activity": 0.2, "shared_favorites": 0.2}
    assert row["score"] == pytest.approx(sum(weights[name] * parts[name] for name in weights), abs=0.001)
    assert (row["username"], row["review_count"]) == (bob.username, 3)
    first = {"id": str(albums[0].id), "title": "album 0"}
    assert row["reasons"] == [
        {"kind": "shared_likes", "sentence": "You both like album 0 and 1 more", "count": 2, "albums": [first]},
        {
            "kind": "similar_ratings",
            "sentence": "You both gave 9 or more to album 0",
            "count": 1,
            "albums": [first],
        },
        {
            "kind": "shared_favorites",
            "sentence": "album 0 is a favourite of both of you",
            "count": 1,
            "albums": [first],
        },
        {"kind": "recent_activity", "sentence": "Active 7 days ago", "count": 7, "albums": []},
    ]


async def test_ten_common_albums_count_in_full_and_opposites_count_nothing(world: World) -> None:
    ana, twin, opposite = [await world.people.make(name) for name in ("ana", "twin", "opposite")]
    for i in range(10):
        album = await make_album(world.infra, f"album {i}")
        await review(world.infra, ana.id, album, 4 if i % 2 else 8)
        await review(world.infra, twin.id, album, 3 if i % 2 else 7)
        await review(world.infra, opposite.id, album, 8 if i % 2 else 4)
    rows = {row["username"]: row for row in await suggested(ana)}
    assert rows[twin.username]["parts"]["rating_similarity"] == pytest.approx(1)
    assert rows[twin.username]["reasons"][0]["sentence"] == "You agree about 10 albums that you both rated"
    assert rows[opposite.username]["parts"]["rating_similarity"] == 0
    assert [reason["kind"] for reason in rows[opposite.username]["reasons"]] == ["recent_activity"]


async def test_a_newcomer_gets_who_was_active_last(world: World) -> None:
    newcomer, silent = await world.people.make("newcomer"), await world.people.make("silent")
    album = await make_album(world.infra)
    writers = {}
    for days in (20, 1.5, 5):
        writer = writers[days] = await world.people.make("writer")
        await review(world.infra, writer.id, album, 8)
        await active(world.infra, writer.id, days)
    rows = await suggested(newcomer)
    assert [row["username"] for row in rows] == [writers[days].username for days in (1.5, 5, 20)]
    assert silent.username not in {row["username"] for row in rows}
    assert [row["reasons"][0]["sentence"] for row in rows] == [
        "Active yesterday",
        "Active 5 days ago",
        "Active 20 days ago",
    ]
    assert rows[0]["score"] == pytest.approx(0.2 * 0.5 ** (1.5 / 7), abs=0.001)


async def test_hidden_likes_are_no_reason(world: World) -> None:
    ana = await world.people.make("ana")
    private = await world.people.make("private", library_visibility="me")
    album = await make_album(world.infra)
    await review(world.infra, private.id, await make_album(world.infra, "other"), 8)
    for person in (ana, private):
        await like(world.infra, person.id, album_id=album.id)
    (row,) = await suggested(ana)
    assert row["parts"]["shared_likes"] == 0
    assert [reason["kind"] for reason in row["reasons"]] == ["recent_activity"]


async def test_some_people_are_never_suggested(world: World) -> None:
    ana = await world.people.make("ana")
    album = await make_album(world.infra)
    await review(world.infra, ana.id, album, 9)
    kinds = ("stranger", "followed", "blocked", "blocker", "muted")
    others = {kind: await world.people.make(kind) for kind in kinds}
    others["hidden"] = await world.people.make("hidden", profile_visibility="me")
    others["followers_only"] = await world.people.make("hidden", profile_visibility="followers")
    for person in others.values():
        await review(world.infra, person.id, album, 9)
    async with world.infra.db.write() as db:
        db.add(Follow(follower_id=ana.id, followed_id=others["followed"].id))
        db.add(Block(blocker_id=ana.id, blocked_id=others["blocked"].id))
        db.add(Block(blocker_id=others["blocker"].id, blocked_id=ana.id))
        db.add(Mute(muter_id=ana.id, muted_id=others["muted"].id))
    assert await names(ana) == [others["stranger"].username]


async def test_a_decision_counts_at_once_though_scores_are_kept(world: World) -> None:
    ana = await world.people.make("ana")
    album = await make_album(world.infra)
    others = [await world.people.make(name) for name in ("followed", "blocked", "muted", "dismissed", "left")]
    for person in (ana, *others):
        await review(world.infra, person.id, album, 9)
    followed, blocked, muted, dismissed, left = others
    assert set(await names(ana)) == {person.username for person in others}

    async with world.infra.db.write() as db:
        db.add(Follow(follower_id=ana.id, followed_id=followed.id))
        db.add(Block(blocker_id=blocked.id, blocked_id=ana.id))
        db.add(Mute(muter_id=ana.id, muted_id=muted.id))
    assert (await ana.put(f"/discover/people/{dismissed.username}/dismissal")).status_code == 204
    assert await names(ana) == [left.username]


async def test_a_dismissal_lasts_until_it_is_taken_back(world: World) -> None:
    ana, bob = await world.people.make("ana"), await world.people.make("bob")
    await review(world.infra, bob.id, await make_album(world.infra), 9)
    path = f"/discover/people/{bob.username.upper()}/dismissal"
    assert await names(ana) == [bob.username]
    for _ in range(2):
        assert (await ana.put(path)).status_code == 204
    assert await names(ana) == []
    for _ in range(2):
        assert (await ana.delete(path)).status_code == 204
    assert await names(ana) == [bob.username]


async def test_only_people_whom_one_may_meet_can_be_dismissed(world: World) -> None:
    ana, blocker = await world.people.make("ana"), await world.people.make("blocker")
    async with world.infra.db.write() as db:
        db.add(Block(blocker_id=blocker.id, blocked_id=ana.id))
    for name, status in (("nobody_is_this", 404), (blocker.username, 404), (ana.username, 422), ("x", 422)):
        for method in ("PUT", "DELETE"):
            answer = await ana.request(method, f"/discover/people/{name}/dismissal")
            assert answer.status_code == status, (name, answer.text)


async def test_suggestions_need_a_login(world: World) -> None:
    assert (await world.client.get("/discover/people")).status_code == 401
    assert (await world.client.put("/discover/people/ana/dismissal")).status_code == 401
    assert (await world.client.delete("/discover/people/ana/dismissal")).status_code == 401


async def test_scores_are_kept_until_one_follows_somebody(world: World) -> None:
    ana, bob, late = [await world.people.make(name) for name in ("ana", "bob", "late")]
    album = await make_album(world.infra)
    for person in (ana, bob):
        await review(world.infra, person.id, album, 9)
    async with queries(world.infra) as ran:
        assert await names(ana) == [bob.username]
    assert ran == [4]
    await review(world.infra, late.id, album, 9)
    async with queries(world.infra) as ran:
        assert await names(ana) == [bob.username]
    assert ran == [1]

    assert (await ana.put(f"/users/{bob.username}/follow")).status_code == 200
    await drain(world.infra)
    assert await names(ana) == [late.username]


async def test_it_works_in_pages_and_in_order(world: World) -> None:
    ana = await world.people.make("ana")
    album = await make_album(world.infra)
    for days in range(5):
        person = await world.people.make("writer")
        await review(world.infra, person.id, album, 8)
        await active(world.infra, person.id, days)
    everybody = await names(ana)
    found, cursor = [], None
    while cursor or not found:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await ana.get("/discover/people", params=params)).json()
        found += [item["username"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert found == everybody
    assert len(found) == 5


async def test_it_works_without_redis(settings: Settings) -> None:
    nowhere = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1"})
    async with running(nowhere) as app, People(app) as people:
        infra = app.state.infra
        ana, bob = await people.make("ana"), await people.make("bob")
        album = await make_album(infra)
        for person in (ana, bob):
            await review(infra, person.id, album, 9)
        assert (await names(ana))[0] == bob.username
        assert (await ana.put(f"/discover/people/{bob.username}/dismissal")).status_code == 204
        assert bob.username not in await names(ana)


async def test_who_leaves_takes_their_dismissals_along(world: World) -> None:
    ana, bob = await world.people.make("ana"), await world.people.make("bob")
    await ana.put(f"/discover/people/{bob.username}/dismissal")
    await bob.put(f"/discover/people/{ana.username}/dismissal")
    (kept,) = [row async for row in export_dismissals(world.infra.db.reader, ana.id)]
    assert kept["dismissed_id"] == bob.id
    async with world.infra.db.write() as db:
        await emit(db, AccountDeleted(user_id=ana.id, keep_content=True))
    await drain(world.infra)
    async with world.infra.db.write() as db:
        assert await db.all(select(Dismissal)) == []
