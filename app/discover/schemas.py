"""Shapes of charts and of suggestions."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.catalog.schemas import AlbumRef, ArtistRef, TrackCard
from app.core.paging import Page
from app.core.schemas import Output, Timestamp
from app.rooms.schemas import RoomItem
from app.users.schemas import PersonCard

__all__ = [
    "ChartAlbum",
    "ChartInfo",
    "ChartPage",
    "ChartPlace",
    "GenreActivity",
    "Reason",
    "RoomParts",
    "RoomReason",
    "SharedAlbum",
    "SimilarityParts",
    "SuggestedCard",
    "SuggestedPerson",
    "SuggestedRoom",
    "Suggestion",
    "TrendingTrack",
]

Share = Annotated[float, Field(ge=0, le=1)]


class ChartAlbum(AlbumRef):
    """An album as shown in a chart."""

    artist: ArtistRef
    genres: list[str]


class ChartPlace(Output):
    """A place in a chart. Ratings are half stars, 1 to 10; the counts are those of the chart's period."""

    rank: int
    rank_change: int | None = Field(description="Places up (or down, below 0) since yesterday; null for a new album")
    score: float = Field(description="What the chart is sorted by")
    mean_rating: float | None = Field(description="Null where an album is there for its likes alone")
    review_count: int
    album: ChartAlbum


class ChartInfo(Output):
    """What a chart covers, and when it was made."""

    period_start: Timestamp | None
    period_end: Timestamp
    weeks_back: int
    made_at: Timestamp


class ChartPage(Page[ChartPlace]):
    """A page of a chart of the reviews from `period_start` (null: from the first) to `period_end`.

    `weeks_back` is 0 for the current week; above 0, so many weeks without news were passed over.
    """

    period_start: Timestamp | None
    period_end: Timestamp
    weeks_back: int
    made_at: Timestamp


class TrendingTrack(Output):
    """A place among the tracks that are heard most now. The counts are those of the last seven days."""

    rank: int
    rank_change: int | None = Field(description="Places up (or down, below 0) since yesterday; null for a new track")
    score: float = Field(description="What the chart is sorted by")
    play_count: int
    listener_count: int
    track: TrackCard


class GenreActivity(Output):
    """How much was written about a genre's albums in the period."""

    genre: str = Field(examples=["jazz"])
    album_count: int = Field(description="Reviewed albums")
    review_count: int


class SharedAlbum(Output):
    """An album that both of you know."""

    id: UUID
    title: str


class Reason(Output):
    """Why somebody is suggested. `count` is of albums, of likes or of days without activity, as the kind has it."""

    kind: Literal["similar_ratings", "shared_likes", "recent_activity", "shared_favorites"]
    sentence: str = Field(examples=["You both gave 9 or more to Kind of Blue"])
    count: int
    albums: list[SharedAlbum]


class SimilarityParts(Output):
    """What the score is made of, each from 0 to 1, and its weight: .35, .25, .20 and .20."""

    rating_similarity: Share
    shared_likes: Share
    recent_activity: Share
    shared_favorites: Share


class Suggestion(Output):
    """A suggestion as it is kept for some minutes, without the person's card."""

    id: UUID
    score: Share
    parts: SimilarityParts
    reasons: list[Reason]


class SuggestedCard(PersonCard):
    """The person of a suggestion."""

    bio: str
    follower_count: int
    review_count: int


class SuggestedPerson(SuggestedCard):
    """Somebody to follow, and why: the best reason first."""

    score: Share
    parts: SimilarityParts
    reasons: list[Reason]


class RoomReason(Output):
    """Why a room is suggested. `count` is of people, of visits or of days, as the kind has it."""

    kind: Literal["genres", "following", "visits", "lively", "new"]
    sentence: str = Field(examples=["Ana, whom you follow, is inside"])
    count: int


class RoomParts(Output):
    """What the score is made of, each from 0 to 1, and its weight: .35, .30, .15 and .20."""

    genres: Share
    following: Share
    visits: Share
    liveliness: Share


class SuggestedRoom(RoomItem):
    """A room to come into, and why: the best reason first."""

    score: Share
    parts: RoomParts
    reasons: list[RoomReason]
