"""Banners, pictures of chat messages, and how unused pictures are found."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "chat_pictures",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("used_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.id"], name=op.f("fk_chat_pictures_author_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_chat_pictures_channel_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_chat_pictures")),
    )
    op.create_index("ix_chat_pictures_author_id", "chat_pictures", ["author_id"], unique=False)
    op.create_index("ix_chat_pictures_channel_id", "chat_pictures", ["channel_id"], unique=False)
    op.create_index(
        "ix_chat_pictures_unused",
        "chat_pictures",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("used_at IS NULL"),
    )
    op.create_index(
        "ix_albums_cover_key", "albums", ["cover_key"], unique=False, postgresql_where=sa.text("cover_key IS NOT NULL")
    )
    op.create_index(
        "ix_artists_image_key",
        "artists",
        ["image_key"],
        unique=False,
        postgresql_where=sa.text("image_key IS NOT NULL"),
    )
    op.add_column("users", sa.Column("banner_key", sa.Text(), nullable=True))
    op.create_index(
        "ix_users_avatar_key", "users", ["avatar_key"], unique=False, postgresql_where=sa.text("avatar_key IS NOT NULL")
    )
    op.create_index(
        "ix_users_banner_key", "users", ["banner_key"], unique=False, postgresql_where=sa.text("banner_key IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index("ix_users_banner_key", table_name="users", postgresql_where=sa.text("banner_key IS NOT NULL"))
    op.drop_index("ix_users_avatar_key", table_name="users", postgresql_where=sa.text("avatar_key IS NOT NULL"))
    op.drop_column("users", "banner_key")
    op.drop_index("ix_artists_image_key", table_name="artists", postgresql_where=sa.text("image_key IS NOT NULL"))
    op.drop_index("ix_albums_cover_key", table_name="albums", postgresql_where=sa.text("cover_key IS NOT NULL"))
    op.drop_index("ix_chat_pictures_unused", table_name="chat_pictures", postgresql_where=sa.text("used_at IS NULL"))
    op.drop_index("ix_chat_pictures_channel_id", table_name="chat_pictures")
    op.drop_index("ix_chat_pictures_author_id", table_name="chat_pictures")
    op.drop_table("chat_pictures")
