"""Rooms that somebody may like: scores from 0 to 1, and a reason in words for each part that adds to them.

- Genres (.35): the weight of the room's genre that the person is fondest of.
- People whom they follow and who are inside now (.30): half for the first, half of the rest for each further one.
- Visits (.15): three make it whole; halved for every two weeks since the last one.
- Liveliness (.20): how many people are there, n / (n + 5), four fifths of it; the rest for music that plays.

Private rooms are never suggested, and nobody learns from a suggestion who is in them.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import Invalid
from app.core.paging import Page, PageRequest
from app.discover.models import RoomDismissal
from app.discover.schemas import RoomParts, RoomReason, SuggestedRoom
from app.discover.tastes import Taste, taste_of
from app.rooms.service import get_room, room_items

__all__ = ["dismiss_room", "list_suggested_rooms", "undismiss_room"]

MOST = 100

# $1 the reader, $2 and $3 genres and their weights, $4 how many
_SCORES = """
    WITH there AS MATERIALIZED (
        SELECT DISTINCT p.channel_id, p.user_id FROM presences p JOIN heartbeats h USING (process_id)
        WHERE h.seen_at > now() - interval '8 seconds'
    ),
    present AS (SELECT channel_id, count(*) AS people FROM there GROUP BY channel_id),
    followed AS (
        SELECT t.channel_id, count(*) AS people, (array_agg(u.display_name ORDER BY f.id))[1] AS name
        FROM follows f JOIN there t ON t.user_id = f.followed_id JOIN users u ON u.id = f.followed_id
        WHERE f.follower_id = $1 AND u.deleted_at IS NULL AND u.profile_visibility <> 'me'
        GROUP BY t.channel_id
    ),
    visited AS (
        SELECT room_id, visits, now() - last_at AS since FROM room_visits
        WHERE user_id = $1 ORDER BY last_at DESC LIMIT $4
    ),
    candidates AS (
        (SELECT channel_id AS id FROM present ORDER BY people DESC LIMIT $4)
        UNION SELECT channel_id FROM followed
        UNION SELECT room_id FROM visited
        UNION (SELECT id FROM rooms WHERE genres && $2::text[] ORDER BY last_active_at DESC LIMIT $4)
        UNION (SELECT id FROM rooms WHERE NOT is_private ORDER BY id DESC LIMIT $4)
    ),
    parts AS (
        SELECT r.id, coalesce(g.weight, 0)::float8 AS genres, g.names AS genre_names,
               (1 - 0.5 ^ coalesce(f.people, 0))::float8 AS following, coalesce(f.people, 0) AS followed_count,
               f.name AS followed_name, coalesce(v.visits, 0) AS visit_count,
               coalesce(least(v.visits / 3.0, 1) * 0.5 ^ (extract(epoch FROM v.since) / 1209600), 0)::float8 AS visits,
               coalesce(p.people, 0) AS present_count, coalesce(b.playing, false) AS playing,
               (0.8 * coalesce(p.people, 0) / (coalesce(p.people, 0) + 5.0)
                   + CASE WHEN b.playing AND p.people > 0 THEN 0.2 ELSE 0 END)::float8 AS liveliness,
               extract(day FROM now() - r.created_at)::int AS days
        FROM candidates c JOIN rooms r USING (id)
        LEFT JOIN present p ON p.channel_id = r.id
        LEFT JOIN followed f ON f.channel_id = r.id
        LEFT JOIN visited v ON v.room_id = r.id
        LEFT JOIN playbacks b ON b.room_id = r.id
        CROSS JOIN LATERAL (
            SELECT max(weight) AS weight, array_agg(genre ORDER BY weight DESC, genre) AS names
            FROM unnest($2::text[], $3::float8[]) AS taste (genre, weight) WHERE genre = ANY (r.genres)
        ) g
        WHERE NOT r.is_private AND r.member_count < r.capacity AND r.owner_id IS DISTINCT FROM $1
          AND NOT EXISTS (SELECT FROM room_members m WHERE m.room_id = r.id AND m.user_id = $1)
          AND NOT EXISTS (SELECT FROM room_dismissals d WHERE d.room_id = r.id AND d.user_id = $1)
          AND NOT EXISTS (SELECT FROM room_bans x WHERE x.room_id = r.id AND x.user_id = $1
                          AND (x.until IS NULL OR x.until > now()))
    )
    SELECT * FROM (
        SELECT *, .35 * genres + .30 * following + .15 * visits + .20 * liveliness AS score FROM parts
    ) scored
    ORDER BY score DESC, id DESC LIMIT $4"""
_WEIGHTS = {"genres": 0.35, "following": 0.30, "visits": 0.15, "liveliness": 0.20}


async def list_suggested_rooms(db: Reader, actor: Principal, page: PageRequest) -> Page[SuggestedRoom]:
    """The best rooms for the actor right now, best first. Raises Invalid for a cursor that is not from this list."""
    taste = await taste_of(db, actor.user_id)
    rows = await db.records(_SCORES, [actor.user_id, taste.genres, taste.weights, MOST])
    keys = page.keys(2)
    if keys is not None:
        bound = _bound(keys)
        rows = [row for row in rows if (row["score"], row["id"]) < bound]
    shown = rows[: page.limit]
    rooms = await room_items(db, actor.user_id, [row["id"] for row in shown])
    items = [_suggestion(row, rooms[row["id"]], taste) for row in shown if row["id"] in rooms]
    last = [shown[-1]["score"], shown[-1]["id"]] if len(rows) > page.limit else None
    return page.page(items, next_keys=last, kind=Page[SuggestedRoom])


async def dismiss_room(db: Writer, actor: Principal, room_id: UUID) -> None:
    """Suggests the room no more; again is no change. Raises NotFound."""
    await get_room(db, actor, room_id)
    row = {"user_id": actor.user_id, "room_id": room_id}
    await db.execute(insert(RoomDismissal).values(row).on_conflict_do_nothing())


async def undismiss_room(db: Writer, actor: Principal, room_id: UUID) -> None:
    """Takes a dismissal back, if there is one. Raises NotFound."""
    await get_room(db, actor, room_id)
    await db.execute(delete(RoomDismissal).filter_by(user_id=actor.user_id, room_id=room_id))


def _bound(keys: list[Any]) -> tuple[float, UUID]:
    try:
        return float(keys[0]), UUID(keys[1])
    except (TypeError, ValueError) as error:
        raise Invalid.field("/query/cursor", "This cursor is not from this list.", "cursor") from error


def _suggestion(row: Any, room: Any, taste: Taste) -> SuggestedRoom:
    parts = RoomParts(**{name: min(row[name], 1.0) for name in _WEIGHTS})
    return SuggestedRoom(**dict(room), score=min(row["score"], 1.0), parts=parts, reasons=_reasons(row, parts, taste))


def _reasons(row: Any, parts: RoomParts, taste: Taste) -> list[RoomReason]:
    """What adds most to the score first; a room that nothing speaks for yet is at least new."""
    possible = {
        "genres": lambda: _fond(row["genre_names"], taste),
        "following": lambda: _following(row),
        "visits": lambda: _reason("visits", f"You were there {_times(row['visit_count'])}", row["visit_count"]),
        "liveliness": lambda: _lively(row),
    }
    order = sorted(possible, key=lambda name: -_WEIGHTS[name] * getattr(parts, name))
    return [possible[name]() for name in order if getattr(parts, name) > 0] or [_new(row["days"])]


def _reason(kind: Any, sentence: str, count: int) -> RoomReason:
    return RoomReason(kind=kind, sentence=sentence, count=count)


def _fond(genres: list[str], taste: Taste) -> RoomReason:
    rated = [genre for genre in genres if genre in taste.rated]
    how = "which you rate highly" if rated else "which you hear a lot"
    return _reason("genres", f"Plays {_listed(rated or genres)}, {how}", 0)


def _following(row: Any) -> RoomReason:
    count, name = row["followed_count"], row["followed_name"]
    who = f"{name}, whom you follow, is" if count == 1 else f"{name} and {count - 1} more whom you follow are"
    return _reason("following", f"{who} inside", count)


def _lively(row: Any) -> RoomReason:
    count = row["present_count"]
    who = "1 person is" if count == 1 else f"{count} people are"
    return _reason("lively", f"{who} {'listening' if row['playing'] else 'there'} right now", count)


def _new(days: int) -> RoomReason:
    when = "today" if days < 1 else "yesterday" if days == 1 else f"{days} days ago"
    return _reason("new", f"Opened {when}", days)


def _times(count: int) -> str:
    return "once" if count == 1 else "twice" if count == 2 else f"{count} times"


def _listed(names: list[str]) -> str:
    return " and ".join(names[:2])
