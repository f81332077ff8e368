"""What proves who somebody is."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Row

__all__ = ["AccessKey", "Credential", "LinkedAccount", "OAuthCode", "OneTimeToken", "Session", "Ticket"]


class Credential(Base):
    """A person's mail address, if they gave one, and password.

    Only a verified address is unique, so nobody can squat on another's.
    """

    __tablename__ = "credentials"
    __table_args__ = (
        Index(
            "uq_credentials_verified_email",
            "email_key",
            unique=True,
            postgresql_where=text("email_verified_at IS NOT NULL"),
        ),
        Index("ix_credentials_email_key", "email_key"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    email: Mapped[str | None]
    email_key: Mapped[str | None]
    email_verified_at: Mapped[datetime | None]
    # the address that the person asked for last, in small letters: links to others of theirs prove nothing any more
    wanted_key: Mapped[str | None]
    password_hash: Mapped[str | None]
    password_changed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Session(Row):
    """One login: a family of refresh tokens of which only the newest generation is good."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_user_id_id", "user_id", "id"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    generation: Mapped[int] = mapped_column(server_default="0")
    rotated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    user_agent: Mapped[str] = mapped_column(server_default="")
    address: Mapped[str] = mapped_column(server_default="")


class OneTimeToken(Row):
    """A link in a mail: it works once, until it expires."""

    __tablename__ = "one_time_tokens"
    __table_args__ = (
        CheckConstraint("purpose IN ('verify_email', 'reset_password')", name="purpose"),
        Index("ix_one_time_tokens_user_id", "user_id"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    email: Mapped[str]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class AccessKey(Row):
    """An app password of a device, or a personal API token. Its id is the session id of its principal."""

    __tablename__ = "access_keys"
    __table_args__ = (
        CheckConstraint("kind IN ('app_password', 'api_token')", name="kind"),
        Index("ix_access_keys_user_id_id", "user_id", "id"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str]
    name: Mapped[str]
    scopes: Mapped[list[str]]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)
    hint: Mapped[str]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Ticket(Base):
    """Opens one socket or stream: a browser cannot send a header there, and a token in a URL would end in logs."""

    __tablename__ = "tickets"
    __table_args__ = (Index("ix_tickets_expires_at", "expires_at"),)

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    session_id: Mapped[UUID]
    role: Mapped[str]
    scopes: Mapped[list[str]]
    session_expires_at: Mapped[datetime]
    issued_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]


class LinkedAccount(Row):
    """An account elsewhere, known by who vouches for it and the subject there; never by its mail address."""

    __tablename__ = "linked_accounts"
    __table_args__ = (UniqueConstraint("issuer", "subject"), Index("ix_linked_accounts_user_id", "user_id"))

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    provider: Mapped[str]
    issuer: Mapped[str]
    subject: Mapped[str]
    email: Mapped[str | None]


class OAuthCode(Base):
    """Who came back from a provider, until the browser turns the code into tokens: once, within a minute."""

    __tablename__ = "oauth_codes"
    __table_args__ = (Index("ix_oauth_codes_expires_at", "expires_at"),)

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    provider: Mapped[str]
    issuer: Mapped[str]
    subject: Mapped[str]
    name: Mapped[str]
    email: Mapped[str | None]
    email_verified: Mapped[bool]
    challenge: Mapped[str]
    expires_at: Mapped[datetime]
