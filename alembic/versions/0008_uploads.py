"""Uploads: recordings of people, and who may hear what."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "uploads",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("track_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("wishes", postgresql.JSONB(astext_type=Text()), server_default="{}", nullable=False),
        sa.Column("audio_type", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("bitrate_kbps", sa.Integer(), nullable=True),
        sa.Column("sample_rate", sa.Integer(), nullable=True),
        sa.Column("channels", sa.Integer(), nullable=True),
        sa.Column("tags", postgresql.JSONB(astext_type=Text()), server_default="{}", nullable=False),
        sa.Column("renditions", postgresql.JSONB(astext_type=Text()), server_default="[]", nullable=False),
        sa.Column("peaks", sa.ARRAY(sa.SmallInteger()), nullable=True),
        sa.Column("finalised_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(state = 'failed') = (failure_code IS NOT NULL)", name=op.f("ck_uploads_failed_with_reason")
        ),
        sa.CheckConstraint(
            "state <> 'ready' OR (sha256 IS NOT NULL AND audio_type IS NOT NULL)",
            name=op.f("ck_uploads_ready_is_known"),
        ),
        sa.CheckConstraint("state IN ('waiting', 'processing', 'ready', 'failed')", name=op.f("ck_uploads_state")),
        sa.CheckConstraint("size > 0", name=op.f("ck_uploads_size_positive")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_uploads_owner_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.id"], name=op.f("fk_uploads_track_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
        sa.UniqueConstraint("track_id", name=op.f("uq_uploads_track_id")),
    )
    op.create_index(
        "ix_uploads_expires_at",
        "uploads",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_index(
        "ix_uploads_owner_id_id", "uploads", ["owner_id", "id"], unique=False, postgresql_include=["state", "size"]
    )
    op.create_index(
        "uq_uploads_owner_id_sha256",
        "uploads",
        ["owner_id", "sha256"],
        unique=True,
        postgresql_where=sa.text("state = 'ready'"),
    )
    # a person's tracks go before their albums and those before their artists, in the order in which these keys are made
    op.add_column("tracks", sa.Column("owner_id", sa.Uuid(), nullable=True))
    op.add_column("tracks", sa.Column("visibility", sa.Text(), server_default="public", nullable=False))
    op.add_column("tracks", sa.Column("audio_type", sa.Text(), nullable=True))
    op.create_foreign_key(op.f("fk_tracks_owner_id"), "tracks", "users", ["owner_id"], ["id"], ondelete="CASCADE")
    op.create_check_constraint(
        op.f("ck_tracks_visibility"), "tracks", "visibility IN ('public', 'followers', 'private')"
    )
    op.create_check_constraint(
        op.f("ck_tracks_public_or_owned"), "tracks", "visibility = 'public' OR owner_id IS NOT NULL"
    )
    op.create_index("ix_tracks_audio_id", "tracks", ["id"], postgresql_where=sa.text("audio_type IS NOT NULL"))
    op.create_index("ix_tracks_owner_id_id", "tracks", ["owner_id", "id"], postgresql_where=sa.text("owner_id IS NOT NULL"))
    for table, unique in (("albums", ["owner_id", "artist_id", "title_key"]), ("artists", ["owner_id", "name_key"])):
        op.add_column(table, sa.Column("owner_id", sa.Uuid(), nullable=True))
        op.add_column(table, sa.Column("listed", sa.Boolean(), server_default=sa.text("true"), nullable=False))
        op.create_foreign_key(op.f(f"fk_{table}_owner_id"), table, "users", ["owner_id"], ["id"], ondelete="CASCADE")
        op.create_check_constraint(op.f(f"ck_{table}_listed_or_owned"), table, "listed OR owner_id IS NOT NULL")
        op.create_index(
            f"uq_{table}_{'_'.join(unique)}", table, unique, unique=True, postgresql_where=sa.text("owner_id IS NOT NULL")
        )


def downgrade() -> None:
    for table, unique in (("artists", ["owner_id", "name_key"]), ("albums", ["owner_id", "artist_id", "title_key"])):
        op.drop_index(f"uq_{table}_{'_'.join(unique)}", table_name=table)
        op.drop_constraint(op.f(f"ck_{table}_listed_or_owned"), table, type_="check")
        op.drop_constraint(op.f(f"fk_{table}_owner_id"), table, type_="foreignkey")
        op.drop_column(table, "listed")
        op.drop_column(table, "owner_id")
    op.drop_index("ix_tracks_owner_id_id", table_name="tracks")
    op.drop_index("ix_tracks_audio_id", table_name="tracks")
    for name in ("public_or_owned", "visibility"):
        op.drop_constraint(op.f(f"ck_tracks_{name}"), "tracks", type_="check")
    op.drop_constraint(op.f("fk_tracks_owner_id"), "tracks", type_="foreignkey")
    for name in ("audio_type", "visibility", "owner_id"):
        op.drop_column("tracks", name)
    op.drop_table("uploads")
