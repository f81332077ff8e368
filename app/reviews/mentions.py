"""People who are named in reviews and comments, and may read them."""

from uuid import UUID

from sqlalchemy import Uuid, literal, select
from sqlalchemy.orm import aliased

from app.core.db import Reader, Writer
from app.users.mentions import mentioned
from app.users.models import User
from app.users.queries import not_blocked, visible

__all__ = ["mentioned_people"]

MOST = 20


async def mentioned_people(
    db: Reader | Writer, text: str | None, author_id: UUID, *, owner_id: UUID | None = None
) -> list[UUID]:
    """At most 20 people whom the text names and who may read it, without its author.

    `owner_id` is whose review it stands under, where that is not the author's own.
    """
    names = mentioned(text or "")
    if not names:
        return []
    owner, author = aliased(User), literal(author_id, Uuid)
    named = select(User.id).where(User.username_key.in_(names), User.id != author, User.deleted_at.is_(None))
    named = named.join(owner, owner.id == (owner_id or author_id)).where(visible(owner, User.__table__.c.id))
    return await db.all(named.where(not_blocked(User.id, author)).order_by(User.id).limit(MOST))
