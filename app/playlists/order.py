"""Places of entries as whole numbers with gaps, so that most changes touch only what moves."""

from collections.abc import Sequence
from typing import Final

__all__ = ["GAP", "between", "evenly"]

GAP: Final = 1 << 32
_FARTHEST: Final = 1 << 62


def evenly(count: int) -> list[int]:
    """Ranks of a whole list, as far apart as can be wished."""
    return [GAP * place for place in range(1, count + 1)]


def between(ranks: Sequence[int], at: int, count: int) -> list[int] | None:
    """Ranks of `count` entries that come to stand at `at` among these; None if there is no room left for them."""
    low = ranks[at - 1] if at > 0 else None
    high = ranks[at] if at < len(ranks) else None
    if low is None or high is None:
        fresh = _outside(low, high, count)
        return fresh if fresh[0] > -_FARTHEST and fresh[-1] < _FARTHEST else None
    step = (high - low) // (count + 1)
    return [low + step * place for place in range(1, count + 1)] if step else None


def _outside(low: int | None, high: int | None, count: int) -> list[int]:
    if high is None:
        return [(low or 0) + GAP * place for place in range(1, count + 1)]
    return [high - GAP * place for place in range(count, 0, -1)]
