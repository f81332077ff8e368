"""Reviews, lists of them, the album page, and what is said of what is not there."""

import asyncio
from typing import Any
from uuid import UUID

from app.catalog.models import Album
from app.catalog.queries import ALBUM, PLACES
from app.catalog.service import explain_absence, viewer_of
from app.core.auth import Principal
from app.core.db import Reader
from app.core.errors import NotFound
from app.core.paging import Page, PageRequest, Sheet
from app.reviews.queries import (
    ALBUM_REVIEWS,
    ALBUM_REVIEWS_RATED,
    DRAFTS,
    EVERYBODYS_REVIEWS,
    FOLLOWED_REVIEWS,
    OWN_REVIEW,
    REVIEW,
    REVISIONS,
    USER_FAVORITES,
    USER_REVIEWS,
)
from app.reviews.schemas import ReviewCard, Revision, Sort
from app.reviews.threads import READABLE_COMMENT
from app.users.service import open_person

__all__ = [
    "get_album_page",
    "get_review",
    "list_album_reviews",
    "list_drafts",
    "list_followed_reviews",
    "list_reviews",
    "list_revisions",
    "list_user_reviews",
    "require_comment",
    "require_review",
]


async def get_review(db: Reader, actor: Principal | None, review_id: UUID) -> ReviewCard:
    """A review that the actor may read. Raises NotFound."""
    review = await REVIEW.first(db, review_id=review_id, viewer=viewer_of(actor))
    if review is None:
        raise NotFound("There is no such review.")
    return review


async def require_review(db: Reader, actor: Principal | None, review_id: UUID) -> None:
    """An empty list may mean that the review is not there or hidden. Raises NotFound then."""
    await get_review(db, actor, review_id)


async def require_comment(db: Reader, actor: Principal | None, comment_id: UUID) -> None:
    """An empty list may mean that the comment is not there or hidden. Raises NotFound then."""
    if await READABLE_COMMENT.first(db, comment_id=comment_id, viewer=viewer_of(actor)) is None:
        raise NotFound("There is no such comment.")


async def get_album_page(db: Reader, actor: Principal | None, album_id: UUID) -> dict[str, Any]:
    """An album with the actor's own review: the fields of an AlbumPage. Raises NotFound, Merged."""
    wanted = ALBUM.plain(db, album_id=album_id, viewer=viewer_of(actor))
    if actor is None:
        album, mine = await wanted, None
    else:
        own = OWN_REVIEW.plain(db, album_id=album_id, viewer=actor.user_id)
        album, mine = await asyncio.gather(wanted, own)
    return (album or await explain_absence(db, Album, album_id, actor=actor)) | {"my_review": mine}


async def list_album_reviews(
    db: Reader, actor: Principal | None, album_id: UUID, *, sort: Sort, rating: int | None, page: PageRequest
) -> Sheet:
    """Reviews of an album, or of the one that it was merged into. Raises NotFound."""
    parameters: dict[str, Any] = {"viewer": viewer_of(actor), "most": page.limit + 1} | (
        {"rating": rating} if rating else {}
    )
    reviews = ALBUM_REVIEWS_RATED[sort] if rating else ALBUM_REVIEWS[sort]
    found = await reviews.sheet(db, page, album_id=album_id, **parameters)
    if found.items:
        return found
    album = await PLACES[Album].first(db, id=album_id, viewer=viewer_of(actor))
    if album is None:
        raise NotFound("There is no such album.")
    return found if album.kept_id is None else await reviews.sheet(db, page, album_id=album.kept_id, **parameters)


async def list_user_reviews(
    db: Reader, actor: Principal | None, username: str, *, sort: Sort, favorites: bool, page: PageRequest
) -> Sheet:
    """Reviews of a person. Raises NotFound, ProfileRestricted."""
    reviews = USER_FAVORITES[sort] if favorites else USER_REVIEWS[sort]
    most = page.limit + 1
    found = await reviews.sheet(db, page, username_key=username.lower(), viewer=viewer_of(actor), most=most)
    if not found.items:
        await open_person(db, actor, username)
    return found


async def list_reviews(db: Reader, actor: Principal | None, *, sort: Sort, page: PageRequest) -> Sheet:
    """Everybody's reviews."""
    return await EVERYBODYS_REVIEWS[sort].sheet(db, page, viewer=viewer_of(actor))


async def list_followed_reviews(db: Reader, actor: Principal, page: PageRequest) -> Sheet:
    """Reviews of the people whom the actor follows, the newest first."""
    return await FOLLOWED_REVIEWS.sheet(db, page, viewer=actor.user_id, most=page.limit + 1)


async def list_drafts(db: Reader, actor: Principal, page: PageRequest) -> Page[ReviewCard]:
    """The actor's drafts, the newest first."""
    return await DRAFTS.page(db, page, viewer=actor.user_id)


async def list_revisions(db: Reader, actor: Principal | None, review_id: UUID, page: PageRequest) -> Page[Revision]:
    """What a review said before, the latest first. Raises NotFound."""
    found = await REVISIONS.page(db, page, review_id=review_id, viewer=viewer_of(actor))
    if not found.items:
        await require_review(db, actor, review_id)
    return found
