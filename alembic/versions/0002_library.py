"""What people hear."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "listeners",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("listen_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_listeners_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_listeners")),
    )
    op.create_table(
        "listens",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("track_id", sa.Uuid(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=True),
        sa.Column("listened_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("played_ms", sa.Integer(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "source IN ('room', 'stream', 'spotify', 'listenbrainz', 'lastfm', 'subsonic', 'import', 'manual')",
            name=op.f("ck_listens_source"),
        ),
        sa.CheckConstraint("played_ms >= 0", name=op.f("ck_listens_played")),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.id"], name=op.f("fk_listens_track_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_listens_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_listens"), postgresql_include=["track_id"]),
        postgresql_with={"autovacuum_vacuum_insert_scale_factor": "0.02"},
    )
    op.create_index("ix_listens_track_id", "listens", ["track_id"], unique=False)
    op.add_column("users", sa.Column("record_room_listens", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("users", "record_room_listens")
    op.drop_index("ix_listens_track_id", table_name="listens")
    op.drop_table("listens")
    op.drop_table("listeners")
