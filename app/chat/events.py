"""What happens in chat that others want to know."""

from uuid import UUID

from app.core.jobs import Event

__all__ = ["DirectMessagesSent", "PeopleMentioned"]


class PeopleMentioned(Event):
    """Messages that name people; the messages say whom. With `people`, those of them who have not heard of it."""

    channel_id: UUID
    message_ids: list[UUID]
    people: list[UUID] | None = None


class DirectMessagesSent(Event):
    """Messages in a conversation of two."""

    channel_id: UUID
    message_ids: list[UUID]
