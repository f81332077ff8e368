"""What a client asks first: whether we are there, what we can do, and who it is."""

from typing import Any

from sqlalchemy import Text, Uuid, bindparam, select

from app.compat.subsonic.answers import Body
from app.compat.subsonic.calls import Asked, reads
from app.compat.subsonic.schemas import PersonRow
from app.core.errors import Forbidden, NotFound
from app.core.infra import Infra
from app.core.query import Query
from app.uploads.transcoding import can_transcode
from app.users.models import User

__all__ = ["EXTENSIONS", "FOLDER", "extensions"]

EXTENSIONS = "getOpenSubsonicExtensions"
FOLDER = 1
"""There is one music folder: what the person may hear."""
_KNOWN = {"formPost": [1], "songLyrics": [1], "apiKeyAuthentication": [1], "indexBasedQueue": [1]}
_PERSON = (User.id, User.username, User.role, User.avatar_key)
PERSON = Query(
    select(*_PERSON).where(User.id == bindparam("person", type_=Uuid), User.deleted_at.is_(None)), into=PersonRow
)
BY_NAME = Query(
    select(*_PERSON).where(User.username_key == bindparam("key", type_=Text), User.deleted_at.is_(None)), into=PersonRow
)


def extensions(infra: Infra) -> Body:
    """What this server can do beyond Subsonic. The only call that needs no login."""
    known = _KNOWN | ({"transcodeOffset": [1]} if can_transcode(infra) else {})
    return {"openSubsonicExtensions": [{"name": name, "versions": versions} for name, versions in known.items()]}


@reads("ping")
async def ping(asked: Asked) -> Body:
    """That the login is good."""
    return {}


@reads("getLicense")
async def get_license(asked: Asked) -> Body:
    """Free software needs none."""
    return {"license": {"valid": True}}


@reads("tokenInfo")
async def get_token_info(asked: Asked) -> Body:
    """Whose key this is."""
    return {"tokenInfo": {"username": (await _myself(asked)).username}}


@reads("getMusicFolders")
async def get_music_folders(asked: Asked) -> Body:
    """The one there is."""
    return {"musicFolders": {"musicFolder": [{"id": FOLDER, "name": "SoundScore"}]}}


@reads("getScanStatus", "startScan")
async def get_scan_status(asked: Asked) -> Body:
    """Nothing is ever scanned: what is uploaded is there at once."""
    return {"scanStatus": {"scanning": False}}


@reads("getUser")
async def get_user(asked: Asked) -> Body:
    """What one may do oneself; an admin may ask about others."""
    key = asked.given.text("username").lower()
    person = await BY_NAME.first(asked.db, key=key) if key else await _myself(asked)
    if person is None or person.id != asked.viewer:
        if not asked.actor.is_admin:
            raise Forbidden("You may ask about yourself.")
        if person is None:
            raise NotFound("There is nobody of this name.")
    return {"user": _user(person, asked)}


@reads("getUsers")
async def get_users(asked: Asked) -> Body:
    """Oneself: the others are people to follow, not accounts to look after."""
    return {"users": {"user": [_user(await _myself(asked), asked)]}}


async def _myself(asked: Asked) -> PersonRow:
    person = await PERSON.first(asked.db, person=asked.viewer)
    if person is None:
        raise NotFound("This account is gone.")
    return person


def _user(person: PersonRow, asked: Asked) -> dict[str, Any]:
    can = asked.actor.scopes if person.id == asked.viewer else frozenset({"read", "write", "listen", "stream"})
    return {
        "username": person.username,
        "scrobblingEnabled": "listen" in can,
        "adminRole": person.role == "admin",
        "settingsRole": False,
        "downloadRole": "stream" in can,
        "uploadRole": False,
        "playlistRole": "write" in can,
        "coverArtRole": False,
        "commentRole": "write" in can,
        "podcastRole": False,
        "streamRole": "stream" in can,
        "jukeboxRole": False,
        "shareRole": False,
        "videoConversionRole": False,
        "folder": [FOLDER],
    }
