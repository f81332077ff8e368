"""`doctor`: looks at everything that the server needs, while it runs or before."""

import asyncio
import platform
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import asyncpg
import httpx
import typer
from aiosmtplib import SMTPException
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.commands.starting import StartError, reach_database, require_writable
from app.core.config import Settings
from app.core.database_url import driver_dsn
from app.core.embedded import EmbeddedError
from app.core.infra import with_servers
from app.core.logging import configure_logging
from app.core.migrations import SchemaError, current_revision, require_current
from app.core.server import PortError, bind
from app.integrations.broker import BrokerDown, Rabbit
from app.integrations.mail import MailServerFault, SmtpMailer
from app.integrations.storage import choose

__all__ = ["doctor"]

LEAST_DISK = 500_000_000
State = Literal["ok", "note", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do about it."""

    name: str
    state: State
    text: str


async def doctor(settings: Settings) -> None:
    """Prints one line for each part. Raises Exit with code 1 when one of them fails."""
    configure_logging(settings.model_copy(update={"log_level": "ERROR"}))
    failed = False
    async for finding in _findings(settings):
        typer.echo(f"{finding.state:<6}{finding.name:<14}{finding.text}")
        failed |= finding.state == "fail"
    if failed:
        raise typer.Exit(1)


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    yield _python()
    yield _folder(settings)
    yield _disk(settings)
    for finding in _services(settings):
        yield finding
    yield _renditions()
    if settings.openmusic_compat:
        yield Finding("OpenMusic", "note", "at the root: everybody may edit the catalogue there, without a login")
    yield await _mail(settings)
    yield await _storage(settings)
    try:
        async with with_servers(settings) as reachable:
            yield await _look("database", _database, reachable)
            yield await _look("schema", _schema, reachable)
            yield await _look("redis", _redis, reachable)
            yield await _look("broker", _broker, reachable)
    except EmbeddedError as error:
        yield Finding("servers", "fail", str(error))
    yield await _port(settings)


async def _look(name: str, look: Callable[[Settings], Awaitable[Finding]], settings: Settings) -> Finding:
    try:
        return await look(settings)
    except (StartError, SchemaError, OSError, asyncpg.PostgresError) as error:
        return Finding(name, "fail", str(error))


def _python() -> Finding:
    text = f"{platform.python_implementation()} {platform.python_version()} on {platform.platform(terse=True)}"
    return Finding("python", "ok" if sys.version_info >= (3, 11) else "fail", text)


def _folder(settings: Settings) -> Finding:
    try:
        require_writable(settings.data_dir)
    except StartError as error:
        return Finding("data folder", "fail", str(error))
    return Finding("data folder", "ok", str(settings.data_dir.resolve()))


def _disk(settings: Settings) -> Finding:
    try:
        free = shutil.disk_usage(settings.data_dir).free
    except OSError as error:
        return Finding("disk", "fail", str(error.strerror))
    if free < LEAST_DISK:
        return Finding("disk", "fail", f"{free / 1e6:.0f} MB free, {LEAST_DISK / 1e6:.0f} MB are needed: make room")
    return Finding("disk", "ok", f"{free / 1e9:.1f} GB free")


def _renditions() -> Finding:
    found = shutil.which("ffmpeg")
    standin = "none, and only WAV files have waveforms: install ffmpeg"
    return Finding("renditions", "ok" if found else "note", found or standin)


def _services(settings: Settings) -> list[Finding]:
    """Which real services are used, and which stand-ins."""
    chosen = {
        "Google": ("sign-in" if settings.google_client_id else "", "no sign-in: set GOOGLE_CLIENT_ID"),
        "Spotify": ("sign-in" if settings.spotify_client_id else "", "no sign-in: set SPOTIFY_CLIENT_ID"),
        "Sentry": ("on" if settings.sentry_dsn else "", "errors are only logged: set SENTRY_DSN"),
    }
    return [Finding(name, "ok" if used else "note", used or standin) for name, (used, standin) in chosen.items()]


async def _mail(settings: Settings) -> Finding:
    if not settings.smtp_url:
        used = "Resend" if settings.resend_api_key.get_secret_value() else ""
        standin = f"kept in {settings.data_dir}/mails: set SMTP_URL or RESEND_API_KEY"
        return Finding("mail", "ok" if used else "note", used or standin)
    try:
        server = SmtpMailer(settings.smtp_url, settings.mail_from, ca_file=settings.smtp_ca_file)
        encrypted = await server.check()
        await server.close()
    except (MailServerFault, SMTPException, ValueError, OSError) as error:
        return Finding("mail", "fail", str(error))
    if not encrypted:
        return Finding("mail", "note", f"SMTP at {server.address}, in plain text: it offers no STARTTLS")
    return Finding("mail", "ok", f"SMTP at {server.address}, encrypted")


async def _storage(settings: Settings) -> Finding:
    if not (settings.s3_bucket or settings.supabase_url):
        return Finding("storage", "note", f"files are kept in {settings.data_dir}/media: set S3_BUCKET or SUPABASE_URL")
    try:
        async with choose(settings) as store, asyncio.timeout(15):
            return Finding("storage", "ok", await store.check())
    except Exception as error:  # whatever a client raises, the store is not usable
        reason = str(error).partition("\n")[0][:200] or type(error).__name__
        return Finding("storage", "fail", f"Cannot use the object store: {reason}")


async def _database(settings: Settings) -> Finding:
    version = await reach_database(settings.database_url)
    connection = await asyncpg.connect(driver_dsn(settings.database_url))
    try:
        rows = await connection.fetch("SELECT extname FROM pg_extension ORDER BY extname")
    finally:
        await connection.close()
    return Finding("database", "ok", f"PostgreSQL {version}, extensions: {', '.join(row[0] for row in rows)}")


async def _schema(settings: Settings) -> Finding:
    if settings.environment != "production" and await current_revision(settings.database_url) is None:
        return Finding("schema", "note", "empty: `serve` and `migrate` make it")
    await require_current(settings.database_url)
    return Finding("schema", "ok", "up to date")


async def _redis(settings: Settings) -> Finding:
    client = Redis.from_url(settings.redis_url, socket_timeout=2, socket_connect_timeout=2)
    try:
        about = await client.info("server")
    except (RedisError, OSError) as error:
        return Finding("redis", "fail", f"Cannot reach REDIS_URL: {error}. Unset it to use the bundled Valkey.")
    finally:
        await client.aclose()
    kind = "Valkey" if "valkey_version" in about else "Redis"
    return Finding("redis", "ok", f"{kind} {about.get('valkey_version') or about['redis_version']}")


async def _broker(settings: Settings) -> Finding:
    if not settings.rabbitmq_url:
        return Finding("broker", "note", "none: the worker mails exports; set RABBITMQ_URL to give them to consumers")
    rabbit = Rabbit(settings.rabbitmq_url, settings.rabbitmq_queue)
    try:
        state = await rabbit.state()
    except BrokerDown as error:
        remedy = "Start it, or unset RABBITMQ_URL to have the worker mail exports."
        return Finding("broker", "fail", f"Cannot reach RabbitMQ at {rabbit.address}: {error}. {remedy}")
    finally:
        await rabbit.close()
    text = f"RabbitMQ at {rabbit.address}: {state.waiting} wait, {state.dead} are dead, {state.consumers} consumers"
    if not state.consumers:
        return Finding("broker", "note", f"{text}: run `python -m app consumer`")
    return Finding("broker", "note" if state.dead else "ok", text)


async def _port(settings: Settings) -> Finding:
    try:
        bind(settings.host, settings.port).close()
    except PortError as error:
        return Finding("port", *(("ok", "the server runs there") if await _is_ours(settings) else ("fail", str(error))))
    return Finding("port", "ok", f"{settings.port} on {settings.host} is free")


async def _is_ours(settings: Settings) -> bool:
    for scheme in ("http", "https"):
        try:
            # the certificate may be our own; nothing secret is sent
            async with httpx.AsyncClient(verify=False, timeout=2, trust_env=False) as client:  # noqa: S501
                answer = await client.get(f"{scheme}://{settings.host}:{settings.port}/livez")
        except httpx.HTTPError:
            continue
        return "x-request-id" in answer.headers and answer.json() == {"status": "ok"}
    return False
