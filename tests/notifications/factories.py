"""Notifications made straight through the service, and a reader of event streams."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select

from app.core.infra import Infra
from app.core.jobs import drain
from app.notifications.kinds import FOLLOW
from app.notifications.models import Inbox, Notification
from app.notifications.service import notify
from tests.people import Person

Items = list[dict[str, Any]]


async def inbox(infra: Infra, person: Person, **query: Any) -> Items:
    """The person's notifications once all jobs are done; makes sure that the counters tell the truth."""
    await drain(infra)
    await check_counters(infra, person.id)
    answer = await person.get("/notifications", params={"limit": 100, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def told(items: Items) -> list[tuple[str, str]]:
    """Kind and actor of each, the oldest first."""
    return [(it["kind"], it["actor"]["username"].split("_")[0]) for it in reversed(items)]


async def check_counters(infra: Infra, user_id: UUID) -> None:
    """The unread count is the number of unread rows, and no number is larger than the last one."""
    statement = select(Notification.number, Notification.read_at).where(Notification.user_id == user_id)
    rows = await infra.db.reader.rows(statement)
    kept = await infra.db.reader.one(select(Inbox).where(Inbox.user_id == user_id))
    last, unread = (kept.last_number, kept.unread_count) if kept else (0, 0)
    assert unread == sum(row.read_at is None for row in rows)
    assert last >= max((row.number for row in rows), default=0)


async def tell(infra: Infra, user_id: UUID, actor_id: UUID, subject: str = "") -> None:
    """A notification in a transaction of its own."""
    async with infra.db.write() as db:
        await notify(db, user_ids=[user_id], kind=FOLLOW, actor_id=actor_id, subject=subject)


@dataclass(frozen=True)
class Event:
    """An event as a browser sees it."""

    name: str
    data: Any
    id: str | None


@asynccontextmanager
async def stream(
    address: str, person: Person | None = None, after: int | None = None, **query: Any
) -> AsyncIterator[AsyncIterator[Event]]:
    """The events of a connection: `async with stream(live, ana) as events: hello = await anext(events)`."""
    headers = {"Authorization": f"Bearer {person.token}"} if person else {}
    if after is not None:
        headers["Last-Event-ID"] = str(after)
    async with httpx.AsyncClient(timeout=httpx.Timeout(10, read=20)) as client:
        url = f"{address}/api/v1/notifications/stream"
        async with client.stream("GET", url, headers=headers, params=query) as answer:
            assert answer.status_code == 200, (await answer.aread()).decode()
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = parse(answer)
            try:
                yield lines
            finally:
                await lines.aclose()


async def parse(answer: httpx.Response) -> AsyncIterator[Event]:
    """By the rules of EventSource: an event counts only with the empty line at its end."""
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif "data" in fields:
            yield Event(fields["event"], json.loads(fields["data"]), fields.get("id"))
            fields = {}
        else:
            fields = {}
