"""Play, pause, seek, skip, previous over REST, and what the server does of itself when a track is over."""

import asyncio
import time
from datetime import datetime
from uuid import UUID

from app.core.ids import uuid7
from app.core.infra import Infra
from tests.people import People
from tests.rooms.factories import open_room, with_members
from tests.rooms.playing import Json, add, eventually, log_of, make_tracks, press, problem, queue_of, show, titles

LEAD = 400


def position(playback: Json) -> float:
    """Where the track is now, as clients reckon."""
    moved = max(0, time.time() * 1000 - playback["at_ms"]) if playback["playing"] else 0
    return playback["position_ms"] + moved


async def test_buttons(people: People, infra: Infra) -> None:
    owner = await people.make("owner")
    room = await open_room(owner)
    a, b = await make_tracks(infra, 200_000, 100_000)
    items = await add(owner, room, a, b)
    before = time.time() * 1000
    playing = await press(owner, room, "play")
    assert (playing["version"], playing["playing"], playing["position_ms"], playing["waiting"]) == (1, True, 0, None)
    assert playing["item"] == {name: items[0][name] for name in ("id", "track", "added_by", "votes", "added_at")}
    assert playing["duration_ms"] == 200_000
    assert LEAD <= playing["at_ms"] - before < LEAD + 2000
    assert await press(owner, room, "play") == playing == await show(owner, room)  # it plays already
    leapt = await press(owner, room, "seek", position_ms=50_000)
    assert (leapt["version"], leapt["position_ms"]) == (2, 50_000)
    assert (await press(owner, room, "seek", position_ms=10**7))["position_ms"] == 200_000
    await press(owner, room, "seek", position_ms=50_000)
    await asyncio.sleep(0.5)
    paused = await press(owner, room, "pause")
    assert (paused["playing"], paused["version"]) == (False, 5)
    assert 50_050 <= paused["position_ms"] < 55_000
    assert (await press(owner, room, "play"))["position_ms"] == paused["position_ms"]
    assert (await press(owner, room, "skip"))["item"]["id"] == items[1]["id"]
    versions = [data["playback"]["version"] for data in await log_of(infra, room, "playback.changed")]
    assert versions == list(range(1, 8))


async def test_who_may_press(people: People, infra: Infra) -> None:
    room, [owner, dj, member] = await with_members(people, "dj", "member")
    stranger = await people.make("stranger")
    path = f"/rooms/{room['id']}/playback"
    assert problem(await dj.post(path, json={"action": "play"})) == (409, "nothing_plays")
    await add(owner, room, *await make_tracks(infra, 60_000))
    assert problem(await member.post(path, json={"action": "play"})) == (403, "not_allowed")
    assert problem(await stranger.post(path, json={"action": "play"})) == (403, "not_a_member")
    assert problem(await owner.post(f"/rooms/{uuid7()}/playback", json={"action": "play"})) == (404, "not_found")
    assert (await dj.post(path, json={"action": "play"})).status_code == 200
    wrong = [
        {"action": "seek"},
        {"action": "play", "position_ms": 1},
        {"action": "ready"},
        {"action": "seek", "position_ms": -1},
        {"action": "stop"},
    ]
    for body in wrong:
        assert (await owner.post(path, json=body)).status_code == 422


async def test_in_silence(people: People) -> None:
    owner = await people.make("owner")
    room = await open_room(owner)
    silent = await show(owner, room)
    assert (silent["version"], silent["item"], silent["playing"]) == (0, None, False)
    assert await press(owner, room, "pause") == silent
    assert await press(owner, room, "ready", version=0) == silent
    for button in ({"action": "skip"}, {"action": "seek", "position_ms": 1}, {"action": "previous"}):
        assert problem(await owner.post(f"/rooms/{room['id']}/playback", json=button)) == (409, "nothing_plays")


async def test_of_two_who_press_at_once_one_is_told(people: People, infra: Infra) -> None:
    room, [owner, dj] = await with_members(people, "dj")
    await add(owner, room, *await make_tracks(infra, *[60_000] * 4))
    seen = (await press(owner, room, "play"))["version"]
    skip = {"action": "skip", "version": seen}
    answers = await asyncio.gather(*(host.post(f"/rooms/{room['id']}/playback", json=skip) for host in (owner, dj)))
    won, told = sorted(answers, key=lambda answer: answer.status_code)
    assert (won.status_code, problem(told)) == (200, (409, "version_conflict"))
    assert told.json()["playback"] == won.json() == await show(owner, room)
    assert titles(await queue_of(owner, room)) == "CD"


async def test_back(people: People, infra: Infra) -> None:
    owner = await people.make("owner")
    room = await open_room(owner)
    await add(owner, room, *await make_tracks(infra, *[60_000] * 4))
    await press(owner, room, "play")
    first = await press(owner, room, "previous")  # none was before
    assert (first["item"]["track"]["title"], first["position_ms"]) == ("A", 0)
    for title, waiting in (("B", "CD"), ("C", "D")):
        assert (await press(owner, room, "skip"))["item"]["track"]["title"] == title
        assert titles(await queue_of(owner, room)) == waiting
    for title, waiting in (("B", "CD"), ("A", "BCD")):
        assert (await press(owner, room, "previous"))["item"]["track"]["title"] == title
        assert titles(await queue_of(owner, room)) == waiting
    await press(owner, room, "skip")
    await press(owner, room, "seek", position_ms=10_000)
    await asyncio.sleep(0.45)
    again = await press(owner, room, "previous")
    assert (again["item"]["track"]["title"], again["position_ms"]) == ("B", 0)
    assert titles(await queue_of(owner, room)) == "CD"


async def test_back_from_silence(people: People, infra: Infra) -> None:
    owner = await people.make("owner")
    room = await open_room(owner)
    await add(owner, room, *await make_tracks(infra, 60_000))
    await press(owner, room, "play")
    assert (await press(owner, room, "skip"))["item"] is None
    assert (await press(owner, room, "previous"))["item"]["track"]["title"] == "A"
    assert await queue_of(owner, room) == []


async def test_back_in_a_fair_queue(people: People, infra: Infra) -> None:
    room, [owner, member] = await with_members(people, "member", queue_mode="fair")
    a, b, c = await make_tracks(infra, *[60_000] * 3)
    await add(owner, room, a, b)
    await add(member, room, c)
    await press(owner, room, "play")
    assert (await press(owner, room, "skip"))["item"]["track"]["title"] == "C"
    assert (await press(owner, room, "previous"))["item"]["track"]["title"] == "A"
    assert titles(await queue_of(owner, room)) == "CB"


async def test_back_counts_whose_turn_it_is(people: People, infra: Infra) -> None:
    room, [owner, member] = await with_members(people, "member", queue_mode="fair")
    a, b, c, d, e = await make_tracks(infra, *[60_000] * 5)
    await add(owner, room, a, b, c)
    await add(member, room, d, e)
    await press(owner, room, "play")
    assert titles(await queue_of(owner, room)) == "DBEC"
    for _ in range(2):
        await press(owner, room, "skip")
    for _ in range(2):
        now = await press(owner, room, "previous")
    assert now["item"]["track"]["title"] == "A"
    assert titles(await queue_of(owner, room)) == "DBEC"


async def test_the_history_says_what_was_played_and_for_how_long(people: People, infra: Infra) -> None:
    room, [owner, member] = await with_members(people, "member")
    a, b = await make_tracks(infra, 300, 60_000)
    await add(member, room, a)
    await add(owner, room, b)
    await press(owner, room, "play")
    await eventually(lambda: show(owner, room), lambda playback: playback["item"]["track"]["title"] == "B")
    await asyncio.sleep(0.3)
    await press(owner, room, "skip")
    path = f"/rooms/{room['id']}/history"
    skipped, whole = (await member.get(path)).json()["items"]
    assert (whole["track"]["title"], whole["played_ms"], whole["skipped"]) == ("A", 300, False)
    assert whole["added_by"]["username"] == member.username
    assert (skipped["track"]["title"], skipped["skipped"]) == ("B", True)
    assert 200 <= skipped["played_ms"] < 5000
    assert datetime.fromisoformat(whole["started_at"]) < datetime.fromisoformat(skipped["started_at"])
    page = (await member.get(path, params={"limit": 1})).json()
    assert [item["id"] for item in page["items"]] == [skipped["id"]]
    rest = (await member.get(path, params={"limit": 1, "cursor": page["next_cursor"]})).json()
    assert ([item["id"] for item in rest["items"]], rest["next_cursor"]) == ([whole["id"]], None)


async def test_a_track_that_is_deleted_plays_on(people: People, infra: Infra) -> None:
    owner, curator = await people.make("owner"), await people.make("curator", role="curator")
    room = await open_room(owner)
    a, b = await make_tracks(infra, 700, 60_000)
    await add(owner, room, a, b)
    playing = await press(owner, room, "play")
    assert (await curator.delete(f"/tracks/{a}")).status_code == 204
    assert await show(owner, room) == playing
    then = await eventually(lambda: show(owner, room), lambda playback: playback["version"] > 1)
    assert then["item"]["track"]["id"] == str(b)


async def test_a_closed_room_is_silent(people: People, infra: Infra) -> None:
    owner = await people.make("owner")
    room = await open_room(owner)
    await add(owner, room, *await make_tracks(infra, 200, 200))
    await press(owner, room, "play")
    assert (await owner.delete(f"/rooms/{room['id']}")).status_code == 204
    left = await infra.db.reader.records("SELECT 1 FROM room_plays WHERE room_id = $1", [UUID(room["id"])])
    assert left == []
