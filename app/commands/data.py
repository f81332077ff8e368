"""Commands that change data and end: migrate, seed, import, create-admin."""

from collections.abc import Iterable
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.auth.service import create_admin as make_admin
from app.catalog.imports import import_albums, import_tracks
from app.commands.starting import StartError, opened, reach_database, require_writable
from app.core.config import Settings
from app.core.infra import with_servers
from app.core.logging import configure_logging
from app.core.migrations import current_revision
from app.core.migrations import migrate as move
from app.demo.seed import reset as seed_anew
from app.demo.seed import seed_if_empty

__all__ = ["create_admin", "import_file", "migrate", "seed"]

MOST_SHOWN = 20


async def migrate(settings: Settings, revision: str) -> None:
    """Brings the schema to a revision and says so."""
    configure_logging(settings)
    require_writable(settings.data_dir)
    async with with_servers(settings) as reachable:
        await reach_database(reachable.database_url)
        before = await current_revision(reachable.database_url)
        await move(reachable.database_url, revision)
        after = await current_revision(reachable.database_url)
    typer.echo(
        f"The schema is at {after or 'nothing'}." if before == after else f"The schema went to {after or 'nothing'}."
    )


async def seed(settings: Settings, *, reset: bool) -> None:
    """Fills an empty database with the demo; with `reset` takes the demo out first."""
    async with opened(settings) as infra:
        result = await (seed_anew(infra) if reset else seed_if_empty(infra))
    typer.echo(str(result or "The database has data already. `seed --reset` takes the demo out and loads it anew."))


async def import_file(settings: Settings, kind: str, path: Path) -> None:
    """Reads a file of albums or tracks. Raises StartError when no row of it can be used."""
    async with opened(settings) as infra:
        read = import_albums if kind == "albums" else import_tracks
        with _bar() as bar:
            task = bar.add_task(f"Reading {kind}", total=None)
            result = await read(infra, path, progress=lambda done, total: bar.update(task, completed=done, total=total))
    typer.echo(
        f"{result.created} created, {result.updated} updated, {result.unchanged} unchanged, {len(result.bad)} bad"
    )
    _show_bad(path, result.bad)
    if not result.created + result.updated + result.unchanged:
        raise StartError(f"No row of {path} could be used; `python -m app import {kind} --help` names the columns.")


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _show_bad(path: Path, bad: Iterable[tuple[int, str]]) -> None:
    rows = list(bad)
    for line, reason in rows[:MOST_SHOWN]:
        typer.echo(f"{path}:{line}: {reason}", err=True)
    if len(rows) > MOST_SHOWN:
        typer.echo(f"... and {len(rows) - MOST_SHOWN} more", err=True)


async def create_admin(settings: Settings, *, username: str, email: str, password: str) -> None:
    """Makes an admin. Raises the errors of registration."""
    async with opened(settings) as infra:
        await make_admin(infra, username=username, email=email, password=password)
    typer.echo(f"{username} is an admin.")
