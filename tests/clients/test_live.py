"""Both clients and the real server: one room, and everybody knows the same of it."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.core.infra import Infra
from tests.clients.players import CLIENTS, Player, client
from tests.people import People, Person
from tests.rooms.factories import get_in, open_room, with_members
from tests.rooms.playing import Json, add, make_tracks, press

PYTHON = Path(__file__).parents[2] / "clients" / "python"
_OWN = ("you", "server_ms", "error_ms", "wall_ms", "read_sequence", "typing")


def socket_of(live: str, room: Json) -> str:
    return f"{live.replace('http', 'ws', 1)}/ws/rooms/{room['id']}"


async def knows(player: Player, sequence: int) -> dict[str, Any]:
    """The client's state once it has got that far."""
    async with asyncio.timeout(10):
        while (state := await player.state())["sequence"] < sequence:
            await asyncio.sleep(0.05)
    return state


def shared(state: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name not in _OWN}


async def live_it_up(owner: Person, dj: Person, room: Json, tracks: list[UUID]) -> None:
    """A little of everything."""
    path, chat = f"/rooms/{room['id']}", f"/chat/{room['id']}/messages"
    await add(owner, room, *tracks)
    await press(owner, room, "play")
    first = (await owner.post(chat, json={"text": "Good evening"})).json()
    second = (await dj.post(chat, json={"text": "Yes?", "reply_to_id": first["id"]})).json()
    await dj.put(f"{chat}/{first['id']}/reactions/🔥")
    await owner.put(f"{chat}/{second['id']}/reactions/❤️")
    await dj.patch(f"{chat}/{second['id']}", json={"text": "Yes!"})
    await owner.delete(f"{chat}/{first['id']}")
    await press(dj, room, "seek", position_ms=30_000)
    await press(dj, room, "skip")
    await owner.patch(path, json={"description": "Later that night"})
    await owner.put(f"{path}/members/{dj.username}/mute", json={"minutes": 5})
    await owner.put(f"{path}/owner", json={"username": dj.username})
    await press(dj, room, "pause")


async def test_everybody_knows_the_same(live: str, people: People, infra: Infra) -> None:
    room, (owner, dj) = await with_members(people, "dj")
    tracks = await make_tracks(infra, 60_000, 60_000, 60_000)
    address = socket_of(live, room)
    async with client("python", address, owner.token) as ana, client("typescript", address, dj.token) as bruno:
        await ana.until("welcome")
        await bruno.until("welcome")
        await live_it_up(owner, dj, room, tracks)
        late = await people.make("late")
        await get_in(late, room)
        async with client("python", address, late.token) as fresh:
            await fresh.until("welcome")
            await bruno.order("send", "Welcome!")
            _, sequence = await bruno.until("ack")
            states = [await knows(player, sequence) for player in (ana, bruno, fresh)]
    one, other, new = map(shared, states)
    assert one == other
    assert {**one, "present": 0, "present_count": 0} == {**new, "present": 0, "present_count": 0}
    assert (states[0]["you"]["role"], states[1]["you"]["role"]) == ("dj", "owner")


@pytest.mark.parametrize("name", CLIENTS)
async def test_a_command_is_obeyed_and_a_kick_is_final(live: str, people: People, infra: Infra, name: str) -> None:
    room, (owner, dj) = await with_members(people, "dj")
    await add(owner, room, *await make_tracks(infra, 60_000))
    async with client(name, socket_of(live, room), dj.token) as player:
        await player.until("welcome")
        await player.order("command", ["playback.play", {}])
        await player.until("done")
        async with asyncio.timeout(10):
            while not (await player.state())["playback"]["playing"]:
                await asyncio.sleep(0.05)
        await owner.delete(f"/rooms/{room['id']}/members/{dj.username}")
        assert await player.until("ended") == 4403
        assert dj.id not in map(UUID, (await player.state())["members"])


@pytest.mark.parametrize("name", CLIENTS)
async def test_more_than_the_server_takes_at_once_arrives_in_time(live: str, people: People, name: str) -> None:
    owner = await people.make("owner")
    room = await open_room(owner)
    async with client(name, socket_of(live, room), owner.token) as player:
        await player.until("welcome")
        for number in range(150):
            await player.order("send", str(number))
        await player.until("ack", 150)
        said = [int(message["text"]) for message in (await player.state())["messages"]]
    assert sorted(said) == list(range(150))


async def terminal(live: str, room: Json, person: Person, *options: str, typed: str = "") -> list[str]:
    """What the terminal shows."""
    command = [sys.executable, "-m", "soundscore_client", "listen", room["name"], "--server", live, *options]
    environment = {**os.environ, "PYTHONPATH": str(PYTHON), "SOUNDSCORE_TOKEN": person.token}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
    out, complaints = await asyncio.wait_for(process.communicate(typed.encode()), 30)
    assert (process.returncode, complaints) == (0, b"")
    return out.decode().splitlines()


async def test_two_terminals_agree_on_the_moment(live: str, people: People, infra: Infra) -> None:
    room, (owner, member) = await with_members(people, "member")
    await add(owner, room, *await make_tracks(infra, 60_000))
    await press(owner, room, "play")
    heard = await asyncio.gather(*(terminal(live, room, one, "--json", "--once", "5") for one in (owner, member)))
    starts = []
    for lines in heard:
        last = json.loads(lines[-1])
        assert last["playing"]
        assert set(last) == {"server_ms", "wall_ms", "position_ms", "track_id", "playing", "sequence"}
        starts.append(last["wall_ms"] - last["position_ms"])
        assert last["server_ms"] == pytest.approx(last["wall_ms"], abs=50)
    assert starts[0] == pytest.approx(starts[1], abs=50)


async def test_a_terminal_talks_and_obeys(live: str, people: People, infra: Infra) -> None:
    room, (owner, dj) = await with_members(people, "dj")
    track, other = await make_tracks(infra, 60_000, 60_000)
    typed = f"Hello, all!\n/add {track}\n/add {other}\n/queue\n/who\n/seek soon\n/nonsense\n"
    shown = "\n".join(await terminal(live, room, dj, "--once", "2.5", typed=typed))
    for words in ("Hello, all!", "1 here", "♪ nothing plays", "! Say where to", "/seek 1:23 /add TRACK"):
        assert words in shown
    assert f"{dj.username}: Hello, all!" in shown
    queue = (await owner.get(f"/rooms/{room['id']}/queue")).json()
    assert {item["track"]["id"] for item in queue} == {str(track), str(other)}
    shown = "\n".join(await terminal(live, room, dj, "--once", "2.5", typed="/play\n/queue\n"))
    assert "♪ The Band – " in shown
    assert "  1 The Band – " in shown


async def test_a_screen_shows_the_second_of_the_track(live: str, people: People, infra: Infra) -> None:
    room, (owner,) = await with_members(people)
    await add(owner, room, *await make_tracks(infra, 60_000))
    await press(owner, room, "play")
    outer, inner = os.openpty()
    command = [sys.executable, "-m", "soundscore_client", "listen", room["id"], "--server", live]
    environment = {**os.environ, "PYTHONPATH": str(PYTHON), "SOUNDSCORE_TOKEN": owner.token, "COLUMNS": "100"}
    process = await asyncio.create_subprocess_exec(*command, stdin=inner, stdout=inner, env=environment)
    os.close(inner)
    shown = bytearray()
    asyncio.get_running_loop().add_reader(outer, lambda: shown.extend(_read(outer)))
    try:
        async with asyncio.timeout(20):
            while "0:01 / 1:00 ━".encode() not in shown:
                await asyncio.sleep(0.05)
            os.write(outer, "Hallü\x7fö \x1b[D♪\r".encode())
            while f"{owner.username}: Hallö ♪\r\n".encode() not in shown:
                await asyncio.sleep(0.05)
            os.write(outer, b"/quit\r")
            assert await process.wait() == 0
    finally:
        asyncio.get_running_loop().remove_reader(outer)
        os.close(outer)
        if process.returncode is None:
            process.kill()
            await process.wait()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end is closed
        return b""


async def test_a_terminal_says_what_is_wrong(live: str, people: People) -> None:
    ana = await people.make("ana")
    with pytest.raises(AssertionError, match="error: "):
        await terminal(live, {"name": "No such room"}, ana)
