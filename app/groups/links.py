"""Links that let people in. Only a digest of the token is kept."""

import secrets
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import delete, select

from app.chat.log import hold
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import Gone, NotFound
from app.core.ids import uuid7
from app.core.paging import Page, PageRequest
from app.core.tokens import digest
from app.groups.membership import admit
from app.groups.models import Group, GroupLink
from app.groups.moderation import require_future
from app.groups.queries import LINK, LINK_PREVIEW, LINKS
from app.groups.schemas import GroupDetail, LinkInput, LinkItem, LinkPreview, NewLink
from app.groups.service import get_group
from app.groups.standing import hold_group, require_reader

__all__ = ["LinkEnded", "create_link", "list_links", "look_at_link", "redeem_link", "revoke_link"]


class LinkEnded(Gone):
    code, title = "link_ended", "This link has expired or was used as often as it may be"


async def create_link(db: Writer, actor: Principal, group_id: UUID, given: LinkInput) -> NewLink:
    """A new link into the group. Raises NotFound, NotMember, RankTooLow, Invalid."""
    require_future(given.expires_at, "expires_at")
    held = await hold_group(db, actor, group_id)
    held.require("moderator")
    token, link_id = secrets.token_urlsafe(18), uuid7()
    kept = {"digest": digest(token), "created_by_id": actor.user_id, **given.model_dump()}
    db.add(GroupLink(id=link_id, group_id=group_id, **kept))
    item = await LINK.first(db, link_id=link_id, viewer=actor.user_id)
    assert item is not None, "it was just made"
    return NewLink(**item.model_dump(), token=token)


async def list_links(db: Reader, actor: Principal, group_id: UUID, page: PageRequest) -> Page[LinkItem]:
    """The group's links, the latest first. Raises NotFound, NotMember, RankTooLow."""
    await require_reader(db, actor, group_id, "moderator")
    return await LINKS.page(db, page, group_id=group_id, viewer=actor.user_id)


async def revoke_link(db: Writer, actor: Principal, group_id: UUID, link_id: UUID) -> None:
    """The link lets nobody in any longer. Raises NotFound, NotMember, RankTooLow."""
    held = await hold_group(db, actor, group_id)
    held.require("moderator")
    gone = delete(GroupLink).where(GroupLink.id == link_id, GroupLink.group_id == group_id)
    if await db.scalar(gone.returning(GroupLink.id)) is None:
        raise NotFound("There is no such link.")


async def look_at_link(db: Reader, actor: Principal, token: str) -> LinkPreview:
    """The group to which a link leads. Raises NotFound, LinkEnded."""
    found = await LINK_PREVIEW.first(db, digest=digest(token), viewer=actor.user_id)
    if found is None:
        raise _unknown()
    if found.uses_left == 0 or (found.expires_at is not None and found.expires_at <= datetime.now(UTC)):
        raise LinkEnded("Ask for a new one.")
    return found


async def redeem_link(db: Writer, actor: Principal, token: str) -> GroupDetail:
    """Joins the group to which a link leads. Raises NotFound, LinkEnded, AlreadyMember, Banned."""
    this = select(GroupLink).where(GroupLink.digest == digest(token)).execution_options(populate_existing=True)
    link = await db.one(this)
    if link is None:
        raise _unknown()
    await hold(db, link.group_id, kind="group")
    # once more: while we waited others may have used it up
    link = await db.one(this)
    group = await db.one(select(Group).where(Group.id == link.group_id)) if link else None
    if link is None or group is None:
        raise _unknown()
    if link.uses == link.max_uses or (link.expires_at is not None and link.expires_at <= datetime.now(UTC)):
        raise LinkEnded("Ask for a new one.")
    await admit(db, group, actor.user_id)
    link.uses += 1
    return await get_group(db, actor, group.id)


def _unknown() -> NotFound:
    return NotFound("There is no such link.")
