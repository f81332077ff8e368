"""Shapes of queues and playbacks, as they go out and as they are asked for."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, model_validator

from app.catalog.inputs import SpotifyId
from app.core.schemas import Id, Input, Output, Timestamp
from app.users.schemas import PersonCard

__all__ = [
    "AddInput",
    "Addable",
    "ControlInput",
    "ItemInput",
    "MoveInput",
    "MoveItemInput",
    "NothingInput",
    "PlayableTrack",
    "PlaybackView",
    "PlayedItem",
    "PressInput",
    "QueueItemView",
    "QueuedItem",
    "ReadyInput",
    "SeekInput",
    "SkipState",
    "SkipVoteInput",
    "TrackInRoom",
    "VoteInput",
    "WaitingView",
]

Version = Annotated[
    int | None, Field(ge=0, description="of the playback that you saw: refused if it is another by now", examples=[7])
]
Milliseconds = Annotated[int, Field(ge=0, le=24 * 3600 * 1000, examples=[61_500])]
Index = Annotated[int, Field(ge=0, le=499, description="its new place; 0 is played next", examples=[0])]


class TrackInRoom(Output):
    """A track as rooms show it."""

    id: UUID
    title: str
    artist: str
    artist_id: UUID
    album_id: UUID | None
    album: str | None
    duration_ms: int | None
    cover_key: str | None


class PlayableTrack(TrackInRoom):
    """A track that waits or plays. `media_url` is where everybody in the room hears its recording, if there is one.

    It plays in an audio element as it is, and expires after some hours: then ask for the track or the playback again.
    """

    media_url: str | None


class QueueItemView(Output):
    """A track that waits or plays. Without `added_by`, the server chose it."""

    id: UUID
    track: PlayableTrack
    added_by: UUID | None
    votes: int
    added_at: Timestamp


class QueuedItem(QueueItemView):
    """A track that waits, and its place in the order of playing, from 0."""

    order_in_queue: int


class WaitingView(Output):
    """A new track waits for those present, at most until then. Of those who are ready the first 20 are named."""

    until_ms: float
    ready: list[UUID]


class PlaybackView(Output):
    """What plays. At `at_ms` (Unix milliseconds of the server) it is at `position_ms`; it moves on if it is `playing`.

    Every command that changes something makes a new `version`.
    """

    version: int
    item: QueueItemView | None
    playing: bool
    position_ms: int
    at_ms: float
    duration_ms: int | None
    waiting: WaitingView | None


class SkipState(Output):
    """How many of those present want to skip what plays, and how many it takes."""

    votes: int
    needed: int


class PlayedItem(Output):
    """A track that was played, and for how long."""

    id: UUID
    track: TrackInRoom
    added_by: PersonCard | None
    started_at: Timestamp
    ended_at: Timestamp
    played_ms: int
    skipped: bool


class NothingInput(Input):
    """There is nothing to say."""


class Addable(Output):
    """A track that somebody may hear, and whether they may play it to a room."""

    id: UUID
    shared: bool


class AddInput(Input):
    """A track of the catalogue, by our id or by Spotify's."""

    track_id: Id | None = None
    spotify_id: SpotifyId | None = None

    @model_validator(mode="after")
    def _one(self) -> "AddInput":
        if (self.track_id is None) == (self.spotify_id is None):
            raise ValueError("give either track_id or spotify_id")
        return self


class ItemInput(Input):
    """A track that waits."""

    item_id: Id


class MoveInput(Input):
    """Where a track goes."""

    index: Index


class MoveItemInput(ItemInput, MoveInput):
    """Which track goes where."""


class VoteInput(ItemInput):
    """Whether one wants to hear a track sooner."""

    active: bool = True


class SkipVoteInput(Input):
    """Whether one wants to skip what plays; `item_id` is what one hears."""

    item_id: Id
    active: bool = True


class PressInput(Input):
    """A button was pressed."""

    version: Version = None


class SeekInput(PressInput):
    """Where to leap to."""

    position_ms: Milliseconds


class ReadyInput(Input):
    """The track of this version can begin here."""

    version: Annotated[int, Field(ge=0, examples=[7])]


class ControlInput(PressInput):
    """A button, and for `seek` where to."""

    action: Literal["play", "pause", "seek", "skip", "previous", "ready"] = Field(examples=["play"])
    position_ms: Milliseconds | None = None

    @model_validator(mode="after")
    def _complete(self) -> "ControlInput":
        if (self.action == "seek") != (self.position_ms is not None):
            raise ValueError("give position_ms to seek, and only then")
        if self.action == "ready" and self.version is None:
            raise ValueError("give the version that is ready")
        return self

    @property
    def body(self) -> dict[str, Any]:
        """What the command of that name takes."""
        return self.model_dump(exclude={"action"}, exclude_none=True)
