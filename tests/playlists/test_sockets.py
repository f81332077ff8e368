"""Sockets of playlists: a client that applies every event has what a fresh one is given."""

import asyncio
import random
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from app.core.auth import Principal
from app.core.config import Settings
from app.core.infra import Infra
from app.playlists.entries import NewEntry, add_entries
from app.playlists.lapses import MOST_LINES
from app.users.models import User
from tests.conftest import running, serving
from tests.people import People, Person
from tests.playlists.factories import collaborate, make_playlist, make_tracks
from tests.playlists.reducer import apply
from tests.sockets import Seat, sit


async def settled(infra: Infra, playlist_id: str, count: int) -> None:
    """Waits until so many sockets are written down as present."""
    present = "SELECT FROM presences WHERE channel_id = $1"
    async with asyncio.timeout(10):
        while len(await infra.db.fetch(present, [UUID(playlist_id)])) != count:
            await asyncio.sleep(0.05)


def added(seat: Seat) -> list[str]:
    """The titles of which a socket has heard that they were added."""
    events = [event for event in seat.events if event["kind"] == "playlist.entries"]
    return [entry["title"] for event in events for entry in event["data"]["entries"]]


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


async def test_who_is_blocked_hears_nothing_that_comes_after(live: str, people: People, infra: Infra) -> None:
    ana, bob, eve, cal = [await people.make(name) for name in ("ana", "bob", "eve", "cal")]
    playlist_id = await make_playlist(ana, visibility="public")
    path = f"playlists/{playlist_id}"
    async with sit(live, path, bob) as blocked, sit(live, path, eve) as blocker, sit(live, path, cal) as reader:
        await settled(infra, playlist_id, 3)
        await ana.put(f"/users/{bob.username}/block")
        await eve.put(f"/users/{ana.username}/block")
        await ana.post(f"/{path}/entries", json={"placeholders": [{"title": "Secret", "artist": "Nobody"}]})
        assert await blocked.closed() == await blocker.closed() == 4403
        heard = await reader.get("event", kind="playlist.entries")
        assert [added(seat) for seat in (blocked, blocker, reader)] == [[], [], ["Secret"]]
        before = [event for event in reader.events if event["sequence"] < heard["sequence"]]
        assert {(event["kind"], event["actor"]) for event in before} <= {("channel.updated", None)}, "nobody is named"
        assert not {str(bob.id), str(eve.id)} & {word for event in before for word in map(str, event["data"].values())}
    assert await refused(live, playlist_id, bob) == await refused(live, playlist_id, eve) == 4404


async def test_who_may_not_see_it_any_more_is_sent_away_without_a_word(live: str, people: People) -> None:
    ana, bob, eve, cal = [await people.make(name) for name in ("ana", "bob", "eve", "cal")]
    shown, hidden = await make_playlist(ana, visibility="public"), await make_playlist(ana)
    await collaborate(ana, shown, cal)
    await ana.post(f"/playlists/{hidden}/members", json={"username": bob.username})
    await eve.put(f"/users/{ana.username}/follow")
    async with (
        sit(live, f"playlists/{shown}", bob) as stranger,
        sit(live, f"playlists/{shown}", eve) as follower,
        sit(live, f"playlists/{shown}", cal) as member,
        sit(live, f"playlists/{hidden}", bob) as invited,
    ):
        await ana.patch("/users/me", json={"profile_visibility": "followers"})
        assert await stranger.closed() == 4403
        await ana.delete(f"/users/me/followers/{eve.username}")
        assert await follower.closed() == 4403
        await ana.delete(f"/playlists/{hidden}/members/{bob.id}")
        assert await invited.closed() == 4403
        await ana.patch("/users/me", json={"profile_visibility": "me"})
        await ana.post(f"/playlists/{shown}/entries", json={"placeholders": [{"title": "Ours", "artist": "Nobody"}]})
        await member.get("event", kind="playlist.entries")
        assert [event["kind"] for event in member.events] == ["playlist.entries"], "who stays is told nothing"


@pytest.mark.parametrize(("count", "kind"), [(1, "channel.updated"), (MOST_LINES + 1, "playlist.hidden")])
async def test_the_log_sends_readers_away_before_it_goes_on(
    live: str, people: People, infra: Infra, count: int, kind: str
) -> None:
    ana, cal = await people.make("ana"), await people.make("cal")
    playlist_id = await make_playlist(ana, visibility="public")
    await collaborate(ana, playlist_id, cal)
    path = f"playlists/{playlist_id}"
    async with AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(sit(live, path, await people.make())) for _ in range(count)]
        member = await stack.enter_async_context(sit(live, path, cal))
        await settled(infra, playlist_id, count + 1)
        async with infra.db.write() as db:  # at once: else they may have been found before anything was written
            await db.execute(update(User).where(User.id == ana.id).values(profile_visibility="me"))
            actor = Principal(user_id=ana.id, session_id=uuid4())
            await add_entries(db, actor, UUID(playlist_id), [NewEntry(title="Secret", artist="Nobody")])
        assert {await seat.closed() for seat in readers} == {4403}
        assert {tuple(event["kind"] for event in seat.events) for seat in readers} == {(kind,)}
        last = member.welcome["sequence"]
        if kind == "playlist.hidden":
            assert await member.closed() == 4403, "of many it is told to all"
        else:
            await member.get("event", kind="playlist.entries")
    async with sit(live, path, cal, last=last) as member:
        assert [event["kind"] for event in member.welcome["events"]] == [kind, "playlist.entries"]


async def test_it_holds_in_every_process(live: str, people: People, infra: Infra, settings: Settings) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    playlist_id = await make_playlist(ana, visibility="public")
    path = f"playlists/{playlist_id}"
    async with (
        running(settings) as other,
        serving(other, settings) as elsewhere,
        sit(elsewhere, path, bob) as far,
        sit(live, path, eve) as near,
    ):
        await settled(infra, playlist_id, 2)
        await ana.put(f"/users/{bob.username}/block")
        await ana.post(f"/{path}/entries", json={"placeholders": [{"title": "Secret", "artist": "Nobody"}]})
        await near.get("event", kind="playlist.entries")
        assert (await far.closed(), added(far), added(near)) == (4403, [], ["Secret"])
