"""What rooms are told of their queues is short, and leads every client to the queue as it is."""

import random
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_json
from soundscore_client import begin
from soundscore_client.changes import CHANGES

from app.core.infra import Infra
from app.rooms.queue_edits import PART, news
from tests.clients.answers import as_json
from tests.clients.node import ask_node
from tests.people import People
from tests.rooms.factories import with_members
from tests.rooms.playing import Json, add, make_tracks, press, queue_of, queues_told, titles
from tests.sockets import sit

WELCOME: Any = {"sequence": 0, "you": {"id": "u", "username": "u", "display_name": "u", "avatar_key": None}}
WELCOME |= {"snapshot": {"queue": []}, "present": []}


@dataclass(frozen=True)
class One:
    """What waits, reduced to what matters here."""

    id: UUID
    votes: int
    added_by: UUID | None = None
    place: int = 0


def shown(item: One) -> Json:
    return {"id": str(item.id), "votes": item.votes}


queues = st.lists(st.tuples(st.integers(0, 130), st.integers(0, 3)), max_size=130, unique_by=lambda pair: pair[0]).map(
    lambda pairs: [One(UUID(int=number), votes) for number, votes in pairs]
)
lives = st.lists(queues, min_size=1, max_size=5)


def told(queue: list[One]) -> dict[UUID, int]:
    return {item.id: item.votes for item in queue}


def tale(life: list[list[One]]) -> list[Json]:
    """The events of a queue that was one after the other."""
    events: list[Json] = []
    for before, queue in zip([None, *life], life, strict=False):
        for kind, data in news(None if before is None else told(before), queue, shown):
            at = {"type": "event", "sequence": len(events) + 1, "at": None, "actor": None}
            events.append({**at, "kind": kind, "data": data})
    return events


@settings(max_examples=150, deadline=None)
@given(lives)
def test_what_is_told_leads_to_the_queue(life: list[list[One]]) -> None:
    state = begin(WELCOME)
    for event in tale(life):
        state = CHANGES[event["kind"]](state, as_json(event))
        assert len(event["data"].get("queue", ())) <= PART
        assert sum(place["item"] is not None for place in event["data"].get("placed", ())) <= PART
    assert state.queue == [shown(item) for item in life[-1]]


async def test_the_other_client_gets_there_too() -> None:
    chance = random.Random(7)
    numbers = [[chance.sample(range(130), chance.randrange(130)) for _ in range(4)] for _ in range(40)]
    chosen = [[[One(UUID(int=one), chance.randrange(3)) for one in queue] for queue in life] for life in numbers]
    cases = [{"given": {"welcome": WELCOME, "frames": as_json(tale(life))}} for life in chosen]
    got = await ask_node("reducer", {"cases": cases})
    assert [state["queue"] for state in got["cases"]] == [[shown(item) for item in life[-1]] for life in chosen]


@given(queues, st.data())
def test_little_is_told_of_a_little_change(queue: list[One], data: st.DataObject) -> None:
    if not queue:
        return
    one = data.draw(st.sampled_from(queue))
    rest = [item for item in queue if item is not one]
    index = data.draw(st.integers(0, len(rest)))
    (voted,) = news(told(queue), [replace(item, votes=9) if item is one else item for item in queue], shown)
    assert voted == ("queue.edited", {"removed": [], "votes": {str(one.id): 9}, "placed": []})
    for _, moved in news(told(queue), [*rest[:index], one, *rest[index:]], shown):
        assert (moved["removed"], moved["votes"], len(moved["placed"])) == ([], {}, 1)
    assert list(news(told(queue), queue, shown)) == []


async def test_a_long_queue_is_told_in_short_events(live: str, people: People, infra: Infra) -> None:
    room, [owner, dj] = await with_members(people, "dj", items_per_person=100)
    tracks = await make_tracks(infra, *[200_000] * 60)
    async with sit(live, f"rooms/{room['id']}", owner) as seat:
        for person in (owner, dj):
            await add(person, room, *tracks)
        path = f"/rooms/{room['id']}"
        assert (await owner.patch(path, json={"queue_mode": "fair"})).status_code == 200
        await press(owner, room, "play")
        item = (await queue_of(owner, room))[-1]["id"]
        assert (await dj.put(f"{path}/queue/{item}/vote")).status_code == 204
        assert (await owner.patch(path, json={"queue_mode": "votes"})).status_code == 200
        assert (await owner.delete(f"{path}/queue")).status_code == 204
        assert (await owner.post(f"{path}/queue/undo")).status_code == 200
        async with sit(live, f"rooms/{room['id']}", owner) as fresh:
            await seat.reach(fresh.welcome["sequence"])
        sizes = [len(to_json(event)) for event in seat.events if event["kind"].startswith("queue.")]
    assert (await queues_told(infra, room))[-1] == fresh.welcome["snapshot"]["queue"]
    assert len(fresh.welcome["snapshot"]["queue"]) == 119
    assert max(sizes) < 32 * 1024
    assert sum(sizes[:120]) < 120 * 1024  # each track once


async def test_what_went_without_a_word_is_told_with_the_next_change(people: People, infra: Infra) -> None:
    room, [owner] = await with_members(people)
    a, b = await make_tracks(infra, 200_000, 200_000)
    (c,) = await make_tracks(infra, 200_000)
    await add(owner, room, a, b)
    async with infra.db.write() as db:
        await db.records("DELETE FROM tracks WHERE id = $1", [a])
    await add(owner, room, c)
    assert titles((await queues_told(infra, room))[-1]) == titles(await queue_of(owner, room)) == "BA"
