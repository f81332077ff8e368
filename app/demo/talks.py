"""Conversations of the demo: channels with what was said in them, as posting would have written it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.core.text import name_key
from app.demo.content import Content, Row, read_data
from app.demo.ids import demo_id

__all__ = ["Talks", "build_talks"]


@dataclass
class Talks:
    """Rows of chat."""

    channels: list[Row] = field(default_factory=list)
    direct: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    readers: list[Row] = field(default_factory=list)


def build_talks(content: Content, now: datetime) -> Talks:
    """All that the demo people say to each other."""
    talks = Talks()
    for talk in read_data("talks"):
        _add(talks, content, talk, now)
    return talks


def _id(talk: dict[str, Any]) -> UUID:
    return demo_id("channel", " ".join(talk["between"]), talk["days"])


def _add(talks: Talks, content: Content, talk: dict[str, Any], now: datetime) -> None:
    channel_id, lines = _id(talk), talk["lines"]
    begun = now - timedelta(days=talk["days"])
    people = [content.people[name]["id"] for name in talk["between"]]
    said = [_message(content, channel_id, talk, number, begun) for number in range(1, len(lines) + 1)]
    counts = {"last_sequence": len(said), "message_count": len(said), "last_message_at": said[-1]["created_at"]}
    talks.channels.append({"id": channel_id, "kind": talk["kind"], "created_at": begun, **counts})
    first, second = sorted(people)
    talks.direct.append({"id": channel_id, "first_id": first, "second_id": second})
    talks.messages += said
    talks.events += map(_event, said)
    talks.readers += _readers(channel_id, people, said)


def _message(content: Content, channel_id: UUID, talk: dict[str, Any], number: int, begun: datetime) -> Row:
    name, text = talk["lines"][number - 1]
    minutes = (number - 1) * talk["minutes"]
    return {
        "id": demo_id("message", f"{channel_id} {number}", talk["days"] - minutes / 1440),
        "channel_id": channel_id,
        "sequence": number,
        "ordinal": number,
        "author_id": content.people[name]["id"],
        "text": text,
        "search": " ".join(f"'{word}'" for word in name_key(text).split()),
        "mentions": [],
        "created_at": begun + timedelta(minutes=minutes),
    }


def _event(message: Row) -> Row:
    kept = {name: message[name] for name in ("channel_id", "sequence", "created_at")}
    return {**kept, "kind": "message.created", "actor_id": message["author_id"], "message_id": message["id"]}


def _readers(channel_id: UUID, people: Iterable[UUID], said: list[Row]) -> list[Row]:
    """Who said the last word has read everything; the others have read as far as their own last word."""
    own = {person: [row["sequence"] for row in said if row["author_id"] == person] for person in people}
    return [
        {"user_id": person, "channel_id": channel_id, "sequence": last, "ordinal": last}
        for person, numbers in own.items()
        for last in [max(numbers, default=0)]
    ]
