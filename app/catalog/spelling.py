"""Words that were probably meant.

A word is found by what is left of it when letters are dropped: two words one edit apart share a remainder. So a lookup
is an overlap of two short lists, whatever the alphabet (W. Garbe, "SymSpell", 2012, with its prefix of seven letters).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from sqlalchemy import ARRAY, ColumnElement, Text, any_, bindparam, literal_column, or_, select

from app.catalog.models import SearchWord
from app.catalog.schemas import KnownWord
from app.core.query import Query, Runs

__all__ = ["Distance", "distance", "meant", "remains"]

PREFIX = 7
SHORTEST, LONG, LONGEST = 3, 8, 40
_MOST_CANDIDATES: ColumnElement[int] = literal_column("400")
_SUGGESTIONS = 3

_NEAR = Query(
    select(SearchWord.word, SearchWord.documents)
    .where(
        or_(
            SearchWord.remains.op("&&", is_comparison=True)(bindparam("remains", type_=ARRAY(Text))),
            SearchWord.word == any_(bindparam("pieces", type_=ARRAY(Text))),
        )
    )
    .order_by(SearchWord.documents.desc())
    .limit(_MOST_CANDIDATES),
    into=KnownWord,
)


@dataclass(frozen=True, slots=True)
class Distance:
    """Edits from one word to another, and to the beginning of it that is nearest."""

    whole: int
    beginning: int


def remains(word: str) -> list[str]:
    """What is left of the first letters when none, one, or of a long word two are dropped. Numbers have no typos."""
    if not SHORTEST <= len(word) <= LONGEST or word.isdigit():
        return []
    start = word[:PREFIX]
    drops = (kept for count in range(_allowed(word) + 1) for kept in combinations(start, len(start) - count))
    return sorted({"".join(kept) for kept in drops})


def distance(typed: str, word: str) -> Distance:
    """Damerau-Levenshtein distance with adjacent swaps (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(word) + 1))
    for i, letter in enumerate(typed, 1):
        above, before, row = before, row, [i]
        for j, other in enumerate(word, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == word[j - 2] and typed[i - 2] == other:
                best = min(best, above[j - 2] + 1)
            row.append(best)
    return Distance(row[-1], min(row))


async def meant(db: Runs, words: Sequence[str], unknown: frozenset[str]) -> list[list[str]]:
    """For each typed word the phrases that may have been meant, best first: itself if it is not `unknown`.

    A word that nothing is near to is left out. Missing and surplus spaces count as typos too.
    """
    near = await _NEAR.all(
        db, remains=sorted({part for word in unknown for part in remains(word)}), pieces=_pieces(words, unknown)
    )
    known = {word.word: word.documents for word in near}
    joined = _join(words, unknown, known)
    choices = (_suggest(word, known) if word in unknown else [word] for word in joined)
    return [choice for choice in choices if choice]


def _allowed(word: str) -> int:
    return 2 if len(word) >= LONG else 1


def _pieces(words: Sequence[str], unknown: frozenset[str]) -> list[str]:
    """Words that there would be with a space more or less."""
    halves = {half for word in unknown if len(word) > SHORTEST for pair in _splits(word) for half in pair}
    joins = {first + second for first, second in pairwise(words) if {first, second} & unknown}
    return sorted(halves | joins)


def _splits(word: str) -> list[tuple[str, str]]:
    return [(word[:i], word[i:]) for i in range(1, len(word))]


def _join(words: Sequence[str], unknown: frozenset[str], known: dict[str, int]) -> list[str]:
    """The words, with two of them as one where only together they are known."""
    joined: list[str] = []
    for word in words:
        pair = joined[-1] + word if joined else ""
        if pair in known and {joined[-1], word} & unknown:
            joined[-1] = pair
        else:
            joined.append(word)
    return joined


def _suggest(word: str, known: dict[str, int]) -> list[str]:
    """The phrases nearest to a word; among equally near ones those that more documents have."""
    if len(word) < SHORTEST:
        return [word] if word in known else []
    ranked: list[tuple[float, int, str]] = []
    for candidate, documents in known.items():
        edits = _edits(word, candidate)
        if int(edits) <= _allowed(word):
            ranked.append((edits, -documents, candidate))
    for first, second in _splits(word):
        if first in known and second in known and len(word) > SHORTEST:
            ranked.append((1, -min(known[first], known[second]), f"{first} {second}"))
    return [phrase for _, _, phrase in sorted(ranked)[:_SUGGESTIONS]]


def _edits(typed: str, word: str) -> float:
    """Edits to the word; those to a beginning of it count a little more. A short word keeps at least its initial."""
    found = distance(typed, word)
    if len(typed) > SHORTEST:
        return min(found.whole, found.beginning + 0.5)
    return found.whole if typed[0] == word[0] else LONGEST
