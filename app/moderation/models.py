"""What admins did."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Row

__all__ = ["AuditEntry"]


class AuditEntry(Row):
    """One action of an admin, written in the transaction that it tells of. `subject` names what it was done to."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_actor_id_id", "actor_id", "id"),)

    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]]
