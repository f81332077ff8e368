"""What people say under tracks, also about a moment of one.

Whoever writes or erases a comment has locked the track first, so that its count is exact. Editing, erasing, liking and
replies are the same for all comments and lie with the reviews, which are above.
"""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, bindparam, exists, func, select, update
from sqlalchemy.orm import aliased

from app.catalog.events import TrackCommented
from app.catalog.hearing import heard_by
from app.catalog.models import Track
from app.catalog.queries import pair_table
from app.catalog.service import require, viewer_of
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import Invalid, NotFound
from app.core.jobs import emit
from app.core.paging import Page, PageRequest
from app.core.query import PageQuery
from app.reactions.comments import write_comment
from app.reactions.models import Comment
from app.reactions.queries import COMMENT, threads
from app.reactions.schemas import CommentCard, NewTrackComment, Thread
from app.reactions.service import Target
from app.users.queries import VIEWER, not_blocked

__all__ = [
    "ThreadSort",
    "comment_on_track",
    "hold_commented_tracks",
    "list_track_comments",
    "move_comments",
    "recount_comments",
    "under_open_track",
]

ThreadSort = Literal["old", "new", "position"]

_TRACK_ID = bindparam("track_id", type_=Uuid)
_OPEN = exists().where(Track.id == _TRACK_ID, heard_by())
_HERE = threads().where(Comment.track_id == _TRACK_ID, _OPEN)
_THREADS: dict[ThreadSort, PageQuery[Thread]] = {
    "old": PageQuery(_HERE, into=Thread, order=[Comment.id], ascending=True),
    "new": PageQuery(_HERE, into=Thread, order=[Comment.id]),
    "position": PageQuery(
        _HERE.where(Comment.position_ms.is_not(None)),
        into=Thread,
        order=[Comment.position_ms, Comment.id],
        ascending=True,
    ),
}
_TRACK = select(Track).where(Track.id == _TRACK_ID, Track.merged_into_id.is_(None), heard_by())
_PARENT = select(Comment).where(
    Comment.id == bindparam("comment_id", type_=Uuid),
    Comment.track_id == _TRACK_ID,
    Comment.deleted_at.is_(None),
    not_blocked(Comment.user_id),
)


def under_open_track(comment: Any = Comment, viewer: ColumnElement[Any] = VIEWER) -> ColumnElement[bool]:
    """The comment stands under a track that the viewer may hear."""
    track = aliased(Track)
    return exists().where(track.id == comment.track_id, heard_by(track, viewer))


async def comment_on_track(db: Writer, actor: Principal, track_id: UUID, new: NewTrackComment) -> CommentCard:
    """Comments on a track, or replies to a comment there.

    Raises NotFound, Merged, Invalid for a moment behind its end.
    """
    track = await _held(db, actor, track_id)
    parent = await _parent(db, actor, track_id, new.parent_id) if new.parent_id else None
    _check_moment(new, track)
    comment_id = await write_comment(
        db,
        actor.user_id,
        Target(track_id=track_id),
        text=new.text,
        parent_id=(parent.parent_id or parent.id) if parent else None,
        position_ms=new.position_ms,
    )
    track.comment_count += 1
    thread_id = parent.id if parent else None
    await emit(db, TrackCommented(comment_id=comment_id, track_id=track_id, user_id=actor.user_id, parent_id=thread_id))
    card = await COMMENT.first(db, comment_id=comment_id, viewer=actor.user_id)
    assert card is not None, "it was just written"
    return card


async def list_track_comments(
    db: Reader, actor: Principal | None, track_id: UUID, *, sort: ThreadSort, page: PageRequest
) -> Page[Thread]:
    """Comments on the track, each with its first replies; by position only those about a moment.

    Raises NotFound, Merged.
    """
    found = await _THREADS[sort].page(db, page, track_id=track_id, viewer=viewer_of(actor))
    if not found.items:
        await require(db, Track, track_id, "/comments", actor=actor)
    return found


async def hold_commented_tracks(db: Writer, comment_ids: Sequence[UUID]) -> list[UUID]:
    """Locks the tracks under which these comments stand."""
    under = select(Comment.track_id).where(Comment.id.in_(comment_ids), Comment.track_id.is_not(None)).distinct()
    while track_ids := sorted(filter(None, await db.all(under))):
        async with db.begin_nested() as held:
            locked = select(Track.id).where(Track.id.in_(track_ids)).order_by(Track.id)
            await db.all(locked.with_for_update(key_share=True))
            if track_ids == sorted(filter(None, await db.all(under))):
                break
            # moved to another track while we waited: let go, since to hold one more now could be crosswise
            await held.rollback()
    return track_ids


async def recount_comments(db: Writer, track_ids: Sequence[UUID]) -> None:
    """Counts the comments of locked tracks anew."""
    left = select(func.count()).where(Comment.track_id == Track.id, Comment.deleted_at.is_(None)).scalar_subquery()
    counted = update(Track).where(Track.id.in_(track_ids)).values(comment_count=left)
    await db.execute(counted, execution_options={"synchronize_session": False})


async def move_comments(db: Writer, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """What was said of the first of a pair is said of the second."""
    ids = {track_id for pair in pairs for track_id in pair}
    await db.execute(select(Track.id).where(Track.id.in_(ids)).order_by(Track.id).with_for_update(key_share=True))
    moves = pair_table(pairs)
    moved = update(Comment).where(Comment.track_id == moves.c.duplicate).values(track_id=moves.c.kept)
    await db.execute(moved, execution_options={"synchronize_session": False})
    await recount_comments(db, list(ids))


async def _held(db: Writer, actor: Principal, track_id: UUID) -> Track:
    """The track, under which nobody else says something meanwhile; it can be heard and liked."""
    track = await db.scalar(_TRACK.with_for_update(key_share=True, of=Track), _asked(actor, track_id))
    if track is None:
        await require(db, Track, track_id, "/comments", actor=actor)
        raise NotFound("There is no such track.")
    return track


def _asked(actor: Principal, track_id: UUID) -> dict[str, UUID]:
    return {"track_id": track_id, "viewer": actor.user_id}


async def _parent(db: Writer, actor: Principal, track_id: UUID, parent_id: UUID) -> Comment:
    parent = await db.scalar(_PARENT, {"comment_id": parent_id, **_asked(actor, track_id)})
    if parent is None:
        raise NotFound("There is no such comment on this track.")
    return parent


def _check_moment(new: NewTrackComment, track: Track) -> None:
    if new.position_ms is None:
        return
    if new.parent_id is not None:
        raise Invalid.field("/body/position_ms", "A reply stands where its comment stands. Leave it out.", "of_reply")
    if track.duration_ms is not None and new.position_ms > track.duration_ms:
        raise Invalid.field("/body/position_ms", f"The track ends at {track.duration_ms}.", "out_of_range")
