"""What clients tell of playing, and who plays what."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from app.compat.subsonic import entries
from app.compat.subsonic.answers import Body
from app.compat.subsonic.calls import Asked, reads, writing
from app.compat.subsonic.errors import Code, SubsonicError
from app.compat.subsonic.queries import SONGS
from app.compat.subsonic.schemas import PlayerRow, SongRow
from app.core.errors import NotFound
from app.core.query import Query
from app.library.now_playing import Playing, announce, playing_of
from app.library.recording import Heard, record
from app.library.rules import MINUTES_UNKNOWN
from app.users.models import Follow, User
from app.users.queries import VIEWER, library_visible

__all__: list[str] = []

MOST = 500
_MOST_PLAYERS = 500
_MINE = select(Follow.followed_id).where(Follow.follower_id == VIEWER).scalar_subquery()
PLAYERS = Query(
    select(User.id, User.username)
    .where(or_(User.id == VIEWER, User.id.in_(_MINE)), User.deleted_at.is_(None), library_visible())
    .limit(_MOST_PLAYERS),
    into=PlayerRow,
)
"""Oneself and whom one follows, as far as they show it."""


@reads("scrobble", needs="listen")
async def scrobble(asked: Asked) -> Body:
    """Songs that were heard (`submission`), each from its time on, or the one that begins to play."""
    ids, times = asked.given.ids("id"), asked.given.moments("time")
    if not ids:
        raise SubsonicError(Code.MISSING, "Required parameter 'id' is missing.")
    if len(ids) > MOST:
        raise SubsonicError(Code.GENERIC, f"Send at most {MOST} songs at once.")
    if times and len(times) != len(ids):
        raise SubsonicError(Code.GENERIC, "Send a time for each song, or none.")
    songs = await SONGS.all(asked.db, ids=ids, viewer=asked.viewer)
    if {song.id for song in songs} != set(ids):
        raise NotFound("There is no such song, or you may not hear it.")
    if asked.given.flag("submission", True):
        await _submit(asked, ids, times)
    else:
        await _begin(asked, songs[0])
    return {}


async def _submit(asked: Asked, ids: Sequence[UUID], times: Sequence[datetime]) -> None:
    moments = times or [datetime.now(UTC)] * len(ids)
    heard = [
        Heard(asked.viewer, track_id, moment, _client(asked)) for track_id, moment in zip(ids, moments, strict=True)
    ]
    async with writing(asked) as db:
        await record(db, heard, source="subsonic")


async def _begin(asked: Asked, song: SongRow) -> None:
    started = datetime.now(UTC)
    length = MINUTES_UNKNOWN if song.duration_ms is None else timedelta(milliseconds=song.duration_ms)
    playing = Playing(
        track_id=song.id, source="subsonic", client=_client(asked), started_at=started, expires_at=started + length
    )
    await announce(asked.infra.redis, asked.viewer, playing)


@reads("getNowPlaying")
async def get_now_playing(asked: Asked) -> Body:
    """What one plays oneself, and the people whom one follows."""
    players = {player.id: player.username for player in await PLAYERS.all(asked.db, viewer=asked.viewer)}
    playing = await playing_of(asked.infra.redis, list(players))
    ids = list({play.track_id for play in playing.values()})
    songs = {song.id: song for song in await SONGS.all(asked.db, ids=ids, viewer=asked.viewer)} if ids else {}
    told = [
        entries.song(songs[play.track_id], username=players[user_id], **_player(place, play))
        for place, (user_id, play) in enumerate(playing.items(), 1)
        if play.track_id in songs
    ]
    return {"nowPlaying": {"entry": told}}


def _player(place: int, play: Playing) -> dict[str, Any]:
    minutes = (datetime.now(UTC) - play.started_at) // timedelta(minutes=1)
    return {"minutesAgo": max(0, minutes), "playerId": place, "playerName": play.client or play.source}


def _client(asked: Asked) -> str | None:
    """The name that the client gives itself, in one line."""
    return "".join(letter for letter in asked.given.text("c") if letter.isprintable()).strip()[:60] or None
