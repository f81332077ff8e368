"""Recordings that can be heard, and programs that ask for them."""

import hashlib
import secrets
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI
from sqlalchemy import update

from app.auth.access_keys import create_key
from app.catalog.models import Album, Artist, Track
from app.core.auth import Principal
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.text import name_key
from app.integrations.storage import storage
from app.uploads.models import Upload
from tests.people import Person

__all__ = ["Player", "app_password", "make_album", "make_player", "make_recording", "make_song", "unique"]

SCOPES: Any = ["read", "write", "listen", "stream"]
Body = dict[str, Any]


class Player(httpx.AsyncClient):
    """A program that speaks Subsonic: `await player.ask("getAlbum", id=...)` is the inside of its answer."""

    def __init__(self, app: FastAPI, username: str, password: str) -> None:
        super().__init__(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://soundscore.test/rest"
        )
        self.username, self.password = username, password

    @property
    def common(self) -> Body:
        """What every call says."""
        return {"u": self.username, "p": self.password, "v": "1.16.1", "c": "tests", "f": "json"}

    async def ask(self, name: str, /, **parameters: Any) -> Body:
        """The answer, which has to be a good one."""
        answer = await self.try_to(name, **parameters)
        assert answer["status"] == "ok", answer
        return answer

    async def fails(self, name: str, /, **parameters: Any) -> int:
        """The number of the error."""
        answer = await self.try_to(name, **parameters)
        assert answer["status"] == "failed", answer
        number: int = answer["error"]["code"]
        return number

    async def try_to(self, name: str, /, **parameters: Any) -> Body:
        """The answer, whatever it is."""
        response = await self.get(f"/{name}.view", params={**self.common, **parameters})
        assert response.status_code == 200, response.text
        body: Body = response.json()["subsonic-response"]
        return body


async def app_password(infra: Infra, person: Person, scopes: Any = SCOPES) -> str:
    """A new app password in clear."""
    actor = Principal(user_id=person.id, session_id=uuid7())
    made = await create_key(infra, actor, kind="app_password", name="Player", scopes=scopes)
    return made.secret


async def make_player(app: FastAPI, person: Person, scopes: Any = SCOPES) -> Player:
    """A program of a person."""
    return Player(app, person.username, await app_password(app.state.infra, person, scopes))


def unique(name: str) -> str:
    """A name that no other test has."""
    return f"{name} {secrets.token_hex(5)}"


async def make_album(infra: Infra, *, artist: str | None = None, owner: UUID | None = None, **columns: Any) -> Album:
    """An album without songs."""
    name, title = artist or unique("Artist"), columns.pop("title", None) or unique("Album")
    async with infra.db.write() as db:
        maker = Artist(name=name, name_key=name_key(name), owner_id=owner, listed=owner is None)
        db.add(maker)
        await db.flush()
        album = Album(
            title=title, title_key=name_key(title), artist_id=maker.id, owner_id=owner, listed=owner is None, **columns
        )
        db.add(album)
    return album


async def make_song(infra: Infra, album: Album | None = None, *, owner: UUID, **columns: Any) -> Track:
    """A track that its owner has uploaded, on an album or alone."""
    title = columns.pop("title", None) or unique("Song")
    upload = {"size": columns.pop("size", 4_000_000), "bitrate_kbps": 320, "sample_rate": 44100, "channels": 2}
    async with infra.db.write() as db:
        artist_id = columns.pop("artist_id", None) or (album.artist_id if album else await _artist(db))
        said = {"visibility": "public", "audio_type": "audio/mpeg", "duration_ms": 61_400, **columns}
        track = Track(
            title=title,
            title_key=name_key(title),
            artist_id=artist_id,
            album_id=album.id if album else None,
            owner_id=owner,
            **said,
        )
        db.add(track)
        await db.flush()
        if track.audio_type:
            db.add(_upload(track, upload))
    return track


async def make_recording(infra: Infra, track: Track, size: int = 70_000) -> bytes:
    """What can be heard of a song: bytes that no player would play."""
    content = secrets.token_bytes(size)
    await infra.part(storage).put(f"audio/{track.id}.mp3", content, content_type="audio/mpeg")
    async with infra.db.write() as db:
        changed = {"size": size, "sha256": hashlib.sha256(content).hexdigest()}
        await db.execute(update(Upload).where(Upload.track_id == track.id).values(changed))
    return content


def _upload(track: Track, numbers: Body) -> Upload:
    return Upload(
        owner_id=track.owner_id,
        track_id=track.id,
        state="ready",
        filename="song.mp3",
        content_type="audio/mpeg",
        key=f"audio/{track.id}.mp3",
        audio_type=track.audio_type,
        sha256=secrets.token_hex(32),
        duration_ms=track.duration_ms,
        finalised_at=datetime.now(UTC),
        **numbers,
    )


async def _artist(db: Any) -> UUID:
    name = unique("Alone")
    artist = Artist(name=name, name_key=name_key(name))
    db.add(artist)
    await db.flush()
    return artist.id
