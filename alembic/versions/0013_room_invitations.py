"""Invitations to rooms, for one person each."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "room_invitations",
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("invited_by_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('pending', 'accepted', 'declined')", name=op.f("ck_room_invitations_status")),
        sa.ForeignKeyConstraint(
            ["invited_by_id"], ["users.id"], name=op.f("fk_room_invitations_invited_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_room_invitations_room_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_room_invitations_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room_invitations")),
    )
    op.create_index(op.f("ix_room_invitations_invited_by_id"), "room_invitations", ["invited_by_id"], unique=False)
    op.create_index("ix_room_invitations_room_id_id", "room_invitations", ["room_id", "id"], unique=False)
    op.create_index("ix_room_invitations_user_id_id", "room_invitations", ["user_id", "id"], unique=False)
    op.create_index(
        "uq_room_invitations_pending",
        "room_invitations",
        ["room_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.add_column("notifications", sa.Column("room_invitation_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_notifications_room_invitation_id"), "notifications", ["room_invitation_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_notifications_room_invitation_id"),
        "notifications",
        "room_invitations",
        ["room_invitation_id"],
        ["id"],
        ondelete="CASCADE",
    )


def downgrade() -> None:
    op.execute("DELETE FROM notifications WHERE room_invitation_id IS NOT NULL")
    op.drop_constraint(op.f("fk_notifications_room_invitation_id"), "notifications", type_="foreignkey")
    op.drop_index(op.f("ix_notifications_room_invitation_id"), table_name="notifications")
    op.drop_column("notifications", "room_invitation_id")
    op.drop_index(
        "uq_room_invitations_pending", table_name="room_invitations", postgresql_where=sa.text("status = 'pending'")
    )
    op.drop_index("ix_room_invitations_user_id_id", table_name="room_invitations")
    op.drop_index("ix_room_invitations_room_id_id", table_name="room_invitations")
    op.drop_index(op.f("ix_room_invitations_invited_by_id"), table_name="room_invitations")
    op.drop_table("room_invitations")
