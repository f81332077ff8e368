"""OpenMusic: songs with their own year and spelling, accounts without a mail address."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "openmusic_songs",
        sa.Column("track_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("genre", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["track_id"], ["tracks.id"], name=op.f("fk_openmusic_songs_track_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("track_id", name=op.f("pk_openmusic_songs")),
    )
    op.alter_column("credentials", "email", existing_type=sa.TEXT(), nullable=True)
    op.alter_column("credentials", "email_key", existing_type=sa.TEXT(), nullable=True)


def downgrade() -> None:
    op.execute("UPDATE credentials SET email = '', email_key = '' WHERE email IS NULL")
    op.alter_column("credentials", "email_key", existing_type=sa.TEXT(), nullable=False)
    op.alter_column("credentials", "email", existing_type=sa.TEXT(), nullable=False)
    op.drop_table("openmusic_songs")
