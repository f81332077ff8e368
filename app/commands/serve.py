"""`serve`: from nothing to a server that answers, and back to nothing."""

import asyncio
import socket

import structlog
import typer
from fastapi import FastAPI
from sqlalchemy import select

from app.auth.models import Credential
from app.commands.certificate import self_signed
from app.commands.starting import prepare_schema, require_writable
from app.core.config import Settings
from app.core.infra import Infra, with_servers
from app.core.memory import give_back
from app.core.server import Server, bind
from app.core.signals import Signals
from app.core.tasks import end_tasks
from app.demo.apart import seed_apart
from app.demo.recordings import Missing, missing_recordings, record_music
from app.demo.seed import DEMO_LOGINS, DemoLogin, is_empty
from app.main import create_app

__all__ = ["serve"]

DEMO_DOMAIN = "demo.example"
log = structlog.get_logger()


async def serve(settings: Settings, signals: Signals, *, https: bool) -> None:
    """Serves until a signal comes. Raises the errors of starting, each with a sentence that says what to do."""
    with bind(settings.host, settings.port) as listener:
        settings = _located(settings, listener, https=https)
        require_writable(settings.data_dir)
        async with with_servers(settings) as reachable:
            await prepare_schema(reachable)
            app = create_app(reachable)
            async with app.router.lifespan_context(app):
                logins = await _demo_logins(app.state.infra)
                await _run(app, signals, listener, logins=logins, https=https)


def _located(settings: Settings, listener: socket.socket, *, https: bool) -> Settings:
    """The settings with the port that was got, so that links in mails lead here."""
    port: int = listener.getsockname()[1]
    host = "localhost" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 -- only compared
    host = f"[{host}]" if ":" in host else host
    here = f"{'https' if https else 'http'}://{host}:{port}"
    return settings.model_copy(update={"port": port, "public_url": settings.public_url or here})


async def _demo_logins(infra: Infra) -> list[DemoLogin]:
    """Fills an empty database with the demo, where the settings say so; the accounts of it that are there."""
    if infra.settings.environment == "production":
        return []
    if infra.settings.demo and await is_empty(infra):
        await seed_apart(infra.settings)
    addresses = {f"{login.username}@{DEMO_DOMAIN}": login for login in DEMO_LOGINS}
    there = await infra.db.reader.all(select(Credential.email_key).where(Credential.email_key.in_(addresses)))
    return [login for address, login in addresses.items() if address in there]


async def _run(
    app: FastAPI, signals: Signals, listener: socket.socket, *, logins: list[DemoLogin], https: bool
) -> None:
    settings: Settings = app.state.infra.settings
    certificate = self_signed(settings.data_dir / "tls") if https else None
    pieces = await missing_recordings(app.state.infra) if logins else []
    welcome = _welcome(settings, logins, pieces=len(pieces), curl="curl -sk" if https else "curl -s")
    ready = asyncio.Event()

    def say() -> None:
        typer.echo(welcome)
        ready.set()

    server = Server(app, settings, certificate=certificate, ready=say)
    music = asyncio.create_task(_play(app, ready, pieces), name="demo music")
    try:
        with signals.handled_by(server.leave):
            await server.serve(sockets=[listener])
    finally:
        await end_tasks([music])


async def _play(app: FastAPI, ready: asyncio.Event, pieces: list[Missing]) -> None:
    """Nobody waits for the demo's music: it is recorded once the server answers."""
    await ready.wait()
    try:
        await record_music(app, pieces)
        give_back(collect=True)
    except Exception as error:
        log.warning("demo_not_recorded", reason=repr(error))


def _welcome(settings: Settings, logins: list[DemoLogin], *, pieces: int, curl: str) -> str:
    url = settings.base_url
    lines = [("API and docs", f"{url}/docs")]
    lines += [(f"Sign in as {login.username}", f"{login.password}  ({login.about})") for login in logins]
    if pieces:
        lines += [("Music", f"{pieces} pieces are being recorded; the room `The music box` plays them in some seconds")]
    lines += [
        ("Next step", f"{curl} '{url}/api/v1/search?q=love'"),
        ("Data", str(settings.data_dir.resolve())),
        ("Stop", "Ctrl-C"),
    ]
    return "\n".join([f"\nSoundScore is ready at {url}\n", *(f"  {name:<18}{text}" for name, text in lines), ""])
