"""The server's messages, applied to what is known.

The same events give the same state wherever they come from: a snapshot at n with the events n+1 to m is the snapshot
at m. States are values; nothing in here changes one.
"""

from dataclasses import replace
from typing import cast

from soundscore_client.changes import CHANGES
from soundscore_client.state import State, begin, by_id, present_at
from soundscore_client.wire import Event, Frame, Presence, Typing, Welcome

__all__ = ["KEPT_MESSAGES", "Gap", "apply", "attend", "mark_read", "note_typing", "resume", "take"]

KEPT_MESSAGES = 500


class Gap(Exception):
    """An event came before one that is missing. Connect again, and resume."""

    def __init__(self, expected: int, got: int) -> None:
        super().__init__(f"event {expected} is missing before {got}")
        self.expected, self.got = expected, got


def resume(state: State, welcome: Welcome, *, kept: int = KEPT_MESSAGES) -> State:
    """The state after the events that were missed. Raises Gap if some are not there."""
    for event in welcome["events"]:
        state = apply(state, event, kept=kept)
    if state.sequence < welcome["sequence"]:
        raise Gap(state.sequence + 1, welcome["sequence"])
    present = present_at(welcome)
    return replace(state, you=welcome["you"], present=present, present_count=len(present), typing={})


def take(state: State | None, frame: Frame, *, kept: int = KEPT_MESSAGES) -> State | None:
    """The state after any message of the server's; most kinds leave it as it is. Raises Gap."""
    kind = frame["type"]
    if kind == "welcome":
        welcome = cast(Welcome, frame)
        return resume(state, welcome, kept=kept) if frame["recovered"] and state else begin(welcome)
    if state is None:
        return None
    if kind == "event":
        return apply(state, cast(Event, frame), kept=kept)
    if kind == "presence":
        return attend(state, cast(Presence, frame))
    return note_typing(state, cast(Typing, frame)) if kind == "typing" else state


def apply(state: State, event: Event, *, kept: int = KEPT_MESSAGES) -> State:
    """The state after an event. One that was applied before changes nothing. Raises Gap."""
    if event["sequence"] <= state.sequence:
        return state
    if event["sequence"] > state.sequence + 1:
        raise Gap(state.sequence + 1, event["sequence"])
    # a kind that this client does not know is counted all the same
    change = CHANGES.get(event["kind"])
    after = change(state, event) if change else state
    messages = after.messages[-kept:] if len(after.messages) > kept else after.messages
    return replace(after, sequence=event["sequence"], messages=messages)


def attend(state: State, presence: Presence) -> State:
    """The state after people came and went."""
    gone = set(presence["left"])
    present = {**state.present, **by_id(presence["joined"])}
    return replace(
        state,
        present={user_id: person for user_id, person in present.items() if user_id not in gone},
        present_count=presence["present_count"],
        typing={user_id: name for user_id, name in state.typing.items() if user_id not in gone},
    )


def note_typing(state: State, frame: Typing) -> State:
    """The state after somebody began to type, or stopped."""
    user = frame["user"]
    others = {user_id: name for user_id, name in state.typing.items() if user_id != user["id"]}
    return replace(state, typing={**others, user["id"]: user["username"]} if frame["active"] else others)


def mark_read(state: State, sequence: int) -> State:
    """The state after its owner has read this far; marks only go forward."""
    return replace(state, read_sequence=max(state.read_sequence, min(sequence, state.sequence)))
