"""Keeps what search reads in step with the catalogue, in the transaction that changes it."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    REAL,
    ColumnElement,
    Select,
    Text,
    Uuid,
    any_,
    case,
    cast,
    column,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import TSVECTOR, insert

from app.catalog.models import Album, Artist, Entity, SearchDocument, SearchWord, Track
from app.catalog.spelling import remains
from app.core.db import Writer
from app.core.text import name_key
from app.users.models import User

__all__ = ["COLUMNS", "DOCUMENTS", "index", "index_person", "index_works_of", "people_documents", "unindex"]

COLUMNS = ("entity_id", "kind", "title_key", "terms", "weight")


def _terms(key: ColumnElement[str], weight: str) -> ColumnElement[Any]:
    """The words of a key as a tsvector. Keys hold neither quotes nor backslashes."""
    quoted = literal("'") + func.replace(key, " ", f"':1{weight} '") + literal(f"':1{weight}")
    return case((key == "", cast(literal(""), TSVECTOR)), else_=cast(quoted, TSVECTOR))


def _fame(count: Any) -> ColumnElement[float]:
    """0 to 1 for 0 to a million, by orders of magnitude."""
    return func.least(func.ln(1 + count) / func.ln(1_000_000), 1)


def _document(
    kind: str, entity_id: Any, title: Any, weight: ColumnElement[Any], subtitle: Any | None = None
) -> Select[Any]:
    terms = _terms(title, "A") if subtitle is None else _terms(title, "A").op("||")(_terms(subtitle, "B"))
    return select(
        entity_id.label("entity_id"),
        literal_column(f"'{kind}'").label("kind"),
        title.label("title_key"),
        terms.label("terms"),
        cast(weight, REAL).label("weight"),
    )


_BEST_TRACK = select(func.coalesce(func.max(Track.popularity), 0)).where(Track.artist_id == Artist.id).scalar_subquery()
DOCUMENTS: dict[Entity, Select[Any]] = {
    Artist: _document(
        "artist", Artist.id, Artist.name_key, func.greatest(_BEST_TRACK / 100.0, _fame(Artist.album_count))
    ).where(Artist.merged_into_id.is_(None), Artist.listed),
    Album: _document("album", Album.id, Album.title_key, _fame(Album.review_count + Album.like_count), Artist.name_key)
    .join_from(Album, Artist)
    .where(Album.merged_into_id.is_(None), Album.listed),
    Track: _document(
        "track",
        Track.id,
        Track.title_key,
        func.greatest(func.coalesce(Track.popularity, 0) / 100.0, _fame(Track.like_count)),
        Artist.name_key,
    )
    .join_from(Track, Artist)
    .where(Track.merged_into_id.is_(None), Track.visibility == "public"),
}
"""What the index should hold of each table: what everybody may find."""


def people_documents(people: Sequence[Any]) -> Select[Any]:
    """What the index should hold of people (rows with id, display_name and username)."""
    columns = (
        literal([person.id for person in people], ARRAY(Uuid)),
        literal([name_key(person.display_name) for person in people], ARRAY(Text)),
        literal([name_key(person.username) for person in people], ARRAY(Text)),
    )
    given = func.unnest(*columns).table_valued(column("id", Uuid), column("name", Text), column("username", Text))
    keys = given.render_derived(name="keys")
    fame = _fame(User.follower_count)
    return _document("person", User.id, keys.c.name, fame, keys.c.username).join_from(User, keys, keys.c.id == User.id)


async def index(db: Writer, entity: Entity, ids: Iterable[UUID]) -> None:
    """Puts rows of one table into the index, or their changes."""
    await db.flush()
    if wanted := list(ids):
        await _put(db, DOCUMENTS[entity].where(entity.id == any_(literal(wanted, ARRAY(Uuid)))))


async def index_works_of(db: Writer, artist_id: UUID) -> None:
    """An artist's albums and tracks are found by the artist's name too."""
    await db.flush()
    for entity in (Album, Track):
        await _put(db, DOCUMENTS[entity].where(entity.artist_id == artist_id))


async def index_person(db: Writer, user_id: UUID) -> None:
    """Puts a person into the index, with their present names; takes one out who left."""
    person = await db.one(select(User).where(User.id == user_id, User.deleted_at.is_(None)))
    if person is None:
        await unindex(db, [user_id])
        return
    await _put(db, people_documents([person]))
    await learn(db, name_key(person.username).split())


async def unindex(db: Writer, ids: Iterable[UUID]) -> None:
    """Takes things out of the index."""
    await db.execute(delete(SearchDocument).where(SearchDocument.entity_id == any_(literal(list(ids), ARRAY(Uuid)))))


async def learn(db: Writer, words: Iterable[str]) -> None:
    """Makes words known to the spelling. Sorted, so that two transactions never wait for each other crosswise."""
    given = set(words)
    if not given:
        return
    known = await db.all(select(SearchWord.word).where(SearchWord.word == any_(literal(list(given), ARRAY(Text)))))
    if new := sorted(given.difference(known)):
        rows = [{"word": word, "documents": 1, "remains": remains(word)} for word in new]
        await db.execute(insert(SearchWord).on_conflict_do_nothing(), rows)


async def _put(db: Writer, documents: Select[Any]) -> None:
    new = insert(SearchDocument).from_select(COLUMNS, documents)
    has_changed = or_(SearchDocument.title_key != new.excluded.title_key, SearchDocument.terms != new.excluded.terms)
    put = new.on_conflict_do_update(
        index_elements=[SearchDocument.entity_id],
        set_={name: new.excluded[name] for name in ("title_key", "terms", "weight")},
        where=has_changed,
    )
    keys = await db.scalars(put.returning(SearchDocument.title_key))
    await learn(db, {word for key in keys for word in key.split()})
