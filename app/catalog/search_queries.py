"""The two statements of search.

Rare words are looked up in the inverted index. Common beginnings ("a", "th") would give hundreds of thousands of rows
there, so the most famous documents are looked through instead until enough of them match.
"""

from functools import cache
from typing import Any, get_args

from sqlalchemy import (
    REAL,
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import aliased

from app.catalog.hearing import heard_by, listed_for
from app.catalog.models import Album, Artist, SearchDocument, Track
from app.catalog.schemas import Kind, SearchHit
from app.core.query import Query
from app.users.models import User
from app.users.queries import visible

__all__ = ["COUNT", "KINDS", "LOOKED_THROUGH", "among_famous", "by_words"]

KINDS: tuple[Kind, ...] = get_args(Kind)
LOOKED_THROUGH, ENOUGH = 3000, 60
"""Of each kind: how many famous documents are looked through at most, and after how many matches that ends."""
MOST_RANKED, MOST_NAMED = 400, 60

COUNT = """
SELECT (SELECT coalesce(sum(documents), 0)
        FROM (SELECT documents FROM search_words
              WHERE word >= typed AND word < typed || U&'\\+10FFFF' LIMIT 2000) AS beginnings)
       / (SELECT greatest(reltuples, 50000) FROM pg_class WHERE oid = 'search_documents'::regclass) AS share
FROM unnest($1::text[]) WITH ORDINALITY AS words (typed, place)
ORDER BY place
"""
"""About which share of all documents has a word that begins like each of these: none, few or many is what matters.

In a small index everything is rare enough to be looked up.
"""

_Doc = SearchDocument
_TYPED: ColumnElement[str] = bindparam("typed", type_=Text)
_WITH_ARTICLE = "the " + _TYPED


def _literal(sql: float | str) -> Any:
    return literal_column(str(sql))


def _kind(kind: Kind) -> Any:
    return _literal(f"'{kind}'")


def _matches(terms: Any, words: str) -> Any:
    return terms.op("@@", is_comparison=True)(_words(words))


def _words(name: str) -> ColumnElement[Any]:
    return cast(bindparam(name, type_=Text), TSQUERY)


def _of(kinds: tuple[Kind, ...]) -> Select[Any]:
    documents = select(_Doc.entity_id)
    return documents if kinds == KINDS else documents.where(_Doc.kind.in_([_kind(kind) for kind in kinds]))


def _named(kinds: tuple[Kind, ...]) -> list[Select[Any]]:
    """What is called exactly so, and what is called so and a little more."""
    exact = _of(kinds).where(or_(_Doc.title_key == _TYPED, _Doc.title_key == _WITH_ARTICLE))
    longer = _of(kinds).where(_Doc.title_key >= _TYPED, _Doc.title_key < _TYPED.op("||")(_literal("U&'\\+10FFFF'")))
    return [
        exact.order_by(_Doc.weight.desc()).limit(_literal(MOST_NAMED)),
        longer.order_by(_Doc.title_key).limit(_literal(MOST_NAMED)),
    ]


@cache
def by_words(kinds: tuple[Kind, ...], limit: int) -> Query[SearchHit]:
    """Hits by the inverted index: `rare` is looked up, `beginnings` are checked."""
    # the function in place of the operator: it is no condition for the index, which would read all of a common word
    checked = func.ts_match_vq(_Doc.terms, _words("beginnings"))
    matching = _of(kinds).where(_matches(_Doc.terms, "rare"), checked)
    return _draw(union(matching.order_by(_Doc.weight.desc()).limit(_literal(MOST_RANKED)), *_named(kinds)), limit)


@cache
def among_famous(kinds: tuple[Kind, ...], limit: int) -> Query[SearchHit]:
    """Hits among the most famous of each kind."""
    return _draw(union(*(_famous(kind) for kind in kinds), *_named(kinds)), limit)


def _famous(kind: Kind) -> Select[Any]:
    of_kind = select(_Doc.entity_id, _Doc.terms).where(_Doc.kind == _kind(kind)).order_by(_Doc.weight.desc())
    pool = of_kind.limit(_literal(LOOKED_THROUGH)).subquery()
    return select(pool.c.entity_id).where(_matches(pool.c.terms, "beginnings")).limit(_literal(ENOUGH))


def _shown() -> ColumnElement[bool]:
    """A person only if they let the viewer see them."""
    return or_(_Doc.kind != _kind("person"), and_(User.id.is_not(None), User.deleted_at.is_(None), visible()))


def _shown_of_catalog(kind: Any) -> ColumnElement[bool]:
    """What its owner does not show to everybody, or not to the viewer, is left out."""
    of_kinds: dict[Kind, ColumnElement[bool]] = {
        "track": and_(Track.visibility == literal_column("'public'"), heard_by()),
        "album": listed_for(Album),
        "artist": listed_for(Artist),
    }
    return case(*((kind == _kind(name), shown) for name, shown in of_kinds.items()), else_=true())


def _score() -> Any:
    """The whole name, then words of the title before those of the artist's name, then fame."""
    coverage = func.least(func.length(_TYPED) / func.greatest(cast(func.length(_Doc.title_key), REAL), 1), 1)
    kinds: dict[Kind, float] = {"artist": 0.3, "album": 0.2, "person": 0.1, "track": 0.0}
    return (
        _worth(or_(_Doc.title_key == _TYPED, _Doc.title_key == _WITH_ARTICLE), 4)
        + _worth(_matches(_Doc.terms, "in_title"), 2)
        + _worth(_matches(_Doc.terms, "whole"), 2)
        + _worth(func.starts_with(_Doc.title_key, _TYPED), 1)
        + coverage
        + _Doc.weight * _literal(1.5)
        + case(*((_Doc.kind == _kind(kind), _literal(worth)) for kind, worth in kinds.items()))
    )


def _worth(condition: ColumnElement[bool], points: int) -> ColumnElement[Any]:
    return case((condition, _literal(points)), else_=_literal(0))


def _draw(candidates: CompoundSelect[Any], limit: int) -> Query[SearchHit]:
    """The best candidates with what is needed to draw them."""
    found = candidates.subquery()
    score = cast(_score(), REAL).label("score")
    best = (
        select(_Doc.entity_id, _Doc.kind, score)
        .join(found, found.c.entity_id == _Doc.entity_id)
        .outerjoin(User, and_(User.id == _Doc.entity_id, _Doc.kind == _kind("person")))
        .where(_shown())
        .order_by(score.desc(), _Doc.entity_id)
        .limit(_literal(limit))
        .cte("best")
    )
    entity_id = best.c.entity_id
    person = aliased(User)
    title = func.coalesce(Track.title, Album.title, Artist.name, person.display_name)
    drawn = (
        select(
            best.c.kind,
            entity_id.label("id"),
            title.label("title"),
            func.coalesce(case((best.c.kind != _kind("artist"), Artist.name)), person.username).label("subtitle"),
            func.coalesce(Album.cover_key, Artist.image_key, person.avatar_key).label("image_key"),
            Album.year.label("year"),
        )
        .select_from(best)
        .outerjoin(Track, Track.id == entity_id)
        # the album of the track, or the album itself; likewise the artist
        .outerjoin(Album, Album.id == func.coalesce(Track.album_id, entity_id))
        .outerjoin(Artist, Artist.id == func.coalesce(Track.artist_id, Album.artist_id, entity_id))
        .outerjoin(person, person.id == entity_id)
        .where(title.is_not(None), _shown_of_catalog(best.c.kind))
        .order_by(best.c.score.desc(), entity_id)
    )
    return Query(drawn, into=SearchHit)
