"""Channels: ordered logs, messages, who reads and who is there."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("message_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_message_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('room', 'group', 'direct')", name=op.f("ck_channels_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channels")),
    )
    op.create_table(
        "heartbeats",
        sa.Column("process_id", sa.Uuid(), nullable=False),
        sa.Column("seen_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("process_id", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "channel_commands",
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["users.id"], name=op.f("fk_channel_commands_actor_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_channel_commands_channel_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("channel_id", "actor_id", "client_id", name=op.f("pk_channel_commands")),
    )
    op.create_index(op.f("ix_channel_commands_actor_id"), "channel_commands", ["actor_id"], unique=False)
    op.create_index(op.f("ix_channel_commands_created_at"), "channel_commands", ["created_at"], unique=False)
    op.create_table(
        "channel_readers",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ordinal", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("muted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_channel_readers_channel_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_channel_readers_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "channel_id", name=op.f("pk_channel_readers")),
    )
    op.create_index(op.f("ix_channel_readers_channel_id"), "channel_readers", ["channel_id"], unique=False)
    op.create_table(
        "direct_channels",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("first_id", sa.Uuid(), nullable=False),
        sa.Column("second_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("first_id < second_id", name=op.f("ck_direct_channels_in_order")),
        sa.ForeignKeyConstraint(
            ["first_id"], ["users.id"], name=op.f("fk_direct_channels_first_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["id"], ["channels.id"], name=op.f("fk_direct_channels_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["second_id"], ["users.id"], name=op.f("fk_direct_channels_second_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_direct_channels")),
        sa.UniqueConstraint("first_id", "second_id", name=op.f("uq_direct_channels_first_id_second_id")),
    )
    op.create_index(op.f("ix_direct_channels_second_id"), "direct_channels", ["second_id"], unique=False)
    op.create_table(
        "presences",
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("process_id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_presences_channel_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["process_id"], ["heartbeats.process_id"], name=op.f("fk_presences_process_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_presences_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_presences")),
    )
    op.create_index("ix_presences_channel_id", "presences", ["channel_id", "user_id"], unique=False)
    op.create_index(op.f("ix_presences_process_id"), "presences", ["process_id"], unique=False)
    op.create_index(op.f("ix_presences_user_id"), "presences", ["user_id"], unique=False)
    op.create_table(
        "messages",
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("client_id", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), server_default="", nullable=False),
        sa.Column("reply_to_id", sa.Uuid(), nullable=True),
        sa.Column("quote", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("mentions", sa.ARRAY(sa.Uuid()), server_default=sa.text("'{}'::uuid[]"), nullable=False),
        sa.Column("track_id", sa.Uuid(), nullable=True),
        sa.Column("review_id", sa.Uuid(), nullable=True),
        sa.Column("edited_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_messages_author_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_messages_channel_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["reply_to_id"], ["messages.id"], name=op.f("fk_messages_reply_to_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name=op.f("fk_messages_review_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.id"], name=op.f("fk_messages_track_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("channel_id", "sequence", name=op.f("uq_messages_channel_id_sequence")),
    )
    op.create_index("ix_messages_author_id", "messages", ["author_id", "id"], unique=False)
    op.create_index(op.f("ix_messages_reply_to_id"), "messages", ["reply_to_id"], unique=False)
    op.create_index(op.f("ix_messages_review_id"), "messages", ["review_id"], unique=False)
    op.create_index("ix_messages_search", "messages", ["search"], unique=False, postgresql_using="gin")
    op.create_index(op.f("ix_messages_track_id"), "messages", ["track_id"], unique=False)
    op.create_table(
        "channel_events",
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("client_id", sa.Text(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("removes", sa.Uuid(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column(
            "created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["users.id"], name=op.f("fk_channel_events_actor_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_channel_events_channel_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_channel_events_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("channel_id", "sequence", name=op.f("pk_channel_events")),
    )
    op.create_index("ix_channel_events_actor_id", "channel_events", ["actor_id"], unique=False)
    op.create_index(
        "ix_channel_events_message_id",
        "channel_events",
        ["message_id"],
        unique=False,
        postgresql_where=sa.text("message_id IS NOT NULL"),
    )
    op.create_index(
        "uq_channel_events_client_id",
        "channel_events",
        ["channel_id", "actor_id", "client_id"],
        unique=True,
        postgresql_where=sa.text("client_id IS NOT NULL"),
    )
    op.create_table(
        "message_reactions",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("emoji", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_message_reactions_message_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_message_reactions_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", "emoji", "user_id", name=op.f("pk_message_reactions")),
    )
    op.create_index(op.f("ix_message_reactions_user_id"), "message_reactions", ["user_id"], unique=False)
    op.create_table(
        "message_revisions",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_message_revisions_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_revisions")),
    )
    op.create_index(op.f("ix_message_revisions_message_id"), "message_revisions", ["message_id"], unique=False)
    op.add_column("notifications", sa.Column("message_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_notifications_message_id"), "notifications", ["message_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_notifications_message_id"), "notifications", "messages", ["message_id"], ["id"], ondelete="CASCADE"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("fk_notifications_message_id"), "notifications", type_="foreignkey")
    op.drop_index(op.f("ix_notifications_message_id"), table_name="notifications")
    op.drop_column("notifications", "message_id")
    op.drop_index(op.f("ix_message_revisions_message_id"), table_name="message_revisions")
    op.drop_table("message_revisions")
    op.drop_index(op.f("ix_message_reactions_user_id"), table_name="message_reactions")
    op.drop_table("message_reactions")
    op.drop_index(
        "uq_channel_events_client_id", table_name="channel_events", postgresql_where=sa.text("client_id IS NOT NULL")
    )
    op.drop_index(
        "ix_channel_events_message_id", table_name="channel_events", postgresql_where=sa.text("message_id IS NOT NULL")
    )
    op.drop_index("ix_channel_events_actor_id", table_name="channel_events")
    op.drop_table("channel_events")
    op.drop_index(op.f("ix_messages_track_id"), table_name="messages")
    op.drop_index("ix_messages_search", table_name="messages", postgresql_using="gin")
    op.drop_index(op.f("ix_messages_review_id"), table_name="messages")
    op.drop_index(op.f("ix_messages_reply_to_id"), table_name="messages")
    op.drop_index("ix_messages_author_id", table_name="messages")
    op.drop_table("messages")
    op.drop_index(op.f("ix_presences_user_id"), table_name="presences")
    op.drop_index(op.f("ix_presences_process_id"), table_name="presences")
    op.drop_index("ix_presences_channel_id", table_name="presences")
    op.drop_table("presences")
    op.drop_index(op.f("ix_direct_channels_second_id"), table_name="direct_channels")
    op.drop_table("direct_channels")
    op.drop_index(op.f("ix_channel_readers_channel_id"), table_name="channel_readers")
    op.drop_table("channel_readers")
    op.drop_index(op.f("ix_channel_commands_created_at"), table_name="channel_commands")
    op.drop_index(op.f("ix_channel_commands_actor_id"), table_name="channel_commands")
    op.drop_table("channel_commands")
    op.drop_table("heartbeats")
    op.drop_table("channels")
