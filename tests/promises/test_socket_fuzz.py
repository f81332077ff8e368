"""Whatever is sent over a socket, the server knows what to do: 100,000 mangled frames, and nothing unexpected."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.catalog.models import Artist, Track
from app.catalog.search_index import index
from app.chat.protocol import SERVER_FRAMES
from app.core.infra import Infra
from app.core.job_runner import drain
from app.core.sockets import Close
from tests.chat.pairs import begin
from tests.groups.factories import add_group, join
from tests.people import People, Person
from tests.promises.invariants import broken
from tests.rooms.factories import with_members
from tests.rooms.playing import make_tracks
from tests.servers import servers_on
from tests.sockets import sit

FRAMES = {model.model_fields["type"].annotation.__args__[0]: TypeAdapter(model) for model in SERVER_FRAMES}
FORBIDDEN_CODES = {Close.FAULT, Close.TOO_SLOW, Close.FLOOD, Close.UNAUTHORIZED, Close.FORBIDDEN, Close.NOT_FOUND, 1006}
AT_ONCE = 25

STRINGS = ["", " ", "a", "\x00", "a\x00b", "x" * 2000, "x" * 2001, "é" * 999, "🔥", ":fire:", "\u202e\u0301\ufeff", "@"]
STRINGS += [
    "@everybody @" + "a" * 60,
    "'; DROP TABLE messages; --",
    "\\u0000",
    "{}",
    "null",
    "%s%n",
    "NaN",
    "-1",
    "\x7f",
]
STRINGS += ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "urn:uuid:" + str(uuid4())]
NUMBERS = [0, -1, 1, 2**31, 2**53, 2**53 + 1, 2**63, 2**64, -(2**63), 10**400, 0.5, -0.0, 1e308, 1e-308]
VALUES: list[Any] = [*STRINGS, *NUMBERS, None, True, False, [], {}, [[]], {"a": {"b": []}}, ["x"] * 50, {"": None}]
LITERALS = [
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "-0",
    "01",
    "1.",
    "0x10",
    "1" * 5000,
    '"\\ud800"',
    '"\\udc00x"',
    "'a'",
]
LITERALS += ['"\\u0000"', "[" * 100 + "]" * 100, "[" * 5000, '{"a":' * 300 + "1" + "}" * 300, "undefined", '"\t"', ""]


@dataclass
class Known:
    """What is there, so that frames can name it."""

    messages: list[str] = field(default_factory=lambda: [str(uuid4())])
    items: list[str] = field(default_factory=lambda: [str(uuid4())])
    tracks: list[str] = field(default_factory=list)
    version: int = 0

    def learn(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "event" and frame["kind"] == "message.created":
            self.messages = [*self.messages[-20:], frame["data"]["id"]]
        if frame["type"] == "event" and frame["kind"] in {"queue.changed", "queue.edited"}:
            seen = [*frame["data"].get("queue", ()), *frame["data"].get("placed", ())]
            self.items = [*self.items[-20:], *(item["id"] for item in seen)]
        if frame["type"] == "event" and frame["kind"] == "playback.changed":
            self.version = frame["data"]["playback"]["version"]


Make = Callable[[random.Random, Known], dict[str, Any]]


def _command(name: str, make: Make) -> Make:
    return lambda chance, known: {"type": "command", "name": name, "body": make(chance, known)}


def _item(chance: random.Random, known: Known) -> dict[str, Any]:
    return {"item_id": chance.choice(known.items)}


def _nothing(chance: random.Random, known: Known) -> dict[str, Any]:
    return {}


def _say(chance: random.Random, known: Known) -> dict[str, Any]:
    extra = chance.choice(
        [{}, {"reply_to_id": chance.choice(known.messages)}, {"track_id": chance.choice(known.tracks)}]
    )
    return {"type": "send", "text": chance.choice(["Hi", "Listen, @ana!", "x" * 300]), **extra}


def _react(chance: random.Random, known: Known) -> dict[str, Any]:
    emoji, active = chance.choice(["🔥", ":yes:", "❤️"]), chance.random() < 0.7
    return {"type": "react", "message_id": chance.choice(known.messages), "emoji": emoji, "active": active}


MAKES: list[Make] = [
    lambda chance, known: {"type": "ping", "id": chance.getrandbits(31), "client_ms": chance.random() * 1e12},
    lambda chance, known: {"type": "typing", "active": chance.random() < 0.5},
    lambda chance, known: {"type": "read", "sequence": chance.randint(0, 10_000)},
    lambda chance, known: {
        "type": "edit",
        "message_id": chance.choice(known.messages),
        "text": f"No {chance.random()}",
    },
    lambda chance, known: {"type": "delete", "message_id": chance.choice(known.messages)},
    _say,
    _say,
    _react,
    _command("queue.add", lambda chance, known: {"track_id": chance.choice(known.tracks)}),
    _command("queue.remove", _item),
    _command("queue.move", lambda chance, known: {"index": chance.randint(0, 9), **_item(chance, known)}),
    _command("queue.vote", lambda chance, known: {"active": chance.random() < 0.7, **_item(chance, known)}),
    _command("queue.clear", _nothing),
    _command("queue.undo", _nothing),
    _command("skip.vote", _item),
    _command("playback.play", _nothing),
    _command("playback.pause", lambda chance, known: chance.choice([{}, {"version": known.version}])),
    _command("playback.seek", lambda chance, known: {"position_ms": chance.randint(0, 100_000)}),
    _command("playback.skip", _nothing),
    _command("playback.previous", _nothing),
    _command("playback.ready", lambda chance, known: {"version": known.version}),
]
"""Valid frames of every kind, but for the client id."""


class Mangler:
    """Frames that were valid once. Most of them still are JSON of a known kind, so that they get far."""

    def __init__(self, chance: random.Random, known: Known) -> None:
        self._chance, self._known, self._number = chance, known, 0

    def frame(self) -> str | bytes:
        chance = self._chance
        self._number += 1
        frame = chance.choice(MAKES)(chance, self._known)
        if frame["type"] not in {"ping", "typing", "read"}:
            frame["client_id"] = f"{id(self)}-{self._number - (chance.random() < 0.1)}"
        for _ in range(chance.choice([0, 1, 1, 1, 2, 3])):
            chance.choice([self._replace, self._replace, self._drop, self._add])(frame)
        return chance.choices([self._text, self._literal, self._garbage], [980, 12, 8])[0](frame)

    def hello(self) -> str | bytes:
        frame = {"type": "hello", "protocol": 1, "client": "fuzz", "last_sequence": self._chance.randint(0, 50)}
        if self._chance.random() < 0.3:
            self._replace(frame)
        return self._text(frame)

    def _place(self, frame: dict[str, Any]) -> dict[str, Any]:
        body = frame.get("body")
        return body if isinstance(body, dict) and body and self._chance.random() < 0.6 else frame

    def _replace(self, frame: dict[str, Any]) -> None:
        place = self._place(frame)
        if names := [name for name in place if name != "type" or self._chance.random() < 0.02]:
            place[self._chance.choice(names)] = self._value()

    def _drop(self, frame: dict[str, Any]) -> None:
        place = self._place(frame)
        if names := [name for name in place if name != "type"]:
            del place[self._chance.choice(names)]

    def _value(self) -> Any:
        return deepcopy(self._chance.choice(VALUES))

    def _add(self, frame: dict[str, Any]) -> None:
        self._place(frame)[self._chance.choice(["extra", "", "client_id", "body", "text", "\x00"])] = self._value()

    def _text(self, frame: dict[str, Any]) -> str:
        text = json.dumps(frame, ensure_ascii=self._chance.random() < 0.5, allow_nan=True)
        if self._chance.random() < 0.05:  # a key twice
            text = (
                text[:-1]
                + f', "{self._chance.choice(list(frame) or ["a"])}": {json.dumps(self._chance.choice(VALUES))}}}'
            )
        return text

    def _literal(self, frame: dict[str, Any]) -> str:
        """With something in it that Python would not write."""
        names = [name for name in frame if name != "type"]
        mark = "mark it here"
        if names:
            frame[self._chance.choice(names)] = mark
        return json.dumps(frame).replace(f'"{mark}"', self._chance.choice(LITERALS))

    def _garbage(self, frame: dict[str, Any]) -> str | bytes:
        """No frame any more."""
        text, chance = json.dumps(frame), self._chance
        kinds: list[Callable[[], str | bytes]] = [
            lambda: text[: chance.randrange(len(text))],
            text.encode,
            lambda: chance.randbytes(chance.randrange(100)),
            lambda: text + text,
            lambda: chance.choice(["", "[]", "null", "0", '"type"', "{}", "\ufeff" + text, "x" * 17_000, '["type"]']),
            lambda: "".join(chr(chance.choice([*range(1, 0xD7FF, 97), *range(0x1F300, 0x1F600)])) for _ in range(50)),
        ]
        return chance.choice(kinds)()


@dataclass
class Target:
    """Where somebody sends what."""

    address: str
    path: str
    person: Person
    known: Known
    chance: random.Random


@dataclass
class Fuzz:
    """What was sent and how it was answered."""

    sent: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    codes: Counter[int | None] = field(default_factory=Counter)


async def mangle(at: Target, count: int, fuzz: Fuzz) -> None:
    """Sends so many frames, over as many sockets as it takes."""
    mangler = Mangler(at.chance, at.known)
    headers = {"Authorization": f"Bearer {at.person.token}"}
    options: dict[str, Any] = {"additional_headers": headers, "compression": None, "max_size": None, "max_queue": None}
    left = count
    while left > 0:
        async with connect(f"{at.address.replace('http', 'ws', 1)}/ws/{at.path}", **options) as connection:
            with suppress(ConnectionClosed):
                await connection.send(mangler.hello())
                left -= await converse(connection, mangler, at.known, left, fuzz)
        left -= 1
        fuzz.sent += 1
        fuzz.codes[connection.close_code] += 1
        assert connection.close_code not in FORBIDDEN_CODES, (connection.close_code, connection.close_reason)


async def converse(connection: ClientConnection, mangler: Mangler, known: Known, count: int, fuzz: Fuzz) -> int:
    """A few frames and then a ping, until so many are taken or the socket is closed; how many it were.

    What was sent after the one that closed it is not counted, nor what was before it and may not have been looked at.
    """
    done = 0
    with suppress(ConnectionClosed):
        while done < count:
            for _ in range(AT_ONCE):
                await connection.send(mangler.frame())
            mark = -1 - done
            await connection.send(json.dumps({"type": "ping", "id": mark, "client_ms": 0.0}))
            async with asyncio.timeout(30):
                while not take(await connection.recv(), known, fuzz, mark):
                    pass
            done += AT_ONCE
            fuzz.sent += AT_ONCE
    return done


def take(text: str | bytes, known: Known, fuzz: Fuzz, mark: int) -> bool:
    """Looks at what the server says: strict JSON as it is documented. Whether it is the answer to the ping."""
    frame = json.loads(text, parse_constant=_no_constant)
    FRAMES[frame["type"]].validate_json(text)
    known.learn(frame)
    fuzz.answers[frame.get("code", frame["type"])] += 1
    assert frame.get("status", 0) < 500, frame
    return frame["type"] == "pong" and frame["id"] == mark


def _no_constant(name: str) -> Any:
    raise AssertionError(f"the server sent {name}")


async def hold(app: FastAPI, log: Path, *, count: int, seed: int) -> Fuzz:
    infra: Infra = app.state.infra
    fuzz, settings = Fuzz(), infra.settings
    async with (
        People(app) as people,
        servers_on(settings, 1, log=log, SOCKET_FRAMES_PER_SECOND="10000000") as (server,),
    ):
        room, (owner, dj, member) = await with_members(people, "dj", "member")
        voting, (other, *_) = await with_members(people, "member", queue_mode="votes", auto_dj=True)
        group, pair = await add_group(owner), await begin(people)
        await join(group, member)
        tracks = [str(track) for track in await findable_tracks(infra)]
        places = [(f"rooms/{room['id']}", owner), (f"rooms/{room['id']}", dj), (f"rooms/{room['id']}", member)]
        places += [
            (f"rooms/{voting['id']}", other),
            (f"groups/{group['id']}", owner),
            (f"groups/{group['id']}", member),
        ]
        places += [(pair.path, pair.ana), (f"chat/{room['id']}", member)]
        known = {path: Known(tracks=tracks) for path, _ in places}
        async with asyncio.TaskGroup() as tasks:
            for number, (path, person) in enumerate(places):
                at = Target(server.address, path, person, known[path], random.Random(f"{seed} {number}"))
                send = mangle_simply if path.startswith("chat") else mangle
                tasks.create_task(send(at, count // len(places), fuzz))
        for path, person in places[:-1]:
            async with sit(server.address, path, person) as seat:
                await seat.say(type="send", client_id=f"last-{path}", text="Still here")
                await seat.get("ack", client_id=f"last-{path}")
        assert (await owner.get(f"/chat/{room['id']}/messages")).status_code == 200
        assert (await owner.get(f"/rooms/{room['id']}/queue")).status_code == 200
        await drain(infra)
    await infra.db.fetch("DELETE FROM heartbeats", [])
    assert await broken(infra.db.reader) == {}
    told = log.read_text()
    assert not [line for line in told.splitlines() if "error" in line or "Traceback" in line], told[-3000:]
    return fuzz


async def findable_tracks(infra: Infra) -> list[UUID]:
    """Tracks that last for a moment; the server finds them when it chooses itself."""
    tracks = await make_tracks(infra, *[900] * 30)
    artists = [row["id"] for row in await infra.db.fetch("SELECT id FROM artists", [])]
    async with infra.db.write() as db:
        await index(db, Track, tracks)
        await index(db, Artist, artists)
    return tracks


async def mangle_simply(at: Target, count: int, fuzz: Fuzz) -> None:
    """The same for the socket of earlier clients, which takes texts alone."""
    place, chance = f"{at.address.replace('http', 'ws', 1)}/ws/{at.path}?token={at.person.token}", at.chance
    for _ in range(count // AT_ONCE):
        async with connect(place, compression=None, max_queue=None) as connection:
            with suppress(ConnectionClosed, TimeoutError):
                for _ in range(AT_ONCE):
                    fuzz.sent += 1
                    text = chance.choice(VALUES) if chance.random() < 0.05 else "Hi"
                    said = json.dumps({"text": text})
                    await connection.send(chance.choices([said, chance.choice(LITERALS)], [20, 1])[0])
                async with asyncio.timeout(0.2):
                    while True:
                        json.loads(await connection.recv(), parse_constant=_no_constant)
        fuzz.codes[connection.close_code] += 1
        assert connection.close_code not in FORBIDDEN_CODES, (connection.close_code, connection.close_reason)


async def test_some_mangled_frames(fresh: FastAPI, tmp_path: Path) -> None:
    fuzz = await hold(fresh, tmp_path / "log", count=2_000, seed=1)
    assert {"ack", "event", "invalid", "not_found", "bad_request"} <= fuzz.answers.keys()


@pytest.mark.slow
async def test_a_hundred_thousand_mangled_frames(fresh: FastAPI, tmp_path: Path) -> None:
    fuzz = await hold(fresh, tmp_path / "log", count=100_000, seed=random.randrange(10**9))
    print(f"\n{fuzz.sent} frames; answers {fuzz.answers.most_common(20)}; ends {dict(fuzz.codes)}")
    assert fuzz.sent >= 100_000
