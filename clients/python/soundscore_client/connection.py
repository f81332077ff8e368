"""A channel's socket that outlives its connections: it comes back, resumes, and sends again what was not answered."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from itertools import count
from random import random
from types import TracebackType
from typing import Any, Literal, Self, cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from soundscore_client.clock import Clock, local_ms
from soundscore_client.closing import ABNORMAL, GOING_AWAY, NORMAL, UNAUTHORIZED, Closing, delay, policy
from soundscore_client.outbox import Outbox
from soundscore_client.problems import Ended, Refused
from soundscore_client.reducer import Gap, mark_read, take
from soundscore_client.state import State
from soundscore_client.wire import PROTOCOL, Ack, Frame

__all__ = ["Authorize", "Channel", "Status", "ping_pause"]

FAST_PINGS = 8
FAST_PING_SECONDS = 0.25
PING_SECONDS = 5.0
SILENCE_SECONDS = 15.0
"""Pings are answered; who says nothing for so long is gone."""
STEADY_SECONDS = 10.0
"""A connection that lasted this long was a good one, and the next backoff begins anew."""
_HTTP_CODES = {401: UNAUTHORIZED, 403: 4403, 404: 4404}

Status = Literal["connecting", "open", "waiting", "ended"]
Authorize = Callable[[bool], Awaitable[str]]
"""Gives a token; True: the last one was refused. Raises Refused, or an OSError to be asked again later."""
Listener = Callable[[Frame], None]


def ping_pause(number: int) -> float:
    """The seconds between the ping of this number, from 0 in each connection, and the next."""
    return FAST_PING_SECONDS if number < FAST_PINGS - 1 else PING_SECONDS


class Channel:
    """A room, a group, a conversation or a playlist, at an address such as `ws://127.0.0.1:8000/ws/rooms/<id>`.

    `state` is what is known of it, each event applied once and in order. Listeners get the server's messages after they
    were applied, missed ones included, and `{"type": "status", "status": ...}` of our own.
    """

    def __init__(
        self,
        address: str,
        authorize: Authorize,
        *,
        client: str = "soundscore-python/1.0",
        chance: Callable[[], float] = random,
    ) -> None:
        self.state: State | None = None
        self.clock = Clock()
        self.status: Status = "connecting"
        self.error: Exception | None = None
        self._address, self._authorize, self._client, self._chance = address, authorize, client, chance
        self._listeners: list[Listener] = []
        self._outbox = Outbox()
        self._outgoing: asyncio.Queue[str] | None = None
        self._pings: dict[int, float] = {}
        self._hello_at = 0.0
        self._welcomed_at: float | None = None
        self._wants_snapshot = False
        self._read_to = 0
        self._welcomed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="channel")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Has a function called with every message; what it returns ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def opened(self) -> State:
        """Waits for the first welcome. Raises Ended."""
        await self._welcomed.wait()
        if self.state is None:
            raise self.error or Ended(NORMAL, "closed")
        return self.state

    async def close(self) -> None:
        """Leaves. Raises what a listener raised."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        failure = self.error if not isinstance(self.error, Ended) else None
        self._finish(Ended(NORMAL, "closed"))
        if failure is not None:
            raise failure

    def server_now(self) -> float | None:
        """The server's time in milliseconds. None before the first welcome."""
        return self.clock.server_now(local_ms())

    async def send(self, text: str, **attached: str | None) -> Ack:
        """Says something, with `reply_to_id`, `track_id`, `review_id` or `image_key`. Raises Problem, Ended."""
        return await self._ask({"type": "send", "text": text, **attached})

    async def edit(self, message_id: str, text: str) -> Ack:
        """Changes what one said. Raises Problem, Ended."""
        return await self._ask({"type": "edit", "message_id": message_id, "text": text})

    async def delete(self, message_id: str) -> Ack:
        """Empties a message. Raises Problem, Ended."""
        return await self._ask({"type": "delete", "message_id": message_id})

    async def react(self, message_id: str, emoji: str, *, active: bool = True) -> Ack:
        """Puts an emoji to a message, or takes it away. Raises Problem, Ended."""
        return await self._ask({"type": "react", "message_id": message_id, "emoji": emoji, "active": active})

    async def command(self, name: str, **body: Any) -> Ack:
        """Asks the room for something, such as `playback.pause`. Raises Problem, Ended."""
        return await self._ask({"type": "command", "name": name, "body": body})

    def typing(self, *, active: bool) -> None:
        """Tells the others; forgotten if there is no connection."""
        self._post({"type": "typing", "active": active})

    def read(self, sequence: int) -> None:
        """Everything up to here was read."""
        if self.state is not None:
            self.state = mark_read(self.state, sequence)
        self._read_to = max(self._read_to, sequence)
        self._post({"type": "read", "sequence": self._read_to})

    async def _ask(self, frame: Frame) -> Ack:
        if self.error is not None:
            raise self.error
        return await self._outbox.ask(frame)

    def _post(self, frame: Frame) -> None:
        if self._outgoing is not None:
            self._outgoing.put_nowait(json.dumps(frame))

    def _tell(self, frame: Frame) -> None:
        for listener in list(self._listeners):
            listener(frame)

    def _turn(self, status: Status) -> None:
        self.status = status
        self._tell({"type": "status", "status": status})

    async def _run(self) -> None:
        try:
            self._finish(await self._come_back())
        except Refused as error:
            self._finish(Ended(UNAUTHORIZED, str(error)))
        except Exception as error:
            self._finish(error)

    async def _come_back(self) -> Ended:
        """Connects again and again; why it does not any more."""
        attempt, renew = 0, False
        while True:
            self._turn("connecting")
            self._welcomed_at = None
            closing = await self._connection(renew)
            then = policy(closing.code)
            if then.again == "no" or (renew and then.renew and self._welcomed_at is None):
                return Ended(closing.code, closing.reason)
            if self._welcomed_at is not None and local_ms() - self._welcomed_at > STEADY_SECONDS * 1000:
                attempt = 0
            renew = then.renew
            self._turn("waiting")
            await asyncio.sleep(delay(then, attempt, self._chance(), closing.after_ms) / 1000)
            attempt += 1

    async def _connection(self, renew: bool) -> Closing:
        """One connection; how it ended."""
        try:
            headers = {"Authorization": f"Bearer {await self._authorize(renew)}"}
            options: dict[str, Any] = {"ping_interval": None, "max_size": None, "compression": None, "close_timeout": 1}
            async with connect(self._address, additional_headers=headers, **options) as socket:
                return await self._talk(socket)
        except ConnectionClosed as error:
            return Closing(error.rcvd.code, error.rcvd.reason) if error.rcvd else Closing(ABNORMAL)
        except InvalidStatus as error:
            return Closing(_HTTP_CODES.get(error.response.status_code, ABNORMAL), str(error))
        except (OSError, InvalidHandshake) as error:
            return Closing(ABNORMAL, str(error))

    async def _talk(self, socket: ClientConnection) -> Closing:
        last = None if self.state is None or self._wants_snapshot else self.state.sequence
        hello = {"type": "hello", "protocol": PROTOCOL, "client": self._client, "last_sequence": last}
        self._hello_at = local_ms()
        await socket.send(json.dumps(hello))
        outgoing: asyncio.Queue[str] = asyncio.Queue()
        tasks = [asyncio.create_task(self._write(socket, outgoing))]
        try:
            while True:
                async with asyncio.timeout(SILENCE_SECONDS):
                    frame = json.loads(await socket.recv())
                if frame["type"] == "reconnect":
                    return Closing(GOING_AWAY, "reconnect", frame["after_ms"])
                try:
                    self._take(frame, outgoing)
                except Gap as gap:
                    return self._missed(frame, gap)
                if parting := self._parting_from(frame):
                    return parting
                if frame["type"] == "welcome":
                    tasks.append(asyncio.create_task(self._ping()))
        finally:
            self._outgoing = None
            self._outbox.shut()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _missed(self, frame: Frame, gap: Gap) -> Closing:
        # a resume that is itself incomplete is of no use; otherwise that is just what closes the gap
        self._wants_snapshot = frame["type"] == "welcome"
        return Closing(ABNORMAL, str(gap))

    def _parting_from(self, frame: Frame) -> Closing | None:
        """How the connection is to end after what was taken, if it is."""
        if self.state is not None and self.state.outdated:
            self._wants_snapshot = True
            return Closing(GOING_AWAY, "outdated")
        # everybody is put out; only who asks again learns whether they may still be there
        is_hidden = frame["type"] == "event" and frame["kind"] == "playlist.hidden"
        return Closing(GOING_AWAY, "hidden") if is_hidden else None

    async def _write(self, socket: ClientConnection, outgoing: asyncio.Queue[str]) -> None:
        while True:
            await socket.send(await outgoing.get())

    async def _ping(self) -> None:
        """Quickly at first, since the clock is needed soon."""
        for number in count():
            self._pings[number] = local_ms()
            self._post({"type": "ping", "id": number, "client_ms": self._pings[number]})
            await asyncio.sleep(ping_pause(number))

    def _take(self, frame: Frame, outgoing: asyncio.Queue[str]) -> None:
        match frame["type"]:
            case "welcome":
                self._take_welcome(frame, outgoing)
            case "event":
                self._take_event(frame)
            case "pong":
                self._take_pong(frame)
            case "ack":
                self._outbox.acknowledge(cast(Ack, frame))
            case "problem":
                if self._outbox.complain(frame):
                    self._tell(frame)
            case _:
                self.state = take(self.state, frame)
                self._tell(frame)

    def _take_welcome(self, frame: Frame, outgoing: asyncio.Queue[str]) -> None:
        self.clock.add(self._hello_at, local_ms(), frame["server_ms"])
        for event in frame["events"]:
            self._take_event(event)
        self.state = take(self.state, frame)
        self._wants_snapshot = False
        self._welcomed_at = local_ms()
        self._pings.clear()
        self._outgoing = outgoing
        if self._read_to:
            self.read(self._read_to)
        self._outbox.open(self._post)
        self._welcomed.set()
        self._turn("open")
        self._tell(frame)

    def _take_event(self, event: Frame) -> None:
        if self.state is None or event["sequence"] > self.state.sequence:
            self.state = take(self.state, event)
            self._tell(event)

    def _take_pong(self, frame: Frame) -> None:
        sent = self._pings.pop(frame["id"], None)
        if sent is not None:
            self.clock.add(sent, local_ms(), frame["server_ms"])

    def _finish(self, error: Exception) -> None:
        if self.error is not None:
            return
        self.error = error
        self._outbox.give_up(error)
        self._welcomed.set()
        self._turn("ended")
