"""The kinds of notifications: what a person can switch off."""

from dataclasses import dataclass

__all__ = ["COMMENT", "DIRECT", "FOLLOW", "GROUP_INVITE", "LIKE", "MENTION", "PLAYLIST_INVITE", "REPLY"]
__all__ += ["ROOM_INVITE", "Kind", "kind", "kinds"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of notifications: its name in answers, and what it is called in settings."""

    name: str
    title: str


_kinds: dict[str, Kind] = {}


def kind(name: str, *, title: str) -> Kind:
    """Registers a kind. Whoever makes notifications of it passes what this returns to `notify`."""
    if name in _kinds:
        raise ValueError(f"there are two kinds called {name}")
    _kinds[name] = Kind(name, title)
    return _kinds[name]


def kinds() -> dict[str, Kind]:
    """All kinds by name, in the order of their registration."""
    return dict(_kinds)


LIKE = kind("like", title="Likes of your reviews and comments")
COMMENT = kind("comment", title="Comments on your reviews and tracks")
REPLY = kind("reply", title="Replies to your comments")
FOLLOW = kind("follow", title="New followers")
MENTION = kind("mention", title="Mentions of your name")
DIRECT = kind("direct", title="Messages to you alone")
GROUP_INVITE = kind("group_invite", title="Invitations to groups")
PLAYLIST_INVITE = kind("playlist_invite", title="Invitations to playlists")
ROOM_INVITE = kind("room_invite", title="Invitations to rooms")
