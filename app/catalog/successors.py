"""What other modules do in the same transaction when a track gives way to another, or goes without one.

An event would come later: until then what belongs to the track could be lost, or be told to who may not know of it.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import UUID

from app.core.db import Writer

__all__ = ["Pairs", "forget_track", "on_forgetting", "on_giving_way", "tracks_give_way"]

Pairs = Sequence[tuple[UUID, UUID]]
"""Duplicates, each with the track that stays."""
GivingWay = Callable[[Writer, Pairs], Awaitable[None]]
Forgetting = Callable[[Writer, UUID], Awaitable[None]]
G = TypeVar("G", bound=GivingWay)
F = TypeVar("F", bound=Forgetting)

_giving_way: list[GivingWay] = []
_forgetting: list[Forgetting] = []


def on_giving_way(function: G) -> G:
    """Calls it when tracks were merged, with their rows locked."""
    _giving_way.append(function)
    return function


def on_forgetting(function: F) -> F:
    """Calls it before a track goes that not everybody might hear: nothing may tell of it afterwards."""
    _forgetting.append(function)
    return function


async def tracks_give_way(db: Writer, pairs: Pairs) -> None:
    """The first of each pair was merged into the second."""
    for function in _giving_way:
        await function(db, pairs)


async def forget_track(db: Writer, track_id: UUID) -> None:
    """The track is about to go, and was not for everybody."""
    for function in _forgetting:
        await function(db, track_id)
