"""A socket in a channel: whose it is, and what they hear."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from sqlalchemy import bindparam, select
from starlette.websockets import WebSocket

from app.chat.lines import hide
from app.chat.models import Channel
from app.chat.owners import Entry, owner_of
from app.chat.presence import attendance, presence_line, present_counts, present_people
from app.chat.queries import hidden_from
from app.chat.veils import veils
from app.core.auth import Principal
from app.core.errors import Forbidden, NotFound
from app.core.feeds import Feed, Line
from app.core.query import Query, Runs
from app.core.sockets import Socket
from app.core.wires import encode
from app.users.models import User
from app.users.schemas import PersonCard

__all__ = ["Identify", "Seat"]

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


class Seat:
    """A socket in a channel: what it hears, and what is kept of it while it is open."""

    def __init__(self, kind: str, socket: Socket, websocket: WebSocket) -> None:
        self.kind, self.socket, self.infra = kind, socket, socket.infra
        self.actor = socket.principal
        self.user_id = socket.principal.user_id
        self.channel_id: UUID = _channel_id(websocket)
        self.hidden: frozenset[UUID] = frozenset()
        self.person: PersonCard
        self.feed: Feed | None = None
        self._passed = 0
        self.write, self.keep_up = socket.write, socket.keep_up

    @property
    def picky(self) -> bool:
        """Whether some people are hidden."""
        return bool(self.hidden)

    def hear(self, lines: Sequence[Line]) -> None:
        """Sends lines as this person may see them."""
        seen = (hide(line, self.hidden) if self.hidden else line.payload for line in lines)
        self.write(b"".join([encode(payload) for payload in seen if payload]))

    async def veil(self, hidden: frozenset[UUID]) -> None:
        """From now on these people are hidden: to the others it is as if they had gone.

        Where the two were alone with each other, the socket ends.
        """
        if hidden - self.hidden:
            try:
                await owner_of(self.kind).enter(self.infra.db.reader, self.actor, self.channel_id)
                await self._lose_sight_of(hidden - self.hidden)
            except (NotFound, Forbidden) as error:
                self.socket.fail(error)
        self.hidden = hidden
        if self.feed is not None:
            self.feed.sort(self)

    async def _lose_sight_of(self, people: frozenset[UUID]) -> None:
        seen = await present_people(self.infra.db.reader, self.channel_id, hidden=self.hidden)
        if left := [person.id for person in seen if person.id in people]:
            counts = await present_counts(self.infra.db.reader, [self.channel_id])
            self.hear([presence_line(counts.get(self.channel_id, 0), left=left)])

    def remove(self) -> None:
        """Ends the socket of somebody who was put out or has left."""
        self.socket.fail(Forbidden("You are not here any more."))

    async def come_in(self) -> None:
        """From here on nothing that passes is missed."""
        self.feed = await self.infra.broadcast.enter(self.channel_id)
        self._passed = self.feed.passed

    async def find(self, db: Runs) -> tuple[int, Entry]:
        """The channel's newest number and how the person stands there. Raises NotFound, Forbidden."""
        head = await _HEAD.first(db, id=self.channel_id, kind=self.kind)
        person = await _PERSON.first(db, user_id=self.user_id)
        if head is None or person is None:
            raise NotFound(f"There is no such {self.kind}.")
        self.person = person
        self.hidden = frozenset(await hidden_from(db, self.user_id))
        return head, await owner_of(self.kind).enter(db, self.actor, self.channel_id)

    async def sit_down(self, head: int, *, position: int | None = None) -> None:
        """From here on the channel is heard, after `position`; else after its newest number."""
        assert self.feed is not None
        self.infra.part(attendance).come(self.socket.connection_id, self.channel_id, self.person)
        self.infra.part(veils).add(self)
        await self.feed.level(self, head if position is None else position, head=head, passed=self._passed)

    async def end(self) -> None:
        """Leaves the channel."""
        self.infra.part(veils).discard(self)
        self.infra.part(attendance).go(self.socket.connection_id)
        if self.feed is not None:
            self.feed.leave(self)
            await self.infra.broadcast.left(self.feed)


def _channel_id(websocket: WebSocket) -> UUID:
    try:
        return UUID(websocket.path_params["channel_id"])
    except ValueError:
        return UUID(int=0)
