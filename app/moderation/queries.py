"""Reads of admins."""

from sqlalchemy import select

from app.core.jobs import DeadLetter
from app.core.query import PageQuery
from app.moderation.models import AuditEntry
from app.moderation.schemas import AuditItem, DeadLetterItem
from app.users.models import User

__all__ = ["AUDIT", "DEAD_LETTERS", "JOB_DEPTHS"]

DEAD_LETTERS = PageQuery(
    select(
        DeadLetter.id,
        DeadLetter.job,
        DeadLetter.payload,
        DeadLetter.error_type,
        DeadLetter.error,
        DeadLetter.tries,
        DeadLetter.created_at,
        DeadLetter.failed_at,
    ).where(DeadLetter.requeued_at.is_(None)),
    into=DeadLetterItem,
    order=[DeadLetter.id],
)

AUDIT = PageQuery(
    select(
        AuditEntry.id,
        AuditEntry.action,
        AuditEntry.subject,
        AuditEntry.detail,
        AuditEntry.created_at,
        User.id.label("actor__id"),
        User.username.label("actor__username"),
        User.display_name.label("actor__display_name"),
        User.avatar_key.label("actor__avatar_key"),
    ).outerjoin(User, User.id == AuditEntry.actor_id),
    into=AuditItem,
    order=[AuditEntry.id],
)

JOB_DEPTHS = """
    SELECT job, coalesce(due, 0) AS due, coalesce(delayed, 0) AS delayed, coalesce(running, 0) AS running,
           coalesce(dead, 0) AS dead, oldest_due_at
    FROM (
        SELECT entrypoint AS job,
               count(*) FILTER (WHERE status = 'queued' AND execute_after <= now()) AS due,
               count(*) FILTER (WHERE status = 'queued' AND execute_after > now()) AS delayed,
               count(*) FILTER (WHERE status = 'picked') AS running,
               min(execute_after) FILTER (WHERE status = 'queued' AND execute_after <= now()) AS oldest_due_at
        FROM pgqueuer GROUP BY entrypoint
    ) queued
    FULL JOIN (
        SELECT job, count(*) AS dead FROM dead_letters WHERE requeued_at IS NULL GROUP BY job
    ) letters USING (job)
    ORDER BY coalesce(due, 0) + coalesce(delayed, 0) + coalesce(running, 0) + coalesce(dead, 0) DESC, job"""
