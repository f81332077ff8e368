"""What the demo's people heard in the last weeks: in some evenings an album that they like, from its first track on."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.demo.content import Content, Row
from app.demo.ids import fraction
from app.library.rules import listen_id, whole_second

__all__ = ["Heard", "build_listens"]

DAYS = 28
EVENINGS = 0.5
"""The share of days on which somebody listens."""
LIKED = 7
"""From how many half stars on somebody hears an album again."""
MOST_TRACKS = 12
PLAYERS = (("spotify", None), ("lastfm", "Pano Scrobbler"), ("listenbrainz", "Navidrome"))


@dataclass(frozen=True)
class Heard:
    """Rows of listens and their counters."""

    listens: list[Row]
    listeners: list[Row]
    plays: list[Row]


def build_listens(content: Content, now: datetime) -> Heard:
    """The same albums on the same days before now, whenever the demo is loaded."""
    liked = _liked(content)
    listens = [
        row
        for name, person in content.people.items()
        for day in range(1, DAYS + 1)
        if liked[person["id"]] and fraction("evening", f"{name} {day}") < EVENINGS
        for row in _evening(content, name, day, liked[person["id"]], now)
    ]
    counts = Counter(row["user_id"] for row in listens)
    plays = Counter(row["track_id"] for row in listens)
    return Heard(
        listens,
        [{"user_id": user_id, "listen_count": count} for user_id, count in counts.items()],
        [{"track_id": track_id, "play_count": count} for track_id, count in plays.items()],
    )


def _liked(content: Content) -> dict[UUID, list[UUID]]:
    """The albums of each person that they rated well or like."""
    liked: dict[UUID, dict[UUID, None]] = {person["id"]: {} for person in content.people.values()}
    for row in content.reviews.values():
        if row["rating"] >= LIKED:
            liked[row["user_id"]][row["album_id"]] = None
    for row in content.likes:
        if row["album_id"]:
            liked[row["user_id"]][row["album_id"]] = None
    return {user_id: list(albums) for user_id, albums in liked.items()}


def _evening(content: Content, name: str, day: int, liked: list[UUID], now: datetime) -> list[Row]:
    person, moment = content.people[name], f"{name} {day}"
    album_id = liked[int(fraction("album", moment) * len(liked))]
    tracks = [track for track in content.tracks.values() if track["album_id"] == album_id][:MOST_TRACKS]
    last = 1 + int(fraction("tracks", moment) * len(tracks))
    source, client = PLAYERS[int(fraction("player", name) * len(PLAYERS))]
    begins = now - timedelta(days=day) + timedelta(hours=6 * fraction("hour", moment))
    rows = []
    for track in tracks[:last]:
        heard_at = whole_second(begins)
        rows.append(
            {
                "user_id": person["id"],
                "id": listen_id(person["id"], track["id"], heard_at),
                "track_id": track["id"],
                "listened_at": heard_at,
                "source": source,
                "client": client,
                "played_ms": track["duration_ms"],
            }
        )
        begins += timedelta(milliseconds=track["duration_ms"])
    return rows
