"""Links of uploads that are gone count, files that nothing serves are found, and tracks have a year of their own."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


_YEARS = """
    UPDATE tracks SET year = coalesce(
        (u.wishes->>'year')::smallint, substring(u.tags->>'year' FROM '^(1\\d{3}|20\\d{2}|2100)')::smallint)
    FROM uploads u WHERE u.track_id = tracks.id AND u.owner_id = tracks.owner_id"""


def upgrade() -> None:
    op.add_column("tracks", sa.Column("year", sa.SmallInteger(), nullable=True))
    op.execute(_YEARS)
    op.create_table(
        "upload_links",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_upload_links_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload_links")),
    )
    op.create_index("ix_upload_links_expires_at", "upload_links", ["expires_at"], unique=False)
    op.create_index("ix_upload_links_owner_id", "upload_links", ["owner_id"], unique=False)
    op.add_column("uploads", sa.Column("link_expires_at", sa.TIMESTAMP(timezone=True), nullable=True))
    op.create_index("ix_uploads_key", "uploads", ["key"], unique=False)
    op.create_index(
        "ix_uploads_renditions",
        "uploads",
        ["renditions"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"renditions": "jsonb_path_ops"},
    )


def downgrade() -> None:
    op.drop_column("tracks", "year")
    op.drop_index(
        "ix_uploads_renditions",
        table_name="uploads",
        postgresql_using="gin",
        postgresql_ops={"renditions": "jsonb_path_ops"},
    )
    op.drop_index("ix_uploads_key", table_name="uploads")
    op.drop_column("uploads", "link_expires_at")
    op.drop_index("ix_upload_links_owner_id", table_name="upload_links")
    op.drop_index("ix_upload_links_expires_at", table_name="upload_links")
    op.drop_table("upload_links")
