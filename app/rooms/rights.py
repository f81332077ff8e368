"""What people may do in a room: named permissions, usual ones for each role, and what the owner changed of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, cast, get_args
from uuid import UUID

from app.core.errors import Forbidden, NotFound
from app.core.query import Runs

__all__ = [
    "DEFAULTS",
    "PERMISSIONS",
    "ROLES",
    "Changeable",
    "Muted",
    "NotAllowed",
    "NotMember",
    "Permission",
    "Role",
    "Standing",
    "granted",
    "outranks",
    "require",
    "require_rank",
    "require_reader",
    "standing",
]

Role = Literal["owner", "dj", "member", "guest"]
Changeable = Literal["dj", "member", "guest"]
"""Roles whose permissions the owner sets; the owner may do everything."""

Permission = Literal[
    "queue.add",
    "queue.remove",
    "queue.move",
    "queue.clear",
    "queue.vote",
    "playback.control",
    "skip.vote",
    "chat.post",
    "chat.moderate",
    "members.invite",
    "members.kick",
    "members.ban",
    "members.mute",
    "room.update",
]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
PERMISSIONS: Final[frozenset[Permission]] = frozenset(get_args(Permission))
DEFAULTS: Final[Mapping[Role, frozenset[Permission]]] = {
    "owner": PERMISSIONS,
    "dj": PERMISSIONS - {"members.kick", "members.ban", "room.update"},
    "member": frozenset({"queue.add", "queue.vote", "skip.vote", "chat.post"}),
    "guest": frozenset({"chat.post"}),
}

_STANDING = """
    SELECT r.is_private, r.owner_id, m.role, m.muted_until,
           ARRAY(SELECT p.permission FROM room_permissions p
                 WHERE p.room_id = r.id AND p.role = m.role AND p.allowed) AS more,
           ARRAY(SELECT p.permission FROM room_permissions p
                 WHERE p.room_id = r.id AND p.role = m.role AND NOT p.allowed) AS less
    FROM rooms r LEFT JOIN room_members m ON m.room_id = r.id AND m.user_id = $2
    WHERE r.id = $1 AND (m.role IS NOT NULL OR r.owner_id = $2 OR ((NOT r.is_private OR r.password_hash IS NOT NULL
            OR EXISTS (SELECT FROM room_invitations i WHERE i.room_id = r.id AND i.user_id = $2
                       AND i.status = 'pending' AND i.expires_at > now()))
        AND NOT EXISTS (SELECT FROM blocks WHERE (blocker_id, blocked_id) IN ((r.owner_id, $2), ($2, r.owner_id)))))"""


class NotMember(Forbidden):
    code, title = "not_a_member", "You are not in this room"


class NotAllowed(Forbidden):
    code, title = "not_allowed", "Your role in this room does not include this"


class Muted(Forbidden):
    code, title = "muted", "You are muted in this room"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a member stands in a room."""

    role: Role
    permissions: frozenset[Permission]
    muted_until: datetime | None = None

    @property
    def is_muted(self) -> bool:
        """Whether they may not speak now, whatever their role may."""
        return self.muted_until is not None and self.muted_until > datetime.now(UTC)


def granted(role: Role, *, more: Iterable[str] = (), less: Iterable[str] = ()) -> frozenset[Permission]:
    """What a role may, with what the owner of the room added and took away."""
    if role == "owner":
        return PERMISSIONS
    return cast(frozenset[Permission], (DEFAULTS[role] | frozenset(more)) - frozenset(less))


async def standing(db: Runs, room_id: UUID, user_id: UUID) -> Standing:
    """How the person stands in the room. Raises NotFound for a room that they may not see, NotMember."""
    row = await _find(db, room_id, user_id)
    if row["role"] is None:
        raise NotMember("Join the room first.")
    permissions = granted(row["role"], more=row["more"], less=row["less"])
    return Standing(role=row["role"], permissions=permissions, muted_until=row["muted_until"])


async def require_reader(db: Runs, room_id: UUID, viewer: UUID | None) -> None:
    """What happens in a private room is for its members. Raises NotFound, NotMember."""
    row = await _find(db, room_id, viewer)
    if row["is_private"] and row["role"] is None:
        raise NotMember("This room is private. Join it first.")


def require(standing: Standing, permission: Permission) -> None:
    """Raises NotAllowed."""
    if permission not in standing.permissions:
        raise NotAllowed(f"You need the permission {permission}.", permission=permission)


def outranks(role: Role, other: Role) -> bool:
    """Whether a role stands above another: people act only on those below them."""
    return ROLES.index(role) < ROLES.index(other)


def require_rank(standing: Standing, other: Role) -> None:
    """Raises NotAllowed unless the other stands below."""
    if not outranks(standing.role, other):
        raise NotAllowed("You can do this only to people whose role is below yours.")


async def _find(db: Runs, room_id: UUID, user_id: UUID | None) -> Any:
    rows = await db.records(_STANDING, [room_id, user_id])
    if not rows:
        raise NotFound("There is no such room.")
    return rows[0]
