"""What a crowd does together: in groups, in rooms, and while it talks."""

import asyncio
import random
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed

from tests.catalog.factories import add_track
from tests.people import Person
from tests.promises.crowd import Act, Crowd, some
from tests.sockets import sit

__all__ = ["acts_at", "settle_down"]

NOWHERE = "00000000-0000-7000-8000-000000000000"


def room_of(crowd: Crowd, chance: random.Random) -> str:
    """One of the last few."""
    return some(crowd.rooms[-2:], chance)


def group_of(crowd: Crowd, chance: random.Random) -> str:
    return some(crowd.groups[-2:], chance)


def place_of(crowd: Crowd, chance: random.Random) -> str:
    return chance.choice([room_of, group_of])(crowd, chance)


async def master(crowd: Crowd, me: Person, path: str, chance: random.Random) -> Person:
    """Most often whoever owns it, who may do more than others."""
    owner = (await me.get(path)).json().get("owner_id")
    known = next((person for person in crowd.members if str(person.id) == owner), me)
    return known if chance.random() < 0.8 else me


async def somebody_in(me: Person, path: str, chance: random.Random) -> dict[str, Any]:
    """A member, or nobody."""
    found = (await me.get(f"{path}/members")).json().get("items")
    return chance.choice(found)["user"] if found else {"id": NOWHERE, "username": "nobody"}


async def make_group(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    answer = await me.post("/groups", json={"name": "A group"})
    crowd.groups.append(answer.json().get("id", NOWHERE))
    return answer


async def join_group(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    return await me.post(f"/groups/{group_of(crowd, chance)}/join")


async def leave_group(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    return await me.post(f"/groups/{group_of(crowd, chance)}/leave")


async def change_group_role(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    path = f"/groups/{group_of(crowd, chance)}"
    by, role = await master(crowd, me, path, chance), chance.choice(["admin", "moderator", "member"])
    other = await somebody_in(by, path, chance)
    return await by.patch(f"{path}/members/{other['id']}", json={"role": role})


async def give_group(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    path = f"/groups/{group_of(crowd, chance)}"
    by = await master(crowd, me, path, chance)
    return await by.put(f"{path}/owner", json={"user_id": (await somebody_in(by, path, chance))["id"]})


async def put_out_of_group(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    path, other = f"/groups/{group_of(crowd, chance)}", chance.choice(crowd.members)
    by = await master(crowd, me, path, chance)
    if chance.random() < 0.5:
        return await by.delete(f"{path}/members/{other.id}")
    await by.put(f"{path}/bans/{other.id}", json={})
    await asyncio.sleep(chance.uniform(0, 0.05))
    return await by.delete(f"{path}/bans/{other.id}")


async def invite_to_group(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    path, other = f"/groups/{group_of(crowd, chance)}", chance.choice(crowd.members)
    answer = await me.post(f"{path}/invites", json={"username": other.username})
    if answer.status_code == 201:
        await other.post(f"/groups/invites/{answer.json()['id']}/accept")
    return answer


async def open_room(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    name = f"Room {chance.getrandbits(64):x}"
    settings: dict[str, Any] = {
        "queue_mode": chance.choice(["fifo", "votes", "fair"]),
        "auto_dj": chance.random() < 0.3,
    }
    settings |= {"is_permanent": chance.random() < 0.5, "capacity": chance.randint(3, 12)}
    answer = await me.post("/rooms", json={"name": name} | settings)
    crowd.rooms.append(answer.json().get("id", NOWHERE))
    return answer


async def join_room(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    return await me.post(f"/rooms/{room_of(crowd, chance)}/join")


async def leave_room(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    return await me.post(f"/rooms/{room_of(crowd, chance)}/leave")


async def give_room(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    path = f"/rooms/{room_of(crowd, chance)}"
    by = await master(crowd, me, path, chance)
    other = (await somebody_in(by, path, chance))["username"]
    if chance.random() < 0.5:
        return await by.put(f"{path}/members/{other}/role", json={"role": chance.choice(["dj", "member", "guest"])})
    return await by.put(f"{path}/owner", json={"username": other})


async def put_out_of_room(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    path, other = f"/rooms/{room_of(crowd, chance)}", crowd.somebody(chance)
    by = await master(crowd, me, path, chance)
    if chance.random() < 0.5:
        return await by.delete(f"{path}/members/{other}")
    await by.put(f"{path}/bans/{other}", json={})
    await asyncio.sleep(chance.uniform(0, 0.05))
    return await by.delete(f"{path}/bans/{other}")


async def queue(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    body = {"track_id": some(crowd.tracks, chance)}
    return await me.post(f"/rooms/{room_of(crowd, chance)}/queue", json=body)


async def rearrange(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    path = f"/rooms/{room_of(crowd, chance)}"
    by, items = await master(crowd, me, path, chance), (await me.get(f"{path}/queue")).json()
    item = f"{path}/queue/{chance.choice(items)['id'] if items and isinstance(items, list) else NOWHERE}"
    kind = chance.choice(["move", "remove", "clear", "undo", "undo"])
    if kind == "move":
        return await by.patch(item, json={"index": chance.randint(0, 5)})
    if kind == "undo":
        return await by.post(f"{path}/queue/undo")
    return await by.delete(item if kind == "remove" else f"{path}/queue")


async def vote(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    path = f"/rooms/{room_of(crowd, chance)}/queue"
    items = (await me.get(path)).json()
    item = chance.choice(items)["id"] if items and isinstance(items, list) else NOWHERE
    return await (me.put if chance.random() < 0.7 else me.delete)(f"{path}/{item}/vote")


async def press(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    path = f"/rooms/{room_of(crowd, chance)}"
    action = chance.choice(["play", "play", "pause", "skip", "previous", "seek", "ready"])
    body: dict[str, Any] = {"action": action}
    if action == "seek":
        body["position_ms"] = chance.choice([0, 500, 999, 5000])
    if action == "ready" or chance.random() < 0.3:
        body["version"] = (await me.get(f"{path}/playback")).json().get("version", 0)
    return await (await master(crowd, me, path, chance)).post(f"{path}/playback", json=body)


async def vote_to_skip(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    path = f"/rooms/{room_of(crowd, chance)}"
    by = await master(crowd, me, path, chance)
    item = (await by.get(f"{path}/playback")).json().get("item") or {"id": NOWHERE}
    return await by.post(f"{path}/skip-vote", json={"item_id": item["id"], "active": chance.random() < 0.8})


async def say(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    place = place_of(crowd, chance)
    body: dict[str, Any] = {"text": f"Yes, @{crowd.somebody(chance)}!"}
    if crowd.messages and chance.random() < 0.3:
        body["reply_to_id"] = chance.choice(crowd.messages[-8:])[1]
    if chance.random() < 0.2:
        body["track_id"] = some(crowd.tracks, chance)
    answer = await me.post(f"/chat/{place}/messages", json=body)
    if answer.status_code == 201:
        crowd.messages.append((place, answer.json()["id"]))
    return answer


async def change_words(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    place, message = chance.choice(crowd.messages[-8:] or [(NOWHERE, NOWHERE)])
    path = f"/chat/{place}/messages/{message}"
    kind = chance.choice(["edit", "delete", "react", "react", "unreact"])
    if kind == "edit":
        return await me.patch(path, json={"text": f"No {chance.random()}"})
    if kind == "delete":
        return await me.delete(path)
    return await (me.put if kind == "react" else me.delete)(f"{path}/reactions/{chance.choice(['🔥', ':yes:'])}")


async def read_chat(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    place = place_of(crowd, chance)
    if chance.random() < 0.2:
        return await me.put(f"/chat/{place}/mute", json={"muted": chance.random() < 0.5})
    return await me.put(f"/chat/{place}/read", json={"sequence": chance.randint(0, 200)})


async def depart(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    """A newcomer comes in, makes something, is given more, and leaves everything for good."""
    newcomer = await crowd.people.make("passer_by")
    for act in (open_room, join_room, join_group, queue, queue, press, say, change_words):
        await act(crowd, newcomer, chance)
    path = f"/groups/{group_of(crowd, chance)}"
    by, content = await master(crowd, me, path, chance), chance.choice(["keep", "delete"])
    _, answer, _ = await asyncio.gather(
        by.put(f"{path}/owner", json={"user_id": str(newcomer.id)}),
        newcomer.request("DELETE", "/users/me", json={"content": content}),
        join_room(crowd, me, chance),
    )
    return answer


async def settle_down(crowd: Crowd) -> None:
    """Something of everything: all are in one more group and room, which plays, and have talked and voted."""
    owner, *others = crowd.members
    group = (await owner.post("/groups", json={"name": "The last ones"})).json()["id"]
    room = (await owner.post("/rooms", json={"name": f"The last ones {group}"})).json()["id"]
    for person in others:
        await person.post(f"/groups/{group}/join")
        await person.post(f"/rooms/{room}/join")
    for title in ("One", "Two"):  # so long that neither ends while we look
        track = await add_track(crowd.curator, title, duration_ms=3_600_000)
        assert (await owner.post(f"/rooms/{room}/queue", json={"track_id": track["id"]})).status_code == 201
    for place in (group, room):
        said = [await person.post(f"/chat/{place}/messages", json={"text": "Hi"}) for person in crowd.members]
        await owner.put(f"/chat/{place}/messages/{said[0].json()['id']}/reactions/🔥")
    await owner.post(f"/rooms/{room}/playback", json={"action": "play"})


TOGETHER: list[tuple[Act, int]] = [
    (make_group, 1),
    (join_group, 16),
    (leave_group, 4),
    (change_group_role, 4),
    (give_group, 2),
    (put_out_of_group, 6),
    (invite_to_group, 4),
    (open_room, 1),
    (join_room, 20),
    (leave_room, 4),
    (give_room, 4),
    (put_out_of_room, 6),
    (queue, 24),
    (rearrange, 10),
    (vote, 10),
    (press, 16),
    (vote_to_skip, 6),
    (say, 24),
    (change_words, 16),
    (read_chat, 10),
    (depart, 1),
]


def acts_at(address: str) -> Iterable[tuple[Act, int]]:
    """All of it; those who sit down somewhere do it at this server."""

    async def sit_down(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
        """For a moment, in which they talk, vote and say what they have read."""
        kind = chance.choice(["rooms", "groups"])
        place = (room_of if kind == "rooms" else group_of)(crowd, chance)
        async with sit(address, f"{kind}/{place}", me, hello=False) as seat:
            with suppress(ConnectionClosed):
                await seat.say(type="hello", protocol=1, last_sequence=chance.choice([None, 0, 5]))
            await asyncio.sleep(chance.uniform(0, 0.1))
            if seat.frames and seat.frames[0]["type"] == "welcome" and seat.connection.close_code is None:
                frames: list[dict[str, Any]] = [
                    {"type": "send", "client_id": f"{chance.random()}", "text": "Here I am."},
                    {"type": "read", "sequence": chance.randint(0, 200)},
                    {"type": "command", "client_id": f"{chance.random()}", "name": "playback.play", "body": {}},
                ]
                with suppress(ConnectionClosed):  # they may be put out at any moment
                    for frame in frames:
                        await seat.say(**frame)
                    await asyncio.sleep(chance.uniform(0, 0.1))
            return httpx.Response(200 if seat.frames else 403)

    return [*TOGETHER, (sit_down, 10)]
