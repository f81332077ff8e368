"""Groups."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "groups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(collation="C"), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("cover_key", sa.Text(), nullable=True),
        sa.Column("is_private", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("member_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("member_count >= 0", name=op.f("ck_groups_member_count")),
        sa.ForeignKeyConstraint(["id"], ["channels.id"], name=op.f("fk_groups_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_groups_owner_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
    )
    op.create_index("ix_groups_category_new", "groups", ["category", "id"], unique=False)
    op.create_index("ix_groups_category_popular", "groups", ["category", "member_count", "id"], unique=False)
    op.create_index(
        "ix_groups_cover_key", "groups", ["cover_key"], unique=False, postgresql_where=sa.text("cover_key IS NOT NULL")
    )
    op.create_index("ix_groups_name_key", "groups", ["name_key"], unique=False)
    op.create_index("ix_groups_owner_id", "groups", ["owner_id"], unique=False)
    op.create_index("ix_groups_popular", "groups", ["member_count", "id"], unique=False)
    op.create_index(
        "ix_groups_words",
        "groups",
        [sa.literal_column("to_tsvector('simple', name_key)")],
        unique=False,
        postgresql_using="gin",
    )
    op.create_table(
        "group_bans",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("banned_by_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["banned_by_id"], ["users.id"], name=op.f("fk_group_bans_banned_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_group_bans_group_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_group_bans_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("group_id", "user_id", name=op.f("pk_group_bans")),
    )
    op.create_index(op.f("ix_group_bans_banned_by_id"), "group_bans", ["banned_by_id"], unique=False)
    op.create_index(
        "ix_group_bans_group_id_created_at", "group_bans", ["group_id", "created_at", "user_id"], unique=False
    )
    op.create_index(op.f("ix_group_bans_user_id"), "group_bans", ["user_id"], unique=False)
    op.create_table(
        "group_invites",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("invited_by_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('pending', 'accepted', 'declined')", name=op.f("ck_group_invites_status")),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_group_invites_group_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["invited_by_id"], ["users.id"], name=op.f("fk_group_invites_invited_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_group_invites_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_invites")),
    )
    op.create_index("ix_group_invites_group_id_id", "group_invites", ["group_id", "id"], unique=False)
    op.create_index(op.f("ix_group_invites_invited_by_id"), "group_invites", ["invited_by_id"], unique=False)
    op.create_index("ix_group_invites_user_id_id", "group_invites", ["user_id", "id"], unique=False)
    op.create_index(
        "uq_group_invites_pending",
        "group_invites",
        ["group_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "group_links",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("max_uses", sa.Integer(), nullable=True),
        sa.Column("uses", sa.Integer(), server_default="0", nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("max_uses IS NULL OR uses <= max_uses", name=op.f("ck_group_links_uses")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_group_links_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_group_links_group_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_links")),
        sa.UniqueConstraint("digest", name=op.f("uq_group_links_digest")),
    )
    op.create_index(op.f("ix_group_links_created_by_id"), "group_links", ["created_by_id"], unique=False)
    op.create_index("ix_group_links_group_id_id", "group_links", ["group_id", "id"], unique=False)
    op.create_table(
        "group_members",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column(
            "rank",
            sa.SmallInteger(),
            sa.Computed(
                "CASE role WHEN 'owner' THEN 1 WHEN 'admin' THEN 2 WHEN 'moderator' THEN 3 ELSE 4 END", persisted=True
            ),
            nullable=False,
        ),
        sa.Column(
            "joined_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("muted_until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('owner', 'admin', 'moderator', 'member')", name=op.f("ck_group_members_role")),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_group_members_group_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_group_members_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("group_id", "user_id", name=op.f("pk_group_members")),
    )
    op.create_index(
        "ix_group_members_listed", "group_members", ["group_id", "rank", "joined_at", "user_id"], unique=False
    )
    op.create_index("ix_group_members_user_id", "group_members", ["user_id", "group_id"], unique=False)
    op.create_index(
        "uq_group_members_owner", "group_members", ["group_id"], unique=True, postgresql_where=sa.text("role = 'owner'")
    )
    op.create_table(
        "group_mutes",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("until", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_group_mutes_group_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_group_mutes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("group_id", "user_id", name=op.f("pk_group_mutes")),
    )
    op.create_index(op.f("ix_group_mutes_user_id"), "group_mutes", ["user_id"], unique=False)
    op.add_column("notifications", sa.Column("group_invite_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_notifications_group_invite_id"), "notifications", ["group_invite_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_notifications_group_invite_id"),
        "notifications",
        "group_invites",
        ["group_invite_id"],
        ["id"],
        ondelete="CASCADE",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("fk_notifications_group_invite_id"), "notifications", type_="foreignkey")
    op.drop_index(op.f("ix_notifications_group_invite_id"), table_name="notifications")
    op.drop_column("notifications", "group_invite_id")
    op.drop_index(op.f("ix_group_mutes_user_id"), table_name="group_mutes")
    op.drop_table("group_mutes")
    op.drop_index("uq_group_members_owner", table_name="group_members", postgresql_where=sa.text("role = 'owner'"))
    op.drop_index("ix_group_members_user_id", table_name="group_members")
    op.drop_index("ix_group_members_listed", table_name="group_members")
    op.drop_table("group_members")
    op.drop_index("ix_group_links_group_id_id", table_name="group_links")
    op.drop_index(op.f("ix_group_links_created_by_id"), table_name="group_links")
    op.drop_table("group_links")
    op.drop_index(
        "uq_group_invites_pending", table_name="group_invites", postgresql_where=sa.text("status = 'pending'")
    )
    op.drop_index("ix_group_invites_user_id_id", table_name="group_invites")
    op.drop_index(op.f("ix_group_invites_invited_by_id"), table_name="group_invites")
    op.drop_index("ix_group_invites_group_id_id", table_name="group_invites")
    op.drop_table("group_invites")
    op.drop_index(op.f("ix_group_bans_user_id"), table_name="group_bans")
    op.drop_index("ix_group_bans_group_id_created_at", table_name="group_bans")
    op.drop_index(op.f("ix_group_bans_banned_by_id"), table_name="group_bans")
    op.drop_table("group_bans")
    op.drop_index("ix_groups_words", table_name="groups", postgresql_using="gin")
    op.drop_index("ix_groups_popular", table_name="groups")
    op.drop_index("ix_groups_owner_id", table_name="groups")
    op.drop_index("ix_groups_name_key", table_name="groups")
    op.drop_index("ix_groups_cover_key", table_name="groups", postgresql_where=sa.text("cover_key IS NOT NULL"))
    op.drop_index("ix_groups_category_popular", table_name="groups")
    op.drop_index("ix_groups_category_new", table_name="groups")
    op.drop_table("groups")
