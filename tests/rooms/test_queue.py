"""What waits in a room: who may add, take out, move and vote, and what can be taken back."""

from uuid import UUID

import pytest

from app.catalog.models import Track
from app.catalog.search_index import index
from app.core.ids import uuid7
from app.core.infra import Infra
from app.rooms.playback_models import QueueItem
from app.rooms.undoing import forget_removed
from tests.catalog.factories import spotify_id
from tests.people import People, queries
from tests.rooms.factories import open_room, with_members
from tests.rooms.playing import (
    Json,
    add,
    eventually,
    make_tracks,
    press,
    problem,
    queue_of,
    queues_told,
    show,
    titles,
)


async def test_tracks_wait_in_their_order(people: People, infra: Infra) -> None:
    room, [owner, member] = await with_members(people, "member")
    a, b = await make_tracks(infra, 200_000, None)
    (first,) = await add(owner, room, a)
    (second,) = await add(member, room, b)
    assert (first["order_in_queue"], second["order_in_queue"]) == (0, 1)
    assert (second["added_by"], second["votes"]) == (str(member.id), 0)
    assert second["track"]["title"] == "B"
    assert second["track"]["duration_ms"] is None
    counts = []
    for _ in range(3):  # sockets of the tests before may still be on their way out
        async with queries(infra) as ran:
            assert await queue_of(member, room) == [first, second]
        counts += ran
    assert min(counts) == 3
    assert (await member.get(f"/rooms/{room['id']}/queue/{second['id']}")).json() == second
    (_, told) = await queues_told(infra, room)
    assert [item["id"] for item in told] == [first["id"], second["id"]]


async def test_tracks_are_found_by_the_ids_of_spotify_and_of_duplicates(people: People, infra: Infra) -> None:
    owner, curator = await people.make("owner"), await people.make("curator", role="curator")
    room, spotify = await open_room(owner), spotify_id()
    kept, duplicate = await make_tracks(infra, 1000, 1000)
    assert (await curator.patch(f"/tracks/{kept}", json={"spotify_id": spotify})).status_code == 200
    assert (await curator.post(f"/tracks/{duplicate}/merge", json={"into": str(kept)})).status_code == 200
    answer = await owner.post(f"/rooms/{room['id']}/queue", json={"spotify_id": spotify})
    assert answer.json()["track"]["id"] == str(kept)
    path = f"/rooms/{room['id']}/queue"
    assert problem(await owner.post(path, json={"track_id": str(duplicate)})) == (409, "already_waiting")
    assert problem(await owner.post(path, json={"track_id": str(uuid7())})) == (404, "not_found")
    assert problem(await owner.post(path, json={"spotify_id": spotify_id()})) == (404, "not_found")
    for wrong in ({}, {"track_id": str(kept), "spotify_id": spotify}, {"track_id": "x"}):
        assert (await owner.post(path, json=wrong)).status_code == 422


async def test_limits_of_a_person_and_of_the_queue(people: People, infra: Infra) -> None:
    room, [owner, member] = await with_members(people, "member", items_per_person=2)
    a, b, c = await make_tracks(infra, 1000, 1000, 1000)
    path = f"/rooms/{room['id']}/queue"
    await add(member, room, a, b)
    assert problem(await member.post(path, json={"track_id": str(c)})) == (409, "too_many_items")
    await add(owner, room, a)  # what waits for somebody else may wait for me too
    assert problem(await owner.post(path, json={"track_id": str(a)})) == (409, "already_waiting")
    async with infra.db.write() as db:
        db.add_all(QueueItem(room_id=UUID(room["id"]), track_id=a, place=place) for place in range(10, 507))
    assert problem(await owner.post(path, json={"track_id": str(b)})) == (409, "queue_full")
    assert len(await queue_of(owner, room)) == 500


async def test_who_may_do_what(people: People, infra: Infra) -> None:
    room, [owner, member, guest] = await with_members(people, "member", "guest")
    stranger = await people.make("stranger")
    a, b = await make_tracks(infra, 1000, 1000)
    (mine,), (hers,) = await add(member, room, a), await add(owner, room, b)
    path = f"/rooms/{room['id']}/queue"
    assert problem(await guest.post(path, json={"track_id": str(a)})) == (403, "not_allowed")
    assert problem(await stranger.post(path, json={"track_id": str(a)})) == (403, "not_a_member")
    assert problem(await member.delete(f"{path}/{hers['id']}")) == (403, "not_allowed")
    assert problem(await member.patch(f"{path}/{mine['id']}", json={"index": 1})) == (403, "not_allowed")
    assert problem(await member.delete(path)) == (403, "not_allowed")
    assert problem(await guest.put(f"{path}/{mine['id']}/vote")) == (403, "not_allowed")
    assert problem(await owner.delete(f"{path}/{uuid7()}")) == (404, "not_found")
    assert problem(await owner.post(f"/rooms/{uuid7()}/queue", json={"track_id": str(a)})) == (404, "not_found")
    assert (await member.delete(f"{path}/{mine['id']}")).status_code == 204
    assert (await owner.delete(f"{path}/{hers['id']}")).status_code == 204
    assert await queue_of(stranger, room) == []


async def test_a_private_room_shows_its_queue_to_its_people(people: People) -> None:
    owner, stranger = await people.make("owner"), await people.make("stranger")
    room = await open_room(owner, is_private=True, password="blue in green")
    for name in ("queue", "playback", "skip-vote", "history"):
        assert (await owner.get(f"/rooms/{room['id']}/{name}")).status_code == 200
        assert problem(await stranger.get(f"/rooms/{room['id']}/{name}")) == (403, "not_a_member")
        assert problem(await owner.get(f"/rooms/{uuid7()}/{name}")) == (404, "not_found")


async def test_moving_and_taking_back(people: People, infra: Infra) -> None:
    owner = await people.make("owner")
    room = await open_room(owner)
    path = f"/rooms/{room['id']}/queue"
    items = await add(owner, room, *await make_tracks(infra, *[1000] * 4))
    moved = await owner.patch(f"{path}/{items[3]['id']}", json={"index": 1})
    assert titles(moved.json()) == titles(await queue_of(owner, room)) == "ADBC"
    assert titles((await owner.post(f"{path}/undo")).json()) == "ABCD"
    assert problem(await owner.post(f"{path}/undo")) == (409, "nothing_to_undo")
    assert titles((await owner.patch(f"{path}/{items[0]['id']}", json={"index": 400})).json()) == "BCDA"
    assert (await owner.delete(f"{path}/{items[2]['id']}")).status_code == 204
    assert titles((await owner.post(f"{path}/undo")).json()) == "BCDA"
    assert (await owner.delete(path)).status_code == 204
    assert await queue_of(owner, room) == []
    (await owner.delete(path)).raise_for_status()  # nothing to clear, and nothing to forget
    assert titles((await owner.post(f"{path}/undo")).json()) == "BCDA"


async def test_each_takes_back_their_own(people: People, infra: Infra) -> None:
    room, [owner, dj] = await with_members(people, "dj")
    path = f"/rooms/{room['id']}/queue"
    items = await add(owner, room, *await make_tracks(infra, *[1000] * 3))
    await owner.delete(f"{path}/{items[0]['id']}")
    await dj.delete(f"{path}/{items[1]['id']}")
    assert titles((await owner.post(f"{path}/undo")).json()) == "AC"
    assert titles((await dj.post(f"{path}/undo")).json()) == "ABC"


async def test_five_minutes_later_it_is_done(people: People, infra: Infra) -> None:
    owner = await people.make("owner")
    room = await open_room(owner)
    path = f"/rooms/{room['id']}/queue"
    (item,) = await add(owner, room, *await make_tracks(infra, 1000))
    await owner.delete(path)
    async with infra.db.write() as db:
        late = "UPDATE {} SET {} = now() - interval '5 minutes 1 second' WHERE room_id = $1"
        await db.records(late.format("queue_undos", "created_at"), [UUID(room["id"])])
        await db.records(late.format("queue_items", "removed_at"), [UUID(room["id"])])
    assert problem(await owner.post(f"{path}/undo")) == (409, "nothing_to_undo")
    await forget_removed(infra)
    left = await infra.db.reader.records("SELECT 1 FROM queue_items WHERE id = $1", [UUID(item["id"])])
    assert left == []


async def test_what_has_played_meanwhile_cannot_be_moved_back(people: People, infra: Infra) -> None:
    owner = await people.make("owner")
    room = await open_room(owner)
    items = await add(owner, room, *await make_tracks(infra, 60_000, 60_000))
    await owner.patch(f"/rooms/{room['id']}/queue/{items[1]['id']}", json={"index": 0})
    assert (await press(owner, room, "play"))["item"]["id"] == items[1]["id"]
    assert problem(await owner.post(f"/rooms/{room['id']}/queue/undo")) == (409, "nothing_to_undo")


async def test_votes_bring_a_track_forward(people: People, infra: Infra) -> None:
    room, [owner, member] = await with_members(people, "member", queue_mode="votes")
    items = await add(owner, room, *await make_tracks(infra, *[60_000] * 3))
    last = f"/rooms/{room['id']}/queue/{items[2]['id']}/vote"
    assert (await member.put(last)).status_code == 204
    assert (await member.put(last)).status_code == 204  # once for each person
    queue = await queue_of(owner, room)
    assert (titles(queue), [item["votes"] for item in queue]) == ("CAB", [1, 0, 0])
    told = len(await queues_told(infra, room))
    moved = await owner.patch(f"/rooms/{room['id']}/queue/{items[1]['id']}", json={"index": 0})
    assert problem(moved) == (409, "not_in_this_mode")
    assert (await member.delete(last)).status_code == 204
    assert titles(await queue_of(owner, room)) == "ABC"
    assert (await member.delete(last)).status_code == 204
    assert len(await queues_told(infra, room)) == told + 1


async def test_votes_come_back_with_the_track(people: People, infra: Infra) -> None:
    room, [owner, member] = await with_members(people, "member", queue_mode="votes")
    items = await add(owner, room, *await make_tracks(infra, 60_000, 60_000))
    await member.put(f"/rooms/{room['id']}/queue/{items[1]['id']}/vote")
    await owner.delete(f"/rooms/{room['id']}/queue/{items[1]['id']}")
    assert titles((await owner.post(f"/rooms/{room['id']}/queue/undo")).json()) == "BA"


async def test_people_take_turns(people: People, infra: Infra) -> None:
    room, [owner, early, late] = await with_members(people, "member", "member", queue_mode="fair")
    a, b, c, d, e = await make_tracks(infra, *[60_000] * 5)
    await add(early, room, a, b, c)
    assert (await press(owner, room, "play"))["item"]["track"]["title"] == "A"
    await add(late, room, d, e)
    assert titles(await queue_of(owner, room)) == "DBEC"  # what plays is the turn of who added it
    assert (await press(owner, room, "skip"))["item"]["track"]["title"] == "D"
    assert titles(await queue_of(owner, room)) == "BEC"


async def test_a_new_mode_is_a_new_order(people: People, infra: Infra) -> None:
    room, [owner, member] = await with_members(people, "member")
    a, b, c = await make_tracks(infra, *[60_000] * 3)
    await add(owner, room, a, b)
    await add(member, room, c)
    assert titles(await queue_of(owner, room)) == "ABC"
    assert (await owner.patch(f"/rooms/{room['id']}", json={"queue_mode": "fair"})).status_code == 200
    assert titles(await queue_of(owner, room)) == "ACB"
    assert titles((await queues_told(infra, room))[-1]) == "ACB"


async def test_a_room_that_ran_dry_plays_what_comes(people: People, infra: Infra) -> None:
    owner = await people.make("owner")
    room = await open_room(owner)
    a, b, c = await make_tracks(infra, 60_000, 60_000, 60_000)
    await add(owner, room, a)
    assert (await show(owner, room))["item"] is None  # nobody has pressed play yet
    await press(owner, room, "play")
    silent = await press(owner, room, "skip")
    assert (silent["item"], silent["playing"]) == (None, False)
    (item,) = await add(owner, room, b)
    now = await show(owner, room)
    assert (now["item"]["id"], now["playing"]) == (item["id"], True)
    assert await queue_of(owner, room) == []
    await press(owner, room, "skip")
    await press(owner, room, "pause")
    await add(owner, room, c)
    assert (await show(owner, room))["item"] is None


async def test_the_server_chooses_by_genre(people: People, infra: Infra) -> None:
    owner = await people.make("owner")
    genre, other = f"genre {uuid7().hex}", f"genre {uuid7().hex}"
    ours = await make_tracks(infra, 150, 150, 150, genres=[genre], popularity=50)
    others = [*await make_tracks(infra, 150, genres=[other], popularity=100), *await make_tracks(infra, None)]
    async with infra.db.write() as db:
        await index(db, Track, [*ours, *others])
    room = await open_room(owner, auto_dj=True, genres=[genre])
    now = await press(owner, room, "play")
    assert now["item"]["added_by"] is None

    async def played() -> list[Json]:
        return (await owner.get(f"/rooms/{room['id']}/history", params={"limit": 100})).json()["items"]

    history = await eventually(played, lambda items: len(items) >= 7)
    order = [UUID(item["track"]["id"]) for item in history[::-1]][:7]
    assert set(order) == set(ours)
    assert len(set(order[:3])) == 3
    assert order[3:6] == order[:3]  # when all were played, the longest ago first
    stopped = await eventually(lambda: show(owner, room), lambda playback: playback["item"] is None)
    assert stopped["playing"] is False
    assert len(await played()) == 20  # to which nobody listened


async def test_without_genres_the_best_known_are_chosen(people: People, infra: Infra) -> None:
    owner = await people.make("owner")
    async with infra.db.write() as db:
        await index(db, Track, await make_tracks(infra, 60_000, popularity=100))
    room = await open_room(owner, auto_dj=True)
    assert (await press(owner, room, "play"))["item"] is not None


async def test_one_of_many_that_nobody_knows_is_chosen(people: People, infra: Infra) -> None:
    """A chance so small that it is no number is none either."""
    owner, genre = await people.make("owner"), f"genre {uuid7().hex}"
    async with infra.db.write() as db:
        await index(db, Track, await make_tracks(infra, *[60_000] * 400, genres=[genre], popularity=0))
    room = await open_room(owner, auto_dj=True, genres=[genre])
    await press(owner, room, "play")
    for _ in range(20):
        assert (await press(owner, room, "skip"))["item"] is not None


@pytest.mark.parametrize("genres", [[], ["no such genre"]])
async def test_without_tracks_there_is_silence(people: People, infra: Infra, genres: list[str]) -> None:
    owner = await people.make("owner")
    room = await open_room(owner, auto_dj=bool(genres), genres=genres)
    answer = await owner.post(f"/rooms/{room['id']}/playback", json={"action": "play"})
    assert problem(answer) == (409, "nothing_plays")


async def test_what_is_taken_back_keeps_to_the_rules(people: People, infra: Infra) -> None:
    room, [owner, dj] = await with_members(people, "dj", items_per_person=2)
    a, b, c, d = await make_tracks(infra, *[1000] * 4)
    path = f"/rooms/{room['id']}/queue"
    first, _ = await add(owner, room, a, b)
    await owner.delete(f"{path}/{first['id']}")
    await add(owner, room, a)
    assert problem(await owner.post(f"{path}/undo")) == (409, "nothing_to_undo")
    assert titles(await queue_of(owner, room)) == "BA"
    await dj.delete(path)
    await add(dj, room, c, d)
    await dj.delete(path)
    assert titles((await dj.post(f"{path}/undo")).json()) == "CD"
    await dj.delete(path)
    await add(owner, room, d)
    assert sorted(titles((await dj.post(f"{path}/undo")).json())) == ["C", "D", "D"]  # each of them has at most two


async def test_who_may_not_do_it_any_more_may_not_take_it_back(people: People, infra: Infra) -> None:
    room, [owner, dj] = await with_members(people, "dj")
    await add(owner, room, *await make_tracks(infra, 1000, 1000))
    await dj.delete(f"/rooms/{room['id']}/queue")
    await owner.put(f"/rooms/{room['id']}/members/{dj.username}/role", json={"role": "guest"})
    assert problem(await dj.post(f"/rooms/{room['id']}/queue/undo")) == (403, "not_allowed")
    await owner.put(f"/rooms/{room['id']}/members/{dj.username}/role", json={"role": "dj"})
    assert titles((await dj.post(f"/rooms/{room['id']}/queue/undo")).json()) == "AB"


async def test_the_server_chooses_as_soon_as_it_may(people: People, infra: Infra) -> None:
    owner, genre = await people.make("owner"), f"genre {uuid7().hex}"
    a, b = await make_tracks(infra, 60_000, 60_000, genres=[genre])
    async with infra.db.write() as db:
        await index(db, Track, [b])
    room = await open_room(owner, genres=["nothing is of this genre"])
    await add(owner, room, a)
    await press(owner, room, "play")
    await press(owner, room, "skip")
    await owner.patch(f"/rooms/{room['id']}", json={"auto_dj": True})
    assert (await show(owner, room))["item"] is None
    await owner.patch(f"/rooms/{room['id']}", json={"genres": [genre]})
    now = await show(owner, room)
    assert (now["item"]["track"]["id"], now["item"]["added_by"], now["playing"]) == (str(b), None, True)
