"""The order of a queue, whatever people do: nobody is forgotten, and everybody's own tracks keep their order."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import get_args
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.rooms.modes import QueueMode, in_order, turns_after

PEOPLE = [UUID(int=number) for number in range(1, 5)]


@dataclass(frozen=True)
class Waiter:
    id: UUID
    added_by: UUID | None
    place: int
    votes: int = 0


waiters = st.lists(st.tuples(st.sampled_from([*PEOPLE, None]), st.integers(0, 3)), max_size=30).map(
    lambda drawn: [Waiter(UUID(int=n), person, n, votes) for n, (person, votes) in enumerate(drawn)]
)
served = st.lists(st.sampled_from([*PEOPLE, None]), unique=True)
modes = st.sampled_from(get_args(QueueMode))


@given(modes, waiters, served)
def test_an_order_is_of_the_same_items_whatever_order_they_came_in(
    mode: QueueMode, items: list[Waiter], had: list[UUID | None]
) -> None:
    order = in_order(mode, items, had)
    assert sorted(order, key=lambda item: item.place) == items
    assert in_order(mode, items[::-1], had) == order
    assert in_order(mode, order, had) == order


@given(waiters, served)
def test_modes_say_what_they_mean(items: list[Waiter], had: list[UUID | None]) -> None:
    assert in_order("fifo", items, had) == items
    votes = in_order("votes", items, had)
    assert votes == sorted(items, key=lambda item: (-item.votes, item.place))
    for person in [*PEOPLE, None]:
        own = [item.place for item in in_order("fair", items, had) if item.added_by == person]
        assert own == sorted(own)


@given(waiters, served)
def test_one_person_alone_has_a_plain_queue(items: list[Waiter], had: list[UUID | None]) -> None:
    alone = [replace(item, added_by=PEOPLE[0]) for item in items]
    assert in_order("fair", alone, had) == alone


def test_rounds_count_what_plays_and_late_comers_join_the_present_one() -> None:
    ana, bruno, carla, _ = PEOPLE
    hers = [Waiter(UUID(int=n), ana, n) for n in range(3)]
    his = [Waiter(UUID(int=10), bruno, 10), Waiter(UUID(int=11), bruno, 11)]
    late = Waiter(UUID(int=20), carla, 20)
    order = in_order("fair", [*hers, *his, late], [ana])  # a track of Ana's plays
    assert [item.place for item in order] == [10, 20, 0, 11, 1, 2]


@dataclass
class Waited:
    """How often each of the others had a turn since an item was added, and how often at most they may."""

    bound: int
    turns: Counter[UUID | None] = field(default_factory=Counter)


class FairQueue(RuleBasedStateMachine):
    """People add, take away, and come late, as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[Waiter] = []
        self.served: list[UUID | None] = []
        self.waited: dict[UUID, Waited] = {}
        self.number = 0

    @rule(person=st.sampled_from([*PEOPLE, None]))
    def add(self, person: UUID | None) -> None:
        self.number += 1
        item = Waiter(UUID(int=self.number), person, self.number)
        rounds = sum(each.added_by == person for each in self.items) + (person in self.served)
        self.items.append(item)
        self.waited[item.id] = Waited(bound=rounds + 1)

    @precondition(lambda self: self.items)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        self.items.remove(data.draw(st.sampled_from(self.items)))

    @precondition(lambda self: self.items)
    @rule(times=st.integers(1, 6))
    def play(self, times: int) -> None:
        for _ in range(min(times, len(self.items))):
            item = in_order("fair", self.items, self.served)[0]
            self.items.remove(item)
            self.served = turns_after(item.added_by, self.served)
            for waiting in self.items:
                self.waited[waiting.id].turns[item.added_by] += 1

    @invariant()
    def nobody_starves(self) -> None:
        for item in self.items:
            waited = self.waited[item.id]
            others = [turns for person, turns in waited.turns.items() if person != item.added_by]
            assert max(others, default=0) <= waited.bound

    @invariant()
    def nobody_has_two_turns_in_a_round(self) -> None:
        assert len(set(self.served)) == len(self.served)


TestFairQueue = FairQueue.TestCase
