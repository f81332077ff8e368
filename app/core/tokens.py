"""Access tokens (JWT), the keys that sign them, and password hashes."""

import asyncio
import base64
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk, jwt
from jose.exceptions import JOSEError
from passlib.context import CryptContext

from app.core.auth import EVERY_SCOPE, Principal, Role
from app.core.config import Settings
from app.core.errors import Unauthorized
from app.core.kept import kept

__all__ = ["AccessTokens", "PasswordHasher", "digest", "external_claims", "header_of"]

AUDIENCE = "soundscore"
_REQUIRED = {f"require_{claim}": True for claim in ("exp", "iat", "aud", "iss", "sub")}
_CLOCK_SECONDS = 60
# python-jose lets out what its parts raise
_GARBAGE = (JOSEError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError)
_REFUSED = "The access token is not valid or has expired. Refresh it or sign in again."


def digest(token: str) -> bytes:
    """What is kept of a random token: SHA-256 is enough, since there is nothing to guess."""
    return hashlib.sha256(token.encode()).digest()


def header_of(token: str) -> dict[str, Any]:
    """The unverified header. Raises Unauthorized when it is no JWT or asks for extensions that nobody here knows."""
    try:
        header: dict[str, Any] = jwt.get_unverified_header(token)
    except _GARBAGE as error:
        raise Unauthorized(_REFUSED) from error
    if "crit" in header:
        raise Unauthorized("The token has critical headers that this server does not know.")
    if str(header.get("typ", "JWT")).upper() not in {"JWT", "AT+JWT"}:
        raise Unauthorized(_REFUSED)
    return header


class AccessTokens:
    """Signs and verifies access tokens with one key and one algorithm."""

    def __init__(self, settings: Settings) -> None:
        self._algorithm = settings.jwt_algorithm
        self._issuer = settings.base_url
        self._life = settings.access_token_minutes * 60
        pem = _private_pem(settings) if self._algorithm == "RS256" else None
        # constructed once: signing from PEM each time costs a hundred times as much
        self._signing = jwk.construct(pem or _hmac_key(settings.secret), self._algorithm)
        self._verifying = self._signing.public_key() if pem else self._signing
        self.kid = _fingerprint(self._verifying.to_dict() if pem else {"k": settings.secret.hex()})

    def issue(self, user_id: UUID, session_id: UUID, role: Role) -> tuple[str, int]:
        """An access token and its life in seconds."""
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "role": role,
            "typ": "access",
            "iat": now,
            "exp": now + self._life,
            "jti": uuid4().hex,
        }
        return jwt.encode(claims, self._signing, self._algorithm, headers={"kid": self.kid}), self._life

    def signed(self, token: str) -> bool:
        """Whether the token names our key as the one that signed it; that proves nothing yet."""
        return header_of(token).get("kid") == self.kid

    def verify(self, token: str) -> Principal:
        """The principal that a token of ours names. Raises Unauthorized for anything else."""
        if not self.signed(token):
            raise Unauthorized(_REFUSED)
        claims = _claims(token, self._verifying, self._algorithm, audience=AUDIENCE, issuer=self._issuer)
        if claims.get("typ") != "access":
            raise Unauthorized(_REFUSED)
        try:
            return Principal(
                user_id=UUID(claims["sub"]),
                session_id=UUID(claims["sid"]),
                role=_role(claims["role"]),
                scopes=EVERY_SCOPE,
                expires_at=float(claims["exp"]),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise Unauthorized(_REFUSED) from error

    def public_keys(self) -> list[dict[str, Any]]:
        """The JWKS keys with which others verify our tokens; none with a shared secret."""
        if self._algorithm == "HS256":
            return []
        return [_text(self._verifying.to_dict()) | {"kid": self.kid, "use": "sig"}]


def external_claims(token: str, key: Any, *, audience: str, issuer: str) -> dict[str, Any]:
    """The claims of a token that an external server signed with RS256. Raises Unauthorized."""
    return _claims(token, key, "RS256", audience=audience, issuer=issuer)


def _claims(token: str, key: Any, algorithm: str, *, audience: str, issuer: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            token, key, algorithms=[algorithm], audience=audience, issuer=issuer, options=_REQUIRED
        )
        good = bool(claims["sub"]) and claims["iat"] <= time.time() + _CLOCK_SECONDS
    except _GARBAGE as error:
        raise Unauthorized(_REFUSED) from error
    if not good:
        raise Unauthorized(_REFUSED)
    return claims


def _role(value: Any) -> Role:
    if value not in {"user", "curator", "admin"}:
        raise ValueError(value)
    return value  # type: ignore[no-any-return]


def _hmac_key(secret: bytes) -> str:
    return hashlib.sha256(b"access tokens" + secret).hexdigest()


def _fingerprint(key: dict[str, Any]) -> str:
    material = repr(sorted(_text(key).items())).encode()
    return base64.urlsafe_b64encode(hashlib.sha256(material).digest()[:9]).decode()


def _text(key: dict[str, Any]) -> dict[str, Any]:
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in key.items()}


def _private_pem(settings: Settings) -> str:
    given = settings.jwt_private_key.get_secret_value()
    if given:
        return given.replace("\\n", "\n")
    return kept(settings.data_dir / "jwt_private_key.pem", _new_pem).decode()


def _new_pem() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


class PasswordHasher:
    """argon2id in two threads: hashing is slow on purpose and must not hold up the event loop."""

    def __init__(self, settings: Settings) -> None:
        self._context = CryptContext(
            schemes=["argon2", "bcrypt_sha256", "bcrypt"],
            deprecated=["bcrypt_sha256", "bcrypt"],
            argon2__type="ID",
            argon2__memory_cost=settings.password_hash_memory_kib,
            argon2__time_cost=2,
            argon2__parallelism=1,
        )
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="password")
        self._nobody = self._context.hash("nobody has this password")
        self.hashes = 0

    async def hash(self, password: str) -> str:
        """A salted hash of all characters of the password."""
        self.hashes += 1
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._context.hash, password)

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Whether they match. Without a hash it works as long, so that time tells nothing about who exists."""
        self.hashes += 1
        known = hashed if hashed is not None else self._nobody
        matches = await asyncio.get_running_loop().run_in_executor(self._threads, self._matches, password, known)
        return matches and hashed is not None

    def outdated(self, hashed: str) -> bool:
        """Whether the hash was made by an older scheme or with weaker settings."""
        return bool(self._context.needs_update(hashed))

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _matches(self, password: str, hashed: str) -> bool:
        return bool(self._context.verify(password, hashed))
