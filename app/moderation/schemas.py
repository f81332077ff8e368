"""Shapes of what admins see and send."""

from typing import Any
from uuid import UUID

from pydantic import Field

from app.core.auth import Role
from app.core.schemas import Input, Output, Timestamp
from app.users.schemas import PersonCard

__all__ = ["AuditItem", "DeadLetterItem", "JobDepth", "JobQueue", "RoleChange", "RoleState"]


class DeadLetterItem(Output):
    """A job that failed too often. `payload` is what it was given, as JSON."""

    id: UUID
    job: str = Field(examples=["auth.mails.send_mail"])
    payload: str
    error_type: str = Field(examples=["ConnectionRefusedError"])
    error: str
    tries: int
    created_at: Timestamp
    failed_at: Timestamp


class JobDepth(Output):
    """How many jobs of a kind there are. `oldest_due_at` tells how far the workers are behind."""

    job: str = Field(examples=["feed.handlers.spread_review"])
    due: int
    delayed: int
    running: int
    dead: int
    oldest_due_at: Timestamp | None


class JobQueue(Output):
    """All kinds of jobs of which there are any, the most first."""

    due: int
    delayed: int
    running: int
    dead: int
    jobs: list[JobDepth]


class RoleChange(Input):
    """The new role."""

    role: Role = Field(examples=["curator"])


class RoleState(Output):
    """The role that the person has now."""

    username: str
    role: Role


class AuditItem(Output):
    """What an admin did, to what, and how it was before. `actor` is null once their account is gone."""

    id: UUID
    action: str = Field(examples=["role_changed"])
    subject: str = Field(examples=["bruno"])
    detail: dict[str, Any] = Field(examples=[{"from": "user", "to": "curator"}])
    created_at: Timestamp
    actor: PersonCard | None
