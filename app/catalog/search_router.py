"""Search."""

from typing import Annotated

from fastapi import Query

from app.catalog.schemas import Kind, SearchResults
from app.catalog.search import search
from app.core.auth import MaybeUser
from app.core.http import ReadDB, Router
from app.core.limits import limited
from app.core.schemas import Line

__all__ = ["router"]

router = Router(prefix="/search", tags=["search"])


@router.get("", summary="Search", dependencies=[limited("search", 300, 60)])
async def search_everything(
    db: ReadDB,
    actor: MaybeUser,
    *,
    q: Annotated[Line, Query(min_length=1, max_length=200, description="What is typed", examples=["abey road"])],
    kind: Annotated[Kind | None, Query(description="Only artists, albums, tracks or people")] = None,
    limit: Annotated[int, Query(ge=1, le=50, description="Most hits to answer")] = 20,
) -> SearchResults:
    """Artists, albums, tracks and people whose names have words that begin so, the best first.

    Accents and case do not matter. Words that lead nowhere are taken for typos: `corrected` says what was searched for.
    """
    return await search(db, actor, q=q, kind=kind, limit=limit)
