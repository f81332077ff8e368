"""In which order a queue is played. Pure functions.

`fifo`: as it was added, or moved. `votes`: most votes first, then the oldest.

`fair`: start-time fair queuing (Goyal, Vin and Cheng 1996) where every track costs one turn. Each person's n-th waiting
track belongs to the n-th round from the present one on, or to the one after that if they have had their turn in the
present round; within a round the oldest comes first. The track that plays is its person's turn. Who comes late joins
the present round: they do not wait for rounds that the others are ahead, nor do they get missed ones back.
So before a person's n-th waiting track nobody else gets more than n turns, or n + 1 if that person has just had one.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Literal, Protocol, TypeVar
from uuid import UUID

__all__ = ["QueueMode", "Waits", "in_order", "turns_after"]

QueueMode = Literal["fifo", "votes", "fair"]
Person = UUID | None
"""None adds what nobody does, and is one person like others."""


class Waits(Protocol):
    """What an order depends on. `place` is the age: smaller is older."""

    @property
    def id(self) -> UUID: ...
    @property
    def added_by(self) -> Person: ...
    @property
    def votes(self) -> int: ...
    @property
    def place(self) -> int: ...


W = TypeVar("W", bound=Waits)


def in_order(mode: QueueMode, items: Iterable[W], served: Collection[Person] = ()) -> list[W]:
    """The items as they will be played, if nothing is added. `served` had their turn in the present round."""
    by_age = sorted(items, key=_age)
    if mode == "votes":
        return sorted(by_age, key=lambda item: -item.votes)
    if mode == "fair":
        rounds = _rounds(by_age, served)
        return [item for _, item in sorted(zip(rounds, by_age, strict=True), key=lambda pair: pair[0])]
    return by_age


def turns_after(person: Person, served: Collection[Person]) -> list[Person]:
    """Who has had their turn in the present round once this person's track plays."""
    return [person] if person in served else [*served, person]


def _age(item: Waits) -> tuple[int, UUID]:
    return item.place, item.id


def _rounds(by_age: Sequence[Waits], served: Collection[Person]) -> list[int]:
    had = Counter(served)
    rounds = []
    for item in by_age:
        rounds.append(had[item.added_by])
        had[item.added_by] += 1
    return rounds
