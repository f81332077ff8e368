"""What happens to listens."""

from uuid import UUID

from app.core.jobs import Event
from app.library.schemas import Source

__all__ = ["ListensRecorded"]


class ListensRecorded(Event):
    """People heard tracks: the new listens of one batch as pairs of person and listen."""

    source: Source
    listens: list[tuple[UUID, UUID]]
