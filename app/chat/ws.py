"""Talk over a socket: rooms, groups and conversations of two."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from time import time
from typing import Any
from uuid import UUID

from pydantic_core import from_json, to_json
from sqlalchemy import bindparam, select
from starlette.websockets import WebSocket

from app.chat.changes import delete_message, edit_message, react
from app.chat.commands import run_command
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
from app.chat.lines import hide, load_lines
from app.chat.models import Channel
from app.chat.owners import Entry, owner_of
from app.chat.posting import Draft, Posted, poster
from app.chat.presence import attendance, present_people
from app.chat.queries import hidden_from, messages
from app.chat.reading import mark_read, read_state
from app.chat.schemas import MessageInput, MessageText
from app.chat.veils import veils
from app.core.auth import Principal
from app.core.broadcast import Feed, Line, encode
from app.core.errors import AppError, BadRequest, Forbidden, NotFound, TooManyRequests
from app.core.query import Query, Runs
from app.core.schemas import Input
from app.core.sockets import Conversation, Socket, socket_endpoint
from app.users.models import User
from app.users.schemas import PersonCard

__all__ = ["channel_socket", "simple_socket"]

MOST_RECOVERED = 1000
"""Events that are sent one by one to who comes back; who missed more gets the whole state."""
FIRST_MESSAGES = 50
TYPING_SECONDS = 1.0
READ_SECONDS = 0.5

_PERSON = Query(
    select(User.id, User.username, User.display_name, User.avatar_key).where(
        User.id == bindparam("user_id"), User.deleted_at.is_(None)
    ),
    into=PersonCard,
)
_HEAD = Query(
    select(Channel.last_sequence).where(Channel.id == bindparam("id"), Channel.kind == bindparam("kind")), into=int
)
Identify = Callable[[WebSocket], Awaitable[Principal]]


class _Seat:
    """A socket in a channel: what it hears, and what is kept of it while it is open."""

    def __init__(self, kind: str, socket: Socket, websocket: WebSocket) -> None:
        self.kind, self.socket, self.infra = kind, socket, socket.infra
        self.actor = socket.principal
        self.user_id = socket.principal.user_id
        self.channel_id: UUID = _channel_id(websocket)
        self.hidden: frozenset[UUID] = frozenset()
        self.person: PersonCard
        self.feed: Feed | None = None
        self.write = socket.write

    @property
    def picky(self) -> bool:
        """Whether some people are hidden."""
        return bool(self.hidden)

    def hear(self, lines: Sequence[Line]) -> None:
        """Sends lines as this person may see them."""
        seen = (hide(line, self.hidden) if self.hidden else line.payload for line in lines)
        self.write(b"".join([encode(payload) for payload in seen if payload]))

    def remove(self) -> None:
        """Ends the socket of somebody who was put out or has left."""
        self.socket.fail(Forbidden("You are not here any more."))

    async def find(self, db: Runs) -> tuple[int, Entry]:
        """The channel's newest number and how the person stands there. Raises NotFound, Forbidden."""
        head = await _HEAD.first(db, id=self.channel_id, kind=self.kind)
        person = await _PERSON.first(db, user_id=self.user_id)
        if head is None or person is None:
            raise NotFound(f"There is no such {self.kind}.")
        self.person = person
        self.hidden = frozenset(await hidden_from(db, self.user_id))
        return head, await owner_of(self.kind).enter(db, self.actor, self.channel_id)

    async def sit_down(self, head: int) -> None:
        """From here on the channel is heard."""
        assert self.feed is not None
        self.infra.part(attendance).come(self.socket.connection_id, self.channel_id, self.person)
        self.infra.part(veils).add(self)
        await self.feed.level(self, head)

    async def end(self) -> None:
        """Leaves the channel."""
        self.infra.part(veils).discard(self)
        self.infra.part(attendance).go(self.socket.connection_id)
        if self.feed is not None:
            self.feed.leave(self)
            await self.infra.broadcast.left(self.feed)


class ChannelTalk(_Seat):
    """Protocol 1."""

    def __init__(self, kind: str, socket: Socket, websocket: WebSocket) -> None:
        super().__init__(kind, socket, websocket)
        self._typed: tuple[bool, float] = (False, 0.0)
        self._read_to = 0
        self._reading: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Answers the hello with what was missed, or with the whole state."""
        hello = parse_hello(await self.socket.hello())
        self.feed = await self.infra.broadcast.enter(self.channel_id)
        async with self.infra.db.snapshot() as db:
            head, entry = await self.find(db)
            welcome, events = await self._welcome(db, head, entry, hello.last_sequence)
            welcome["present"] = await present_people(db, self.channel_id, hidden=self.hidden)
        self.write(encode(to_json(welcome)[:-1] + b',"events":[' + b",".join(events) + b"]}"))
        await self.sit_down(head)

    async def _welcome(self, db: Runs, head: int, entry: Entry, last: int | None) -> tuple[dict[str, Any], list[bytes]]:
        you = {**self.person.model_dump(), "role": entry.role, "muted_until": entry.muted_until}
        recovered = last is not None and 0 <= head - last <= MOST_RECOVERED
        events: list[bytes] = []
        if recovered and last is not None:
            lines = await load_lines(db, self.channel_id, last, MOST_RECOVERED)
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


class _Said(Input):
    text: MessageText


class SimpleTalk(_Seat):
    """`{"text": ...}` in, the message out: what clients of earlier servers speak, without hello and numbers."""

    picky = True  # nothing goes out as it is

    async def begin(self) -> None:
        """Hears what comes from now on."""
        self.feed = await self.infra.broadcast.enter(self.channel_id)
        async with self.infra.db.snapshot() as db:
            head, _ = await self.find(db)
        await self.sit_down(head)

    def hear(self, lines: Sequence[Line]) -> None:
        """Sends messages; of everything else these clients know nothing."""
        created = [line for line in lines if b'"kind":"message.created"' in line.payload[:80]]
        said = (from_json(hide(line, self.hidden) or b"{}") for line in created)
        frames = [encode(to_json(self._message(event))) for event in said if event.get("kind") == "message.created"]
        self.write(b"".join(frames))

    def _message(self, event: dict[str, Any]) -> dict[str, Any]:
        data, actor = event["data"], event["actor"] or {"id": None}
        where = {"user_id": actor["id"], "room_id": self.channel_id, "created_at": event["at"]}
        return {"id": data["id"], "text": data["text"], **where, "sequence": event["sequence"]}

    async def take(self, text: str, *, flooded: bool) -> None:
        """Posts what was said."""
        try:
            said = _Said.model_validate_json(text)
        except ValueError as error:
            raise BadRequest('Send `{"text": "..."}` with at most 2,000 characters.') from error
        if flooded:
            self.socket.complain(TooManyRequests("Too many messages at once. Send it again in a second."))
            return
        try:
            await self.infra.part(poster).post(Draft(self.channel_id, self.person, MessageInput(text=said.text)))
        except AppError as error:
            self.socket.complain(error)


def channel_socket(kind: str, identify: Identify) -> Callable[[WebSocket], Awaitable[None]]:
    """The WebSocket route of a kind of channel; its path has the id as `channel_id`."""
    talk: Callable[[Socket, WebSocket], Conversation] = partial(ChannelTalk, kind)
    return socket_endpoint(identify, talk)


def simple_socket(kind: str, identify: Identify) -> Callable[[WebSocket], Awaitable[None]]:
    """The same without the protocol: text in, messages out."""
    talk: Callable[[Socket, WebSocket], Conversation] = partial(SimpleTalk, kind)
    return socket_endpoint(identify, talk)


def _channel_id(websocket: WebSocket) -> UUID:
    try:
        return UUID(websocket.path_params["channel_id"])
    except ValueError:
        return UUID(int=0)
