"""Search over artists, albums, tracks and people: the best hits for words, their beginnings, and words with typos."""

from collections.abc import Sequence
from functools import partial
from itertools import islice
from math import prod
from typing import Any

from app.catalog.schemas import Kind, SearchHit, SearchResults
from app.catalog.search_queries import COUNT, KINDS, LOOKED_THROUGH, among_famous, by_words
from app.catalog.service import viewer_of
from app.catalog.spelling import meant
from app.core.auth import Principal
from app.core.query import Runs
from app.core.text import search_words

__all__ = ["search"]

Phrases = Sequence[Sequence[str]]
"""What a hit must have: of each a word, or one of the phrases that it may stand for."""
_SURELY = 2
"""So many times the wanted number of hits is expected among the famous, if they are asked at all."""
_WORTHWHILE = 10
"""A word that is so many times more common than the rarest one costs more to look up than to check."""


async def search(
    db: Runs, actor: Principal | None, *, q: str, kind: Kind | None = None, limit: int = 20
) -> SearchResults:
    """The best hits first. Words that lead nowhere are taken for typos."""
    words = search_words(q)
    if not words:
        return SearchResults(items=[], corrected=None)
    find = partial(_find, db, actor, kinds=(kind,) if kind else KINDS, limit=limit)
    shares = await _shares(db, words)
    unknown = frozenset(word for word, share in zip(words, shares, strict=True) if not share)
    hits = [] if unknown else await find([[word] for word in words], shares)
    if hits:
        return SearchResults(items=hits, corrected=None)
    phrases = await meant(db, words, unknown or frozenset(words))
    hits = await find(phrases, await _shares(db, [choices[0] for choices in phrases])) if phrases else []
    return SearchResults(items=hits, corrected=" ".join(choices[0] for choices in phrases) if hits else None)


async def _shares(db: Runs, phrases: Sequence[str]) -> list[float]:
    """About which share of all documents has each of these: none, few or many is what matters."""
    words = [word for phrase in phrases for word in phrase.split()]
    counted = iter([float(row["share"]) for row in await db.records(COUNT, [words])])
    return [prod(islice(counted, len(phrase.split()))) for phrase in phrases]


async def _find(
    db: Runs,
    actor: Principal | None,
    phrases: Phrases,
    shares: Sequence[float],
    *,
    kinds: tuple[Kind, ...],
    limit: int,
) -> list[SearchHit]:
    """Hits that have all of the phrases; `shares` says how common each is."""
    likeliest = [choices[:1] for choices in phrases]
    parameters: dict[str, Any] = {
        "typed": " ".join(choices[0] for choices in phrases),
        "beginnings": _tsquery(phrases, ":*"),
        "in_title": _tsquery(likeliest, ":*A"),
        "whole": _tsquery(likeliest, ""),
        "viewer": viewer_of(actor),
    }
    if prod(shares) * LOOKED_THROUGH * len(kinds) > _SURELY * limit:
        hits = await among_famous(kinds, limit).all(db, **parameters)
        if len(hits) == limit:
            return hits
    rare = [choices for choices, share in zip(phrases, shares, strict=True) if share <= _WORTHWHILE * min(shares)]
    return await by_words(kinds, limit).all(db, rare=_tsquery(rare, ":*"), **parameters)


def _tsquery(phrases: Phrases, suffix: str) -> str:
    """A condition on words; keys hold neither quotes nor backslashes."""
    return " & ".join("(" + " | ".join(_all_of(phrase, suffix) for phrase in choices) + ")" for choices in phrases)


def _all_of(phrase: str, suffix: str) -> str:
    return "(" + " & ".join(f"'{word}'{suffix}" for word in phrase.split()) + ")"
