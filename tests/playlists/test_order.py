"""Ranks of entries: whatever is put where, the order is that of a plain list."""

import random

from hypothesis import given
from hypothesis import strategies as st

from app.playlists.order import between, evenly


@given(st.integers(0, 10_000), st.lists(st.tuples(st.integers(0, 30), st.integers(1, 5)), max_size=60))
def test_new_ranks_lie_where_they_should(seed: int, inserts: list[tuple[int, int]]) -> None:
    ranks = evenly(random.Random(seed).randint(0, 5))
    for place, count in inserts:
        at = min(place, len(ranks))
        fresh = between(ranks, at, count)
        assert fresh is not None, "sixty inserts never use up a gap of 2^32 that is halved by five at most"
        ranks[at:at] = fresh
        assert ranks == sorted(set(ranks))


def test_a_gap_that_is_used_up_says_so() -> None:
    ranks = evenly(2)
    times = 0
    while (fresh := between(ranks, 1, 1)) is not None:
        ranks[1:1] = fresh
        times += 1
    assert 30 <= times <= 33
    assert between([1, 3], 1, 1) == [2]
    assert between([1, 2], 1, 1) is None
    assert between([1, 4], 1, 3) is None


def test_the_ends_of_the_numbers_are_not_passed() -> None:
    assert between([1 << 62], 1, 1) is None
    assert between([-(1 << 62)], 0, 1) is None
    assert between([], 0, 3) == evenly(3)
