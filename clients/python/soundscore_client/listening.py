"""A person in a room, at a terminal: hears what is said, sees the second of the track, says something."""

import asyncio
import json
import re
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from soundscore_client.connection import Channel
from soundscore_client.playback import position
from soundscore_client.problems import Ended, Problem, Refused
from soundscore_client.rest import Rest
from soundscore_client.screen import Screen
from soundscore_client.state import State
from soundscore_client.wire import Frame, Item, Playback

__all__ = ["Listener", "clock", "seconds"]

DRAW_SECONDS = 0.1
BAR = 30
HELP = "Type to talk. /play /pause /skip /seek 1:23 /add TRACK /queue /who /quit"


class Listener:
    """What happens in a channel, on a screen or as lines of JSON."""

    def __init__(self, rest: Rest, channel: Channel, room_id: str) -> None:
        self._rest, self._channel, self._room_id = rest, channel, room_id
        self._screen = Screen(self._take, self._leave)
        self._left = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready_for = -1
        self._item_id: str | None = ""

    async def watch(self, for_seconds: float | None) -> None:
        """Shows the room until the person leaves, or for so long. Raises Ended."""
        self._welcome(await self._channel.opened())
        self._channel.listen(self._hear)
        with self._screen.open():
            await self._until_left(for_seconds, self._draw, DRAW_SECONDS)

    async def print_json(self, for_seconds: float | None) -> None:
        """Prints what plays, once a second. Raises Ended."""
        self._channel.listen(lambda _: self._get_ready())
        await self._channel.opened()
        self._get_ready()
        await self._until_left(for_seconds, self._print, 1.0)

    async def _until_left(self, for_seconds: float | None, do: Callable[[], None], every: float) -> None:
        loop = asyncio.get_running_loop()
        end = None if for_seconds is None else loop.time() + for_seconds
        while not self._left.is_set() and (end is None or loop.time() < end):
            if isinstance(self._channel.error, Exception):
                raise self._channel.error
            do()
            try:
                await asyncio.wait_for(self._left.wait(), every)
            except TimeoutError:
                continue

    def _leave(self) -> None:
        self._left.set()

    def _print(self) -> None:
        now, state = self._channel.server_now(), self._channel.state
        if now is None or state is None:
            return
        playback = state.playback
        item = playback["item"] if playback else None
        line = {
            "server_ms": now,
            "wall_ms": time.time() * 1000,
            "position_ms": position(playback, now) if playback else 0.0,
            "track_id": item["track"]["id"] if item else None,
            "playing": bool(playback and playback["playing"]),
            "sequence": state.sequence,
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    def _welcome(self, state: State) -> None:
        card = state.card or {}
        self._screen.say(f"{card.get('name', 'A room')}: {_people(state)}")
        for message in state.messages[-10:]:
            if message["author"] and message["text"]:
                self._screen.say(f"{message['author']['username']}: {message['text']}")
        self._screen.say(HELP)
        self._announce(state)
        self._get_ready()

    def _draw(self) -> None:
        state, now = self._channel.state, self._channel.server_now()
        if state is None or now is None:
            return
        status = "" if self._channel.status == "open" else f" ({self._channel.status})"
        typing = f" {', '.join(state.typing.values())} typing" if state.typing else ""
        self._screen.show(f"{progress(state.playback, now)}  {state.present_count} here{typing}{status}")

    def _hear(self, frame: Frame) -> None:
        state = self._channel.state
        if state is None:
            return
        if frame["type"] == "event":
            said = _SAID.get(frame["kind"])
            who = frame["actor"]["username"] if frame["actor"] else "somebody"
            if said and (line := said(who, frame["data"])):
                self._screen.say(line)
        elif frame["type"] == "problem" and frame["client_id"] is None:
            self._screen.say(f"! {frame['detail'] or frame['title']}")
        self._announce(state)
        self._get_ready()

    def _announce(self, state: State) -> None:
        item = state.playback["item"] if state.playback else None
        if (item and item["id"]) != self._item_id:
            self._item_id = item["id"] if item else None
            self._screen.say(f"♪ {_title(item)}" if item else "♪ nothing plays")

    def _get_ready(self) -> None:
        """There is nothing to load here, so nobody needs to wait for it."""
        state = self._channel.state
        playback = state.playback if state else None
        if playback and playback["waiting"] and playback["version"] != self._ready_for:
            self._ready_for = playback["version"]
            self._do(self._channel.command("playback.ready", version=playback["version"]))

    def _take(self, line: str) -> None:
        name, _, rest = line.strip().partition(" ")
        if not name:
            return
        if not name.startswith("/"):
            self._do(self._channel.send(line.strip()))
        elif name in _COMMANDS:
            self._do(_COMMANDS[name](self, rest.strip()))
        else:
            self._screen.say(HELP)

    def _do(self, work: Awaitable[Any]) -> None:
        task = asyncio.ensure_future(self._complete(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _complete(self, work: Awaitable[Any]) -> None:
        try:
            await work
        except (Problem, Refused, ConnectionError, ValueError) as error:
            self._screen.say(f"! {error}")
        except Ended:
            return  # said where it is waited for

    async def _command(self, name: str, **body: Any) -> None:
        await self._channel.command(name, **body)

    async def _seek(self, to: str) -> None:
        await self._command("playback.seek", position_ms=round(seconds(to) * 1000))

    async def _add(self, words: str) -> None:
        await self._rest.add_to_queue(self._room_id, await self._rest.find_track(words))

    async def _queue(self) -> None:
        state = self._channel.state
        for number, item in enumerate(state.queue if state else [], 1):
            votes = f"  +{item['votes']}" if item["votes"] else ""
            self._screen.say(f"{number:3} {_title(item)}{votes}")
        if state and not state.queue:
            self._screen.say("The queue is empty. /add TRACK")

    async def _who(self) -> None:
        if self._channel.state:
            self._screen.say(_people(self._channel.state))

    async def _quit(self) -> None:
        self._leave()


_COMMANDS: Mapping[str, Callable[[Listener, str], Awaitable[None]]] = {
    "/play": lambda here, _: here._command("playback.play"),
    "/pause": lambda here, _: here._command("playback.pause"),
    "/skip": lambda here, _: here._command("playback.skip"),
    "/previous": lambda here, _: here._command("playback.previous"),
    "/seek": lambda here, to: here._seek(to),
    "/add": lambda here, words: here._add(words),
    "/queue": lambda here, _: here._queue(),
    "/who": lambda here, _: here._who(),
    "/quit": lambda here, _: here._quit(),
}
_SAID: Mapping[str, Callable[[str, dict[str, Any]], str | None]] = {
    "message.created": lambda who, data: f"{who}: {data['text']}" if data["text"] else None,
    "message.edited": lambda who, data: f"{who} meant: {data['text']}",
    "member.joined": lambda _, data: f"* {data['user']['username']} joined",
    "member.kicked": lambda who, _: f"* {who} put somebody out",
    "member.banned": lambda who, _: f"* {who} banned somebody",
    "playback.changed": lambda who, data: f"* {who} paused" if _is_paused(data["playback"]) else None,
    "skip.votes": lambda _, data: f"* {data['votes']} of {data['needed']} want to skip" if data["votes"] else None,
    "room.closed": lambda who, _: f"* {who} closed the room",
}


def progress(playback: Playback | None, server_now: float) -> str:
    """Where the track is, as a line."""
    if playback is None or playback["item"] is None:
        return "■ nothing plays"
    at, duration = position(playback, server_now), playback["duration_ms"]
    sign = "▶" if playback["playing"] else "⏸"
    if playback["waiting"] and server_now < playback["at_ms"]:
        sign = "…"
    filled = round(BAR * min(1.0, at / duration)) if duration else 0
    end = f" / {clock(duration)}" if duration else ""
    return f"{sign} {clock(at)}{end} {'━' * filled}{'─' * (BAR - filled)} {_title(playback['item'])}"


def clock(ms: float) -> str:
    """Minutes and seconds: 83,000 is 1:23."""
    minutes, left = divmod(int(ms / 1000), 60)
    return f"{minutes}:{left:02}"


def seconds(text: str) -> float:
    """What 1:23 or 83 or 1:02:03 is in seconds. Raises ValueError."""
    if not re.fullmatch(r"(\d+:){0,2}\d+(\.\d+)?", text):
        raise ValueError("Say where to, such as /seek 1:23")
    parts = [float(part) for part in text.split(":")]
    return sum(part * 60.0**power for power, part in enumerate(reversed(parts)))


def _is_paused(playback: Playback) -> bool:
    return playback["item"] is not None and not playback["playing"]


def _title(item: Item) -> str:
    return f"{item['track']['artist']} – {item['track']['title']}"


def _people(state: State) -> str:
    names = ", ".join(sorted(person["username"] for person in state.present.values()))
    return f"{state.present_count} here: {names}"
