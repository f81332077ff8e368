"""Who may hear a track, and who may know of an artist or an album.

What has no owner belongs to the catalogue and is everybody's. What somebody uploaded is for whom they say, and never
for people whom they block or who block them. Whoever refers to a track asks here first; whoever shows tracks to
somebody begins with `heard_by`, lists of artists and albums with `listed_for`, of all tracks with `shown_to`, and what
is asked for by its id with `known_to`.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Text,
    Uuid,
    and_,
    bindparam,
    column,
    exists,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import aliased

from app.catalog.models import Album, Entity, Track
from app.catalog.schemas import Hearing
from app.core.query import Query, Runs
from app.users.queries import VIEWER, follows, not_blocked

__all__ = ["hearable", "heard_by", "heard_by_sql", "known_to", "listed_for", "may_hear", "shown_to"]


def heard_by(track: Any = Track, viewer: ColumnElement[Any] = VIEWER) -> ColumnElement[bool]:
    """The viewer may hear the track and know of it. NULL means no."""
    for_others = or_(
        track.visibility == _word("public"),
        and_(track.visibility == _word("followers"), follows(viewer, track.owner_id)),
    )
    return or_(
        track.owner_id.is_(None), track.owner_id == viewer, and_(for_others, not_blocked(track.owner_id, viewer))
    )


def heard_by_sql(track: str, viewer: str) -> str:
    """The same for statements that are put together as text: `track` and `viewer` are what they are called there."""
    owner, visibility = literal_column(f"{track}.owner_id", Uuid), literal_column(f"{track}.visibility", Text)
    condition = heard_by(_Names(owner, visibility), literal_column(viewer, Uuid))
    return f"({condition.compile(dialect=postgresql.dialect())})"  # type: ignore[no-untyped-call]


def listed_for(work: Any, viewer: ColumnElement[Any] = VIEWER) -> ColumnElement[bool]:
    """The artist or album stands in lists that the viewer sees."""
    return and_(work.listed, or_(work.owner_id.is_(None), not_blocked(work.owner_id, viewer)))


def shown_to(track: Any = Track, viewer: ColumnElement[Any] = VIEWER) -> ColumnElement[bool]:
    """The track stands in lists of all that there is: it is for everybody, and neither blocks the other."""
    public = and_(track.visibility == _word("public"), not_blocked(track.owner_id, viewer))
    return or_(track.owner_id.is_(None), public)


def known_to(entity: Entity, viewer: ColumnElement[Any] = VIEWER) -> ColumnElement[bool]:
    """The viewer may see it if they know its id: a track that they may hear, or what such a track is of."""
    work: Any = entity
    if entity is Track:
        return heard_by(work, viewer)
    track = aliased(Track)
    # a duplicate is known to whom what it leads to is
    kept = func.coalesce(work.merged_into_id, work.id)
    mine = track.album_id == kept if entity is Album else track.artist_id == kept
    # OFFSET 0 has the tracks of this one looked up: it is asked for seldom, and never for a whole list
    one = select(literal_column("1", Integer)).where(mine, heard_by(track, viewer)).correlate(work)
    return or_(listed_for(work, viewer), work.owner_id == viewer, exists(one.offset(literal_column("0"))))


class _Names(NamedTuple):
    """A track by the names of its columns."""

    owner_id: ColumnElement[UUID]
    visibility: ColumnElement[str]


def _word(value: str) -> ColumnElement[str]:
    return literal_column(f"'{value}'")


_PAIRS = (
    func.unnest(bindparam("people", type_=ARRAY(Uuid)), bindparam("tracks", type_=ARRAY(Uuid)))
    .table_valued(column("person_id", Uuid), column("track_id", Uuid))
    .render_derived(name="pairs")
)
_HEARINGS = Query(
    select(_PAIRS.c.person_id, _PAIRS.c.track_id)
    .join(Track, Track.id == _PAIRS.c.track_id)
    .where(Track.merged_into_id.is_(None), heard_by(Track, _PAIRS.c.person_id)),
    into=Hearing,
)


async def may_hear(db: Runs, wanted: Sequence[tuple[UUID | None, UUID]]) -> set[tuple[UUID | None, UUID]]:
    """Which of these (person, track) are there and may be heard by that person; None is somebody without a name."""
    if not wanted:
        return set()
    people, tracks = [person for person, _ in wanted], [track for _, track in wanted]
    found = await _HEARINGS.all(db, people=people, tracks=tracks)
    return {(hearing.person_id, hearing.track_id) for hearing in found}


async def hearable(db: Runs, person_id: UUID | None, track_ids: Iterable[UUID]) -> set[UUID]:
    """Which of the tracks are there and may be heard by the person."""
    return {track_id for _, track_id in await may_hear(db, [(person_id, track_id) for track_id in track_ids])}
