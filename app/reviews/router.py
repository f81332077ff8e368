"""Reviews, their comments and likes, and the album page."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path, Query, Response

from app.catalog.service import Merged
from app.core.auth import CurrentUser, MaybeUser
from app.core.errors import Forbidden, NotFound, Unauthorized, problems
from app.core.etags import NOT_MODIFIED, IfNoneMatch, tagged
from app.core.http import ReadDB, Router, WriteDB
from app.core.limits import limited
from app.core.paging import Page, Paged, Sheet
from app.reactions.schemas import CommentCard, Liked, Thread
from app.reviews import comments as talk
from app.reviews import likes, reading, service
from app.reviews.schemas import (
    AlbumPage,
    CommentEdit,
    NewComment,
    NewReview,
    Rating,
    ReviewCard,
    ReviewEdit,
    Revision,
    Sort,
)
from app.reviews.service import AlbumMerged, AlreadyPublished, ReviewExists, ReviewIsDraft
from app.users.schemas import USERNAME, PersonCard
from app.users.service import ProfileRestricted

__all__ = ["albums", "comments", "router"]

router = Router(tags=["reviews"])
comments = Router(tags=["comments"])
albums = Router(tags=["albums"])

SIGNED_IN = problems(Unauthorized, Forbidden)
OWN = problems(Unauthorized, Forbidden, NotFound)
PUBLISHED = problems(Unauthorized, Forbidden, NotFound, ReviewIsDraft)
WRITES = [limited("reviews.write", 60, 60)]
TALKS = [limited("comments.write", 60, 60)]
LIKES = [limited("reviews.like", 240, 60)]

Username = Annotated[str, Path(pattern=USERNAME, description="Case does not matter", examples=["ana"])]
SortedBy = Annotated[Sort, Query(description="The newest, the most liked or the best rated first")]


@albums.get(
    "/albums/{album_id}",
    summary="An album's page",
    response_model=AlbumPage,
    responses={**problems(NotFound, Merged), **NOT_MODIFIED},
)
async def get_album(album_id: UUID, db: ReadDB, actor: MaybeUser, known: IfNoneMatch = None) -> Response:
    """Details, tracks, how it was rated, and your own review. A duplicate redirects to the album that stays."""
    return tagged(await reading.get_album_page(db, actor, album_id), known)


@router.get(
    "/albums/{album_id}/reviews",
    response_model=Page[ReviewCard],
    summary="Reviews of an album",
    responses=problems(NotFound),
)
async def list_album_reviews(
    album_id: UUID,
    db: ReadDB,
    actor: MaybeUser,
    page: Paged,
    *,
    sort: SortedBy = "new",
    rating: Annotated[Rating | None, Query(description="Only those with this rating")] = None,
) -> Sheet:
    """Those that you may read, without people whom you muted."""
    return await reading.list_album_reviews(db, actor, album_id, sort=sort, rating=rating, page=page)


@router.get(
    "/users/{username}/reviews",
    response_model=Page[ReviewCard],
    summary="Reviews of a person",
    responses=problems(NotFound, ProfileRestricted),
)
async def list_user_reviews(
    username: Username,
    db: ReadDB,
    actor: MaybeUser,
    page: Paged,
    *,
    sort: SortedBy = "new",
    favorites: Annotated[bool, Query(description="Only their favourites")] = False,
) -> Sheet:
    """What the person published; drafts are at `/reviews/drafts`."""
    return await reading.list_user_reviews(db, actor, username, sort=sort, favorites=favorites, page=page)


@router.post(
    "/reviews",
    summary="Review an album",
    status_code=201,
    responses=problems(Unauthorized, Forbidden, NotFound, ReviewExists, AlbumMerged),
    dependencies=WRITES,
)
async def create_review(new: NewReview, db: WriteDB, actor: CurrentUser) -> ReviewCard:
    """Publishes a review, or keeps a draft that only you see. There is one for each person and album: if you have one,
    the 409 names it as `existing_id`. Ratings count half stars, 1 to 10."""
    return await service.create_review(db, actor, new)


@router.get("/reviews", response_model=Page[ReviewCard], summary="Reviews of everybody")
async def list_reviews(db: ReadDB, actor: MaybeUser, page: Paged, *, sort: SortedBy = "new") -> Sheet:
    """Those that you may read, without people whom you muted."""
    return await reading.list_reviews(db, actor, sort=sort, page=page)


@router.get(
    "/reviews/following",
    response_model=Page[ReviewCard],
    summary="Reviews of people whom you follow",
    responses=SIGNED_IN,
)
async def list_followed_reviews(db: ReadDB, actor: CurrentUser, page: Paged) -> Sheet:
    """The newest first."""
    return await reading.list_followed_reviews(db, actor, page)


@router.get("/reviews/drafts", summary="Your drafts", responses=SIGNED_IN)
async def list_drafts(db: ReadDB, actor: CurrentUser, page: Paged) -> Page[ReviewCard]:
    """The newest first. Nobody else sees them."""
    return await reading.list_drafts(db, actor, page)


@router.get(
    "/reviews/{review_id}",
    summary="A review",
    response_model=ReviewCard,
    responses={**problems(NotFound), **NOT_MODIFIED},
)
async def get_review(review_id: UUID, db: ReadDB, actor: MaybeUser, known: IfNoneMatch = None) -> Response:
    """With its author, its album, its counts, and whether you like it."""
    return tagged(await reading.get_review(db, actor, review_id), known)


@router.patch(
    "/reviews/{review_id}",
    summary="Edit or publish a review",
    responses=problems(Unauthorized, Forbidden, NotFound, AlreadyPublished),
    dependencies=WRITES,
)
async def edit_review(review_id: UUID, edit: ReviewEdit, db: WriteDB, actor: CurrentUser) -> ReviewCard:
    """Changes what you send. A published review whose rating or text changes says `edited_at`, and what it said before
    stays in its revisions."""
    return await service.edit_review(db, actor, review_id, edit)


@router.delete("/reviews/{review_id}", summary="Delete a review", status_code=204, responses=OWN, dependencies=WRITES)
async def delete_review(review_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """With its revisions, comments and likes. Its author may, and admins, also where a block hides it from them."""
    await service.delete_review(db, actor, review_id)


@router.get("/reviews/{review_id}/revisions", summary="What a review said before", responses=problems(NotFound))
async def list_revisions(review_id: UUID, db: ReadDB, actor: MaybeUser, page: Paged) -> Page[Revision]:
    """The latest first, for everybody who may read the review."""
    return await reading.list_revisions(db, actor, review_id, page)


@router.put("/reviews/{review_id}/like", summary="Like a review", responses=PUBLISHED, dependencies=LIKES)
async def like_review(review_id: UUID, db: WriteDB, actor: CurrentUser) -> Liked:
    """Liking again changes nothing."""
    return await likes.like_review(db, actor, review_id)


@router.delete("/reviews/{review_id}/like", summary="Like a review no longer", responses=PUBLISHED, dependencies=LIKES)
async def unlike_review(review_id: UUID, db: WriteDB, actor: CurrentUser) -> Liked:
    """Doing so again changes nothing."""
    return await likes.unlike_review(db, actor, review_id)


@router.get("/reviews/{review_id}/likers", summary="Who likes a review", responses=problems(NotFound))
async def list_review_likers(review_id: UUID, db: ReadDB, actor: MaybeUser, page: Paged) -> Page[PersonCard]:
    """The latest first."""
    return await likes.list_likers(db, actor, review_id, page)


@comments.post(
    "/reviews/{review_id}/comments",
    summary="Comment on a review",
    status_code=201,
    responses=PUBLISHED,
    dependencies=TALKS,
)
async def create_comment(review_id: UUID, new: NewComment, db: WriteDB, actor: CurrentUser) -> CommentCard:
    """With `parent_id`, replies to a comment. There is one level: a reply to a reply joins the same thread, and the
    answer's `parent_id` says which."""
    return await talk.create_comment(db, actor, review_id, new)


@comments.get("/reviews/{review_id}/comments", summary="Comments on a review", responses=problems(NotFound))
async def list_comments(
    review_id: UUID,
    db: ReadDB,
    actor: MaybeUser,
    page: Paged,
    *,
    sort: Annotated[Literal["old", "new"], Query(description="The oldest or the newest first")] = "old",
) -> Page[Thread]:
    """Each with its first three replies. A deleted comment with replies is an empty place."""
    return await talk.list_comments(db, actor, review_id, sort=sort, page=page)


@comments.get("/comments/{comment_id}", summary="A comment", responses=problems(NotFound))
async def get_comment(comment_id: UUID, db: ReadDB, actor: MaybeUser) -> CommentCard:
    """`review_id` or `track_id` says where it stands, `parent_id` which comment it replies to."""
    return await talk.get_comment(db, actor, comment_id)


@comments.get("/comments/{comment_id}/replies", summary="Replies to a comment", responses=problems(NotFound))
async def list_replies(comment_id: UUID, db: ReadDB, actor: MaybeUser, page: Paged) -> Page[CommentCard]:
    """All of them, the oldest first."""
    return await talk.list_replies(db, actor, comment_id, page)


@comments.patch("/comments/{comment_id}", summary="Edit a comment", responses=OWN, dependencies=TALKS)
async def edit_comment(comment_id: UUID, edit: CommentEdit, db: WriteDB, actor: CurrentUser) -> CommentCard:
    """Its author may."""
    return await talk.edit_comment(db, actor, comment_id, edit)


@comments.delete(
    "/comments/{comment_id}", summary="Delete a comment", status_code=204, responses=OWN, dependencies=TALKS
)
async def delete_comment(comment_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """Its author, who owns what it stands under, and admins may. If it has replies, an empty place stays."""
    await talk.delete_comment(db, actor, comment_id)


@comments.put("/comments/{comment_id}/like", summary="Like a comment", responses=OWN, dependencies=LIKES)
async def like_comment(comment_id: UUID, db: WriteDB, actor: CurrentUser) -> Liked:
    """Liking again changes nothing."""
    return await likes.like_comment(db, actor, comment_id)


@comments.delete("/comments/{comment_id}/like", summary="Like a comment no longer", responses=OWN, dependencies=LIKES)
async def unlike_comment(comment_id: UUID, db: WriteDB, actor: CurrentUser) -> Liked:
    """Doing so again changes nothing."""
    return await likes.unlike_comment(db, actor, comment_id)
