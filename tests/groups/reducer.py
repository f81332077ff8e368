"""What a client makes of a group's events: the whole state again, without asking."""

from collections.abc import Iterable
from typing import Any

__all__ = ["CASES", "apply"]

State = dict[str, Any]
Data = dict[str, Any]


def apply(state: State, events: Iterable[dict[str, Any]]) -> State:
    """The state after the events. Raises KeyError for a kind that it does not know."""
    for event in events:
        CASES[event["kind"]](state, event["data"])
        if "member_count" in event["data"]:
            state["group"]["member_count"] = event["data"]["member_count"]
    ranks = ["owner", "admin", "moderator", "member"]
    state["members"].sort(key=lambda it: (ranks.index(it["role"]), it["joined_at"], it["user"]["id"]))
    return state


def _member(state: State, user_id: str | None) -> Data:
    """What is known of a member; one whom the reader does not see is changed in vain."""
    return next((member for member in state["members"] if member["user"]["id"] == user_id), {})


def _joined(state: State, data: Data) -> None:
    state["members"].append({name: data[name] for name in ("user", "role", "joined_at", "muted_until")})


def _left(state: State, data: Data) -> None:
    state["members"] = [member for member in state["members"] if member["user"]["id"] != data["user_id"]]


def _role(state: State, data: Data) -> None:
    _member(state, data["user_id"])["role"] = data["role"]


def _muted(state: State, data: Data) -> None:
    _member(state, data["user_id"])["muted_until"] = data["until"]


def _owner(state: State, data: Data) -> None:
    state["group"]["owner_id"] = data["user_id"]
    _member(state, data["previous_id"])["role"] = "admin"
    _member(state, data["user_id"]).update(role="owner", muted_until=None)


def _updated(state: State, data: Data) -> None:
    state["group"] = dict(data)


def _nothing(state: State, data: Data) -> None:
    pass


CASES = {
    "member.joined": _joined,
    "member.left": _left,
    "member.kicked": _left,
    "member.banned": _left,
    "member.role": _role,
    "member.muted": _muted,
    "owner.changed": _owner,
    "channel.updated": _updated,
    "group.closed": _nothing,
    "hidden": _nothing,
    "message.created": _nothing,
}
