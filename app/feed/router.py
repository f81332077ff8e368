"""The feed over HTTP."""

from app.core.auth import CurrentUser
from app.core.errors import Forbidden, Unauthorized, problems
from app.core.http import ReadDB, Router
from app.core.paging import Paged, Sheet
from app.feed import service
from app.feed.schemas import FeedPage

__all__ = ["router"]

router = Router(prefix="/feed", tags=["feed"])


@router.get("", response_model=FeedPage, summary="My feed", responses=problems(Unauthorized, Forbidden))
async def get_feed(db: ReadDB, actor: CurrentUser, page: Paged) -> Sheet:
    """What you and the people you follow did: reviews, favourites, follows; the newest first.

    While you follow nobody it is what everyone did, and `source` says so. It goes back about 5,000 entries.
    """
    return await service.get_feed(db, actor, page)
