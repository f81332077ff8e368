"""What happens to people."""

from uuid import UUID

from app.core.jobs import Event

__all__ = ["AccountDeleted", "Blocked", "Followed", "Muted", "PersonChanged", "Unfollowed"]


class PersonChanged(Event):
    """A person came, or changed their names or who may see them."""

    user_id: UUID


class Followed(Event):
    """One person follows another."""

    follower_id: UUID
    followed_id: UUID


class Unfollowed(Event):
    """One person no longer follows another."""

    follower_id: UUID
    followed_id: UUID


class Blocked(Event):
    """One person blocked another; neither follows the other any longer."""

    blocker_id: UUID
    blocked_id: UUID


class Muted(Event):
    """One person no longer wants to hear of another."""

    muter_id: UUID
    muted_id: UUID


class AccountDeleted(Event):
    """A person left. What they wrote stays without their name if `keep_content`, else its owners delete it."""

    user_id: UUID
    keep_content: bool
