"""Accounts: the address that is wanted, and tokens of another server that ended by their time."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("credentials", sa.Column("wanted_key", sa.Text(), nullable=True))
    op.add_column("revocations", sa.Column("before", sa.DateTime(timezone=True), nullable=True))
    op.add_column("revocations", sa.Column("spared", sa.Uuid(), nullable=True))
    op.add_column("tickets", sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    # without its time such a row would end everything of the person
    op.execute("DELETE FROM revocations WHERE before IS NOT NULL")
    op.drop_column("tickets", "issued_at")
    op.drop_column("revocations", "spared")
    op.drop_column("revocations", "before")
    op.drop_column("credentials", "wanted_key")
