"""What happens in groups that others want to know."""

from uuid import UUID

from app.core.jobs import Event

__all__ = ["GroupInvited"]


class GroupInvited(Event):
    """A member invited somebody."""

    invite_id: UUID
    group_id: UUID
    user_id: UUID
    invited_by_id: UUID
