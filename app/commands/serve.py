"""`serve`: from nothing to a server that answers, and back to nothing."""

import socket
from importlib import import_module
from importlib.util import find_spec

import typer
from fastapi import FastAPI

from app.commands.certificate import self_signed
from app.commands.starting import prepare_schema, require_writable
from app.core.config import Settings
from app.core.infra import Infra, with_servers
from app.core.server import Server, bind
from app.core.signals import Signals
from app.main import create_app

__all__ = ["serve"]


async def serve(settings: Settings, signals: Signals, *, https: bool) -> None:
    """Serves until a signal comes. Raises the errors of starting, each with a sentence that says what to do."""
    with bind(settings.host, settings.port) as listener:
        settings = _located(settings, listener, https=https)
        require_writable(settings.data_dir)
        async with with_servers(settings) as reachable:
            await prepare_schema(reachable)
            app = create_app(reachable)
            async with app.router.lifespan_context(app):
                await _seed(app.state.infra)
                await _run(app, signals, listener, https=https)


def _located(settings: Settings, listener: socket.socket, *, https: bool) -> Settings:
    """The settings with the port that was got, so that links in mails lead here."""
    port: int = listener.getsockname()[1]
    host = "localhost" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 -- only compared
    host = f"[{host}]" if ":" in host else host
    here = f"{'https' if https else 'http'}://{host}:{port}"
    return settings.model_copy(update={"port": port, "public_url": settings.public_url or here})


async def _seed(infra: Infra) -> None:
    if infra.settings.demo and infra.settings.environment != "production" and find_spec("app.demo.seed"):
        await import_module("app.demo.seed").seed_if_empty(infra)


async def _run(app: FastAPI, signals: Signals, listener: socket.socket, *, https: bool) -> None:
    settings: Settings = app.state.infra.settings
    certificate = self_signed(settings.data_dir / "tls") if https else None
    server = Server(app, settings, certificate=certificate, ready=lambda: typer.echo(_welcome(settings, https=https)))
    with signals.handled_by(server.leave):
        await server.serve(sockets=[listener])


def _welcome(settings: Settings, *, https: bool) -> str:
    url = settings.base_url
    curl = "curl -sk" if https else "curl -s"
    lines = {
        "API and docs": f"{url}/docs",
        "Demo logins": _logins(settings),
        "Next step": f"{curl} '{url}/api/v1/search?q=love'",
        "Data": str(settings.data_dir.resolve()),
        "Stop": "Ctrl-C",
    }
    shown = [f"  {name:<14}{value}" for name, value in lines.items() if value]
    return "\n".join([f"\nSoundScore is ready at {url}\n", *shown, ""])


def _logins(settings: Settings) -> str:
    return ""
