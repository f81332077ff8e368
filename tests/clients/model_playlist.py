"""A little playlist that logs what happens in it and can tell its whole state, as the server does."""

import random
from collections.abc import Callable
from typing import Any

from tests.clients.model import PEOPLE, person

__all__ = ["PLAYLIST_KINDS", "ModelPlaylist"]

ROLES = ["editor", "viewer"]


class ModelPlaylist:
    """What `me` sees. Every change appends to `events`; a snapshot has the first `told` entries."""

    def __init__(self, told: int = 500) -> None:
        self.me, self.told = PEOPLE[0], told
        self.events: list[dict[str, Any]] = []
        self.entries: list[dict[str, Any]] = []
        self.roles = {PEOPLE[1]: "owner"}
        self.card: dict[str, Any] = {"id": "playlist", "name": "Sundays", "kind": "manual", "rules": None}
        self.card |= {"description": "", "visibility": "public", "cover_key": None, "owner_id": PEOPLE[1]}
        self.card |= {"track_count": 0, "duration_ms": 0, "version": 1, "created_at": "then", "updated_at": "then"}
        self._made = 0

    @property
    def sequence(self) -> int:
        return len(self.events)

    def act(self, kind: str, seed: int) -> None:
        """Something happens; nothing, if it cannot."""
        _ACTS[kind](self, random.Random(seed))

    def welcome(self) -> dict[str, Any]:
        """To who comes in now."""
        members = [
            {"user": person(one), "role": role, "state": "accepted", "joined_at": "then"}
            for one, role in self.roles.items()
        ]
        snapshot = {"playlist": dict(self.card), "members": members, "entries": self.entries[: self.told]}
        return {
            "type": "welcome",
            "protocol": 1,
            "connection_id": "1",
            "server_ms": 0.5,
            "sequence": self.sequence,
            "recovered": False,
            "you": {**person(self.me), "role": self.roles.get(self.me, "reader"), "muted_until": None},
            "events": [],
            "snapshot": snapshot,
            "present": [person(self.me)],
        }

    def _log(self, kind: str, data: dict[str, Any]) -> None:
        actor = person(self.card["owner_id"])
        at = f"2026-01-01T00:00:{self.sequence:02}Z"
        event = {"type": "event", "sequence": self.sequence + 1, "kind": kind, "at": at, "actor": actor, "data": data}
        self.events.append(event)

    def _changed(self) -> dict[str, Any]:
        self.card |= {"version": self.card["version"] + 1, "updated_at": f"at {self.sequence}"}
        self.card |= {"track_count": len(self.entries), "duration_ms": sum(it["duration_ms"] for it in self.entries)}
        return {name: self.card[name] for name in ("version", "track_count", "duration_ms", "updated_at")}

    def _tell(self, **change: Any) -> None:
        self._log("playlist.entries", {**change, **self._changed()})

    def _entry(self, chance: random.Random) -> dict[str, Any]:
        self._made += 1
        said = {"id": f"e-{self._made}", "track": None, "title": f"Track {self._made}", "artist": "Miles"}
        return {**said, "album": None, "duration_ms": chance.randrange(9), "hidden": False, "added_by_id": self.me}

    def add(self, chance: random.Random) -> None:
        at = chance.choice([len(self.entries), chance.randint(0, len(self.entries))])
        new = [self._entry(chance) for _ in range(chance.randint(1, 4))]
        self.entries = [*self.entries[:at], *new, *self.entries[at:]]
        self._tell(op="add", at=at, entries=new)

    def remove(self, chance: random.Random) -> None:
        gone = chance.sample(self.entries, min(len(self.entries), chance.randint(1, 3)))
        if gone:
            self.entries = [entry for entry in self.entries if entry not in gone]
            self._tell(op="remove", entry_ids=[entry["id"] for entry in gone])

    def move(self, chance: random.Random) -> None:
        if not self.entries:
            return
        start = chance.randrange(len(self.entries))
        length = chance.randint(1, len(self.entries) - start)
        moved, others = self.entries[start : start + length], self.entries[:start] + self.entries[start + length :]
        to = chance.randint(0, len(others))
        self.entries = [*others[:to], *moved, *others[to:]]
        self._tell(op="move", start=start, length=length, to=to)

    def match(self, chance: random.Random) -> None:
        found = chance.sample(self.entries, min(len(self.entries), 2))
        new = {entry["id"]: {**entry, "title": f"found {self.sequence}"} for entry in found}
        self.entries = [new.get(entry["id"], entry) for entry in self.entries]
        self._tell(op="replace", entries=[*new.values()])

    def fill(self, chance: random.Random) -> None:
        self.entries = [*self.entries, *(self._entry(chance) for _ in range(5))]
        self._tell(op="reload")

    def rename(self, chance: random.Random) -> None:
        self.card["name"] = f"Playlist {chance.randrange(9)}"
        self._changed()
        self._log("channel.updated", dict(self.card))

    def join(self, chance: random.Random) -> None:
        outside = [one for one in PEOPLE if one not in self.roles]
        if outside:
            who, role = chance.choice(outside), chance.choice(ROLES)
            self.roles[who] = role
            self._log("member.joined", {"user": person(who), "role": role, "state": "accepted", "joined_at": "then"})

    def go(self, chance: random.Random) -> None:
        # not me: my sockets would end
        others = [one for one in self.roles if self.roles[one] != "owner" and one != self.me]
        if others:
            who, kind = chance.choice(others), chance.choice(["member.left", "member.kicked"])
            del self.roles[who]
            self._log(kind, {"user_id": who})

    def promote(self, chance: random.Random) -> None:
        who, role = chance.choice([*self.roles]), chance.choice(ROLES)
        if self.roles[who] != "owner":
            self.roles[who] = role
            self._log("member.role", {"user_id": who, "role": role})

    def hand_over(self, chance: random.Random) -> None:
        old, new = self.card["owner_id"], chance.choice([*self.roles])
        if new != old:
            self.roles |= {old: "editor", new: "owner"}
            self.card["owner_id"] = new
            self._log("owner.changed", {"user_id": new, "previous_id": old})
            self._changed()
            self._log("channel.updated", dict(self.card))

    def veil(self, chance: random.Random) -> None:
        self._log("hidden", {})


_ACTS: dict[str, Callable[[ModelPlaylist, random.Random], None]] = {
    "add": ModelPlaylist.add,
    "remove": ModelPlaylist.remove,
    "move": ModelPlaylist.move,
    "match": ModelPlaylist.match,
    "rename": ModelPlaylist.rename,
    "join": ModelPlaylist.join,
    "go": ModelPlaylist.go,
    "promote": ModelPlaylist.promote,
    "hand_over": ModelPlaylist.hand_over,
    "veil": ModelPlaylist.veil,
    "fill": ModelPlaylist.fill,
}
PLAYLIST_KINDS = [*_ACTS]
