"""The demo's playlists: what is in them, who works on them, and what they did."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update

from app.core.db import Writer
from app.core.text import name_key
from app.demo.content import Content, Row, read_data
from app.demo.ids import demo_id, fraction
from app.playlists.models import Playlist
from app.playlists.order import GAP
from app.playlists.smart import Choice, totals

__all__ = ["Mixtapes", "build_mixtapes", "count_smart_ones"]


@dataclass
class Mixtapes:
    """Rows of playlists."""

    channels: list[Row] = field(default_factory=list)
    playlists: list[Row] = field(default_factory=list)
    members: list[Row] = field(default_factory=list)
    entries: list[Row] = field(default_factory=list)
    activities: list[Row] = field(default_factory=list)
    likes: list[Row] = field(default_factory=list)


def build_mixtapes(content: Content, now: datetime) -> Mixtapes:
    """All playlists of the demo."""
    made = Mixtapes()
    for given in read_data("playlists"):
        _Tape(made, content, given, now).add()
    return made


async def count_smart_ones(db: Writer, made: Mixtapes) -> None:
    """What the rules choose, as it is counted when somebody sets them."""
    for row in made.playlists:
        if row["rules"] is not None:
            numbers = await totals(db, Choice(row["rules"], row["owner_id"], row["owner_id"]))
            await db.execute(update(Playlist).where(Playlist.id == row["id"]).values(numbers))


class _Tape:
    """One of them while its rows are made. Something happens in it every hour from its first day on."""

    def __init__(self, made: Mixtapes, content: Content, given: dict[str, Any], now: datetime) -> None:
        self.made, self.content, self.given, self.now = made, content, given, now
        self.age: float = given["days"]
        self.id = demo_id("playlist", given["name"], self.age)
        self.owner_id: UUID = content.people[given["owner"]]["id"]

    def add(self) -> None:
        entries = [self._entry(number, *one) for number, one in enumerate(self.given["tracks"], start=1)]
        begun, last = self._at(0), self._at(len(entries))
        said = {name: self.given[name] for name in ("name", "description", "visibility")}
        rules = self.given.get("rules")
        self.made.channels.append({"id": self.id, "kind": "playlist", "created_at": begun})
        self.made.playlists.append(
            said
            | {
                "id": self.id,
                "name_key": name_key(said["name"]),
                "owner_id": self.owner_id,
                "kind": "manual" if rules is None else "smart",
                "rules": rules,
                "track_count": len(entries),
                "duration_ms": sum(entry["duration_ms"] or 0 for entry in entries),
                "like_count": len(self.given["liked_by"]),
                "version": len(entries),
                "created_at": begun,
                "updated_at": last,
            }
        )
        self.made.entries += entries
        self._do(0, self.given["owner"], "create", title=said["name"])
        self._people()
        self.made.likes += [self._like(name) for name in self.given["liked_by"]]

    def _at(self, hour: float) -> datetime:
        return self.now - timedelta(days=self.age - hour / 24)

    def _entry(self, hour: int, name: str, what: Any) -> Row:
        known = {"track_id": None, "album": None, **what} if isinstance(what, dict) else self._known(what)
        self._do(hour, name, "add", title=known["title"], track_id=known["track_id"])
        return known | {
            "id": demo_id("playlist entry", f"{self.id} {hour}", self.age - hour / 24),
            "playlist_id": self.id,
            "rank": GAP * hour,
            "added_by_id": self.content.people[name]["id"],
            "added_at": self._at(hour),
        }

    def _known(self, key: str) -> Row:
        track = self.content.tracks[key]
        album = next(row for row in self.content.albums.values() if row["id"] == track["album_id"])
        artist = next(row for row in self.content.artists.values() if row["id"] == track["artist_id"])
        said = {"title": track["title"], "duration_ms": track["duration_ms"]}
        return {"track_id": track["id"], "artist": artist["name"], "album": album["title"], **said}

    def _people(self) -> None:
        people = [(self.given["owner"], "owner"), *self.given["people"]]
        for number, (name, role, *state) in enumerate(people):
            accepted = not state
            self.made.members.append(
                {
                    "id": demo_id("playlist member", f"{self.id} {name}", self.age - number / 100),
                    "playlist_id": self.id,
                    "user_id": self.content.people[name]["id"],
                    "role": role,
                    "state": "accepted" if accepted else state[0],
                    "invited_by_id": self.owner_id if number else None,
                    "created_at": self._at(number / 4),
                    "joined_at": self._at(number / 4) if accepted else None,
                }
            )
            if number and accepted:
                self._do(number / 4, name, "join", person_id=self.content.people[name]["id"])

    def _do(self, hour: float, name: str, action: str, **what: Any) -> None:
        number = len(self.made.activities)
        self.made.activities.append(
            {
                "id": demo_id("playlist activity", f"{self.id} {number}", self.age - hour / 24),
                "playlist_id": self.id,
                "actor_id": self.content.people[name]["id"],
                "action": action,
                "person_id": what.get("person_id"),
                "title": what.get("title"),
                "track_id": what.get("track_id"),
                "count": 1,
                "created_at": self._at(hour),
            }
        )

    def _like(self, name: str) -> Row:
        age = (self.age - 1) * (0.05 + 0.9 * fraction("like", f"{name} {self.id}"))
        empty = dict.fromkeys(("album_id", "track_id", "review_id", "comment_id"))
        like = {"id": demo_id("like", f"{name} {self.id}", age), "user_id": self.content.people[name]["id"]}
        return like | empty | {"playlist_id": self.id, "created_at": self.now - timedelta(days=age)}
