"""Sockets of playlists: a client that applies every event has what a fresh one is given."""

import asyncio
import random
from typing import Any
from uuid import uuid4

from app.core.infra import Infra
from tests.people import People, Person
from tests.playlists.factories import collaborate, make_playlist, make_tracks
from tests.playlists.reducer import apply
from tests.sockets import sit


async def refused(live: str, playlist_id: str, person: Person) -> int | None:
    async with sit(live, f"playlists/{playlist_id}", person, hello=False) as seat:
        await seat.say(type="hello", protocol=1)
        return await seat.closed()


def by_person(state: dict[str, Any]) -> dict[str, Any]:
    """Members have no order that events could tell."""
    return state | {"members": {member["user"]["id"]: member for member in state["members"]}}


async def snapshot(live: str, playlist_id: str, person: Person) -> tuple[dict[str, Any], int]:
    async with sit(live, f"playlists/{playlist_id}", person) as seat:
        return seat.welcome["snapshot"], seat.welcome["sequence"]


async def test_who_gets_in(live: str, people: People) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    hidden, shown = await make_playlist(ana), await make_playlist(ana, visibility="public")
    assert await refused(live, hidden, bob) == 4404
    assert await refused(live, str(uuid4()), bob) == 4404
    async with sit(live, f"playlists/{shown}", bob) as seat:
        assert seat.welcome["you"]["role"] == "reader"
        await seat.say(type="send", client_id="1", text="Hello")
        assert (await seat.get("problem", client_id="1"))["code"] == "no_talk"
    await ana.post(f"/playlists/{hidden}/members", json={"username": bob.username})
    async with sit(live, f"playlists/{hidden}", bob) as seat:
        assert seat.welcome["you"]["role"] == "reader"


async def test_events_lead_to_what_a_fresh_client_is_given(live: str, people: People, infra: Infra) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    tracks = [str(track) for track in await make_tracks(infra, 20)]
    playlist_id = await make_playlist(ana, *tracks[:6], visibility="public")
    path, chance = f"/playlists/{playlist_id}", random.Random(3)
    await collaborate(ana, playlist_id, bob)
    async with sit(live, f"playlists/{playlist_id}", eve) as seat:
        state = seat.welcome["snapshot"]
        assert len(state["entries"]) == 6
        entries = [entry["id"] for entry in state["entries"]]
        for track in tracks[6:]:
            added = await bob.post(f"{path}/entries", json={"track_ids": [track], "at": chance.randint(0, 6)})
            entries.append(added.json()["entry_ids"][0])
            where = {"start": chance.randint(0, 3), "length": chance.randint(1, 3), "to": chance.randint(0, 3)}
            await ana.post(f"{path}/move", json=where)
        await ana.post(f"{path}/entries", json={"placeholders": [{"title": "Lost", "artist": "Nobody"}]})
        await ana.patch(f"{path}/entries/{entries[0]}", json={"track_id": tracks[19]})
        await bob.post(f"{path}/remove", json={"entry_ids": entries[2:5]})
        await ana.patch(path, json={"name": "Other", "description": "Better"})
        await ana.patch(f"{path}/members/{bob.id}", json={"role": "viewer"})
        await ana.put(f"{path}/owner", json={"user_id": str(bob.id)})
        await ana.delete(f"{path}/members/{ana.id}")
        fresh, head = await snapshot(live, playlist_id, eve)
        events = await seat.reach(head)
        assert [event["sequence"] for event in events] == list(range(seat.welcome["sequence"] + 1, head + 1))
        assert by_person(apply(state, events)) == by_person(fresh)
        assert len(fresh["entries"]) == 18


async def test_changes_at_once_reach_all_in_one_order(live: str, people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    playlist_id = await make_playlist(ana, *await make_tracks(infra, 30))
    await collaborate(ana, playlist_id, bob)
    path, chance = f"/playlists/{playlist_id}/move", random.Random(5)
    async with (
        sit(live, f"playlists/{playlist_id}", ana) as first,
        sit(live, f"playlists/{playlist_id}", bob) as second,
    ):
        moves = [{"start": chance.randint(0, 29), "to": chance.randint(0, 29)} for _ in range(40)]
        await asyncio.gather(*((ana, bob)[n % 2].post(path, json=body) for n, body in enumerate(moves)))
        fresh, head = await snapshot(live, playlist_id, ana)
        for seat in (first, second):
            state = apply(seat.welcome["snapshot"], await seat.reach(head))
            assert [entry["id"] for entry in state["entries"]] == [entry["id"] for entry in fresh["entries"]]


async def test_much_at_once_is_read_again(live: str, people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    tracks = await make_tracks(infra, 101)
    playlist_id = await make_playlist(ana)
    async with sit(live, f"playlists/{playlist_id}", ana) as seat:
        await ana.post(f"/playlists/{playlist_id}/entries", json={"track_ids": [str(track) for track in tracks]})
        event = await seat.get("event", kind="playlist.entries")
        assert (event["data"]["op"], event["data"]["track_count"]) == ("reload", 101)


async def test_a_playlist_that_becomes_private_sends_readers_away(live: str, people: People) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    playlist_id = await make_playlist(ana, visibility="public")
    await collaborate(ana, playlist_id, bob)
    path = f"playlists/{playlist_id}"
    async with sit(live, path, bob) as member, sit(live, path, eve) as reader:
        head = member.welcome["sequence"]
        await ana.patch(f"/{path}", json={"visibility": "private"})
        assert await member.closed() == await reader.closed() == 4403
    assert await refused(live, playlist_id, eve) == 4404
    async with sit(live, path, bob, hello=False) as member:
        welcome = await member.hello(head)
        assert welcome["recovered"] is True
        assert [event["kind"] for event in welcome["events"]] == ["channel.updated", "playlist.hidden"]
        await ana.post(f"/{path}/entries", json={"placeholders": [{"title": "Lost", "artist": "Nobody"}]})
        assert (await member.get("event", kind="playlist.entries"))["data"]["op"] == "add"


async def test_who_is_taken_out_and_everybody_at_the_end_is_sent_away(live: str, people: People) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    playlist_id = await make_playlist(ana)
    await collaborate(ana, playlist_id, bob)
    path = f"playlists/{playlist_id}"
    async with sit(live, path, ana) as owner, sit(live, path, bob) as member:
        await ana.delete(f"/{path}/members/{bob.id}")
        assert await member.closed() == 4403
        assert (await owner.get("event", kind="member.kicked"))["data"]["user_id"] == str(bob.id)
        await ana.delete(f"/{path}")
        assert await owner.closed() == 4403
    assert await refused(live, playlist_id, ana) == 4404
