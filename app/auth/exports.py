"""What accounts add to an export: everything but the secrets."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.auth.models import AccessKey, Credential, LinkedAccount, Session
from app.core.db import Reader
from app.users.exports import every_row, exported

__all__ = ["export_access_keys", "export_account", "export_linked_accounts", "export_sessions"]


@exported("account")
def export_account(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """The mail address, since when, and the one that is to replace it."""
    times = (Credential.email_verified_at, Credential.password_changed_at)
    columns = (Credential.email, Credential.wanted_key.label("wanted_email"), *times)
    return every_row(db, select(*columns).where(Credential.user_id == user_id), key=Credential.user_id)


@exported("sessions")
def export_sessions(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """Where and when the person signed in."""
    times = (Session.created_at, Session.rotated_at.label("last_used_at"), Session.expires_at, Session.revoked_at)
    sessions = select(Session.id, Session.user_agent, Session.address, *times)
    return every_row(db, sessions.where(Session.user_id == user_id), key=Session.id)


@exported("access_keys")
def export_access_keys(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """App passwords and API tokens, without what opens them."""
    times = (AccessKey.created_at, AccessKey.last_used_at, AccessKey.expires_at, AccessKey.revoked_at)
    keys = select(AccessKey.id, AccessKey.kind, AccessKey.name, AccessKey.scopes, *times)
    return every_row(db, keys.where(AccessKey.user_id == user_id), key=AccessKey.id)


@exported("linked_accounts")
def export_linked_accounts(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """Accounts elsewhere with which the person signs in."""
    columns = (LinkedAccount.provider, LinkedAccount.issuer, LinkedAccount.subject, LinkedAccount.email)
    links = select(LinkedAccount.id, *columns, LinkedAccount.created_at)
    return every_row(db, links.where(LinkedAccount.user_id == user_id), key=LinkedAccount.id)
