"""Playlists: tracks in an order, and who works on them."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


KINDS = "'room', 'group', 'direct'"
LIKED = "album_id, track_id, review_id, comment_id"


def upgrade() -> None:
    _channels_are(f"{KINDS}, 'playlist'")
    op.create_table(
        "playlists",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(collation="C"), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("visibility", sa.Text(), server_default="private", nullable=False),
        sa.Column("cover_key", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), server_default="manual", nullable=False),
        sa.Column("rules", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("track_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("like_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(kind = 'smart') = (rules IS NOT NULL)", name=op.f("ck_playlists_smart_has_rules")),
        sa.CheckConstraint("kind IN ('manual', 'smart')", name=op.f("ck_playlists_kind")),
        sa.CheckConstraint("visibility IN ('public', 'private')", name=op.f("ck_playlists_visibility")),
        sa.CheckConstraint("like_count >= 0", name=op.f("ck_playlists_like_count")),
        sa.CheckConstraint("track_count BETWEEN 0 AND 10000", name=op.f("ck_playlists_track_count")),
        sa.ForeignKeyConstraint(["id"], ["channels.id"], name=op.f("fk_playlists_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_playlists_owner_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playlists")),
    )
    op.create_index(
        "ix_playlists_cover_key",
        "playlists",
        ["cover_key"],
        unique=False,
        postgresql_where=sa.text("cover_key IS NOT NULL"),
    )
    op.create_index("ix_playlists_name_key", "playlists", ["name_key"], unique=False)
    op.create_index("ix_playlists_owner_id", "playlists", ["owner_id", "id"], unique=False)
    op.create_index(
        "ix_playlists_popular",
        "playlists",
        ["like_count", "id"],
        unique=False,
        postgresql_where=sa.text("visibility = 'public'"),
    )
    op.create_index(
        "ix_playlists_public", "playlists", ["id"], unique=False, postgresql_where=sa.text("visibility = 'public'")
    )
    op.create_index(
        "ix_playlists_words",
        "playlists",
        [sa.literal_column("to_tsvector('simple', name_key)")],
        unique=False,
        postgresql_using="gin",
    )
    op.create_table(
        "playlist_members",
        sa.Column("playlist_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="accepted", nullable=False),
        sa.Column("invited_by_id", sa.Uuid(), nullable=True),
        sa.Column("joined_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("role <> 'owner' OR state = 'accepted'", name=op.f("ck_playlist_members_owner_is_there")),
        sa.CheckConstraint("role IN ('owner', 'editor', 'viewer')", name=op.f("ck_playlist_members_role")),
        sa.CheckConstraint("state IN ('invited', 'accepted')", name=op.f("ck_playlist_members_state")),
        sa.ForeignKeyConstraint(
            ["invited_by_id"], ["users.id"], name=op.f("fk_playlist_members_invited_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["playlist_id"], ["playlists.id"], name=op.f("fk_playlist_members_playlist_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_playlist_members_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playlist_members")),
        sa.UniqueConstraint("playlist_id", "user_id", name=op.f("uq_playlist_members_playlist_id_user_id")),
    )
    op.create_index(op.f("ix_playlist_members_invited_by_id"), "playlist_members", ["invited_by_id"], unique=False)
    op.create_index("ix_playlist_members_playlist_id_id", "playlist_members", ["playlist_id", "id"], unique=False)
    op.create_index("ix_playlist_members_user_id", "playlist_members", ["user_id", "state", "id"], unique=False)
    op.create_index(
        "uq_playlist_members_owner",
        "playlist_members",
        ["playlist_id"],
        unique=True,
        postgresql_where=sa.text("role = 'owner'"),
    )
    op.create_table(
        "playlist_activities",
        sa.Column("playlist_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("track_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("count", sa.Integer(), server_default="1", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "action IN ('create', 'update', 'add', 'remove', 'move', 'match', 'join', 'leave', 'role', 'owner')",
            name=op.f("ck_playlist_activities_action"),
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["users.id"], name=op.f("fk_playlist_activities_actor_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["playlist_id"], ["playlists.id"], name=op.f("fk_playlist_activities_playlist_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["track_id"], ["tracks.id"], name=op.f("fk_playlist_activities_track_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playlist_activities")),
    )
    op.create_index(
        "ix_playlist_activities_actor_id",
        "playlist_activities",
        ["actor_id"],
        unique=False,
        postgresql_where=sa.text("actor_id IS NOT NULL"),
    )
    op.create_index("ix_playlist_activities_playlist_id_id", "playlist_activities", ["playlist_id", "id"], unique=False)
    op.create_index(
        "ix_playlist_activities_track_id",
        "playlist_activities",
        ["track_id"],
        unique=False,
        postgresql_where=sa.text("track_id IS NOT NULL"),
    )
    op.create_table(
        "playlist_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("playlist_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("track_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("artist", sa.Text(), nullable=False),
        sa.Column("album", sa.Text(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("isrc", sa.Text(), nullable=True),
        sa.Column("musicbrainz_id", sa.Uuid(), nullable=True),
        sa.Column("spotify_id", sa.Text(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("added_by_id", sa.Uuid(), nullable=True),
        sa.Column("added_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("duration_ms > 0", name=op.f("ck_playlist_entries_duration_positive")),
        sa.ForeignKeyConstraint(
            ["added_by_id"], ["users.id"], name=op.f("fk_playlist_entries_added_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["playlist_id"], ["playlists.id"], name=op.f("fk_playlist_entries_playlist_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["track_id"], ["tracks.id"], name=op.f("fk_playlist_entries_track_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playlist_entries")),
        sa.UniqueConstraint("playlist_id", "rank", deferrable=True, name=op.f("uq_playlist_entries_playlist_id_rank")),
    )
    op.create_index(
        "ix_playlist_entries_added_by_id",
        "playlist_entries",
        ["added_by_id"],
        unique=False,
        postgresql_where=sa.text("added_by_id IS NOT NULL"),
    )
    op.create_index(
        "ix_playlist_entries_track_id",
        "playlist_entries",
        ["track_id"],
        unique=False,
        postgresql_where=sa.text("track_id IS NOT NULL"),
    )
    op.add_column("likes", sa.Column("playlist_id", sa.Uuid(), nullable=True))
    _liked_is(f"{LIKED}, playlist_id")
    op.create_index(
        "ix_likes_playlist_id_id",
        "likes",
        ["playlist_id", "id"],
        unique=False,
        postgresql_where=sa.text("playlist_id IS NOT NULL"),
    )
    op.create_index(
        "ix_likes_user_id_playlist_id",
        "likes",
        ["user_id", "id"],
        unique=False,
        postgresql_where=sa.text("playlist_id IS NOT NULL"),
    )
    op.create_index(
        "uq_likes_playlist_id_user_id",
        "likes",
        ["playlist_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("playlist_id IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_likes_playlist_id"), "likes", "playlists", ["playlist_id"], ["id"], ondelete="CASCADE"
    )
    op.add_column("notifications", sa.Column("playlist_member_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_notifications_playlist_member_id"), "notifications", ["playlist_member_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_notifications_playlist_member_id"),
        "notifications",
        "playlist_members",
        ["playlist_member_id"],
        ["id"],
        ondelete="CASCADE",
    )


def downgrade() -> None:
    op.execute("DELETE FROM channels WHERE kind = 'playlist'")
    _channels_are(KINDS)
    op.drop_constraint(op.f("fk_notifications_playlist_member_id"), "notifications", type_="foreignkey")
    op.drop_index(op.f("ix_notifications_playlist_member_id"), table_name="notifications")
    op.drop_column("notifications", "playlist_member_id")
    op.drop_constraint(op.f("fk_likes_playlist_id"), "likes", type_="foreignkey")
    op.drop_index(
        "uq_likes_playlist_id_user_id", table_name="likes", postgresql_where=sa.text("playlist_id IS NOT NULL")
    )
    op.drop_index(
        "ix_likes_user_id_playlist_id", table_name="likes", postgresql_where=sa.text("playlist_id IS NOT NULL")
    )
    op.drop_index("ix_likes_playlist_id_id", table_name="likes", postgresql_where=sa.text("playlist_id IS NOT NULL"))
    op.drop_constraint(op.f("ck_likes_one_target"), "likes", type_="check")
    op.drop_column("likes", "playlist_id")
    op.create_check_constraint(op.f("ck_likes_one_target"), "likes", f"num_nonnulls({LIKED}) = 1")
    op.drop_index(
        "ix_playlist_entries_track_id", table_name="playlist_entries", postgresql_where=sa.text("track_id IS NOT NULL")
    )
    op.drop_index(
        "ix_playlist_entries_added_by_id",
        table_name="playlist_entries",
        postgresql_where=sa.text("added_by_id IS NOT NULL"),
    )
    op.drop_table("playlist_entries")
    op.drop_index(
        "ix_playlist_activities_track_id",
        table_name="playlist_activities",
        postgresql_where=sa.text("track_id IS NOT NULL"),
    )
    op.drop_index("ix_playlist_activities_playlist_id_id", table_name="playlist_activities")
    op.drop_index(
        "ix_playlist_activities_actor_id",
        table_name="playlist_activities",
        postgresql_where=sa.text("actor_id IS NOT NULL"),
    )
    op.drop_table("playlist_activities")
    op.drop_index(
        "uq_playlist_members_owner", table_name="playlist_members", postgresql_where=sa.text("role = 'owner'")
    )
    op.drop_index("ix_playlist_members_user_id", table_name="playlist_members")
    op.drop_index("ix_playlist_members_playlist_id_id", table_name="playlist_members")
    op.drop_index(op.f("ix_playlist_members_invited_by_id"), table_name="playlist_members")
    op.drop_table("playlist_members")
    op.drop_index("ix_playlists_words", table_name="playlists", postgresql_using="gin")
    op.drop_index("ix_playlists_public", table_name="playlists", postgresql_where=sa.text("visibility = 'public'"))
    op.drop_index("ix_playlists_popular", table_name="playlists", postgresql_where=sa.text("visibility = 'public'"))
    op.drop_index("ix_playlists_owner_id", table_name="playlists")
    op.drop_index("ix_playlists_name_key", table_name="playlists")
    op.drop_index("ix_playlists_cover_key", table_name="playlists", postgresql_where=sa.text("cover_key IS NOT NULL"))
    op.drop_table("playlists")


def _channels_are(kinds: str) -> None:
    op.drop_constraint(op.f("ck_channels_kind"), "channels", type_="check")
    op.create_check_constraint(op.f("ck_channels_kind"), "channels", f"kind IN ({kinds})")


def _liked_is(columns: str) -> None:
    op.drop_constraint(op.f("ck_likes_one_target"), "likes", type_="check")
    op.create_check_constraint(op.f("ck_likes_one_target"), "likes", f"num_nonnulls({columns}) = 1")
