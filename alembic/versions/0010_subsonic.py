"""Subsonic: ratings, starred artists, play queues."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "play_queues",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("track_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("current", sa.Integer(), nullable=True),
        sa.Column("position_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.CheckConstraint("cardinality(track_ids) <= 10000", name=op.f("ck_play_queues_length")),
        sa.CheckConstraint("position_ms >= 0", name=op.f("ck_play_queues_position")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_play_queues_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_play_queues")),
    )
    op.create_table(
        "subsonic_stars",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("artist_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["artist_id"], ["artists.id"], name=op.f("fk_subsonic_stars_artist_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_subsonic_stars_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "artist_id", name=op.f("pk_subsonic_stars")),
    )
    op.create_index("ix_subsonic_stars_artist_id", "subsonic_stars", ["artist_id"], unique=False)
    op.create_table(
        "subsonic_ratings",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("artist_id", sa.Uuid(), nullable=True),
        sa.Column("album_id", sa.Uuid(), nullable=True),
        sa.Column("track_id", sa.Uuid(), nullable=True),
        sa.Column("rating", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(artist_id, album_id, track_id) = 1", name=op.f("ck_subsonic_ratings_one_target")
        ),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_subsonic_ratings_rating")),
        sa.ForeignKeyConstraint(
            ["album_id"], ["albums.id"], name=op.f("fk_subsonic_ratings_album_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["artist_id"], ["artists.id"], name=op.f("fk_subsonic_ratings_artist_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["track_id"], ["tracks.id"], name=op.f("fk_subsonic_ratings_track_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_subsonic_ratings_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subsonic_ratings")),
    )
    op.create_index("ix_subsonic_ratings_user_id_id", "subsonic_ratings", ["user_id", "id"], unique=False)
    op.create_index(
        "uq_subsonic_ratings_album_id_user_id",
        "subsonic_ratings",
        ["album_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("album_id IS NOT NULL"),
    )
    op.create_index(
        "uq_subsonic_ratings_artist_id_user_id",
        "subsonic_ratings",
        ["artist_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("artist_id IS NOT NULL"),
    )
    op.create_index(
        "uq_subsonic_ratings_track_id_user_id",
        "subsonic_ratings",
        ["track_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("track_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "uq_subsonic_ratings_track_id_user_id",
        table_name="subsonic_ratings",
        postgresql_where=sa.text("track_id IS NOT NULL"),
    )
    op.drop_index(
        "uq_subsonic_ratings_artist_id_user_id",
        table_name="subsonic_ratings",
        postgresql_where=sa.text("artist_id IS NOT NULL"),
    )
    op.drop_index(
        "uq_subsonic_ratings_album_id_user_id",
        table_name="subsonic_ratings",
        postgresql_where=sa.text("album_id IS NOT NULL"),
    )
    op.drop_index("ix_subsonic_ratings_user_id_id", table_name="subsonic_ratings")
    op.drop_table("subsonic_ratings")
    op.drop_index("ix_subsonic_stars_artist_id", table_name="subsonic_stars")
    op.drop_table("subsonic_stars")
    op.drop_table("play_queues")
