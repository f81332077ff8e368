"""Comments on tracks, how often they are heard, pictures in messages."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "track_plays",
        sa.Column("track_id", sa.Uuid(), nullable=False),
        sa.Column("play_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.id"], name=op.f("fk_track_plays_track_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("track_id", name=op.f("pk_track_plays")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "track_trends",
        sa.Column("genre", sa.Text(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("track_id", sa.Uuid(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("play_count", sa.BigInteger(), nullable=False),
        sa.Column("listener_count", sa.BigInteger(), nullable=False),
        sa.Column("previous_rank", sa.BigInteger(), nullable=True),
        sa.Column("made_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.id"], name=op.f("fk_track_trends_track_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("genre", "rank", name=op.f("pk_track_trends")),
    )
    op.create_index("ix_track_trends_track_id", "track_trends", ["track_id"], unique=False)
    op.add_column("comments", sa.Column("track_id", sa.Uuid(), nullable=True))
    op.add_column("comments", sa.Column("position_ms", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_comments_moments",
        "comments",
        ["track_id", "position_ms", "id"],
        unique=False,
        postgresql_where=sa.text("position_ms IS NOT NULL"),
    )
    op.create_index(
        "ix_comments_track_id_id",
        "comments",
        ["track_id", "id"],
        unique=False,
        postgresql_where=sa.text("track_id IS NOT NULL"),
    )
    op.create_foreign_key(op.f("fk_comments_track_id"), "comments", "tracks", ["track_id"], ["id"], ondelete="CASCADE")
    op.create_index(
        "ix_listens_listened_at",
        "listens",
        ["listened_at"],
        unique=False,
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    )
    op.add_column("messages", sa.Column("image_key", sa.Text(), nullable=True))
    op.add_column("notifications", sa.Column("track_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_notifications_track_id"), "notifications", ["track_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_notifications_track_id"), "notifications", "tracks", ["track_id"], ["id"], ondelete="CASCADE"
    )
    op.create_index(
        "ix_playbacks_asleep", "playbacks", ["room_id"], unique=False, postgresql_where=sa.text("dry AND unheard > 0")
    )
    op.add_column("tracks", sa.Column("comment_count", sa.BigInteger(), server_default="0", nullable=False))
    op.drop_constraint(op.f("ck_comments_one_target"), "comments", type_="check")
    op.create_check_constraint(op.f("ck_comments_one_target"), "comments", "num_nonnulls(review_id, track_id) = 1")
    op.create_check_constraint(
        op.f("ck_comments_moment_of_track"),
        "comments",
        "position_ms IS NULL OR (position_ms >= 0 AND track_id IS NOT NULL)",
    )
    op.execute("INSERT INTO track_plays (track_id, play_count) SELECT track_id, count(*) FROM listens GROUP BY track_id")


def downgrade() -> None:
    op.execute("DELETE FROM comments WHERE track_id IS NOT NULL")
    op.drop_constraint(op.f("ck_comments_moment_of_track"), "comments", type_="check")
    op.drop_constraint(op.f("ck_comments_one_target"), "comments", type_="check")
    op.create_check_constraint(op.f("ck_comments_one_target"), "comments", "num_nonnulls(review_id) = 1")
    op.drop_column("tracks", "comment_count")
    op.drop_index("ix_playbacks_asleep", table_name="playbacks", postgresql_where=sa.text("dry AND unheard > 0"))
    op.drop_constraint(op.f("fk_notifications_track_id"), "notifications", type_="foreignkey")
    op.drop_index(op.f("ix_notifications_track_id"), table_name="notifications")
    op.drop_column("notifications", "track_id")
    op.drop_column("messages", "image_key")
    op.drop_index(
        "ix_listens_listened_at", table_name="listens", postgresql_using="brin", postgresql_with={"autosummarize": "on"}
    )
    op.drop_constraint(op.f("fk_comments_track_id"), "comments", type_="foreignkey")
    op.drop_index("ix_comments_track_id_id", table_name="comments", postgresql_where=sa.text("track_id IS NOT NULL"))
    op.drop_index("ix_comments_moments", table_name="comments", postgresql_where=sa.text("position_ms IS NOT NULL"))
    op.drop_column("comments", "position_ms")
    op.drop_column("comments", "track_id")
    op.drop_index("ix_track_trends_track_id", table_name="track_trends")
    op.drop_table("track_trends")
    op.drop_table("track_plays")
