"""Talk over a socket: rooms, groups and conversations of two."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from time import time
from typing import Any

from pydantic_core import to_json
from starlette.websockets import WebSocket

from app.chat.changes import delete_message, edit_message, react
from app.chat.commands import run_command
from app.chat.drafts import Draft, Posted
from app.chat.frames import (
    PROTOCOL,
    CommandFrame,
    DeleteFrame,
    EditFrame,
    InvalidFrame,
    PingFrame,
    ReactFrame,
    ReadFrame,
    SendFrame,
    TypingFrame,
    parse,
    parse_hello,
)
from app.chat.lines import hide, load_lines, missed_bytes
from app.chat.owners import Entry, owner_of
from app.chat.posting import poster
from app.chat.presence import present_people
from app.chat.queries import messages
from app.chat.reading import mark_read, read_state
from app.chat.schemas import MessageInput
from app.chat.seats import Identify, Seat
from app.core.auth import require_scope
from app.core.errors import AppError, BadRequest, TooManyRequests
from app.core.feeds import Line, mouthful
from app.core.query import Runs
from app.core.sockets import Conversation, Socket, socket_endpoint
from app.core.wires import encode

__all__ = ["channel_socket"]

MOST_RECOVERED, MOST_RECOVERED_BYTES = 1000, 1024 * 1024
"""Events that are sent one by one to who comes back, the first in the welcome; who missed more gets the whole state."""
FIRST_MESSAGES = 50
TYPING_SECONDS = 1.0
READ_SECONDS = 0.5


class ChannelTalk(Seat):
    """Protocol 1."""

    def __init__(self, kind: str, socket: Socket, websocket: WebSocket) -> None:
        super().__init__(kind, socket, websocket)
        self._typed: tuple[bool, float] = (False, 0.0)
        self._read_to = 0
        self._reading: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Answers the hello with what was missed, or with the whole state."""
        hello = parse_hello(await self.socket.hello())
        await self.come_in()
        async with self.infra.db.snapshot() as db:
            head, entry = await self.find(db)
            welcome, events = await self._welcome(db, head, entry, hello.last_sequence)
            welcome["present"] = await present_people(db, self.channel_id, hidden=self.hidden)
        self.write(encode(to_json(welcome)[:-1] + b',"events":[' + b",".join(events) + b"]}"))
        await self.keep_up()
        await self.sit_down(head, position=welcome["sequence"])

    async def _welcome(self, db: Runs, head: int, entry: Entry, last: int | None) -> tuple[dict[str, Any], list[bytes]]:
        you = {**self.person.model_dump(), "role": entry.role, "muted_until": entry.muted_until}
        recovered = last is not None and await self._can_recover(db, head, last)
        events: list[bytes] = []
        if recovered and last is not None:
            lines = mouthful(await load_lines(db, self.channel_id, last))
            head = lines[-1].sequence if lines else head
            events = [payload for line in lines if (payload := hide(line, self.hidden))]
        welcome = {
            "type": "welcome",
            "protocol": PROTOCOL,
            "connection_id": self.socket.connection_id,
            "server_ms": time() * 1000,
            "sequence": head,
            "recovered": recovered,
            "you": you,
            "snapshot": None if recovered else await self._snapshot(db),
        }
        return welcome, events

    async def _can_recover(self, db: Runs, head: int, last: int) -> bool:
        """Whether what was missed is less than a whole state is worth."""
        if not 0 <= head - last <= MOST_RECOVERED:
            return False
        return await missed_bytes(db, self.channel_id, last) <= MOST_RECOVERED_BYTES

    async def _snapshot(self, db: Runs) -> dict[str, Any]:
        whole = await owner_of(self.kind).snapshot(db, self.actor, self.channel_id)
        last = await messages(db, self.channel_id, hidden=list(self.hidden), most=FIRST_MESSAGES)
        state = await read_state(db, self.channel_id, self.user_id)
        return {**whole, "messages": last, "read_sequence": state.sequence}

    async def take(self, text: str, *, flooded: bool) -> None:
        """Does what a frame asks. Raises BadRequest for what is no frame."""
        client_id: str | None = None
        try:
            frame = parse(text)
            client_id = getattr(frame, "client_id", None)
            if flooded:
                raise TooManyRequests("Too many frames at once. Send it again in a second.")
            if type(frame) is not PingFrame:
                require_scope(self.actor, "write")
            await _DOES[type(frame)](self, frame)
        except BadRequest:
            raise
        except InvalidFrame as error:
            self.socket.complain(error, error.client_id)
        except AppError as error:
            self.socket.complain(error, client_id)

    async def end(self) -> None:
        """Leaves, once what was read is written down."""
        if self._reading is not None:
            await asyncio.wait({self._reading})
        await super().end()

    async def ping(self, frame: PingFrame) -> None:
        """Tells the time."""
        pong = {"type": "pong", "id": frame.id, "client_ms": frame.client_ms, "server_ms": time() * 1000}
        self.socket.send(pong)

    async def type(self, frame: TypingFrame) -> None:
        """Tells the others, at most once a second."""
        active, at = self._typed
        if frame.active == active and time() - at < TYPING_SECONDS:
            return
        self._typed = frame.active, time()
        who = {"id": self.person.id, "username": self.person.username}
        line = Line(0, to_json({"type": "typing", "user": who, "active": frame.active}), self.user_id)
        await self.infra.broadcast.publish({self.channel_id: [line]})

    async def send(self, frame: SendFrame) -> None:
        """Has a message posted, and goes on: whoever sends many need not wait for each."""
        said = MessageInput(**frame.model_dump(exclude={"type"}))
        answer = self.infra.part(poster).post(Draft(self.channel_id, self.person, said))
        answer.add_done_callback(partial(self._answer, frame.client_id))

    def _answer(self, client_id: str, answer: "asyncio.Future[Posted]") -> None:
        error = answer.exception()
        if isinstance(error, AppError):
            self.socket.complain(error, client_id)
        else:
            posted = answer.result()
            self._acknowledge(client_id, posted.sequence, {"message_id": posted.message_id})

    def _acknowledge(self, client_id: str, sequence: int | None, result: Any = None) -> None:
        self.socket.send({"type": "ack", "client_id": client_id, "sequence": sequence, "result": result})

    async def edit(self, frame: EditFrame) -> None:
        """Changes a message."""
        await self._change(frame.client_id, partial(edit_message, message_id=frame.message_id, text=frame.text))

    async def delete(self, frame: DeleteFrame) -> None:
        """Empties a message."""
        await self._change(frame.client_id, partial(delete_message, message_id=frame.message_id))

    async def react(self, frame: ReactFrame) -> None:
        """Puts an emoji, or takes it away."""
        change = partial(react, message_id=frame.message_id, emoji=frame.emoji, active=frame.active)
        await self._change(frame.client_id, change)

    async def _change(self, client_id: str, change: Callable[..., Awaitable[int | None]]) -> None:
        async with self.infra.db.write() as db:
            sequence = await change(db, self.actor, self.channel_id, client_id=client_id)
        self._acknowledge(client_id, sequence)

    async def command(self, frame: CommandFrame) -> None:
        """Asks the channel's owner."""
        async with self.infra.db.write() as db:
            asked: dict[str, Any] = {"name": frame.name, "body": frame.body, "client_id": frame.client_id}
            result = await run_command(db, self.actor, self.channel_id, **asked)
        self._acknowledge(frame.client_id, None, result)

    async def read(self, frame: ReadFrame) -> None:
        """Writes down how far they have read, at most twice a second."""
        self._read_to = max(self._read_to, frame.sequence)
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._mark_read(), name="read marker")

    async def _mark_read(self) -> None:
        await asyncio.sleep(READ_SECONDS)
        with suppress(Exception):  # the next mark goes farther
            async with self.infra.db.write() as db:
                await mark_read(db, self.channel_id, self.user_id, self._read_to)


_DOES: dict[type, Callable[[ChannelTalk, Any], Awaitable[None]]] = {
    PingFrame: ChannelTalk.ping,
    TypingFrame: ChannelTalk.type,
    SendFrame: ChannelTalk.send,
    EditFrame: ChannelTalk.edit,
    DeleteFrame: ChannelTalk.delete,
    ReactFrame: ChannelTalk.react,
    ReadFrame: ChannelTalk.read,
    CommandFrame: ChannelTalk.command,
}


def channel_socket(kind: str, identify: Identify) -> Callable[[WebSocket], Awaitable[None]]:
    """The WebSocket route of a kind of channel; its path has the id as `channel_id`."""
    talk: Callable[[Socket, WebSocket], Conversation] = partial(ChannelTalk, kind)
    return socket_endpoint(identify, talk)
