"""Albums with drafts stay."""

from collections.abc import Sequence

from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.drop_constraint(op.f("fk_reviews_album_id"), "reviews", type_="foreignkey")
    op.create_foreign_key(op.f("fk_reviews_album_id"), "reviews", "albums", ["album_id"], ["id"], ondelete="RESTRICT")


def downgrade() -> None:
    op.drop_constraint(op.f("fk_reviews_album_id"), "reviews", type_="foreignkey")
    op.create_foreign_key(op.f("fk_reviews_album_id"), "reviews", "albums", ["album_id"], ["id"], ondelete="CASCADE")
