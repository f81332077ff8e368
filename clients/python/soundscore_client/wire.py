"""Protocol 1 as it is on the wire. Times are RFC 3339 texts, or Unix milliseconds where a name ends in `_ms`."""

from typing import Any, Literal, TypedDict

__all__ = [
    "PROTOCOL",
    "Ack",
    "AlbumRef",
    "ArtistRef",
    "Card",
    "EntriesAdded",
    "EntriesMoved",
    "EntriesOp",
    "EntriesReloaded",
    "EntriesRemoved",
    "EntriesReplaced",
    "Entry",
    "EntryTrack",
    "Event",
    "Frame",
    "Item",
    "Member",
    "Message",
    "Person",
    "Playback",
    "Playlist",
    "Presence",
    "Quote",
    "Reaction",
    "Skip",
    "Track",
    "Typing",
    "Waiting",
    "Welcome",
    "You",
]

PROTOCOL = 1
Frame = dict[str, Any]
"""Any message, by its `type`."""
Card = dict[str, Any]
"""A room or a group, as lists show it."""


class Person(TypedDict):
    id: str
    username: str
    display_name: str
    avatar_key: str | None


class You(Person):
    role: str
    muted_until: str | None


class Member(TypedDict):
    user: Person
    role: str
    muted_until: str | None


class Track(TypedDict):
    id: str
    title: str
    artist: str
    artist_id: str
    album_id: str | None
    album: str | None
    duration_ms: int | None
    cover_key: str | None
    media_url: str | None
    """Where everybody hears its recording, for some hours; None if there is none. Relative to the server."""


class Item(TypedDict):
    """A track in the queue."""

    id: str
    track: Track
    added_by: str | None
    votes: int
    added_at: str


class Waiting(TypedDict):
    """The start is held for those who are not ready, but no longer than until then, which is also its `at_ms`."""

    until_ms: float
    ready: list[str]


class Playback(TypedDict):
    """What plays: `position_ms` holds at `at_ms` of the server's clock, which may be a little ahead."""

    version: int
    item: Item | None
    playing: bool
    position_ms: float
    at_ms: float
    duration_ms: float | None
    waiting: Waiting | None


class Playlist(TypedDict):
    """A playlist, as its channel knows it: nothing in it changes without an event."""

    id: str
    name: str
    description: str
    visibility: Literal["public", "private"]
    kind: Literal["manual", "smart"]
    """A smart one has no entries here: its rules choose them when REST is asked."""
    rules: dict[str, Any] | None
    cover_key: str | None
    owner_id: str | None
    track_count: int
    duration_ms: int
    version: int
    """Grows with every change. Send it along, and a change that was meant for another version is refused."""
    created_at: str
    updated_at: str


class ArtistRef(TypedDict):
    id: str
    name: str


class AlbumRef(TypedDict):
    id: str
    title: str
    year: int | None
    cover_key: str | None


class EntryTrack(TypedDict):
    id: str
    title: str
    artist: ArtistRef
    album: AlbumRef | None
    duration_ms: int | None


class Entry(TypedDict):
    """A place in a playlist. `track` is None where the catalogue has no such track: the rest is what is known of it."""

    id: str
    track: EntryTrack | None
    title: str
    artist: str
    album: str | None
    duration_ms: int | None
    hidden: bool
    """A recording that not everybody may hear: nothing is said of it here."""
    added_by_id: str | None
    added_at: str


class EntriesAdded(TypedDict):
    op: Literal["add"]
    at: int
    entries: list[Entry]


class EntriesRemoved(TypedDict):
    op: Literal["remove"]
    entry_ids: list[str]


class EntriesMoved(TypedDict):
    """The range is taken out, then put in so that it begins at `to`. Places count from 0."""

    op: Literal["move"]
    start: int
    length: int
    to: int


class EntriesReplaced(TypedDict):
    op: Literal["replace"]
    entries: list[Entry]


class EntriesReloaded(TypedDict):
    """Too much for an event."""

    op: Literal["reload"]


EntriesOp = EntriesAdded | EntriesRemoved | EntriesMoved | EntriesReplaced | EntriesReloaded


class Skip(TypedDict):
    votes: int
    needed: int


class Quote(TypedDict):
    id: str
    author_id: str | None
    text: str | None


class Reaction(TypedDict):
    emoji: str
    count: int
    user_ids: list[str]


class Message(TypedDict):
    id: str
    sequence: int
    author: Person | None
    text: str | None
    client_id: str | None
    reply_to: Quote | None
    mentions: list[str]
    track_id: str | None
    review_id: str | None
    image_key: str | None
    """A picture, at `/api/v1/media/` and this key. With it the text may be empty."""
    reactions: list[Reaction]
    created_at: str
    edited_at: str | None
    deleted: bool


class Event(TypedDict):
    """A numbered entry of a channel's log."""

    type: Literal["event"]
    sequence: int
    kind: str
    at: str | None
    actor: Person | None
    data: dict[str, Any]


class Welcome(TypedDict):
    """The answer to a hello: the events that were missed, or the whole state."""

    type: Literal["welcome"]
    protocol: int
    connection_id: str
    server_ms: float
    sequence: int
    recovered: bool
    you: You
    events: list[Event]
    snapshot: dict[str, Any] | None
    present: list[Person]


class Presence(TypedDict):
    type: Literal["presence"]
    present_count: int
    joined: list[Person]
    left: list[str]


class Typing(TypedDict):
    type: Literal["typing"]
    user: dict[str, str]
    active: bool


class Ack(TypedDict):
    type: Literal["ack"]
    client_id: str
    sequence: int | None
    result: dict[str, Any] | None
