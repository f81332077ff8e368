"""Shapes of uploads."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field

from app.catalog.inputs import Genres, Name, Year
from app.catalog.schemas import TrackCard, Visibility
from app.core.schemas import Id, Input, Line, Moment, Output, Timestamp

__all__ = [
    "Finalise",
    "Grant",
    "Play",
    "PlayVerdict",
    "Recording",
    "UploadChanges",
    "UploadDetails",
    "UploadInput",
    "UploadState",
    "UploadTicket",
    "UploadUsage",
    "UploadedTrack",
    "Waveform",
]

UploadState = Literal["waiting", "processing", "ready", "failed"]
AudioType = Annotated[
    str,
    Field(min_length=1, max_length=100, description="what follows a semicolon is cut: browsers add codecs"),
    AfterValidator(lambda told: told.partition(";")[0].strip()),
]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class UploadInput(Input):
    """A recording that you are about to upload."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"filename": "prelude.flac", "content_type": "audio/flac", "size": 1_482_114}]}
    )

    filename: Annotated[Line, Field(min_length=1, max_length=255)]
    content_type: AudioType
    size: Annotated[int, Field(ge=1, description="in bytes; 104,857,600 at most")]
    sha256: Digest | None = Field(default=None, description="of the content: what you have already is refused at once")


class Grant(Output):
    """The request that uploads the file: this method, to this address, with these headers, without a token."""

    method: Literal["PUT"]
    url: str
    headers: dict[str, str]
    expires_at: Timestamp


class UploadTicket(Output):
    """An upload that was announced, and where its file goes."""

    id: UUID
    state: UploadState
    upload: Grant


class _Details(Input):
    title: Name | None = None
    artist: Name | None = None
    album: Name | None = None
    year: Year | None = None
    genres: Genres | None = None


class Finalise(_Details):
    """What the file does not say, or says wrongly. The artist's name may be left out: then it is yours."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"title": "Prelude in C", "album": "At the piano", "visibility": "public"}]}
    )

    visibility: Visibility = Field(default="private", description="with `track_id` it is public and nothing else")
    track_id: Id | None = Field(
        default=None, description="for who edits the catalogue: whose recording this is, for everybody to hear"
    )


class UploadChanges(_Details):
    """What is to change; what is not given stays. `album: null` takes the track off its album."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"visibility": "followers"}]})

    visibility: Visibility = "private"


class Failure(Output):
    """Why an upload failed: a stable code, and a sentence with what to do."""

    code: str
    detail: str


class UploadDetails(Output):
    """An upload and what became of it. `tags` are what the file says of itself."""

    id: UUID
    state: UploadState
    failure: Failure | None
    filename: str
    content_type: str
    size: int
    audio_type: str | None
    duration_ms: int | None
    bitrate_kbps: int | None
    sample_rate: int | None
    channels: int | None
    tags: dict[str, Any]
    track: TrackCard | None
    visibility: Visibility | None
    formats: list[str]
    created_at: Timestamp
    finalised_at: Timestamp | None
    expires_at: Timestamp | None


class UploadedTrack(TrackCard):
    """A track that somebody uploaded."""

    visibility: Visibility
    audio_type: str | None
    created_at: Timestamp


class UploadUsage(Output):
    """How much room your uploads take, of how much there is for you."""

    used_bytes: int
    quota_bytes: int


class Waveform(Output):
    """How loud a recording is along its length: the peaks of as many equal parts, 0 to 100."""

    duration_ms: int
    peaks: list[int]


class Play(Input):
    """A track that you hear, or have heard, from the server."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"started_at": "2026-05-01T20:15:00Z", "played_ms": 45_000}]}
    )

    started_at: Moment
    played_ms: Annotated[int, Field(ge=0, le=24 * 3600 * 1000)]
    client: Annotated[Line, Field(min_length=1, max_length=60)] | None = None


class PlayVerdict(Output):
    """Whether it is a listen. It is one from `needed_ms` on: half a minute, or half of a shorter track.

    What begins less than `needed_ms` before or after another play of yours of the same track is the same listen.
    """

    counted: bool
    needed_ms: int


class Recording(Output):
    """A recording as it is kept."""

    track_id: UUID
    title: str
    artist: str
    visibility: Visibility
    key: str
    size: int
    sha256: str
    audio_type: str
    duration_ms: int
    bitrate_kbps: int | None
    renditions: list[dict[str, Any]]
    finalised_at: Timestamp
