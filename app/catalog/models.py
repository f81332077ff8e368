"""Artists, albums and tracks, and the index that search reads.

What people upload are rows of these tables too, with an owner. Of theirs, `listed` artists and albums have a public
track; the others are for those who may hear one of their tracks (`hearing`).
"""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Row

__all__ = ["Album", "Artist", "Entity", "SearchDocument", "SearchWord", "Track", "TrackPlays"]

_NO_GENRES = text("'{}'::text[]")
_OWNED = text("owner_id IS NOT NULL")

Key = Annotated[str, mapped_column(Text(collation="C"))]
"""What `name_key()` made of a name: ordered by code points on every server, so that prefixes are ranges."""


class Artist(Row):
    """A person or a band. `merged_into_id` leads from a duplicate to the one that stays."""

    __tablename__ = "artists"
    __table_args__ = (
        Index("ix_artists_name_key_id", "name_key", "id"),
        Index("ix_artists_genres", "genres", postgresql_using="gin"),
        Index("uq_artists_owner_id_name_key", "owner_id", "name_key", unique=True, postgresql_where=_OWNED),
        Index("ix_artists_image_key", "image_key", postgresql_where=text("image_key IS NOT NULL")),
        CheckConstraint("merged_into_id <> id", name="not_into_itself"),
        CheckConstraint("listed OR owner_id IS NOT NULL", name="listed_or_owned"),
    )

    name: Mapped[str]
    name_key: Mapped[Key]
    genres: Mapped[list[str]] = mapped_column(server_default=_NO_GENRES)
    image_key: Mapped[str | None]
    spotify_id: Mapped[str | None] = mapped_column(unique=True)
    musicbrainz_id: Mapped[UUID | None] = mapped_column(unique=True)
    album_count: Mapped[int] = mapped_column(server_default="0")
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    listed: Mapped[bool] = mapped_column(server_default=text("true"))
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("artists.id", ondelete="SET NULL"), index=True)


class Album(Row):
    """An album, with what its page shows of ratings and likes counted in the same transactions."""

    __tablename__ = "albums"
    __table_args__ = (
        Index("ix_albums_artist_id_id", "artist_id", "id"),
        Index("ix_albums_title_key_id", "title_key", "id"),
        Index("ix_albums_artist_id_title_key", "artist_id", "title_key"),
        Index("ix_albums_year_id", "year", "id"),
        Index("ix_albums_genres", "genres", postgresql_using="gin"),
        Index(
            "uq_albums_owner_id_artist_id_title_key",
            "owner_id",
            "artist_id",
            "title_key",
            unique=True,
            postgresql_where=_OWNED,
        ),
        CheckConstraint("listed OR owner_id IS NOT NULL", name="listed_or_owned"),
        Index("ix_albums_cover_key", "cover_key", postgresql_where=text("cover_key IS NOT NULL")),
        CheckConstraint("array_length(rating_counts, 1) = 10", name="ten_ratings"),
        CheckConstraint("merged_into_id <> id", name="not_into_itself"),
    )

    title: Mapped[str]
    title_key: Mapped[Key]
    artist_id: Mapped[UUID] = mapped_column(ForeignKey("artists.id", ondelete="RESTRICT"))
    year: Mapped[int | None] = mapped_column(SmallInteger)
    release_date: Mapped[date | None]
    label: Mapped[str | None]
    genres: Mapped[list[str]] = mapped_column(server_default=_NO_GENRES)
    cover_key: Mapped[str | None]
    spotify_id: Mapped[str | None] = mapped_column(unique=True)
    musicbrainz_id: Mapped[UUID | None] = mapped_column(unique=True)
    track_count: Mapped[int] = mapped_column(Integer, server_default="0")
    duration_ms: Mapped[int] = mapped_column(BigInteger, server_default="0")
    review_count: Mapped[int] = mapped_column(server_default="0")
    rating_sum: Mapped[int] = mapped_column(server_default="0")
    rating_counts: Mapped[list[Any]] = mapped_column(
        ARRAY(BigInteger), server_default=text("'{0,0,0,0,0,0,0,0,0,0}'::bigint[]")
    )
    like_count: Mapped[int] = mapped_column(server_default="0")
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    listed: Mapped[bool] = mapped_column(server_default=text("true"))
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("albums.id", ondelete="SET NULL"), index=True)


class Track(Row):
    """A track, alone or at a place of an album. Audio features are those of Spotify: 0 to 1, tempo in BPM.

    `audio_type` is that of its recording, if there is one to stream. One that somebody uploaded has an owner, who says
    who may hear it. Its `year` is what they said of it, and counts where no album has one.
    """

    __tablename__ = "tracks"
    __table_args__ = (
        Index("ix_tracks_album_id_disc_position", "album_id", "disc", "position"),
        Index("ix_tracks_artist_id_id", "artist_id", "id"),
        Index("ix_tracks_artist_id_title_key", "artist_id", "title_key"),
        Index("ix_tracks_genres", "genres", postgresql_using="gin"),
        Index("ix_tracks_owner_id_id", "owner_id", "id", postgresql_where=_OWNED),
        Index("ix_tracks_audio_id", "id", postgresql_where=text("audio_type IS NOT NULL")),
        CheckConstraint("visibility IN ('public', 'followers', 'private')", name="visibility"),
        CheckConstraint("visibility = 'public' OR owner_id IS NOT NULL", name="public_or_owned"),
        CheckConstraint("duration_ms > 0", name="duration_positive"),
        CheckConstraint("merged_into_id <> id", name="not_into_itself"),
    )

    title: Mapped[str]
    title_key: Mapped[Key]
    artist_id: Mapped[UUID] = mapped_column(ForeignKey("artists.id", ondelete="RESTRICT"))
    album_id: Mapped[UUID | None] = mapped_column(ForeignKey("albums.id", ondelete="CASCADE"))
    disc: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    position: Mapped[int | None] = mapped_column(SmallInteger)
    duration_ms: Mapped[int | None] = mapped_column(Integer)
    year: Mapped[int | None] = mapped_column(SmallInteger)
    genres: Mapped[list[str]] = mapped_column(server_default=_NO_GENRES)
    isrc: Mapped[str | None] = mapped_column(unique=True)
    spotify_id: Mapped[str | None] = mapped_column(unique=True)
    musicbrainz_id: Mapped[UUID | None] = mapped_column(unique=True)
    popularity: Mapped[int | None] = mapped_column(SmallInteger)
    valence: Mapped[float | None]
    energy: Mapped[float | None]
    tempo: Mapped[float | None]
    like_count: Mapped[int] = mapped_column(server_default="0")
    comment_count: Mapped[int] = mapped_column(server_default="0")
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    visibility: Mapped[str] = mapped_column(server_default="public")
    audio_type: Mapped[str | None]
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("tracks.id", ondelete="SET NULL"), index=True)


class TrackPlays(Base):
    """How many listens of a track there are. Beside the track: what changes with every listen is a row of two numbers,
    and no index has it.
    """

    __tablename__ = "track_plays"
    __table_args__ = ({"postgresql_with": {"fillfactor": "70"}},)

    track_id: Mapped[UUID] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True)
    play_count: Mapped[int] = mapped_column(BigInteger, server_default="0")


Entity = type[Artist] | type[Album] | type[Track]


class SearchDocument(Base):
    """What search knows of an artist, album, track or person. May outlive it: the one who draws a hit joins the thing.

    `terms` holds the words of the title with weight A and those of the artist's name with weight B.
    """

    __tablename__ = "search_documents"
    __table_args__ = (
        Index("ix_search_documents_terms", "terms", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        Index("ix_search_documents_kind_weight", "kind", "weight"),
        Index("ix_search_documents_title_key", "title_key"),
        CheckConstraint("kind IN ('artist', 'album', 'track', 'person')", name="kind"),
    )

    entity_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    title_key: Mapped[Key]
    terms: Mapped[Any] = mapped_column(TSVECTOR)
    weight: Mapped[float] = mapped_column(REAL)


class SearchWord(Base):
    """A word of the index, about how many documents have it, and what is left of it when letters are dropped."""

    __tablename__ = "search_words"
    __table_args__ = (Index("ix_search_words_remains", "remains", postgresql_using="gin"),)

    word: Mapped[Key] = mapped_column(primary_key=True)
    documents: Mapped[int] = mapped_column(Integer)
    remains: Mapped[list[str]]
