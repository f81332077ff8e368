"""Groups: making, changing, closing and finding them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import delete, select

from app.chat.channels import close_channel, open_channel
from app.chat.log import append, hold
from app.chat.reading import start_reading
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import NotFound
from app.core.feeds import EVERYBODY
from app.core.ids import uuid7
from app.core.jobs import enqueue, job
from app.core.paging import Page, PageRequest
from app.core.query import Runs
from app.core.text import name_key, search_words
from app.groups.models import Group, GroupMember
from app.groups.queries import GROUP, MY_GROUPS, groups_page
from app.groups.schemas import Category, GroupChanges, GroupDetail, GroupInput, GroupItem, GroupSort, MyGroup
from app.groups.standing import RankTooLow, hold_group, tell_of_changes
from app.pictures.unused import drop_picture

__all__ = [
    "close_group",
    "create_group",
    "delete_group",
    "get_group",
    "list_groups",
    "list_my_groups",
    "update_group",
]

READABLE_FOR = timedelta(minutes=10)
"""How long the log of a closed group stays, so that every process can read that it is closed."""


class ClosedChannel(BaseModel):
    """A channel whose group is gone."""

    channel_id: UUID


async def create_group(db: Writer, actor: Principal, new: GroupInput) -> GroupDetail:
    """A new group of the actor's."""
    group_id = uuid7()
    await open_channel(db, kind="group", channel_id=group_id)
    values = new.model_dump() | {"name_key": name_key(new.name), "owner_id": actor.user_id, "member_count": 1}
    db.add(Group(id=group_id, **values))
    await db.flush()
    db.add(GroupMember(group_id=group_id, user_id=actor.user_id, role="owner"))
    await start_reading(db, group_id, actor.user_id)
    return await get_group(db, actor, group_id)


async def get_group(db: Runs, actor: Principal | None, group_id: UUID) -> GroupDetail:
    """A group that the actor may see. Raises NotFound."""
    group = await GROUP.first(db, group_id=group_id, viewer=actor.user_id if actor else None)
    if group is None:
        raise NotFound("There is no such group.")
    return group


async def list_groups(
    db: Reader, actor: Principal | None, page: PageRequest, *, q: str, category: Category | None, sort: GroupSort
) -> Page[GroupItem]:
    """Public groups and the actor's own."""
    filters: dict[str, Any] = _search(q) | ({"category": category} if category else {})
    query = groups_page(sort, frozenset(filters))
    return await query.page(db, page, viewer=actor.user_id if actor else None, **filters)


def _search(q: str) -> dict[str, Any]:
    """By words that begin like these; a name of signs alone by its beginning."""
    words = [word for word in search_words(q) if word.isalnum()]
    if words:
        return {"words": " & ".join(f"{word}:*" for word in words)}
    return {"prefix": name_key(q)} if q else {}


async def list_my_groups(db: Reader, actor: Principal, page: PageRequest) -> Page[MyGroup]:
    """The actor's groups, the one with the newest message first."""
    return await MY_GROUPS.page(db, page, viewer=actor.user_id)


async def update_group(db: Writer, actor: Principal, group_id: UUID, changes: GroupChanges) -> GroupDetail:
    """Changes what is given. Raises NotFound, NotMember, RankTooLow."""
    held = await hold_group(db, actor, group_id)
    held.require("admin")
    values = changes.model_dump(exclude_unset=True)
    if "name" in values:
        values["name_key"] = name_key(values["name"])
    changed = {name: value for name, value in values.items() if getattr(held.group, name) != value}
    for name, value in changed.items():
        setattr(held.group, name, value)
    if changed:
        await tell_of_changes(db, group_id, actor_id=actor.user_id)
    return await get_group(db, actor, group_id)


async def delete_group(db: Writer, actor: Principal, group_id: UUID) -> None:
    """Closes a group for good. Raises NotFound, NotMember, RankTooLow."""
    if actor.is_admin:
        await hold(db, group_id, kind="group")
        group = await db.one(select(Group).where(Group.id == group_id))
        if group is None:
            raise NotFound("There is no such group.")
    else:
        held = await hold_group(db, actor, group_id)
        if held.require().role != "owner":
            raise RankTooLow("Only its owner may close a group.")
        group = held.group
    await close_group(db, group, actor_id=actor.user_id)


async def close_group(db: Writer, group: Group, *, actor_id: UUID | None) -> None:
    """Ends a group that is held, and everybody's sockets in it. What was said is deleted some minutes later."""
    await append(db, group.id, kind="group.closed", actor_id=actor_id, data={}, removes=EVERYBODY)
    await drop_picture(db, group.cover_key)
    await db.execute(delete(Group).where(Group.id == group.id))
    await enqueue(db, purge_channel, ClosedChannel(channel_id=group.id), after=READABLE_FOR)


@job()
async def purge_channel(infra: Any, closed: ClosedChannel) -> None:
    """Deletes what was said in a group that is closed."""
    async with infra.db.write() as db:
        await close_channel(db, closed.channel_id)
