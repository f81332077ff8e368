"""What happens in chat that others want to know."""

from uuid import UUID

from app.core.jobs import Event

__all__ = ["DirectMessagesSent", "PeopleMentioned"]


class PeopleMentioned(Event):
    """Messages that name people; the messages say whom."""

    channel_id: UUID
    message_ids: list[UUID]


class DirectMessagesSent(Event):
    """Messages in a conversation of two."""

    channel_id: UUID
    message_ids: list[UUID]
