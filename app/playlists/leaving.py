"""What becomes of the playlists of people who leave SoundScore, or who block each other."""

from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select, update

from app.core.db import Database, Writer
from app.playlists.members import give_to, take_out
from app.playlists.models import Playlist, PlaylistActivity, PlaylistEntry, PlaylistMember
from app.playlists.service import close_playlist
from app.playlists.standing import Held, find_member, hold_alone, tell_of_changes

__all__ = ["forget_names", "leave_playlists", "part"]

BATCH = 500


async def leave_playlists(database: Database, user_id: UUID, *, keep_content: bool) -> None:
    """Takes the person out of all playlists, one transaction for each.

    Their own pass to the editor who has been there longest. Where there is none, a public one stays without an owner
    if they wanted that, and any other is deleted.
    """
    mine = select(PlaylistMember.playlist_id).where(PlaylistMember.user_id == user_id).limit(1)
    while (playlist_id := await database.reader.one(mine)) is not None:
        async with database.write() as db:
            await _leave(db, playlist_id, user_id, keep_content=keep_content)


async def forget_names(database: Database, user_id: UUID) -> None:
    """What the person added and did is nobody's from then on, and what was done to them nobody's either."""
    await _forget(database, PlaylistEntry, PlaylistEntry.added_by_id, user_id)
    await _forget(database, PlaylistActivity, PlaylistActivity.actor_id, user_id)
    await _forget(database, PlaylistActivity, PlaylistActivity.person_id, user_id)


async def part(database: Database, first_id: UUID, second_id: UUID) -> None:
    """Neither of two people works on playlists of the other."""
    theirs = or_(
        and_(Playlist.owner_id == first_id, PlaylistMember.user_id == second_id),
        and_(Playlist.owner_id == second_id, PlaylistMember.user_id == first_id),
    )
    shared = select(PlaylistMember.id).join(Playlist, Playlist.id == PlaylistMember.playlist_id).where(theirs).limit(1)
    while (member_id := await database.reader.one(shared)) is not None:
        async with database.write() as db:
            await _put_out(db, member_id)


async def _put_out(db: Writer, member_id: UUID) -> None:
    playlist_id = await db.one(select(PlaylistMember.playlist_id).where(PlaylistMember.id == member_id))
    if playlist_id is None:
        return
    await hold_alone(db, playlist_id)
    playlist = await db.one(select(Playlist).where(Playlist.id == playlist_id))
    member = await db.one(select(PlaylistMember).where(PlaylistMember.id == member_id))
    if playlist is not None and member is not None and playlist.owner_id is not None and member.role != "owner":
        await take_out(db, Held(playlist, None, playlist.owner_id), member)


async def _leave(db: Writer, playlist_id: UUID, user_id: UUID, *, keep_content: bool) -> None:
    await hold_alone(db, playlist_id)
    playlist = await db.one(select(Playlist).where(Playlist.id == playlist_id))
    member = await find_member(db, playlist_id, user_id)
    if playlist is None or member is None:
        return
    held, was_owner = Held(playlist, member, user_id), member.role == "owner"
    await take_out(db, held, member)
    await db.flush()  # there is one owner at any time
    if not was_owner:
        return
    editors = select(PlaylistMember).filter_by(playlist_id=playlist_id, role="editor", state="accepted")
    heir = await db.one(editors.order_by(PlaylistMember.joined_at, PlaylistMember.id).limit(1))
    if heir is not None:
        await give_to(db, held, heir)
    elif keep_content and playlist.visibility == "public":
        playlist.owner_id = None
        await tell_of_changes(db, playlist, actor_id=None)
    else:
        await close_playlist(db, playlist, actor_id=None)


async def _forget(database: Database, table: Any, column: Any, user_id: UUID) -> None:
    more = True
    while more:
        async with database.write() as db:
            ids = await db.all(select(table.id).where(column == user_id).order_by(table.id).limit(BATCH))
            await db.execute(update(table).where(table.id.in_(ids)).values({column.key: None}))
        more = bool(ids)
