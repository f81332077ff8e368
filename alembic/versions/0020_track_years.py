"""Tracks have a year of their own: what people said of their uploads without an album was kept beside them alone."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_YEARS = """
    UPDATE tracks SET year = coalesce(
        (u.wishes->>'year')::smallint, substring(u.tags->>'year' FROM '^(1\\d{3}|20\\d{2}|2100)')::smallint)
    FROM uploads u WHERE u.track_id = tracks.id AND u.owner_id = tracks.owner_id"""


def upgrade() -> None:
    op.add_column("tracks", sa.Column("year", sa.SmallInteger(), nullable=True))
    op.execute(_YEARS)


def downgrade() -> None:
    op.drop_column("tracks", "year")
