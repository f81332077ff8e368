"""Who calls: an app password in clear, in hexadecimal, or hashed with a salt; or a key alone.

The main password is never accepted here: clients keep it in clear, and send it with every request.
"""

import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from app.auth.access_keys import PREFIXES, find_app_passwords, touch_key
from app.auth.schemas import AppPassword
from app.compat.subsonic.errors import Code, SubsonicError
from app.compat.subsonic.parameters import MOST_DIGITS, Given
from app.core.auth import EVERY_SCOPE, Principal
from app.core.errors import Unauthorized
from app.core.infra import Infra, opened
from app.core.limits import Limit, check

__all__ = ["sign_in"]

_KEPT_SECONDS = 60.0
_MOST_KEPT = 1_000
_CALLS = Limit("subsonic", 3_000)
"""Clients fetch a cover for each album of a long list, and a whole library one album after the other."""
_ATTEMPTS = Limit("subsonic.attempts", 120)
"""Of each address, those that ask the database."""


class _Known:
    """App passwords that were found of late, so that a client costs one look-up a minute instead of one a call."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[list[AppPassword], float]] = {}

    def get(self, username: str) -> list[AppPassword]:
        passwords, until = self._kept.get(username, ([], 0.0))
        return passwords if until > time.monotonic() else []

    def keep(self, username: str, passwords: list[AppPassword]) -> None:
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[username] = (passwords, time.monotonic() + _KEPT_SECONDS)

    def note_use(self, username: str, used: AppPassword) -> None:
        """Its use has been written down, and needs not be again while it is kept here."""
        passwords, until = self._kept[username]
        fresh = used.model_copy(update={"stale": False})
        self._kept[username] = ([fresh if one is used else one for one in passwords], until)


@opened
@asynccontextmanager
async def _known(_: Infra) -> AsyncIterator[_Known]:
    yield _Known()


async def sign_in(infra: Infra, request: Request, given: Given) -> Principal:
    """Who calls. Raises SubsonicError, Unauthorized, TooManyRequests."""
    _check_version(given)
    if "apiKey" in given:
        actor = await _by_key(infra, request, given)
    else:
        actor = await _by_password(infra, request, given)
    check(await infra.limiter.take(_CALLS, str(actor.user_id)))
    return actor


def _check_version(given: Given) -> None:
    """The first number must be ours. A newer second one asks for calls that we may not know, but harms nobody."""
    given.needed("c")
    major = given.needed("v").partition(".")[0]
    if not major.isdecimal() or len(major) > MOST_DIGITS:
        raise SubsonicError(Code.GENERIC, "Parameter 'v' must be a version such as 1.16.1.")
    if int(major) < 1:
        raise SubsonicError(Code.OLD_CLIENT, "The client speaks an older protocol than 1.16.1. Upgrade the client.")
    if int(major) > 1:
        raise SubsonicError(Code.OLD_SERVER, "The server speaks protocol 1.16.1. It is too old for this client.")


async def _by_key(infra: Infra, request: Request, given: Given) -> Principal:
    if any(name in given for name in ("u", "p", "t", "s")):
        raise SubsonicError(Code.TWO_WAYS_IN, "Send an apiKey alone, without u, p, t and s.")
    key = given.text("apiKey")
    if not key.startswith(tuple(PREFIXES.values())):
        raise _wrong_key()
    try:
        return await infra.principal(key)
    except Unauthorized as error:
        check(await infra.limiter.take(_ATTEMPTS, request.scope["client_key"]))
        raise _wrong_key() from error


def _wrong_key() -> SubsonicError:
    return SubsonicError(Code.WRONG_KEY, "The API key is unknown, has expired or was revoked.")


async def _by_password(infra: Infra, request: Request, given: Given) -> Principal:
    username, proof = given.needed("u").lower(), _proof(given)
    known = infra.part(_known)
    password = _proven(known.get(username), proof)
    if password is None:
        check(await infra.limiter.take(_ATTEMPTS, request.scope["client_key"]))
        found = await find_app_passwords(infra, username)
        password = _proven(found, proof)
        if password is None:
            raise Unauthorized("Wrong username or password. Use an app password: the main one is not taken here.")
        known.keep(username, found)
    if password.stale:
        known.note_use(username, password)
        await touch_key(infra, password.id)
    actor = _principal(password)
    if infra.ended(actor):
        raise Unauthorized("This app password was revoked.")
    return actor


def _principal(password: AppPassword) -> Principal:
    scopes = frozenset(scope for scope in EVERY_SCOPE if scope in password.scopes)
    return Principal(user_id=password.user_id, session_id=password.id, role=password.role, scopes=scopes)


class _Proof:
    """What shows that the client knows a password: the password, or its hash with a salt."""

    def __init__(self, clear: str | None, token: str = "", salt: str = "") -> None:
        self._clear, self._token, self._salt = clear, token.lower(), salt

    def fits(self, secret: str) -> bool:
        if self._clear is not None:
            return hmac.compare_digest(self._clear.encode(), secret.encode())
        hashed = hashlib.md5((secret + self._salt).encode(), usedforsecurity=False).hexdigest()
        return hmac.compare_digest(hashed.encode(), self._token.encode())


def _proof(given: Given) -> _Proof:
    if "p" in given and "t" in given:
        raise SubsonicError(Code.TWO_WAYS_IN, "Send either p, or t and s.")
    if "t" in given:
        return _Proof(None, given.text("t"), given.needed("s"))
    return _Proof(_clear(given.needed("p")))


def _clear(written: str) -> str:
    if not written.startswith("enc:"):
        return written
    try:
        return bytes.fromhex(written.removeprefix("enc:")).decode()
    except ValueError:
        raise Unauthorized("Wrong username or password. What follows `enc:` is no text in hexadecimal.") from None


def _proven(passwords: list[AppPassword], proof: _Proof) -> AppPassword | None:
    return next((password for password in passwords if proof.fits(password.secret)), None)
