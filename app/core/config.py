"""Settings: every variable has a default that runs; production refuses the ones that are not safe."""

import secrets
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.core.database_url import postgres_url
from app.core.kept import kept

__all__ = ["Settings"]


class Settings(BaseSettings):
    """Read from the environment and `.env`. Times are in the unit that the name ends with."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=False, env_ignore_empty=True)

    # --- where and how it runs ---
    environment: Literal["development", "test", "production"] = Field(
        "development", description="production refuses unsafe defaults"
    )
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    public_url: str = Field("", description="how people reach this server; empty: http://HOST:PORT")
    frontend_url: str = Field("", description="the single-page app, for links in mails; empty: PUBLIC_URL")
    data_dir: Path = Field(Path("data"), description="embedded databases, keys, mails and files of the local stand-ins")
    demo: bool = Field(True, description="fill an empty database with demo data on the first start of `serve`")
    worker: bool = Field(True, description="run the job worker inside the server process")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least severity to log")
    log_format: Literal["console", "json"] = Field("console", description="console for people, json for machines")
    shutdown_seconds: float = Field(4.0, gt=0, description="time that requests have to end after SIGTERM")

    # --- stores ---
    database_url: str = Field("", description="PostgreSQL 15 or later; empty: the embedded one")
    database_pool_size: int = Field(10, ge=2, le=200, description="connections of each of the two pools")
    database_timeout_seconds: float = Field(4.0, gt=0, description="longest wait for a statement before 503")
    redis_url: str = Field("", description="Redis 7 or Valkey; empty: the embedded one")

    # --- secrets and tokens ---
    secret_key: SecretStr = Field(SecretStr(""), description="at least 32 characters; empty: made and kept in DATA_DIR")
    jwt_algorithm: Literal["HS256", "RS256"] = Field("HS256", description="RS256 publishes /.well-known/jwks.json")
    jwt_private_key: SecretStr = Field(SecretStr(""), description="PEM for RS256; empty: made and kept in DATA_DIR")
    access_token_minutes: int = Field(15, ge=1, le=1440, description="life of an access token")
    refresh_token_days: int = Field(30, ge=1, le=365, description="life of an unused refresh token")
    password_hash_memory_kib: int = Field(19456, ge=8, description="argon2id memory; 19456 is OWASP's first choice")
    external_jwks_url: str = Field("", description="keys of an external auth server whose RS256 tokens are accepted")
    external_issuer: str = Field("", description="required `iss` of external tokens")
    external_audience: str = Field("", description="required `aud` of external tokens")
    google_client_id: str = Field("", description="sign in with Google")
    google_client_secret: SecretStr = Field(SecretStr(""), description="sign in with Google")
    google_discovery_url: str = Field(
        "https://accounts.google.com/.well-known/openid-configuration", description="OpenID discovery document"
    )
    spotify_client_id: str = Field("", description="sign in with Spotify")
    spotify_client_secret: SecretStr = Field(SecretStr(""), description="sign in with Spotify")
    spotify_accounts_url: str = Field("https://accounts.spotify.com", description="Spotify's authorization server")
    spotify_api_url: str = Field("https://api.spotify.com/v1", description="Spotify's Web API")

    # --- manners ---
    cors_origins: Annotated[list[str], NoDecode] = Field([], description="origins of browser apps, with commas between")
    trusted_proxies: Annotated[list[str], NoDecode] = Field(
        [], description="addresses or networks whose X-Forwarded-For is believed, with commas between: 10.0.0.0/8"
    )
    max_body_bytes: int = Field(1_048_576, ge=1024, description="largest JSON or form body")
    rate_limits: bool = Field(True, description="limit requests for each person or address")
    rate_limit_user_per_minute: int = Field(1200, ge=1, description="requests of a signed-in person")
    rate_limit_address_per_minute: int = Field(600, ge=1, description="requests of an address without a token")
    socket_frames_per_second: int = Field(20, ge=1, description="frames of one socket; thrice as many at once")
    catalog_writes: Literal["curators", "users"] = Field("curators", description="who may edit the catalogue")
    openmusic_compat: bool = Field(
        False, description="speak OpenMusic's API at the root; there everybody may edit the catalogue"
    )

    upload_quota_mb: int = Field(2048, ge=1, description="room for the recordings that one person uploads")
    stream_via: Literal["server", "redirect"] = Field(
        "server", description="redirect: recordings come straight from the object store, by short signed links"
    )
    transcodes: int = Field(
        4, ge=0, le=100, description="recordings that ffmpeg makes smaller at once while they are sent; 0: none"
    )

    # --- the outside world; what has no key uses its local stand-in ---
    mail_from: str = Field("SoundScore <no-reply@localhost>", description="sender of mails")
    smtp_url: str = Field(
        "",
        description="smtp://user:password@host:587 (STARTTLS if offered), smtp+starttls:// (nothing without it) "
        "or smtps://host:465",
    )
    smtp_ca_file: str = Field(
        "",
        description="PEM file of who may have signed that server's certificate, beside whom the machine trusts "
        "(which SSL_CERT_FILE in the environment replaces)",
    )
    resend_api_key: SecretStr = Field(SecretStr(""), description="send mail by Resend")
    resend_api_url: str = Field("https://api.resend.com", description="Resend's API")
    export_seconds: float = Field(25.0, gt=0, description="longest until the mail of an export has gone")
    rabbitmq_url: str = Field(
        "", description="amqp://user:password@host/vhost; needs `python -m app consumer`; empty: the worker exports"
    )
    rabbitmq_queue: str = Field(
        "soundscore.exports", pattern=r"^[\w.:-]{1,200}$", description="the queue of exports; NAME.dead is beside it"
    )
    sentry_dsn: str = Field("", description="report errors to Sentry")
    s3_bucket: str = Field("", description="keep files in S3 or what speaks its protocol; empty: in DATA_DIR")
    s3_endpoint_url: str = Field("", description="of MinIO, R2, Supabase's S3 and others; empty: AWS")
    s3_public_endpoint_url: str = Field("", description="how browsers reach S3_ENDPOINT_URL, if by another name")
    s3_region: str = Field("us-east-1", description="of the bucket")
    s3_access_key_id: str = Field("", description="of S3")
    s3_secret_access_key: SecretStr = Field(SecretStr(""), description="of S3")
    s3_session_token: SecretStr = Field(SecretStr(""), description="of temporary keys of S3")
    s3_path_style: Literal["auto", "true", "false"] = Field(
        "auto", description="whether the bucket stands in the path; auto: with S3_ENDPOINT_URL"
    )
    supabase_url: str = Field("", description="keep files in Supabase Storage: https://PROJECT.supabase.co")
    supabase_service_key: SecretStr = Field(SecretStr(""), description="the secret key of that project")
    supabase_bucket: str = Field("soundscore", description="its bucket, which should be a private one")

    @field_validator("cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, proxies: list[str]) -> list[str]:
        for proxy in proxies:
            try:
                ip_network(proxy)
            except ValueError:
                raise ValueError(f"{proxy} is neither an address nor a network such as 10.0.0.0/8") from None
        return proxies

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: list[str]) -> list[str]:
        # browsers send them without a path and in lower case, and they are compared as texts
        return [origin.rstrip("/").lower() for origin in origins]

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, url: str) -> str:
        return postgres_url(url) if url else ""

    @field_validator("redis_url")
    @classmethod
    def _redis_url(cls, url: str) -> str:
        if url and not url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must start with redis://, rediss:// or unix://")
        return url

    @field_validator("s3_endpoint_url", "s3_public_endpoint_url", "supabase_url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _whole_keys(self) -> Self:
        if self.s3_bucket and not (self.s3_access_key_id and self.s3_secret_access_key.get_secret_value()):
            raise ValueError("S3_BUCKET needs S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY")
        if self.supabase_url and not self.supabase_service_key.get_secret_value():
            raise ValueError("SUPABASE_URL needs SUPABASE_SERVICE_KEY")
        return self

    @field_validator("rabbitmq_url")
    @classmethod
    def _rabbitmq_url(cls, url: str) -> str:
        if url and not url.startswith(("amqp://", "amqps://")):
            raise ValueError("must start with amqp:// or amqps://")
        return url

    @model_validator(mode="after")
    def _safe_in_production(self) -> Self:
        secret = self.secret_key.get_secret_value()
        if secret and len(secret) < 32:
            raise ValueError("SECRET_KEY needs at least 32 characters: openssl rand -hex 32")
        if self.environment == "production" and not secret:
            raise ValueError("SECRET_KEY must be set in production: openssl rand -hex 32")
        if "*" in self.cors_origins and self.environment == "production":
            raise ValueError("CORS_ORIGINS must name the origins in production, not *")
        return self

    @property
    def base_url(self) -> str:
        """How people reach this server, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def app_url(self) -> str:
        """Where links in mails lead, without a slash at the end."""
        return (self.frontend_url or self.base_url).rstrip("/")

    @cached_property
    def secret(self) -> bytes:
        """The secret that signs tokens and cursors: SECRET_KEY, or one made once and kept in DATA_DIR."""
        given = self.secret_key.get_secret_value()
        return given.encode() if given else kept(self.data_dir / "secret_key", _random)


def _random() -> bytes:
    return secrets.token_hex(32).encode()
