"""What has changed between a queue as a room was told of it and as it is now. Pure functions."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from app.rooms.modes import W

__all__ = ["PART", "news"]

PART = 50
"""Items in one event at most: an event stays so short that everybody reads it at once."""
Show = Callable[[W], dict[str, Any]]


def news(told: Mapping[UUID, int] | None, queue: Sequence[W], show: Show[W]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Kind and data of the events that bring who knows `told` to the queue.

    `told` are the votes of each item, in the order of the items. If nothing is known, or most is new, the queue begins
    anew: its first items as the whole of it, then the others.
    """
    new = [item for item in queue if told is None or item.id not in told]
    if told is not None and len(new) <= PART and len(new) < len(queue):
        change = _edit(told, queue, show)
        if any(change.values()):
            yield "queue.edited", change
    elif queue or told or told is None:
        yield "queue.changed", {"queue": [show(item) for item in queue[:PART]]}
        for start in range(PART, len(queue), PART):
            part = enumerate(queue[start : start + PART], start)
            yield "queue.edited", {"removed": [], "votes": {}, "placed": [_place(*each, show) for each in part]}


def _edit(told: Mapping[UUID, int], queue: Sequence[W], show: Show[W]) -> dict[str, Any]:
    there, stay = {item.id for item in queue}, _staying(told, queue)
    return {
        "removed": [str(item_id) for item_id in told if item_id not in there],
        "votes": {str(item.id): item.votes for item in queue if told.get(item.id, item.votes) != item.votes},
        "placed": [
            _place(index, item, None if item.id in told else show)
            for index, item in enumerate(queue)
            if item.id not in stay
        ],
    }


def _place(index: int, item: W, show: Show[W] | None) -> dict[str, Any]:
    return {"index": index, "id": str(item.id), "item": show(item) if show else None}


def _staying(told: Mapping[UUID, int], queue: Sequence[W]) -> set[UUID]:
    """The most items that need not be moved: a longest increasing subsequence of their old places."""
    old = {item_id: place for place, item_id in enumerate(told)}
    places: list[int] = []
    ends: list[int] = []
    before: dict[int, int | None] = {}
    for index, item in enumerate(queue):
        if item.id in old:
            length = bisect_left(places, old[item.id])
            before[index] = ends[length - 1] if length else None
            places[length : length + 1], ends[length : length + 1] = [old[item.id]], [index]
    stay: set[UUID] = set()
    last = ends[-1] if ends else None
    while last is not None:
        stay.add(queue[last].id)
        last = before[last]
    return stay
