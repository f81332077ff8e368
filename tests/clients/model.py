"""A little room that logs what happens in it and can tell its whole state, as the server does."""

import random
from collections.abc import Callable
from typing import Any

__all__ = ["KINDS", "SNAPSHOT_MESSAGES", "ModelRoom"]

SNAPSHOT_MESSAGES = 50
PEOPLE = [f"{name}-0000" for name in ("ana", "bruno", "carla", "dora", "emil")]
_EMOJI = ["🔥", "❤️", "👏", ":wave:", "＋"]


def person(user_id: str) -> dict[str, Any]:
    name = user_id.partition("-")[0]
    return {"id": user_id, "username": name, "display_name": name.title(), "avatar_key": None}


class ModelRoom:
    """What `me` sees. Every change appends to `events`."""

    def __init__(self) -> None:
        self.me = PEOPLE[0]
        self.events: list[dict[str, Any]] = []
        self.card: dict[str, Any] = {"id": "room", "name": "Room", "owner_id": self.me, "owner": person(self.me)}
        self.card["member_count"] = 1
        self.muted: dict[str, str | None] = {}
        self.roles = {self.me: "owner"}
        self.queue: list[dict[str, Any]] = []
        self.playback: dict[str, Any] = self._playback(None, playing=False)
        self.votes, self.read_sequence = 0, 0
        self.messages: list[dict[str, Any]] = []
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
            {"user": person(one), "role": role, "muted_until": self.muted.get(one)} for one, role in self.roles.items()
        ]
        snapshot = {
            "room": dict(self.card),
            "members": members,
            "queue": list(self.queue),
            "playback": self.playback,
            "skip": {"votes": self.votes, "needed": 2},
            "messages": [self._view(message) for message in self.messages[-SNAPSHOT_MESSAGES:]],
            "read_sequence": self.read_sequence,
        }
        you = {**person(self.me), "role": self.roles[self.me], "muted_until": self.muted.get(self.me)}
        return {
            "type": "welcome",
            "protocol": 1,
            "connection_id": "1",
            "server_ms": 0.5,
            "sequence": self.sequence,
            "recovered": False,
            "you": you,
            "events": [],
            "snapshot": snapshot,
            "present": [person(self.me)],
        }

    def _view(self, message: dict[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in message.items() if name != "reactions"}
        # the server's order is that of the first reaction; a client cannot know it, so here it is any
        groups = sorted(message["reactions"].items(), key=lambda group: -len(group[0]))
        found = [{"emoji": emoji, "count": len(who), "user_ids": list(who)} for emoji, who in groups if who]
        return {**kept, "reactions": found}

    def _log(self, kind: str, actor: str | None, data: dict[str, Any]) -> None:
        at = f"2026-01-01T00:00:{self.sequence:02}Z"
        who = person(actor) if actor else None
        event = {"type": "event", "sequence": self.sequence + 1, "kind": kind, "at": at, "actor": who, "data": data}
        self.events.append(event)

    def _id(self) -> str:
        self._made += 1
        return f"id-{self._made}"

    def _playback(self, item: dict[str, Any] | None, *, playing: bool, position_ms: int = 0) -> dict[str, Any]:
        times = {"playing": playing, "position_ms": position_ms, "at_ms": 1000, "duration_ms": 60_000}
        return {"version": self.sequence, "item": item, **times, "waiting": None}

    def say(self, chance: random.Random) -> None:
        who = chance.choice([*self.roles])
        quoted = chance.choice([None, *(message for message in self.messages if not message["deleted"])][-4:])
        quote = quoted and {"id": quoted["id"], "author_id": quoted["author"]["id"], "text": quoted["text"]}
        said = {"id": self._id(), "client_id": None, "text": f"say {self._made}", "reply_to": quote}
        said |= {"mentions": chance.sample(PEOPLE, 1), "track_id": None, "review_id": "review"}
        said |= {"image_key": chance.choice([None, "chat/a.webp"])}
        self._log("message.created", who, dict(said))
        message = {**said, "sequence": self.sequence, "author": person(who), "created_at": self.events[-1]["at"]}
        self.messages.append({**message, "edited_at": None, "deleted": False, "reactions": {}})
        if who == self.me:
            self.read_sequence = self.sequence

    def _some_message(self, chance: random.Random) -> dict[str, Any] | None:
        return chance.choice([None, *(message for message in self.messages if not message["deleted"])])

    def edit(self, chance: random.Random) -> None:
        if message := self._some_message(chance):
            message |= {"text": f"edit {self.sequence}", "edited_at": f"at {self.sequence}"}
            data = {name: message[name] for name in ("id", "text", "edited_at")}
            self._log("message.edited", message["author"]["id"], data)

    def erase(self, chance: random.Random) -> None:
        if message := self._some_message(chance):
            message |= {"text": None, "deleted": True, "mentions": [], "reply_to": None}
            message |= {"review_id": None, "image_key": None}
            message["reactions"] = {}
            for answer in self.messages:
                if answer["reply_to"] and answer["reply_to"]["id"] == message["id"]:
                    answer["reply_to"] = {**answer["reply_to"], "text": None}
            self._log("message.deleted", message["author"]["id"], {"id": message["id"]})

    def react(self, chance: random.Random) -> None:
        if message := self._some_message(chance):
            emoji, who = chance.choice(_EMOJI), chance.choice([*self.roles])
            people = message["reactions"].setdefault(emoji, [])
            kind = "reaction.removed" if who in people else "reaction.added"
            people.remove(who) if who in people else people.append(who)
            self._log(kind, who, {"message_id": message["id"], "emoji": emoji})

    def join(self, chance: random.Random) -> None:
        outside = [one for one in PEOPLE if one not in self.roles]
        if outside:
            who, role = chance.choice(outside), chance.choice(["guest", "member"])
            self.roles[who], self.muted[who] = role, None
            self.card["member_count"] = len(self.roles)
            self._log("member.joined", who, {"user": person(who), "role": role, "member_count": len(self.roles)})

    def go(self, chance: random.Random) -> None:
        others = [one for one in self.roles if one != self.me and self.roles[one] != "owner"]
        if others:
            who, kind = chance.choice(others), chance.choice(["member.left", "member.kicked", "member.banned"])
            del self.roles[who]
            self.card["member_count"] = len(self.roles)
            data = {"user_id": who, "member_count": len(self.roles), "reason": "", "until": None}
            self._log(kind, self.me, data)

    def promote(self, chance: random.Random) -> None:
        who, role = chance.choice([*self.roles]), chance.choice(["dj", "member"])
        if self.roles[who] != "owner":
            self.roles[who] = role
            self._log("member.role", self.me, {"user_id": who, "role": role})

    def silence(self, chance: random.Random) -> None:
        who, until = chance.choice([*self.roles]), chance.choice([None, "2027-01-01T00:00:00Z"])
        self.muted[who] = until
        self._log("member.muted", self.me, {"user_id": who, "until": until})

    def hand_over(self, chance: random.Random) -> None:
        old, new = self.card["owner_id"], chance.choice([*self.roles])
        if new != old:
            if self.muted.get(new):
                self.muted[new] = None
                self._log("member.muted", old, {"user_id": new, "until": None})
            self.roles |= {old: "member", new: "owner"}
            self.card |= {"owner_id": new, "owner": person(new)}
            self._log("owner.changed", old, {"user_id": new})
            self._log("member.role", old, {"user_id": old, "role": "member"})

    def rename(self, chance: random.Random) -> None:
        self.card["name"] = f"Room {chance.randrange(9)}"
        self._log("channel.updated", self.me, dict(self.card))

    def enqueue(self, chance: random.Random) -> None:
        self.queue = [*self.queue, {"id": self._id(), "track": {"id": "t"}, "votes": chance.randrange(3)}][-4:]
        self._log("queue.changed", self.me, {"queue": self.queue})

    def rearrange(self, chance: random.Random) -> None:
        new = {"id": self._id(), "track": {"id": "t"}, "votes": 0}
        kept = [{**item, "votes": chance.randrange(9)} for item in self.queue if chance.random() < 0.7]
        gone = [item["id"] for item in self.queue if item["id"] not in {one["id"] for one in kept}]
        moved = kept.pop(chance.randrange(len(kept))) if kept else new
        votes = {item["id"]: item["votes"] for item in (*kept, moved)}
        index = chance.randrange(len(kept) + 1)
        self.queue = [*kept[:index], moved, *kept[index:]]
        placed = {"index": index, "id": moved["id"], "item": new if moved is new else None}
        self._log("queue.edited", None, {"removed": gone, "votes": votes, "placed": [placed]})

    def play(self, chance: random.Random) -> None:
        item = chance.choice([None, *self.queue])
        playing = self.playback["item"]
        if (item and item["id"]) != (playing and playing["id"]):
            self.votes = 0
        self.playback = self._playback(item, playing=item is not None, position_ms=chance.randrange(999))
        self._log("playback.changed", None, {"playback": self.playback})

    def vote(self, chance: random.Random) -> None:
        self.votes = chance.randrange(1, 3)
        self._log("skip.votes", self.me, {"votes": self.votes, "needed": 2})

    def veil(self, chance: random.Random) -> None:
        self._log("hidden", None, {})


_ACTS: dict[str, Callable[[ModelRoom, random.Random], None]] = {
    "say": ModelRoom.say,
    "edit": ModelRoom.edit,
    "erase": ModelRoom.erase,
    "react": ModelRoom.react,
    "join": ModelRoom.join,
    "go": ModelRoom.go,
    "promote": ModelRoom.promote,
    "silence": ModelRoom.silence,
    "hand_over": ModelRoom.hand_over,
    "rename": ModelRoom.rename,
    "enqueue": ModelRoom.enqueue,
    "rearrange": ModelRoom.rearrange,
    "play": ModelRoom.play,
    "vote": ModelRoom.vote,
    "veil": ModelRoom.veil,
}
KINDS = [*_ACTS]
