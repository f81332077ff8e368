"""Shapes of what people say about playlists."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from app.core.schemas import Id, Input, Line, Prose
from app.playlists.rules import Rules
from app.playlists.schemas import Visibility
from app.users.schemas import Username

__all__ = [
    "MOST_ENTRIES",
    "CopyInput",
    "EntriesInput",
    "EntryIds",
    "EntryMatch",
    "InviteInput",
    "MoveInput",
    "OwnerInput",
    "PlaceholderInput",
    "PlaylistChanges",
    "PlaylistInput",
    "RoleInput",
    "RulesInput",
]

MOST_ENTRIES = 10_000
MOST_AT_ONCE = 500

Assignable = Literal["editor", "viewer"]
Name = Annotated[Line, Field(min_length=1, max_length=100, examples=["Sunday, slowly"])]
Description = Annotated[Prose, Field(max_length=1000, examples=["For the hour in which the coffee works."])]
Position = Annotated[int, Field(ge=0, le=MOST_ENTRIES)]
Version = Annotated[int, Field(ge=0, description="The `version` that you know: if there is a newer one, you get 409")]
Words = Annotated[Line, Field(min_length=1, max_length=500)]


# never looked at: what is left out stays
_NO_RULES = Rules.model_construct(conditions=[])


class PlaylistChanges(Input):
    """What to change; what is left out stays. A smart playlist takes new `rules`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"description": "Before anybody else is up."}]})

    name: Name = Field(default_factory=str)
    description: Description = Field(default_factory=str)
    visibility: Visibility = Field(default_factory=lambda: "private")
    rules: Rules = Field(default_factory=lambda: _NO_RULES)


class PlaylistInput(Input):
    """A new playlist. It is yours. With `rules` it is a smart one, which is filled by them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Sunday, slowly", "visibility": "public"}]})

    name: Name
    description: Description = ""
    visibility: Visibility = "private"
    rules: Rules | None = None


class RulesInput(Input):
    """Rules to try."""

    rules: Rules


class PlaceholderInput(Input):
    """Something that the catalogue does not have: it keeps its place, and can be matched with a track later."""

    title: Words
    artist: Words
    album: Words | None = None
    duration_ms: Annotated[int, Field(gt=0, le=86_400_000)] | None = None
    isrc: Annotated[str, Field(pattern=r"^[A-Z]{2}[A-Z0-9]{3}\d{7}$")] | None = None


class EntriesInput(Input):
    """Tracks of the catalogue, or placeholders for what it does not have: one of the two, 500 at most."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"track_ids": ["01956ec6-fa60-76d3-9f8d-5491f3360b6b"], "at": 0}]}
    )

    track_ids: Annotated[list[Id], Field(min_length=1, max_length=MOST_AT_ONCE)] | None = None
    placeholders: Annotated[list[PlaceholderInput], Field(min_length=1, max_length=MOST_AT_ONCE)] | None = None
    at: Annotated[Position, Field(description="Where the first comes to stand; left out: at the end")] | None = None
    skip_known: Annotated[bool, Field(description="Leaves out tracks that are there already")] = False
    version: Version | None = None


class EntryIds(Input):
    """What to remove. What is not there any more is passed over."""

    entry_ids: Annotated[
        list[Id], Field(min_length=1, max_length=MOST_AT_ONCE, examples=[["01956ec6-fa60-76d3-9f8d-5491f3360b6b"]])
    ]
    version: Version | None = None


class MoveInput(Input):
    """A range of entries, by the place of the first or by its id, and where the first comes to stand."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"start": 0, "length": 2, "to": 3}]})

    start: Position | None = None
    entry_id: Id | None = None
    length: Annotated[int, Field(ge=1, le=MOST_ENTRIES)] = 1
    to: Annotated[Position, Field(description="The place of the first of them afterwards")]
    version: Version | None = None


class EntryMatch(Input):
    """The track that an entry means; null makes it a placeholder again."""

    track_id: Id | None = Field(examples=["01956ec6-fa60-76d3-9f8d-5491f3360b6b"])


class CopyInput(Input):
    """What the copy is called; left out: as the original. `frozen` makes a list of what a smart playlist has now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Mine now"}]})

    name: Name | None = None
    frozen: bool = False


class InviteInput(Input):
    """Whom to invite, and as what: editors change what is in it, viewers see it though it is private."""

    username: Username
    role: Assignable = "editor"


class RoleInput(Input):
    """The role that a member is to have."""

    role: Assignable = Field(examples=["viewer"])


class OwnerInput(Input):
    """The member to whom the playlist is to belong."""

    user_id: Id = Field(examples=["0197a5c2-7f3e-7000-8000-000000000001"])
