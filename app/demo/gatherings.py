"""The demo's groups and rooms: who belongs to them, and what waits to be played."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.core.auth import Principal
from app.core.db import Writer
from app.core.text import name_key
from app.demo.content import Content, Row, read_data
from app.demo.ids import demo_id
from app.demo.talks import talk_id
from app.rooms import playback
from app.rooms.playing_schemas import PressInput

__all__ = ["Gatherings", "begin_to_play", "build_gatherings"]


@dataclass
class Gatherings:
    """Rows of groups and rooms."""

    groups: list[Row] = field(default_factory=list)
    group_members: list[Row] = field(default_factory=list)
    rooms: list[Row] = field(default_factory=list)
    room_members: list[Row] = field(default_factory=list)
    room_visits: list[Row] = field(default_factory=list)
    queue: list[Row] = field(default_factory=list)
    plays: list[Row] = field(default_factory=list)
    recorded: set[UUID] = field(default_factory=set)


def build_gatherings(content: Content, now: datetime) -> Gatherings:
    """All groups and rooms of the demo."""
    made = Gatherings()
    for talk in read_data("talks"):
        if talk["kind"] == "group":
            made.groups.append(_card(content, talk, now) | {"category": talk["category"]})
            made.group_members += _members(content, talk, now, "group_id")
        elif talk["kind"] == "room":
            settings = {"genres": talk["genres"], "is_permanent": True, "auto_dj": True}
            made.rooms.append(_card(content, talk, now) | settings | {"last_active_at": now})
            made.room_members += _members(content, talk, now, "room_id")
            made.room_visits += [{"user_id": row["user_id"], "room_id": row["room_id"]} for row in made.room_members]
            made.queue += _queue(content, talk, now)
            made.plays += [] if talk.get("recorded") else _plays(content, talk, now)
            made.recorded |= {talk_id(talk)} if talk.get("recorded") else set()
    return made


async def begin_to_play(db: Writer, gatherings: Gatherings) -> None:
    """Their owners press play: from now on the rooms go on by themselves.

    A room whose music is still to be recorded waits for that.
    """
    for room in [room for room in gatherings.rooms if room["id"] not in gatherings.recorded]:
        owner = Principal(user_id=room["owner_id"], session_id=room["id"])
        await playback.play(db, owner, room["id"], PressInput())


def _card(content: Content, talk: dict[str, Any], now: datetime) -> Row:
    owner = next(name for name, role in talk["people"] if role == "owner")
    return {
        "id": talk_id(talk),
        "name": talk["name"],
        "name_key": name_key(talk["name"]),
        "description": talk["description"],
        "owner_id": content.people[owner]["id"],
        "member_count": len(talk["people"]),
        "created_at": now - timedelta(days=talk["days"]),
    }


def _members(content: Content, talk: dict[str, Any], now: datetime, key: str) -> list[Row]:
    return [
        {
            key: talk_id(talk),
            "user_id": content.people[name]["id"],
            "role": role,
            "joined_at": now - timedelta(days=talk["days"] - number / 24),
        }
        for number, (name, role) in enumerate(talk["people"])
    ]


def _queue(content: Content, talk: dict[str, Any], now: datetime) -> list[Row]:
    room_id: UUID = talk_id(talk)
    return [
        {
            "id": demo_id("queue item", f"{room_id} {number}", 0.01 - number / 1_000_000),
            "room_id": room_id,
            "track_id": content.tracks[track]["id"],
            "added_by_id": content.people[name]["id"],
            "place": number,
            "created_at": now,
        }
        for number, (name, track) in enumerate(talk["queue"], start=1)
    ]


def _plays(content: Content, talk: dict[str, Any], now: datetime) -> list[Row]:
    """What the room played yesterday: the same, from the last to the first."""
    room_id: UUID = talk_id(talk)
    rows, begun = [], now - timedelta(days=1)
    for number, (name, track_name) in enumerate(reversed(talk["queue"]), start=1):
        track, age = content.tracks[track_name], 1 - number / 1_000
        ended = begun + timedelta(milliseconds=track["duration_ms"])
        rows.append(
            {
                "id": demo_id("play", f"{room_id} {number}", age),
                "room_id": room_id,
                "item_id": demo_id("played item", f"{room_id} {number}", age),
                "track_id": track["id"],
                "added_by_id": content.people[name]["id"],
                "started_at": begun,
                "ended_at": ended,
                "played_ms": track["duration_ms"],
                "created_at": begun,
            }
        )
        begun = ended
    return rows
