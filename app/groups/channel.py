"""What chat asks about groups."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.chat.owners import Command, Entry, owner
from app.chat.protocol import event_kinds
from app.core.auth import Principal
from app.core.errors import AppError, Forbidden, NotFound
from app.core.query import Runs
from app.groups.queries import CARD, FIRST_MEMBERS
from app.groups.schemas import GroupState
from app.groups.service import get_group
from app.groups.standing import NotMember

__all__ = ["Groups", "Muted"]

_STANDING = "SELECT user_id, role, muted_until FROM group_members WHERE group_id = $1 AND user_id = ANY($2)"
_NAMED = """
    SELECT u.username_key, u.id FROM group_members m JOIN users u ON u.id = m.user_id
    WHERE m.group_id = $1 AND u.username_key = ANY($2)"""


class Muted(Forbidden):
    code, title = "muted", "You may not speak in this group now"


class Groups:
    """The owner of channels of the kind `group`."""

    commands: Mapping[str, Command] = {}

    async def enter(self, db: Runs, actor: Principal, channel_id: UUID) -> Entry:
        """Only members; who may not even see the group does not learn that it exists."""
        group = await get_group(db, actor, channel_id)
        if group.role is None:
            raise NotMember("Join the group first.")
        return Entry(role=group.role, can_post=group.muted_until is None, muted_until=group.muted_until)

    async def speakers(self, db: Runs, channel_id: UUID, user_ids: Sequence[UUID]) -> Mapping[UUID, AppError | None]:
        """Members who are not muted."""
        rows = await db.records(_STANDING, [channel_id, list(user_ids)])
        found: dict[UUID, AppError | None] = dict.fromkeys(user_ids, NotFound("You are not in this group."))
        for row in rows:
            found[row["user_id"]] = _silence(row["muted_until"])
        return found

    async def moderates(self, db: Runs, channel_id: UUID, user_id: UUID) -> bool:
        """Moderators and those above them."""
        rows = await db.records(_STANDING, [channel_id, [user_id]])
        return bool(rows) and rows[0]["role"] != "member"

    async def audience(self, db: Runs, channel_id: UUID, usernames: Sequence[str]) -> Mapping[str, UUID]:
        """Members of these names."""
        rows = await db.records(_NAMED, [channel_id, list(usernames)])
        return {row["username_key"]: row["id"] for row in rows}

    async def snapshot(self, db: Runs, actor: Principal, channel_id: UUID) -> dict[str, Any]:
        """The card and the first members by rank."""
        card = await CARD.first(db, group_id=channel_id)
        if card is None:
            raise NotFound("There is no such group.")
        members = await FIRST_MEMBERS.all(db, group_id=channel_id, viewer=actor.user_id)
        return GroupState(group=card, members=members).model_dump()


def _silence(muted_until: datetime | None) -> Muted | None:
    if muted_until is None or muted_until <= datetime.now(UTC):
        return None
    return Muted(f"You are muted until {muted_until:%Y-%m-%d %H:%M} UTC.", until=muted_until.isoformat())


owner("group", Groups())
event_kinds({"group.closed": "The group is no more. Everybody's sockets end"})
