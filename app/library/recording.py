"""Listens are written down: many at once, each once, whoever else reports them."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.catalog.hearing import may_hear
from app.core.db import Writer
from app.core.errors import Fault, Invalid
from app.core.ids import uuid7_end, uuid7_start
from app.core.jobs import emit
from app.library.events import ListensRecorded
from app.library.queries import KNOWN_TRACKS
from app.library.rules import MINUTES_UNKNOWN, is_plausible, listen_id, whole_second
from app.library.schemas import KnownTrack, Source

__all__ = ["Heard", "add_counts", "near", "record"]

# Their rows are locked in the order of their ids until the end of the transaction: of two reports of one listen that
# come at once from two sources, the second sees the first. $1 people, $2 whether it was heard in a room.
_LOCK_LISTENERS = """
    INSERT INTO listeners AS known (user_id)
    SELECT id FROM users WHERE id = ANY ($1::uuid[]) AND deleted_at IS NULL AND (record_room_listens OR NOT $2::bool)
    ORDER BY id
    ON CONFLICT (user_id) DO UPDATE SET listen_count = known.listen_count
    RETURNING user_id"""

# $9 and $10 are the ids between which a listen from elsewhere is the same one, $11 how long after one from here another
# can begin. One of the same second may have the id of a track that has been merged since.
_INSERT = """
    INSERT INTO listens (user_id, id, track_id, listened_at, client, played_ms, room_id, source)
    SELECT heard.user_id, heard.id, heard.track_id, heard.listened_at, heard.client, heard.played_ms, heard.room_id, $8
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::int[], $7::uuid[],
        $9::uuid[], $10::uuid[], $11::interval[])
        AS heard (user_id, id, track_id, listened_at, client, played_ms, room_id, nearest, farthest, apart)
    WHERE NOT EXISTS (
        SELECT FROM listens known
        WHERE known.user_id = heard.user_id AND known.id BETWEEN heard.nearest AND heard.farthest
          AND known.track_id = heard.track_id AND (
              known.source <> $8 OR known.listened_at = heard.listened_at
              OR (known.listened_at > heard.listened_at - heard.apart
                  AND known.listened_at < heard.listened_at + heard.apart))
    )
    ORDER BY heard.user_id, heard.id
    ON CONFLICT DO NOTHING
    RETURNING user_id, id, track_id"""

# $1 people, $2 what is added to their counters; $3 tracks, $4 what is added to theirs, in the order of their ids
_COUNT = """
    WITH counted AS (
        UPDATE listeners SET listen_count = listen_count + counted.change
        FROM unnest($1::uuid[], $2::bigint[]) AS counted (user_id, change)
        WHERE listeners.user_id = counted.user_id
    )
    INSERT INTO track_plays AS known (track_id, play_count)
    SELECT track_id, change FROM unnest($3::uuid[], $4::bigint[]) AS heard (track_id, change) ORDER BY track_id
    ON CONFLICT (track_id) DO UPDATE SET play_count = known.play_count + excluded.play_count"""


_HEARD_HERE: frozenset[Source] = frozenset({"room", "stream"})
"""We heard it happen: what is not for somebody is left out, and nobody is told of a fault."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A person heard a track that began at a moment; `apart` is how much of it must be heard before it begins again."""

    user_id: UUID
    track_id: UUID
    listened_at: datetime
    client: str | None = None
    played_ms: int | None = None
    room_id: UUID | None = None
    apart: timedelta = timedelta()


async def record(db: Writer, listens: Sequence[Heard], *, source: Source) -> list[tuple[UUID, UUID]]:
    """Writes down what is new, and returns it as pairs of person and listen. Raises Invalid for a wrong time or track.

    A listen is known when it is there with the same track and second, or from another source with the same track that
    began less than the track's length before or after, or from the same source less than `apart` before or after,
    whichever is told first: nobody hears a track twice at a time. A listen of a duplicate is one of the track that
    stays. What people heard in a room is only kept of those who agreed to it, and of a track that is for them.
    """
    tracks = await _known_tracks(db, listens)
    hidden = await _hidden(db, listens, tracks)
    if source in _HEARD_HERE:
        listens = [heard for heard in listens if (heard.user_id, heard.track_id) not in hidden]
    _check(listens, tracks, hidden)
    willing = await _lock_listeners(db, {heard.user_id for heard in listens}, in_room=source == "room")
    rows = [_row(heard, tracks[heard.track_id]) for heard in listens if heard.user_id in willing]
    new = await _insert(db, rows, source) if rows else []
    listens_of = [(user_id, listen_id) for user_id, listen_id, _ in new]
    if new:
        listeners, _, heard_tracks = zip(*new, strict=True)
        await add_counts(db, people=Counter(listeners), tracks=Counter(heard_tracks))
        await emit(db, ListensRecorded(source=source, listens=listens_of))
    return listens_of


async def add_counts(db: Writer, *, people: Counter[UUID], tracks: Counter[UUID]) -> None:
    """Keeps the counters of the people, whose rows the caller has locked, and those of the tracks."""
    await db.records(_COUNT, [list(people), list(people.values()), list(tracks), list(tracks.values())])


def near(listened_at: datetime, duration_ms: int | None) -> tuple[UUID, UUID]:
    """The ids between which another report is of the same listen: it began less than a track's length away."""
    length = MINUTES_UNKNOWN if duration_ms is None else timedelta(milliseconds=duration_ms)
    return uuid7_end(listened_at - length), uuid7_start(listened_at + length)


async def _known_tracks(db: Writer, listens: Iterable[Heard]) -> dict[UUID, KnownTrack]:
    known = await KNOWN_TRACKS.all(db, ids=list({heard.track_id for heard in listens}))
    return {track.named_id: track for track in known}


async def _hidden(
    db: Writer, listens: Iterable[Heard], tracks: dict[UUID, KnownTrack]
) -> set[tuple[UUID | None, UUID]]:
    """Who of these may not hear what: nobody may where all is public, which costs nothing then."""
    private = {track.named_id for track in tracks.values() if not track.is_public}
    wanted: set[tuple[UUID | None, UUID]] = {
        (heard.user_id, heard.track_id) for heard in listens if heard.track_id in private
    }
    return wanted - await may_hear(db, list(wanted))


def _check(
    listens: Sequence[Heard], tracks: dict[UUID, KnownTrack], hidden: Collection[tuple[UUID | None, UUID]]
) -> None:
    now = datetime.now(UTC)
    faults = []
    for place, heard in enumerate(listens):
        if not is_plausible(heard.listened_at, now):
            detail = "A listen is not in the future, and not before 2002."
            faults.append(Fault(pointer=f"/body/listens/{place}/listened_at", detail=detail, code="out_of_range"))
        if heard.track_id not in tracks or (heard.user_id, heard.track_id) in hidden:
            detail = "There is no such track."
            faults.append(Fault(pointer=f"/body/listens/{place}/track_id", detail=detail, code="unknown_id"))
    if faults:
        raise Invalid(faults[0].detail, faults=faults)


async def _lock_listeners(db: Writer, people: set[UUID], *, in_room: bool) -> set[UUID]:
    """Those whose listens may be kept: nobody who left, and in rooms only those who agreed."""
    return {row["user_id"] for row in await db.records(_LOCK_LISTENERS, [list(people), in_room])}


def _row(heard: Heard, track: KnownTrack) -> tuple[object, ...]:
    moment = whole_second(heard.listened_at)
    identifier = listen_id(heard.user_id, track.track_id, moment)
    said = (heard.client, heard.played_ms, heard.room_id)
    return heard.user_id, identifier, track.track_id, moment, *said, *near(moment, track.duration_ms), heard.apart


async def _insert(db: Writer, rows: Sequence[tuple[object, ...]], source: Source) -> list[tuple[UUID, UUID, UUID]]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    return [tuple(row) for row in await db.records(_INSERT, [*columns[:7], source, *columns[7:]])]
