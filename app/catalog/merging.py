"""Soft merges: the duplicate stays as a sign that leads to the one that is kept."""

from collections.abc import Sequence
from math import inf
from typing import TypeVar
from uuid import UUID

from sqlalchemy import and_, or_, select, update

from app.catalog.albums import count_tracks
from app.catalog.artists import count_albums
from app.catalog.events import AlbumsMerged, ArtistsMerged, TracksMerged
from app.catalog.external_ids import take_over
from app.catalog.locking import MERGE, editable, hold_albums_of, referred, refuse, unknown
from app.catalog.models import Album, Artist, Entity, Track
from app.catalog.queries import pair_table
from app.catalog.schemas import AlbumDetails, ArtistDetails, TrackDetails
from app.catalog.search_index import index, index_works_of, unindex
from app.catalog.service import GENRES_KEY, get_album, get_artist, get_track
from app.catalog.successors import tracks_give_way
from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import Invalid
from app.core.holds import hold
from app.core.jobs import emit

__all__ = ["merge_albums", "merge_artists", "merge_tracks"]

E = TypeVar("E", bound=Artist | Album | Track)
_SQL_ONLY = {"synchronize_session": False}


async def merge_artists(db: Writer, duplicate_id: UUID, into: UUID) -> ArtistDetails:
    """All works of the duplicate become those of the kept one. Raises NotFound, IsDuplicate, Invalid.

    Of two albums of the same name that one person has uploaded recordings to, one stays.
    """
    await _alone(db)
    of_duplicate, of_both = Album.artist_id == duplicate_id, Album.artist_id.in_([duplicate_id, into])
    leading = Album.merged_into_id.in_(select(Album.id).where(of_duplicate))
    await db.execute(select(Album.id).where(or_(of_both, leading)).order_by(Album.id).with_for_update())
    duplicate, kept = await _pair(db, Artist, duplicate_id, into)
    await take_over(db, [(duplicate, kept)], also=("genres", "image_key"))
    theirs = select(Track.id).where(Track.artist_id == duplicate_id)
    await db.execute(theirs.order_by(Track.id).with_for_update(key_share=True))
    joined = await _join_uploaded(db, duplicate_id, into)
    # who may upload to an artist only once to an album of one name keeps what is joined where it was: it leads on
    await db.execute(update(Album).where(of_duplicate, Album.id.not_in(joined)).values(artist_id=into))
    await db.execute(update(Track).where(Track.artist_id == duplicate_id).values(artist_id=into))
    await _redirect(db, Artist, [(duplicate_id, into)])
    await count_albums(db, [duplicate_id, into])
    await emit(db, ArtistsMerged(duplicate_id=duplicate_id, kept_id=into))
    await index_works_of(db, into)
    return await get_artist(db, into)


async def merge_albums(db: Writer, actor: Principal, duplicate_id: UUID, into: UUID) -> AlbumDetails:
    """Tracks that the kept album lacks move there; the others are merged. Raises NotFound, IsDuplicate, Invalid."""
    await _alone(db)
    duplicate, kept = await _pair(db, Album, duplicate_id, into)
    await referred(db, Artist, dict.fromkeys([duplicate.artist_id, kept.artist_id], ""))
    await take_over(db, [(duplicate, kept)], also=("year", "release_date", "label", "genres", "cover_key"))
    await _unite_tracks(db, duplicate_id, into)
    await _redirect(db, Album, [(duplicate_id, into)])
    await count_albums(db, {duplicate.artist_id, kept.artist_id})
    await count_tracks(db, [duplicate_id, into])
    await emit(db, AlbumsMerged(duplicate_id=duplicate_id, kept_id=into))
    db.stale += [GENRES_KEY]
    return await get_album(db, actor, into)


async def merge_tracks(db: Writer, actor: Principal, duplicate_id: UUID, into: UUID) -> TrackDetails:
    """The kept track takes the duplicate's place on an album if it has none. Raises NotFound, IsDuplicate, Invalid."""
    await _alone(db)
    albums = await hold_albums_of(db, [duplicate_id, into])
    duplicate, kept = await _pair(db, Track, duplicate_id, into)
    if kept.album_id is None:
        kept.album_id, kept.disc, kept.position = duplicate.album_id, duplicate.disc, duplicate.position
    await _absorb(db, [(duplicate, kept)])
    await count_tracks(db, albums)
    db.stale.append(GENRES_KEY)
    return await get_track(db, actor, into)


async def _alone(db: Writer) -> None:
    """One merge at a time: what leads to a duplicate changes with it, so all of that is known, and locked in order."""
    await hold(db, *MERGE)


async def _pair(db: Writer, entity: type[E], duplicate_id: UUID, into: UUID) -> tuple[E, E]:
    """Both rows, locked with those that lead to the duplicate.

    Raises NotFound or IsDuplicate about the duplicate, Invalid about the one to keep.
    """
    if duplicate_id == into:
        raise Invalid.field("/body/into", "Name another one than the duplicate itself.", "same")
    both = and_(entity.id.in_([duplicate_id, into]), editable(entity))
    there = select(entity).where(or_(both, entity.merged_into_id == duplicate_id))
    # all for good at once: whoever holds a weaker lock first and then wants this one waits for those who want his
    held = await db.all(there.order_by(entity.id).with_for_update())
    rows: dict[UUID, E] = {row.id: row for row in held if row.merged_into_id is None}
    if duplicate_id not in rows:
        await refuse(db, entity, duplicate_id)
    if into not in rows:
        raise unknown(entity, "/body/into")
    return rows[duplicate_id], rows[into]


async def _join_uploaded(db: Writer, duplicate_id: UUID, into: UUID) -> set[UUID]:
    """Joins a person's albums of the same name, which an artist has once. The duplicates among them."""
    there = select(Album).where(Album.artist_id.in_([duplicate_id, into]), Album.owner_id.is_not(None))
    albums = await db.all(there.where(Album.merged_into_id.is_(None)).order_by(Album.id))
    stay = {(album.owner_id, album.title_key): album for album in albums if album.artist_id == into}
    of_duplicate = [album for album in albums if album.artist_id == duplicate_id]
    same = [(it, stay[key]) for it in of_duplicate if (key := (it.owner_id, it.title_key)) in stay]
    if not same:
        return set()
    await take_over(db, same, also=("year", "release_date", "label", "genres", "cover_key"))
    for album, kept in same:
        kept.listed |= album.listed
    pairs = [(album.id, kept.id) for album, kept in same]
    await _append_tracks(db, pairs)
    await _redirect(db, Album, pairs)
    await count_tracks(db, [album_id for pair in pairs for album_id in pair])
    for gone, stays in pairs:
        await emit(db, AlbumsMerged(duplicate_id=gone, kept_id=stays))
    db.stale += [GENRES_KEY]
    return {gone for gone, _ in pairs}


async def _append_tracks(db: Writer, pairs: list[tuple[UUID, UUID]]) -> None:
    """Behind the last one, also of the same name: each is a recording, and its owner says who hears which."""
    goes_to = dict(pairs)
    on_both = select(Track).where(Track.album_id.in_([*goes_to, *goes_to.values()]))
    tracks = sorted(await db.all(on_both), key=lambda track: (track.disc, track.position or inf, track.id))
    last = {track.album_id: (track.disc, track.position or 0) for track in tracks if track.album_id not in goes_to}
    for track in tracks:
        if track.album_id in goes_to:
            track.album_id = goes_to[track.album_id]
            disc, position = last.get(track.album_id, (1, 0))
            last[track.album_id] = track.disc, track.position = disc, position + 1
    await db.flush()


async def _unite_tracks(db: Writer, duplicate_id: UUID, into: UUID) -> None:
    """A track of the same name is the same track; the others go behind the last one."""
    of_duplicate = select(Track.id).where(Track.album_id == duplicate_id)
    touched = or_(Track.album_id.in_([duplicate_id, into]), Track.merged_into_id.in_(of_duplicate))
    held = await db.all(select(Track).where(touched).order_by(Track.id).with_for_update())
    tracks = sorted(
        (track for track in held if track.merged_into_id is None),
        key=lambda track: (track.disc, track.position or inf, track.id),
    )
    kept = {track.title_key: track for track in tracks if track.album_id == into}
    last = max(((track.disc, track.position or 0) for track in kept.values()), default=(1, 0))
    same: list[tuple[Track, Track]] = []
    for track in tracks:
        if track.album_id == into:
            continue
        if track.title_key in kept:
            same.append((track, kept[track.title_key]))
        else:
            last = last[0], last[1] + 1
            track.album_id, (track.disc, track.position) = into, last
    await _absorb(db, same)


async def _absorb(db: Writer, pairs: Sequence[tuple[Track, Track]]) -> None:
    """The kept tracks take what they lack; likes move in a job."""
    await take_over(db, pairs, also=("duration_ms", "genres", "popularity", "valence", "energy", "tempo"))
    for duplicate, _ in pairs:
        duplicate.album_id = duplicate.position = None
    await db.flush()
    ids = [(duplicate.id, kept.id) for duplicate, kept in pairs]
    await _redirect(db, Track, ids)
    if ids:
        await tracks_give_way(db, ids)
        await emit(db, TracksMerged(pairs=ids))


async def _redirect(db: Writer, entity: Entity, pairs: list[tuple[UUID, UUID]]) -> None:
    """Leads from the duplicates, and from what was merged into them before, to the kept ones."""
    ids = pair_table(pairs)
    leads = or_(entity.id == ids.c.duplicate, entity.merged_into_id == ids.c.duplicate)
    await db.execute(update(entity).where(leads).values(merged_into_id=ids.c.kept), execution_options=_SQL_ONLY)
    await unindex(db, [duplicate for duplicate, _ in pairs])
    await index(db, entity, [kept for _, kept in pairs])
