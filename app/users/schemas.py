"""Shapes of people."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, HttpUrl

from app.core.auth import Role
from app.core.schemas import Input, Line, Output, Prose, Timestamp

__all__ = [
    "USERNAME",
    "Audience",
    "BlockedPerson",
    "DataExportStatus",
    "FollowState",
    "Link",
    "LinkInput",
    "MutedPerson",
    "OwnProfile",
    "PersonCard",
    "PersonDetail",
    "PersonItem",
    "ProfileChanges",
    "Username",
]

USERNAME = r"^[A-Za-z0-9_]{3,50}$"
Username = Annotated[str, Field(pattern=USERNAME, examples=["ana"])]
Audience = Literal["everyone", "followers", "me"]


class PersonCard(Output):
    """A person as shown beside what they wrote."""

    id: UUID
    username: str
    display_name: str
    avatar_key: str | None


class PersonItem(PersonCard):
    """A person in a list, and how they stand to the one who reads it."""

    is_following: bool
    follows_you: bool
    is_muted: bool


class Link(Output):
    """A link on a profile."""

    label: str
    url: str


class _Profile(PersonCard):
    banner_key: str | None
    bio: str
    location: str
    links: list[Link]
    role: Role
    follower_count: int
    following_count: int
    review_count: int
    mean_rating: float | None = Field(description="In half stars, 1 to 10")
    created_at: Timestamp


class PersonDetail(_Profile):
    """A profile. `restricted`: its owner shows you no more than the card and the counts."""

    restricted: bool
    is_following: bool
    follows_you: bool
    is_muted: bool


class OwnProfile(_Profile):
    """Your profile, and who may see what. `record_room_listens`: what you hear in rooms goes into your listens."""

    profile_visibility: Audience
    library_visibility: Audience
    record_room_listens: bool


def _no_login(url: HttpUrl) -> HttpUrl:
    if url.username or url.password:
        raise ValueError("a link must not contain a login")
    return url


class LinkInput(Input):
    """A link to show on the profile."""

    label: Line = Field(min_length=1, max_length=40, examples=["Blog"])
    url: Annotated[HttpUrl, Field(max_length=500, examples=["https://example.org/"]), AfterValidator(_no_login)]


class ProfileChanges(Input):
    """What to change; what is left out stays."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "bio": "Samba, jazz and everything between.",
                    "links": [{"label": "Blog", "url": "https://example.org/"}],
                    "library_visibility": "followers",
                }
            ]
        }
    )

    username: Username = Field(default_factory=str)
    display_name: Line = Field(default_factory=str, min_length=1, max_length=50, examples=["Ana Souza"])
    bio: Prose = Field(default_factory=str, max_length=500, examples=["Samba, jazz and everything between."])
    location: Line = Field(default_factory=str, max_length=100, examples=["São Paulo"])
    links: list[LinkInput] = Field(default_factory=list, max_length=5)
    profile_visibility: Audience = Field(default_factory=lambda: "everyone")
    library_visibility: Audience = Field(default_factory=lambda: "everyone")
    record_room_listens: bool = Field(default_factory=bool)


class FollowState(Output):
    """How you stand to the person now."""

    is_following: bool
    follower_count: int


class BlockedPerson(PersonCard):
    """A person whom you blocked."""

    blocked_at: Timestamp


class MutedPerson(PersonCard):
    """A person whom you muted."""

    muted_at: Timestamp


class DataExportStatus(Output):
    """An export of all your data. `download_url` is there once it is ready, until `expires_at`."""

    id: UUID
    status: Literal["waiting", "ready", "failed"]
    created_at: Timestamp
    expires_at: Timestamp | None
    download_url: str | None
