"""Shapes of rooms and of those who are in them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field

from app.catalog.inputs import Genres
from app.core.schemas import Input, Line, Output, Prose, Timestamp
from app.rooms.rights import Changeable, Permission, Role, granted
from app.users.schemas import PersonCard, Username

__all__ = [
    "BanInput",
    "BanItem",
    "Entrance",
    "HandOver",
    "InviteInput",
    "InviteItem",
    "InvitePreview",
    "LiveRoom",
    "LiveRooms",
    "MemberItem",
    "MuteInput",
    "MyInvitation",
    "NowPlaying",
    "OwnRoom",
    "PermissionChanges",
    "QueueMode",
    "RoleInput",
    "RoomCard",
    "RoomChanges",
    "RoomDetail",
    "RoomInput",
    "RoomItem",
    "RoomSort",
    "RoomState",
    "Usual",
]

MOST_MEMBERS = 1000
MOST_MINUTES = 366 * 24 * 60

QueueMode = Literal["fifo", "votes", "fair"]
EntryRole = Literal["member", "guest"]
RoomSort = Literal["lively", "new"]
Usual = dict[Changeable, list[Permission]]

Name = Annotated[Line, Field(min_length=3, max_length=50, examples=["Late night jazz"])]
Password = Annotated[str, Field(min_length=6, max_length=100, pattern=r"^[^\x00]*$", examples=["blue in green"])]
Description = Annotated[Prose, Field(max_length=500, examples=["Hard bop until the sun comes up."])]
Capacity = Annotated[int, Field(ge=1, le=MOST_MEMBERS, examples=[50])]
RoomGenres = Annotated[Genres, Field(examples=[["jazz"]])]
ItemsPerPerson = Annotated[int, Field(ge=1, le=100, description="Tracks that one person may have waiting")]
SkipQuorum = Annotated[
    float, Field(gt=0, le=1, strict=False, description="The part of those present and entitled who must want to skip")
]
Reason = Annotated[Line, Field(max_length=200, examples=["Too loud"])]
Minutes = Annotated[int, Field(ge=1, le=MOST_MINUTES, examples=[60])]


def _usual(overrides: Any) -> Any:
    """What each role may, from rows such as `dj queue.clear false`."""
    if isinstance(overrides, dict):
        return overrides
    rows = [row.split(" ") for row in overrides]
    roles: list[Role] = ["dj", "member", "guest"]
    return {
        role: sorted(
            granted(
                role,
                more=[name for of, name, allowed in rows if of == role and allowed == "true"],
                less=[name for of, name, allowed in rows if of == role and allowed == "false"],
            )
        )
        for role in roles
    }


class NowPlaying(Output):
    """The track that a room hears, or has stopped at."""

    id: UUID
    title: str
    artist: str
    artist_id: UUID
    cover_key: str | None
    duration_ms: int | None
    playing: bool


class RoomCard(Output):
    """A room. `has_password`: a private room that lets in who knows it; the other private ones need an invite."""

    id: UUID
    name: str
    description: str
    owner_id: UUID | None
    owner: PersonCard | None
    is_private: bool
    has_password: bool
    capacity: int
    member_count: int
    genres: list[str]
    is_permanent: bool
    entry_role: EntryRole
    queue_mode: QueueMode
    auto_dj: bool
    items_per_person: int
    skip_quorum: float
    created_at: Timestamp


class RoomState(RoomCard):
    """A room as its sockets know it: nothing in it changes without an event. The owner may do everything."""

    permissions: Annotated[Usual, BeforeValidator(_usual)] = Field(description="What each role may do")


class RoomItem(RoomCard):
    """A room in a list: how many people are there now, what they hear, and your role in it."""

    present_count: int
    now_playing: NowPlaying | None
    last_active_at: Timestamp
    role: Role | None = Field(description="Yours; null if you are not in the room")


class RoomDetail(RoomItem):
    """A room with what each of its roles may do; `invitation_id` is your open invitation."""

    invitation_id: UUID | None
    permissions: Annotated[Usual, BeforeValidator(_usual)] = Field(description="What each role may do")


class OwnRoom(RoomItem):
    """A room that you are in."""

    unread_count: int
    muted: bool = Field(description="Whether mentions of you there are not notified")
    joined_at: Timestamp


class LiveRoom(Output):
    """What changes about a room in the list."""

    id: UUID
    name: str
    owner_id: UUID | None
    member_count: int
    present_count: int
    now_playing: NowPlaying | None


class LiveRooms(Output):
    """The rooms of the live list that changed, and those that are not in it any more: nobody is there, and no music."""

    rooms: list[LiveRoom]
    gone: list[UUID]


class MemberItem(Output):
    """Somebody who is in a room."""

    user: PersonCard
    role: Role
    joined_at: Timestamp
    muted_until: Timestamp | None


class BanItem(Output):
    """Somebody who may not come in."""

    user: PersonCard
    reason: str
    until: Timestamp | None
    created_at: Timestamp


class InviteItem(Output):
    """A link into a room: `code` is what it ends with."""

    id: UUID
    code: str
    made_by: PersonCard | None
    max_uses: int | None
    uses: int
    expires_at: Timestamp | None
    created_at: Timestamp


class InvitePreview(Output):
    """Where a link leads."""

    room: RoomItem


class MyInvitation(Output):
    """You are invited to a room."""

    id: UUID
    room: RoomCard
    invited_by: PersonCard | None
    created_at: Timestamp
    expires_at: Timestamp


class RoomInput(Input):
    """A new room. A private one lets in who knows its password, or without a password only who has an invite."""

    name: Name
    description: Description = ""
    is_private: bool = False
    password: Password | None = None
    capacity: Capacity = 50
    genres: RoomGenres = Field(default_factory=list)
    is_permanent: bool = False
    entry_role: EntryRole = "member"
    queue_mode: QueueMode = "fifo"
    auto_dj: bool = False
    items_per_person: ItemsPerPerson = 20
    skip_quorum: SkipQuorum = 0.5


class RoomChanges(Input):
    """What to change; what is left out stays. A null password takes it away: then only invites lead in."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"queue_mode": "fair", "auto_dj": True}]})

    name: Name | None = None
    description: Description | None = None
    is_private: bool | None = None
    password: Password | None = None
    capacity: Capacity | None = None
    genres: RoomGenres | None = None
    is_permanent: bool | None = None
    entry_role: EntryRole | None = None
    queue_mode: QueueMode | None = None
    auto_dj: bool | None = None
    items_per_person: ItemsPerPerson | None = None
    skip_quorum: SkipQuorum | None = None


class Entrance(Input):
    """What a private room asks for: its password, or the code of an invite."""

    password: Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$", examples=["blue in green"])] | None = None
    invite: Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")] | None = None


class InviteInput(Input):
    """How often a link lets somebody in, and for how long. Null: without an end."""

    max_uses: Annotated[int, Field(ge=1, le=10_000, examples=[10])] | None = None
    minutes: Minutes | None = 7 * 24 * 60


class RoleInput(Input):
    """The role that a member is to have."""

    role: Changeable


class PermissionChanges(Input):
    """True gives a permission to the role, false takes it, null goes back to what is usual."""

    permissions: Annotated[dict[Permission, bool | None], Field(min_length=1, examples=[{"queue.move": True}])]


class MuteInput(Input):
    """For how long."""

    minutes: Minutes | None = 60


class BanInput(Input):
    """For how long (null: for ever), and why."""

    minutes: Minutes | None = None
    reason: Reason = ""


class HandOver(Input):
    """Who is to own the room."""

    username: Username
