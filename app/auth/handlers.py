"""What accounts do when something happens, and by the clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func

from app.auth import access_keys, exports, external, mails, oauth  # noqa: F401 -- importing registers
from app.auth.models import AccessKey, Credential, LinkedAccount, OAuthCode, OneTimeToken, Session, Ticket
from app.core.db import Writer
from app.core.jobs import every, on
from app.core.revocations import Revocation, revoke
from app.users.events import AccountDeleted

__all__ = ["end_account", "forget_old"]

# the addresses of ended sessions tell for a while where the owner signs in from
KEPT = timedelta(days=60)


@on(AccountDeleted)
async def end_account(db: Writer, event: AccountDeleted) -> None:
    """Forgets everything with which the person could sign in."""
    for table in (Credential, Session, OneTimeToken, AccessKey, Ticket):
        await db.execute(delete(table).where(table.user_id == event.user_id))
    # the other auth server's tokens go on being valid: its link stays, so that they do not make a new account
    links = delete(LinkedAccount).where(LinkedAccount.user_id == event.user_id, LinkedAccount.provider != "external")
    await db.execute(links)
    await revoke(db, [event.user_id], until=datetime.now(UTC) + timedelta(days=2))


@every(seconds=3600)
async def forget_old(infra: Any) -> None:
    """Deletes what has expired."""
    async with infra.db.write() as db:
        await db.execute(delete(Session).where(Session.expires_at < func.now() - KEPT))
        for table in (OneTimeToken, Ticket, OAuthCode):
            await db.execute(delete(table).where(table.expires_at < func.now() - timedelta(days=1)))
        await db.execute(delete(Revocation).where(Revocation.until < func.now()))
