"""Shapes of accounts, sessions, keys and links."""

from typing import Annotated, Literal
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from app.core.auth import Role
from app.core.examples import PASSWORD, PERSON
from app.core.schemas import Input, Line, Output, Timestamp
from app.users.schemas import Username

__all__ = [
    "AccessKeyItem",
    "AccessKeyRequest",
    "ApiTokenRequest",
    "AppPassword",
    "EmailChange",
    "EmailOnly",
    "KeyScope",
    "LinkedAccountItem",
    "LoginRequest",
    "Me",
    "NewAccessKey",
    "OAuthExchange",
    "OAuthProviders",
    "PasswordChange",
    "PasswordReset",
    "RefreshRequest",
    "RegisterRequest",
    "SessionItem",
    "StreamTicket",
    "TokenOnly",
    "Tokens",
]

KeyScope = Literal["read", "write", "listen", "stream"]
LONGEST_PASSWORD = 128


def _address(value: str) -> str:
    """The address as every mail server takes it. ASCII, so that no two addresses fold into the same key."""
    try:
        found = validate_email(value, allow_smtputf8=False, check_deliverability=False)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    return found.ascii_email or value


EmailAddress = Annotated[
    str,
    StringConstraints(max_length=254),
    AfterValidator(_address),
    Field(json_schema_extra={"format": "email", "examples": ["ana@example.com"]}),
]
NewPassword = Annotated[
    str,
    # spaces around it belong to the password
    StringConstraints(strip_whitespace=False, min_length=8, max_length=LONGEST_PASSWORD),
    Field(
        description="8 to 128 characters of any kind; common passwords are refused",
        json_schema_extra={"format": "password", "examples": ["late night vinyl 33"]},
    ),
]
Secret = Annotated[
    str,
    StringConstraints(strip_whitespace=False, max_length=500),
    Field(json_schema_extra={"format": "password"}),
]


class RegisterRequest(Input):
    """A new account."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"username": "nina", "email": "nina@example.com", "password": "late night vinyl 33"}]
        }
    )

    username: Username
    email: EmailAddress
    password: NewPassword
    display_name: Line | None = Field(None, min_length=1, max_length=50, examples=["Ana Souza"])


class LoginRequest(Input):
    """Username or verified mail address, and password."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"username": PERSON, "password": PASSWORD}]})

    username: str = Field(max_length=254, examples=["ana"])
    password: Secret


class RefreshRequest(Input):
    """The newest refresh token."""

    refresh_token: Secret


class EmailOnly(Input):
    """A mail address."""

    email: EmailAddress


class TokenOnly(Input):
    """The token of a link in a mail."""

    token: Secret


class PasswordReset(Input):
    """The token of a link in a mail, and the new password."""

    token: Secret
    password: NewPassword


class PasswordChange(Input):
    """The present and the new password."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"current_password": PASSWORD, "new_password": "late night vinyl 33"}]}
    )

    current_password: Secret
    new_password: NewPassword


class EmailChange(Input):
    """The new mail address, and the password."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "ana@example.org", "password": PASSWORD}]})

    email: EmailAddress
    password: Secret


class Tokens(Output):
    """A short-lived access token, and the refresh token that gets the next one. Each refresh token works once."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"]
    expires_in: int = Field(description="Life of the access token in seconds")


class Me(Output):
    """Your account. Nobody else sees the mail address."""

    id: UUID
    username: str
    display_name: str
    role: Role
    email: str | None
    email_verified: bool
    has_password: bool
    created_at: Timestamp


class SessionItem(Output):
    """A login that still works."""

    id: UUID
    user_agent: str
    address: str = Field(description="Where it began; an IPv6 address counts by its network")
    created_at: Timestamp
    last_used_at: Timestamp
    expires_at: Timestamp
    current: bool


class StreamTicket(Output):
    """Opens one stream or socket as `?ticket=`."""

    ticket: str
    expires_in: int


class AccessKeyRequest(Input):
    """A password for one app or device."""

    name: Line = Field(min_length=1, max_length=80, examples=["Kitchen player"])
    scopes: list[KeyScope] = Field(min_length=1, max_length=4, examples=[["read", "listen"]])


class ApiTokenRequest(AccessKeyRequest):
    """A token for a program of yours."""

    expires_in_days: int | None = Field(None, ge=1, le=3650, examples=[90])


class AccessKeyItem(Output):
    """An app password or API token, by its last characters."""

    id: UUID
    name: str
    scopes: list[KeyScope]
    hint: str
    created_at: Timestamp
    last_used_at: Timestamp | None
    expires_at: Timestamp | None


class NewAccessKey(AccessKeyItem):
    """The only answer that shows the secret."""

    secret: str


class AppPassword(Output):
    """An app password in clear, for protocols in which the client proves it by a hash."""

    id: UUID
    user_id: UUID
    role: Role
    scopes: list[KeyScope]
    secret: str
    stale: bool = Field(description="whether its use was not noted of late")


Verifier = Annotated[
    str,
    StringConstraints(strip_whitespace=False, pattern=r"^[A-Za-z0-9._~-]{43,128}$"),
    Field(description="What `code_challenge` at the start is the S256 of", json_schema_extra={"format": "password"}),
]


class OAuthExchange(Input):
    """The code with which the provider's sign-in came back, and what proves that the same app began it."""

    code: Secret
    code_verifier: Verifier


class OAuthProviders(Output):
    """The providers with which people can sign in."""

    providers: list[str] = Field(examples=[["google", "spotify"]])


class LinkedAccountItem(Output):
    """An account elsewhere with which you can sign in."""

    id: UUID
    provider: str
    email: str | None
    created_at: Timestamp
