"""What a client makes of a playlist's events: the whole state again, without asking."""

from collections.abc import Iterable
from typing import Any

__all__ = ["CASES", "apply"]

State = dict[str, Any]
Data = dict[str, Any]
_COUNTED = ("version", "track_count", "duration_ms", "updated_at")


def apply(state: State, events: Iterable[dict[str, Any]]) -> State:
    """The state after the events. Raises KeyError for a kind that it does not know."""
    for event in events:
        CASES[event["kind"]](state, event["data"])
    return state


def _entries(state: State, data: Data) -> None:
    entries = state["entries"]
    if data["op"] == "add":
        entries[data["at"] : data["at"]] = data["entries"]
    elif data["op"] == "remove":
        state["entries"] = [entry for entry in entries if entry["id"] not in data["entry_ids"]]
    elif data["op"] == "move":
        start, end, to = data["start"], data["start"] + data["length"], data["to"]
        moved = entries[start:end]
        del entries[start:end]
        entries[to:to] = moved
    elif data["op"] == "replace":
        new = {entry["id"]: entry for entry in data["entries"]}
        state["entries"] = [new.get(entry["id"], entry) for entry in entries]
    else:
        raise KeyError(data["op"])
    state["playlist"] |= {name: data[name] for name in _COUNTED}


def _joined(state: State, data: Data) -> None:
    state["members"].append(data)


def _left(state: State, data: Data) -> None:
    state["members"] = [member for member in state["members"] if member["user"]["id"] != data["user_id"]]


def _role(state: State, data: Data) -> None:
    for member in state["members"]:
        if member["user"]["id"] == data["user_id"]:
            member["role"] = data["role"]


def _owner(state: State, data: Data) -> None:
    _role(state, {"user_id": data["previous_id"], "role": "editor"})
    _role(state, {"user_id": data["user_id"], "role": "owner"})


def _updated(state: State, data: Data) -> None:
    state["playlist"] = dict(data)


CASES = {
    "playlist.entries": _entries,
    "member.joined": _joined,
    "member.left": _left,
    "member.kicked": _left,
    "member.role": _role,
    "owner.changed": _owner,
    "channel.updated": _updated,
}
