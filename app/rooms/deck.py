"""What plays, by the server's clock: a state, and what commands make of it. Pure functions, times in Unix milliseconds.

A change is scheduled a little ahead, so that all can make it at the same moment. A new track waits until those who are
present are ready, but not for long: its start is set from the beginning, and only ever moves forward.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import NamedTuple
from uuid import UUID

__all__ = [
    "GATE_MS",
    "LEAD_MS",
    "RESTART_MS",
    "UNKNOWN_MS",
    "Cue",
    "State",
    "Waiting",
    "advance",
    "due",
    "heard",
    "is_over",
    "pause",
    "play",
    "position",
    "previous",
    "ready",
    "seek",
    "skip",
]

LEAD_MS = 400
"""How far ahead a start is scheduled: longer than news take to arrive."""
GATE_MS = 3000
"""How long a new track waits at most."""
RESTART_MS = 3000
"""From here on, `previous` means the beginning of this track."""
LATE_MS = 2000
"""A track that follows so soon begins at the very end of the one before it; later, the time between was silence."""
UNKNOWN_MS = 600_000
"""When a track of unknown length is over."""


class Cue(NamedTuple):
    """What to play."""

    item: UUID
    duration_ms: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A new track waits for those present, at most until then."""

    until_ms: float
    ready: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """At `at_ms`, which may be to come, the track is at `position_ms`; from then on it moves if it is `playing`.

    Every command that changes something makes a new version; that people become ready does not. `heard_ms` is how much
    of the track was played before `position_ms` was set.
    """

    version: int = 0
    item: UUID | None = None
    playing: bool = False
    position_ms: int = 0
    at_ms: float = 0
    duration_ms: int | None = None
    waiting: Waiting | None = None
    heard_ms: int = 0


def position(state: State, now_ms: float) -> int:
    """Where the track is."""
    if not state.playing:
        return state.position_ms
    there = state.position_ms + max(0, round(now_ms - state.at_ms))
    return there if state.duration_ms is None else min(there, state.duration_ms)


def heard(state: State, now_ms: float) -> int:
    """How much of the track has been played, pauses and leaps left out."""
    return state.heard_ms + position(state, now_ms) - state.position_ms


def due(state: State) -> float | None:
    """When something happens by itself: the wait ends, or the track."""
    if state.item is None or not state.playing:
        return None
    return state.waiting.until_ms if state.waiting else _end(state)


def is_over(state: State, now_ms: float) -> bool:
    """Whether the track has come to its end."""
    return state.item is not None and state.playing and now_ms >= _end(state)


def play(state: State, now_ms: float) -> State:
    """Goes on, at once also for those who are not ready. What plays already plays on."""
    if state.item is None or (state.playing and not state.waiting):
        return state
    at_ms = min(state.at_ms, now_ms + LEAD_MS) if state.playing else now_ms + LEAD_MS
    return replace(state, version=state.version + 1, playing=True, at_ms=at_ms, waiting=None)


def pause(state: State, now_ms: float) -> State:
    """Stops where it is."""
    if not state.playing:
        return state
    return replace(_moved(state, position(state, now_ms), now_ms), playing=False, at_ms=now_ms)


def seek(state: State, now_ms: float, position_ms: int) -> State:
    """Leaps to a position, or to the end if that is sooner."""
    if state.item is None:
        return state
    if state.duration_ms is not None:
        position_ms = min(position_ms, state.duration_ms)
    return replace(_moved(state, position_ms, now_ms), at_ms=now_ms + LEAD_MS if state.playing else now_ms)


def skip(state: State, now_ms: float, following: Cue | None, *, gated: bool) -> State:
    """Begins what follows, or ends. `gated`: somebody is there to wait for."""
    return _begin(state, now_ms + LEAD_MS, now_ms, following, gated=gated)


def previous(state: State, now_ms: float, before: Cue | None, *, gated: bool) -> State:
    """The track before, or the beginning of this one when it has played for a while or none was before."""
    if before is None or position(state, now_ms) > RESTART_MS:
        return seek(state, now_ms, 0)
    return skip(state, now_ms, before, gated=gated)


def ready(state: State, now_ms: float, user: UUID, present: Collection[UUID]) -> State:
    """Somebody is ready; with the last of those present the track begins."""
    waiting = state.waiting
    if waiting is None:
        return state
    those = waiting.ready if user in waiting.ready else (*waiting.ready, user)
    if not set(present) <= set(those):
        return replace(state, waiting=replace(waiting, ready=those))
    return replace(state, waiting=None, at_ms=min(state.at_ms, now_ms + LEAD_MS))


def advance(state: State, now_ms: float, following: Cue | None, *, gated: bool) -> State:
    """What the server does by itself: ends a wait, or goes on from a track that is over to what follows."""
    if is_over(state, now_ms):
        end = _end(state)
        at_ms = end if now_ms - end <= LATE_MS else now_ms
        return _begin(state, at_ms, now_ms, following, gated=gated)
    if state.waiting and now_ms >= state.waiting.until_ms:
        return replace(state, waiting=None)
    return state


def _end(state: State) -> float:
    length = UNKNOWN_MS if state.duration_ms is None else state.duration_ms
    return state.at_ms + length - state.position_ms


def _moved(state: State, position_ms: int, now_ms: float) -> State:
    total = heard(state, now_ms)
    return replace(state, version=state.version + 1, position_ms=position_ms, heard_ms=total, waiting=None)


def _begin(state: State, at_ms: float, now_ms: float, cue: Cue | None, *, gated: bool) -> State:
    if cue is None:
        return State(version=state.version + 1, at_ms=now_ms)
    fresh = State(version=state.version + 1, item=cue.item, playing=True, at_ms=at_ms, duration_ms=cue.duration_ms)
    if not gated:
        return fresh
    until_ms = now_ms + GATE_MS
    return replace(fresh, at_ms=until_ms, waiting=Waiting(until_ms))
