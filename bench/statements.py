"""The statements of our own pages with known arguments: what their rows cost without everything around them."""

from typing import Any
from uuid import UUID

from app.catalog.queries import ALBUM
from app.core.paging import PageRequest
from app.feed.queries import FOLLOWING
from app.reviews.queries import ALBUM_REVIEWS, OWN_REVIEW
from app.users.queries import PERSON
from bench.data import Sample

__all__ = ["statements_of"]


def statements_of(sample: Sample, reader: UUID) -> dict[str, list[tuple[str, list[Any]]]]:
    """What each page runs: one row, an album with one's own review, a page of reviews, a page of a feed."""
    page = PageRequest(limit=20)
    return {
        "row": [PERSON.statement(key="person_1", viewer=reader)],
        "album": [
            ALBUM.statement(album_id=sample.album, viewer=reader),
            OWN_REVIEW.statement(album_id=sample.album, viewer=reader),
        ],
        "reviews": [ALBUM_REVIEWS["new"].page_statement(page, album_id=sample.album, viewer=reader, most=21)],
        "feed": [FOLLOWING.page_statement(page, viewer=sample.few)],
    }
