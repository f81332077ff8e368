"""Rooms: who is in them, what they play."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "rooms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(collation="C"), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("is_private", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("capacity", sa.Integer(), server_default="50", nullable=False),
        sa.Column("member_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("genres", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("is_permanent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("entry_role", sa.Text(), server_default="member", nullable=False),
        sa.Column("queue_mode", sa.Text(), server_default="fifo", nullable=False),
        sa.Column("auto_dj", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("items_per_person", sa.SmallInteger(), server_default="20", nullable=False),
        sa.Column("skip_quorum", sa.Double(), server_default="0.5", nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_active_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("entry_role IN ('member', 'guest')", name=op.f("ck_rooms_entry_role")),
        sa.CheckConstraint("queue_mode IN ('fifo', 'votes', 'fair')", name=op.f("ck_rooms_queue_mode")),
        sa.CheckConstraint("capacity > 0", name=op.f("ck_rooms_capacity_positive")),
        sa.CheckConstraint("is_private OR password_hash IS NULL", name=op.f("ck_rooms_password_is_private")),
        sa.CheckConstraint("items_per_person > 0", name=op.f("ck_rooms_items_per_person")),
        sa.CheckConstraint("member_count BETWEEN 0 AND capacity", name=op.f("ck_rooms_not_too_full")),
        sa.CheckConstraint("skip_quorum > 0 AND skip_quorum <= 1", name=op.f("ck_rooms_skip_quorum")),
        sa.ForeignKeyConstraint(["id"], ["channels.id"], name=op.f("fk_rooms_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_rooms_owner_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rooms")),
        sa.UniqueConstraint("name_key", name=op.f("uq_rooms_name_key")),
    )
    op.create_index("ix_rooms_genres", "rooms", ["genres"], unique=False, postgresql_using="gin")
    op.create_index("ix_rooms_owner_id", "rooms", ["owner_id"], unique=False)
    op.create_table(
        "queue_undos",
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("item_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("moved_from", sa.Integer(), nullable=True),
        sa.Column(
            "created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=op.f("fk_queue_undos_actor_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_queue_undos_room_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("room_id", "actor_id", name=op.f("pk_queue_undos")),
    )
    op.create_index(op.f("ix_queue_undos_actor_id"), "queue_undos", ["actor_id"], unique=False)
    op.create_table(
        "room_bans",
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("banned_by_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["banned_by_id"], ["users.id"], name=op.f("fk_room_bans_banned_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_room_bans_room_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_room_bans_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("room_id", "user_id", name=op.f("pk_room_bans")),
    )
    op.create_index(op.f("ix_room_bans_banned_by_id"), "room_bans", ["banned_by_id"], unique=False)
    op.create_index(op.f("ix_room_bans_user_id"), "room_bans", ["user_id"], unique=False)
    op.create_table(
        "room_dismissals",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_room_dismissals_room_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_room_dismissals_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "room_id", name=op.f("pk_room_dismissals")),
    )
    op.create_index(op.f("ix_room_dismissals_room_id"), "room_dismissals", ["room_id"], unique=False)
    op.create_table(
        "room_invites",
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=True),
        sa.Column("max_uses", sa.Integer(), nullable=True),
        sa.Column("uses", sa.Integer(), server_default="0", nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("max_uses IS NULL OR uses <= max_uses", name=op.f("ck_room_invites_uses")),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_room_invites_made_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_room_invites_room_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room_invites")),
        sa.UniqueConstraint("code", name=op.f("uq_room_invites_code")),
    )
    op.create_index(op.f("ix_room_invites_made_by_id"), "room_invites", ["made_by_id"], unique=False)
    op.create_index("ix_room_invites_room_id_id", "room_invites", ["room_id", "id"], unique=False)
    op.create_table(
        "room_members",
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column(
            "joined_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("muted_until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('owner', 'dj', 'member', 'guest')", name=op.f("ck_room_members_role")),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_room_members_room_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_room_members_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("room_id", "user_id", name=op.f("pk_room_members")),
    )
    op.create_index("ix_room_members_joined", "room_members", ["room_id", "joined_at", "user_id"], unique=False)
    op.create_index("ix_room_members_user_id", "room_members", ["user_id", "joined_at"], unique=False)
    op.create_index(
        "uq_room_members_owner", "room_members", ["room_id"], unique=True, postgresql_where=sa.text("role = 'owner'")
    )
    op.create_table(
        "room_permissions",
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("permission", sa.Text(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.CheckConstraint("role IN ('dj', 'member', 'guest')", name=op.f("ck_room_permissions_role")),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_room_permissions_room_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("room_id", "role", "permission", name=op.f("pk_room_permissions")),
    )
    op.create_table(
        "room_visits",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("visits", sa.Integer(), server_default="1", nullable=False),
        sa.Column("last_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_room_visits_room_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_room_visits_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "room_id", name=op.f("pk_room_visits")),
    )
    op.create_index(op.f("ix_room_visits_room_id"), "room_visits", ["room_id"], unique=False)
    op.create_table(
        "skip_votes",
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_skip_votes_room_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_skip_votes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("room_id", "user_id", name=op.f("pk_skip_votes")),
    )
    op.create_index(op.f("ix_skip_votes_user_id"), "skip_votes", ["user_id"], unique=False)
    op.create_table(
        "playbacks",
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("item", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("track_id", sa.Uuid(), nullable=True),
        sa.Column("duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("playing", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("position_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("at_ms", sa.Double(), server_default="0", nullable=False),
        sa.Column("heard_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("gate_until_ms", sa.Double(), nullable=True),
        sa.Column("ready", sa.ARRAY(sa.Uuid()), server_default=sa.text("'{}'::uuid[]"), nullable=False),
        sa.Column("due_ms", sa.Double(), nullable=True),
        sa.Column("play_id", sa.Uuid(), nullable=True),
        sa.Column("back_to", sa.Uuid(), nullable=True),
        sa.Column("served", sa.ARRAY(sa.Uuid()), server_default=sa.text("'{}'::uuid[]"), nullable=False),
        sa.Column("dry", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("unheard", sa.Integer(), server_default="0", nullable=False),
        sa.Column("skip_votes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("skip_needed", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("position_ms >= 0", name=op.f("ck_playbacks_position")),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_playbacks_room_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.id"], name=op.f("fk_playbacks_track_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("room_id", name=op.f("pk_playbacks")),
    )
    op.create_index(
        "ix_playbacks_due_ms", "playbacks", ["due_ms"], unique=False, postgresql_where=sa.text("due_ms IS NOT NULL")
    )
    op.create_index(op.f("ix_playbacks_track_id"), "playbacks", ["track_id"], unique=False)
    op.create_table(
        "queue_items",
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("track_id", sa.Uuid(), nullable=False),
        sa.Column("added_by_id", sa.Uuid(), nullable=True),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("vote_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("removed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["added_by_id"], ["users.id"], name=op.f("fk_queue_items_added_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_queue_items_room_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.id"], name=op.f("fk_queue_items_track_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_items")),
    )
    op.create_index(op.f("ix_queue_items_added_by_id"), "queue_items", ["added_by_id"], unique=False)
    op.create_index(
        "ix_queue_items_removed_at",
        "queue_items",
        ["removed_at"],
        unique=False,
        postgresql_where=sa.text("removed_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_queue_items_room_id"), "queue_items", ["room_id"], unique=False)
    op.create_index(op.f("ix_queue_items_track_id"), "queue_items", ["track_id"], unique=False)
    op.create_index(
        "ix_queue_items_waiting",
        "queue_items",
        ["room_id", "place"],
        unique=False,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "room_plays",
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("track_id", sa.Uuid(), nullable=False),
        sa.Column("added_by_id", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("played_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("skipped", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["added_by_id"], ["users.id"], name=op.f("fk_room_plays_added_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_room_plays_room_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.id"], name=op.f("fk_room_plays_track_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room_plays")),
    )
    op.create_index(op.f("ix_room_plays_added_by_id"), "room_plays", ["added_by_id"], unique=False)
    op.create_index("ix_room_plays_room_id_id", "room_plays", ["room_id", "id"], unique=False)
    op.create_index(op.f("ix_room_plays_track_id"), "room_plays", ["track_id"], unique=False)
    op.create_table(
        "queue_votes",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["queue_items.id"], name=op.f("fk_queue_votes_item_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_queue_votes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("item_id", "user_id", name=op.f("pk_queue_votes")),
    )
    op.create_index(op.f("ix_queue_votes_user_id"), "queue_votes", ["user_id"], unique=False)
    op.create_table(
        "room_play_listeners",
        sa.Column("play_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["play_id"], ["room_plays.id"], name=op.f("fk_room_play_listeners_play_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_room_play_listeners_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("play_id", "user_id", name=op.f("pk_room_play_listeners")),
    )
    op.create_index(op.f("ix_room_play_listeners_user_id"), "room_play_listeners", ["user_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_room_play_listeners_user_id"), table_name="room_play_listeners")
    op.drop_table("room_play_listeners")
    op.drop_index(op.f("ix_queue_votes_user_id"), table_name="queue_votes")
    op.drop_table("queue_votes")
    op.drop_index(op.f("ix_room_plays_track_id"), table_name="room_plays")
    op.drop_index("ix_room_plays_room_id_id", table_name="room_plays")
    op.drop_index(op.f("ix_room_plays_added_by_id"), table_name="room_plays")
    op.drop_table("room_plays")
    op.drop_index("ix_queue_items_waiting", table_name="queue_items", postgresql_where=sa.text("removed_at IS NULL"))
    op.drop_index(op.f("ix_queue_items_track_id"), table_name="queue_items")
    op.drop_index(op.f("ix_queue_items_room_id"), table_name="queue_items")
    op.drop_index(
        "ix_queue_items_removed_at", table_name="queue_items", postgresql_where=sa.text("removed_at IS NOT NULL")
    )
    op.drop_index(op.f("ix_queue_items_added_by_id"), table_name="queue_items")
    op.drop_table("queue_items")
    op.drop_index(op.f("ix_playbacks_track_id"), table_name="playbacks")
    op.drop_index("ix_playbacks_due_ms", table_name="playbacks", postgresql_where=sa.text("due_ms IS NOT NULL"))
    op.drop_table("playbacks")
    op.drop_index(op.f("ix_skip_votes_user_id"), table_name="skip_votes")
    op.drop_table("skip_votes")
    op.drop_index(op.f("ix_room_visits_room_id"), table_name="room_visits")
    op.drop_table("room_visits")
    op.drop_table("room_permissions")
    op.drop_index("uq_room_members_owner", table_name="room_members", postgresql_where=sa.text("role = 'owner'"))
    op.drop_index("ix_room_members_user_id", table_name="room_members")
    op.drop_index("ix_room_members_joined", table_name="room_members")
    op.drop_table("room_members")
    op.drop_index("ix_room_invites_room_id_id", table_name="room_invites")
    op.drop_index(op.f("ix_room_invites_made_by_id"), table_name="room_invites")
    op.drop_table("room_invites")
    op.drop_index(op.f("ix_room_dismissals_room_id"), table_name="room_dismissals")
    op.drop_table("room_dismissals")
    op.drop_index(op.f("ix_room_bans_user_id"), table_name="room_bans")
    op.drop_index(op.f("ix_room_bans_banned_by_id"), table_name="room_bans")
    op.drop_table("room_bans")
    op.drop_index(op.f("ix_queue_undos_actor_id"), table_name="queue_undos")
    op.drop_table("queue_undos")
    op.drop_index("ix_rooms_owner_id", table_name="rooms")
    op.drop_index("ix_rooms_genres", table_name="rooms", postgresql_using="gin")
    op.drop_table("rooms")
