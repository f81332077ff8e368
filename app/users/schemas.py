"""Shapes of people."""

from uuid import UUID

from app.core.schemas import Output

__all__ = ["PersonCard"]


class PersonCard(Output):
    """A person as shown beside what they wrote."""

    id: UUID
    username: str
    display_name: str
    avatar_key: str | None
