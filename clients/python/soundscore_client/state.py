"""What a client knows of a channel, and how a snapshot tells it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soundscore_client.wire import (
    Card,
    Entry,
    Item,
    Member,
    Message,
    Person,
    Playback,
    Playlist,
    Reaction,
    Skip,
    Welcome,
    You,
)

__all__ = ["State", "begin", "by_id", "member_of", "present_at", "reactions_of"]


@dataclass(frozen=True, slots=True)
class State:
    """A channel at `sequence`. People and members are by their id; messages begin with the oldest.

    `entries` are a beginning of the playlist; of long ones there are more, by REST: `playlist["track_count"]` has all.
    `outdated`: they changed by more than an event can tell. A Channel asks for a snapshot by itself then.
    """

    sequence: int
    you: You
    card: Card | None
    partner: Person | None
    playlist: Playlist | None
    entries: Sequence[Entry]
    outdated: bool
    members: Mapping[str, Member]
    queue: Sequence[Item]
    playback: Playback | None
    skip: Skip | None
    messages: Sequence[Message]
    read_sequence: int
    present: Mapping[str, Person]
    present_count: int
    typing: Mapping[str, str]
    closed: bool


def begin(welcome: Welcome) -> State:
    """The state that a welcome's snapshot tells."""
    snapshot, present = welcome["snapshot"] or {}, present_at(welcome)
    return State(
        sequence=welcome["sequence"],
        you=welcome["you"],
        card=snapshot.get("room") or snapshot.get("group"),
        partner=snapshot.get("partner"),
        playlist=snapshot.get("playlist"),
        entries=snapshot.get("entries", []),
        outdated=False,
        members={member["user"]["id"]: member_of(member) for member in snapshot.get("members", [])},
        queue=snapshot.get("queue", []),
        playback=snapshot.get("playback"),
        skip=snapshot.get("skip"),
        messages=[_sorted(message) for message in snapshot.get("messages", [])],
        read_sequence=snapshot.get("read_sequence", 0),
        present=present,
        present_count=len(present),
        typing={},
        closed=False,
    )


def by_id(people: Iterable[Person]) -> dict[str, Person]:
    return {person["id"]: person for person in people}


def present_at(welcome: Welcome) -> dict[str, Person]:
    """Who is there, with oneself: the server may have looked before it let us in."""
    you = welcome["you"]
    me: Person = {
        "id": you["id"],
        "username": you["username"],
        "display_name": you["display_name"],
        "avatar_key": you["avatar_key"],
    }
    return by_id([me, *welcome["present"]])


def member_of(member: Mapping[str, Any]) -> Member:
    return {"user": member["user"], "role": member["role"], "muted_until": member.get("muted_until")}


def reactions_of(people: Mapping[str, list[str]]) -> list[Reaction]:
    # by emoji: an order that does not hang on when each of them came
    return [{"emoji": emoji, "count": len(who), "user_ids": who} for emoji, who in sorted(people.items()) if who]


def _sorted(message: Message) -> Message:
    people = {reaction["emoji"]: reaction["user_ids"] for reaction in message["reactions"]}
    return {**message, "reactions": reactions_of(people)}
