"""Both clients follow playlists, in which anything may happen, and have what a fresh client is given."""

import asyncio
import random
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from soundscore_client import apply, begin

from app.core.infra import Infra
from tests.clients.answers import as_json
from tests.clients.model_playlist import PLAYLIST_KINDS, ModelPlaylist
from tests.clients.node import ask_node
from tests.clients.players import CLIENTS, Player, client
from tests.people import People, Person
from tests.playlists.factories import collaborate, make_playlist, make_tracks

FEW = 7
"""So many entries are told to who comes to a playlist that is long."""
TOLD_IN_EVENTS = [kind for kind in PLAYLIST_KINDS if kind != "fill"]
OWN = ("you", "server_ms", "error_ms", "wall_ms", "present", "present_count")
Story = tuple[ModelPlaylist, Any, list[Any]]


def happened(acts: list[tuple[str, int]], cut: float, told: int = 500) -> Story:
    """A playlist in the end, a welcome in the midst of it, and the events after that."""
    playlist, middle = ModelPlaylist(told), int(cut * len(acts))
    for kind, seed in acts[:middle]:
        playlist.act(kind, seed)
    before = as_json(playlist.welcome())
    for kind, seed in acts[middle:]:
        playlist.act(kind, seed)
    return playlist, before, as_json(playlist.events[before["sequence"] :])


def lives(kinds: list[str], number: int = 50) -> list[list[tuple[str, int]]]:
    chance = random.Random(11)
    return [[(chance.choice([*kinds, "add"]), chance.randrange(2**16)) for _ in range(60)] for _ in range(number)]


def acts(kinds: list[str]) -> st.SearchStrategy[list[tuple[str, int]]]:
    often = [*kinds, *("add", "move") * 4]
    return st.lists(st.tuples(st.sampled_from(often), st.integers(0, 2**16)), min_size=10, max_size=60)


def check_beginning(state: dict[str, Any], playlist: ModelPlaylist) -> None:
    """What is known of the entries is a beginning of them, and the rest is as a fresh client has it."""
    known = state["entries"]
    assert known == as_json(playlist.entries[: len(known)])
    fresh = as_json(asdict(begin(playlist.welcome())))
    assert {**state, "entries": 0, "outdated": 0} == {**fresh, "entries": 0, "outdated": 0}


@settings(max_examples=200, deadline=None)
@given(acts(TOLD_IN_EVENTS), st.floats(0, 1))
def test_a_snapshot_and_the_events_after_it_are_the_next_snapshot(acts: list[tuple[str, int]], cut: float) -> None:
    playlist, before, events = happened(acts, cut)
    state = begin(before)
    for event in events:
        state = apply(state, event)
    assert as_json(asdict(state)) == as_json(asdict(begin(playlist.welcome())))


@settings(max_examples=200, deadline=None)
@given(acts(PLAYLIST_KINDS), st.floats(0, 1))
def test_of_a_long_playlist_a_beginning_is_known(acts: list[tuple[str, int]], cut: float) -> None:
    playlist, before, events = happened(acts, cut, FEW)
    state = begin(before)
    for event in events:
        state = apply(state, event)
    check_beginning(as_json(asdict(state)), playlist)
    assert state.outdated == any(event["data"].get("op") == "reload" for event in events)


async def test_the_typescript_client_knows_as_much() -> None:
    told = [happened(life, number / 50) for number, life in enumerate(lives(TOLD_IN_EVENTS))]
    long = [happened(life, number / 50, FEW) for number, life in enumerate(lives(PLAYLIST_KINDS))]
    cases = [{"given": {"welcome": before, "frames": events}} for _, before, events in [*told, *long]]
    states = (await ask_node("playlists", {"cases": cases}))["cases"]
    for state, (playlist, _, _) in zip(states, told, strict=False):
        assert state == as_json(asdict(begin(playlist.welcome())))
    for state, (playlist, _, _) in zip(states[len(told) :], long, strict=True):
        check_beginning(state, playlist)
    assert any(len(state["entries"]) > FEW for state in states[len(told) :])


def address_of(live: str, playlist_id: str) -> str:
    return f"{live.replace('http', 'ws', 1)}/ws/playlists/{playlist_id}"


async def knows(player: Player, sequence: int) -> dict[str, Any]:
    """The client's state once it has got that far."""
    async with asyncio.timeout(10):
        while (state := await player.state())["sequence"] < sequence:
            await asyncio.sleep(0.05)
    return state


def shared(state: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name not in OWN}


async def live_it_up(owner: Person, editor: Person, newcomer: Person, playlist_id: str, tracks: list[str]) -> None:
    """A little of everything."""
    path = f"/playlists/{playlist_id}"
    first = (await owner.post(f"{path}/entries", json={"track_ids": tracks[:6]})).json()["entry_ids"]
    await editor.post(f"{path}/entries", json={"track_ids": tracks[6:], "at": 2})
    await owner.post(f"{path}/move", json={"start": 1, "length": 3, "to": 4})
    await editor.post(f"{path}/remove", json={"entry_ids": first[:2]})
    lost = await owner.post(f"{path}/entries", json={"placeholders": [{"title": "Lost", "artist": "Nobody"}]})
    await editor.patch(f"{path}/entries/{lost.json()['entry_ids'][0]}", json={"track_id": tracks[0]})
    await owner.patch(path, json={"name": "Mondays"})
    await collaborate(owner, playlist_id, newcomer)
    await owner.patch(f"{path}/members/{newcomer.id}", json={"role": "viewer"})
    await owner.put(f"{path}/owner", json={"user_id": str(editor.id)})


async def test_everybody_knows_the_same_playlist(live: str, people: People, infra: Infra) -> None:
    owner, editor, reader = [await people.make(name) for name in ("owner", "editor", "reader")]
    playlist_id = await make_playlist(owner, visibility="public")
    await collaborate(owner, playlist_id, editor)
    tracks = [str(track) for track in await make_tracks(infra, 9)]
    address = address_of(live, playlist_id)
    async with (
        client("python", address, owner.token) as one,
        client("typescript", address, reader.token) as other,
    ):
        await one.until("welcome")
        await other.until("welcome")
        await live_it_up(owner, editor, reader, playlist_id, tracks)
        async with client("python", address, editor.token) as late:
            await late.until("welcome")
            fresh = await late.state()
        states = [await knows(player, fresh["sequence"]) for player in (one, other)]
    assert shared(states[0]) == shared(states[1]) == shared(fresh)
    assert (len(fresh["entries"]), fresh["playlist"]["name"]) == (8, "Mondays")
    assert [state["you"]["role"] for state in (*states, fresh)] == ["editor", "viewer", "owner"]


@pytest.mark.parametrize("name", CLIENTS)
async def test_what_is_too_much_for_an_event_is_read_again(live: str, people: People, infra: Infra, name: str) -> None:
    owner = await people.make("owner")
    playlist_id = await make_playlist(owner)
    tracks = [str(track) for track in await make_tracks(infra, 101)]
    async with client(name, address_of(live, playlist_id), owner.token) as player:
        await player.until("welcome")
        await owner.post(f"/playlists/{playlist_id}/entries", json={"track_ids": tracks})
        await player.until("welcome", 2)
        state = await player.state()
        assert [entry["track"]["id"] for entry in state["entries"]] == tracks
        assert (state["outdated"], player.told("welcome")) == (False, [False, False])


@pytest.mark.parametrize("name", CLIENTS)
async def test_only_who_belongs_to_a_hidden_playlist_comes_back(live: str, people: People, name: str) -> None:
    owner, reader = await people.make("owner"), await people.make("reader")
    playlist_id = await make_playlist(owner, visibility="public")
    address = address_of(live, playlist_id)
    async with client(name, address, owner.token) as one, client(name, address, reader.token) as other:
        await one.until("welcome")
        await other.until("welcome")
        await owner.patch(f"/playlists/{playlist_id}", json={"visibility": "private"})
        assert await other.until("ended") == 4404
        await one.until("welcome", 2)
        assert (await one.state())["playlist"]["visibility"] == "private"
        await owner.delete(f"/playlists/{playlist_id}")
        assert await one.until("ended") in {4403, 4404}
        assert (await one.state())["closed"]
