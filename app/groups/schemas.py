"""Shapes of groups."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field

from app.core.schemas import Id, Input, Line, Output, Prose, Timestamp
from app.users.schemas import PersonCard

__all__ = [
    "BanInput",
    "BanItem",
    "Category",
    "GroupCard",
    "GroupChanges",
    "GroupDetail",
    "GroupInput",
    "GroupItem",
    "GroupSort",
    "GroupState",
    "LinkInput",
    "LinkItem",
    "LinkPreview",
    "MemberItem",
    "MemberState",
    "MuteMemberInput",
    "MyGroup",
    "MyInvite",
    "NewLink",
    "OwnerInput",
    "Role",
    "RoleInput",
]

Role = Literal["owner", "admin", "moderator", "member"]
Assignable = Literal["admin", "moderator", "member"]
GroupSort = Literal["new", "popular"]
Category = Literal[
    "general", "genres", "artists", "discovery", "concerts", "making", "collecting", "local", "listening", "other"
]
Moment = Annotated[AwareDatetime, Field(strict=False, examples=["2030-01-01T00:00:00Z"])]
Reason = Annotated[Line, Field(max_length=300, examples=["Advertising again and again"])]
Name = Annotated[Line, Field(min_length=1, max_length=100, examples=["Late night jazz"])]
Description = Annotated[Prose, Field(max_length=1000, examples=["What plays after midnight."])]


class GroupCard(Output):
    """A group as everybody sees it who may see it."""

    id: UUID
    name: str
    description: str
    category: Category
    cover_key: str | None
    is_private: bool
    owner_id: UUID | None
    member_count: int
    created_at: Timestamp


class GroupItem(GroupCard):
    """A group in a list. `role` is yours; null if you do not belong to it."""

    role: Role | None


class GroupDetail(GroupItem):
    """A group. `owner` is null if one of you blocks the other; `invite_id` is your open invitation."""

    owner: PersonCard | None
    muted_until: Timestamp | None
    invite_id: UUID | None


class MyGroup(GroupCard):
    """A group of yours, and what you have not read there."""

    role: Role
    joined_at: Timestamp
    unread_count: int
    muted: bool = Field(description="whether its notifications are off")
    last_message_at: Timestamp | None


class MemberItem(Output):
    """Somebody who belongs to a group."""

    user: PersonCard
    role: Role
    joined_at: Timestamp
    muted_until: Timestamp | None


class MemberState(Output):
    """How somebody stands in a group now."""

    user_id: UUID
    role: Role
    muted_until: Timestamp | None


class GroupState(Output):
    """A group as sockets get it first: with the first members by rank, at most 200."""

    group: GroupCard
    members: list[MemberItem]


class BanItem(Output):
    """Who may not come in. `until` is null for a ban that does not end."""

    user: PersonCard
    reason: str
    until: Timestamp | None
    banned_by: PersonCard | None
    created_at: Timestamp


class MyInvite(Output):
    """You are invited to a group."""

    id: UUID
    group: GroupCard
    invited_by: PersonCard | None
    created_at: Timestamp
    expires_at: Timestamp


class LinkItem(Output):
    """A link that lets people in. `uses_left` is null if it may be used as often as one likes."""

    id: UUID
    created_by: PersonCard | None
    uses: int
    uses_left: int | None
    expires_at: Timestamp | None
    created_at: Timestamp


class NewLink(LinkItem):
    """A new link. The token is shown this once."""

    token: str


class LinkPreview(Output):
    """Where a link leads. `role` is yours if you are there already."""

    group: GroupCard
    role: Role | None
    expires_at: Timestamp | None
    uses_left: int | None


class GroupInput(Input):
    """A new group. It is yours."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "Late night jazz", "category": "genres", "description": "What plays after midnight."}]
        }
    )

    name: Name
    category: Category = "general"
    description: Description = ""
    is_private: bool = False


class GroupChanges(Input):
    """What to change; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"description": "What plays before dawn."}]})

    name: Name = Field(default_factory=str)
    category: Category = Field(default_factory=lambda: "general")
    description: Description = Field(default_factory=str)
    is_private: bool = Field(default_factory=bool)


class RoleInput(Input):
    """The role that a member is to have."""

    role: Assignable = Field(examples=["moderator"])


class OwnerInput(Input):
    """The member to whom the group is to belong."""

    user_id: Id = Field(examples=["0197a5c2-7f3e-7000-8000-000000000001"])


class BanInput(Input):
    """For how long, and why. Without an end it does not end."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Advertising again and again"}]})

    until: Moment | None = None
    reason: Reason = ""


class MuteMemberInput(Input):
    """Until when the member may not speak."""

    until: Moment


class LinkInput(Input):
    """For how long and how often the link lets people in. Without an end it does until it is revoked."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"max_uses": 10}]})

    expires_at: Moment | None = None
    max_uses: Annotated[int, Field(ge=1, le=100_000, examples=[10])] | None = None
