"""Who is asking: a Principal read from the token, without a query."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from app.core.errors import Forbidden, Unauthorized

__all__ = [
    "FOREIGN_JWT",
    "Account",
    "Admin",
    "Curator",
    "CurrentUser",
    "Listening",
    "Login",
    "MaybeUser",
    "Principal",
    "Role",
    "Scope",
    "authenticator",
    "find_authenticator",
    "require_scope",
]

Role = Literal["user", "curator", "admin"]
Scope = Literal["read", "write", "listen", "stream", "account"]
EVERY_SCOPE: frozenset[Scope] = frozenset({"read", "write", "listen", "stream", "account"})


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated person as their token describes them. `session_id` names what can be revoked."""

    user_id: UUID
    session_id: UUID
    role: Role = "user"
    scopes: frozenset[Scope] = EVERY_SCOPE
    expires_at: float = float("inf")
    issued_at: float = float("inf")
    """When another server signed the token. Ours name a session, which is ended by its id."""

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"

    @property
    def is_curator(self) -> bool:
        return self.role in {"curator", "admin"}


Authenticator = Callable[[Any, str], Awaitable[Principal]]
FOREIGN_JWT = "foreign jwt:"
"""Stands for the prefix of JWTs that another server signed: they begin like our own."""
_authenticators: dict[str, Authenticator] = {}


def authenticator(prefix: str) -> Callable[[Authenticator], Authenticator]:
    """Registers `async (infra, token) -> Principal` for opaque tokens that start with `prefix`."""

    def register(function: Authenticator) -> Authenticator:
        _authenticators[prefix] = function
        return function

    return register


def find_authenticator(token: str) -> Authenticator | None:
    """The function that knows opaque tokens of this prefix, or None for a JWT."""
    return next((function for prefix, function in _authenticators.items() if token.startswith(prefix)), None)


def require_scope(principal: Principal, scope: Scope) -> None:
    """Raises Forbidden unless the token was made for this as well."""
    if scope not in principal.scopes:
        raise Forbidden(f"This token lacks the scope `{scope}`.", scope=scope)


class Login(OAuth2PasswordBearer):
    """Reads the principal that the middleware found; declares the password flow, so that Swagger can sign in."""

    def __init__(self, *, required: bool, role: Role = "user", scope: Scope | None = None) -> None:
        super().__init__(tokenUrl="/api/v1/auth/login", refreshUrl=None, scheme_name="Bearer", auto_error=False)
        self._required = required
        self._role = role
        self._scope = scope

    async def __call__(self, request: Request) -> Principal | None:  # type: ignore[override]
        principal: Principal | Exception | None = request.scope.get("principal")
        if isinstance(principal, Exception):
            raise principal
        if principal is None:
            if self._required:
                raise Unauthorized("Sign in, then send the access token as `Authorization: Bearer …`.")
            return None
        self._check(principal, request.method)
        return principal

    def _check(self, principal: Principal, method: str) -> None:
        require_scope(principal, self._scope or ("read" if method in {"GET", "HEAD", "OPTIONS"} else "write"))
        if self._role == "admin" and not principal.is_admin:
            raise Forbidden("Only an admin may do this.")
        if self._role == "curator" and not principal.is_curator:
            raise Forbidden("Only a curator may do this.")


CurrentUser = Annotated[Principal, Depends(Login(required=True))]
MaybeUser = Annotated[Principal | None, Depends(Login(required=False))]
Curator = Annotated[Principal, Depends(Login(required=True, role="curator"))]
Admin = Annotated[Principal, Depends(Login(required=True, role="admin"))]
Listening = Annotated[Principal, Depends(Login(required=True, scope="listen"))]
"""A person, or a player that may tell what they hear and nothing else."""
Account = Annotated[Principal, Depends(Login(required=True, scope="account"))]
"""The person themselves, signed in with a password: not an app password or an API token."""
