"""Comments on tracks. What is done to a comment once it is there is the same for all, see the reviews' router."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from app.catalog import comments
from app.catalog.comments import ThreadSort
from app.catalog.service import Merged
from app.core.auth import CurrentUser, MaybeUser
from app.core.errors import Forbidden, Invalid, NotFound, Unauthorized, problems
from app.core.http import ReadDB, Router, WriteDB
from app.core.limits import limited
from app.core.paging import Page, Paged
from app.reactions.schemas import CommentCard, NewTrackComment, Thread

__all__ = ["track_comments"]

track_comments = Router(prefix="/tracks", tags=["comments"])


@track_comments.post(
    "/{track_id}/comments",
    summary="Comment on a track",
    status_code=201,
    responses=problems(Unauthorized, Forbidden, NotFound, Merged, Invalid),
    dependencies=[limited("comments.write", 60, 60)],
)
async def comment_on_track(track_id: UUID, new: NewTrackComment, db: WriteDB, actor: CurrentUser) -> CommentCard:
    """With `position_ms`, about a moment of it; with `parent_id`, a reply, which stands where its comment stands."""
    return await comments.comment_on_track(db, actor, track_id, new)


@track_comments.get("/{track_id}/comments", summary="Comments on a track", responses=problems(NotFound, Merged))
async def list_track_comments(
    track_id: UUID,
    db: ReadDB,
    actor: MaybeUser,
    page: Paged,
    *,
    sort: Annotated[
        ThreadSort, Query(description="The oldest or the newest first, or those about a moment by their position")
    ] = "old",
) -> Page[Thread]:
    """Each with its first three replies. A deleted comment with replies is an empty place."""
    return await comments.list_track_comments(db, actor, track_id, sort=sort, page=page)
