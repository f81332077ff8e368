"""What was done to people in playlists is kept by their ids."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A name may be somebody else's by now: it is believed of who did it or still belongs there, and of nobody else.
FROM_NAMES = (
    "UPDATE playlist_activities SET person_id = actor_id WHERE action = 'join'",
    """
    UPDATE playlist_activities a SET person_id = u.id FROM users u
    WHERE a.action IN ('leave', 'role', 'owner') AND u.username = a.title AND (
        u.id = a.actor_id
        OR EXISTS (SELECT FROM playlist_members m WHERE m.playlist_id = a.playlist_id AND m.user_id = u.id))""",
    "UPDATE playlist_activities SET title = NULL WHERE action IN ('join', 'leave', 'role', 'owner')",
)
TO_NAMES = "UPDATE playlist_activities a SET title = u.username FROM users u WHERE u.id = a.person_id"


def upgrade() -> None:
    op.add_column("playlist_activities", sa.Column("person_id", sa.Uuid(), nullable=True))
    op.create_index(
        "ix_playlist_activities_person_id",
        "playlist_activities",
        ["person_id"],
        unique=False,
        postgresql_where=sa.text("person_id IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_playlist_activities_person_id"),
        "playlist_activities",
        "users",
        ["person_id"],
        ["id"],
        ondelete="SET NULL",
    )
    for statement in FROM_NAMES:
        op.execute(statement)


def downgrade() -> None:
    op.execute(TO_NAMES)
    op.drop_constraint(op.f("fk_playlist_activities_person_id"), "playlist_activities", type_="foreignkey")
    op.drop_index(
        "ix_playlist_activities_person_id",
        table_name="playlist_activities",
        postgresql_where=sa.text("person_id IS NOT NULL"),
    )
    op.drop_column("playlist_activities", "person_id")
