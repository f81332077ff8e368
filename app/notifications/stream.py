"""The live stream of a person's notifications."""

from uuid import UUID

from app.core.auth import Principal
from app.core.db import Reader
from app.core.infra import Infra
from app.core.streams import EventStream, News, StreamEvent
from app.notifications.queries import BATCH, INBOX
from app.notifications.schemas import InboxState, NotificationEvent, NotificationItem, UnreadCount

__all__ = ["EXAMPLE", "open_stream"]

EXAMPLE = """retry: 1000

id: 41
event: hello
data: {"unread_count":2}

id: 42
event: notification
data: {"id":"0199a7c2-6c1e-7b3a-9d52-4f1f0e6f2a10","number":42,"kind":"follow","created_at":"2026-05-01T20:15:00Z",\
"read_at":null,"actor":{"id":"0199a7c0-1d2e-7c4f-8a61-2b9d7e5c3f04","username":"bruno","display_name":"Bruno Lima",\
"avatar_key":null},"review":null,"comment":null,"unread_count":3}

event: unread
data: {"unread_count":0}

event: reconnect
data: {}
"""

_FROM_NOW = 2**63 - 1
_EMPTY = InboxState(version=0, last_number=0, unread_count=0, item=None)


def open_stream(infra: Infra, actor: Principal, after: int | None) -> EventStream:
    """A stream of what comes after that number, or from now on."""
    return EventStream(infra, actor, ("inbox", actor.user_id), _InboxReader(infra.db.reader, actor.user_id, after))


class _InboxReader:
    """Reads on from a number. Without one, or with one that was never given, it begins with a `hello`."""

    def __init__(self, db: Reader, user_id: UUID, after: int | None) -> None:
        self._db, self._user_id, self._after = db, user_id, after
        self._unread: int | None = None

    async def __call__(self) -> News:
        after = _FROM_NOW if self._after is None else self._after
        rows = await INBOX.all(self._db, viewer=self._user_id, after=after)
        inbox = rows[0] if rows else _EMPTY
        if self._after is None or self._after > inbox.last_number:
            return self._begin(inbox)
        return self._go_on(inbox, [row.item for row in rows if row.item])

    def _begin(self, inbox: InboxState) -> News:
        self._after, self._unread = inbox.last_number, inbox.unread_count
        return News([StreamEvent("hello", _count(inbox), inbox.last_number)], inbox.version)

    def _go_on(self, inbox: InboxState, items: list[NotificationItem]) -> News:
        events = [StreamEvent("notification", _event(item, inbox.unread_count), item.number) for item in items]
        if not events and inbox.unread_count != self._unread:
            events = [StreamEvent("unread", _count(inbox))]
        more = len(items) == BATCH
        self._after = items[-1].number if more else inbox.last_number
        self._unread = inbox.unread_count
        return News(events, inbox.version, more)


def _event(item: NotificationItem, unread_count: int) -> str:
    return NotificationEvent(**dict(item), unread_count=unread_count).model_dump_json()


def _count(inbox: InboxState) -> str:
    return UnreadCount(unread_count=inbox.unread_count).model_dump_json()
