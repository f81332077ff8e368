"""The command line: `python -m app --help`.

Each command imports what it needs when it runs, so that help comes at once.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from app.core.config import Settings

ENDS = "Settings come from the environment and .env; .env.example lists them all."
cli = typer.Typer(
    name="python -m app",
    help="SoundScore, a social music server. `serve` is all it takes to begin.",
    epilog=ENDS,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
importing = typer.Typer(help="Read albums or tracks from a CSV file.", no_args_is_help=True)
cli.add_typer(importing, name="import")

File = Annotated[Path, typer.Argument(help="A CSV file with a header line.", exists=True, dir_okay=False)]


def _settings(**given: Any) -> "Settings":
    from app.core.config import Settings

    return Settings(**{name: value for name, value in given.items() if value is not None})


@cli.command(
    epilog="Examples: `python -m app serve` · `python -m app serve --port 9000 --https` · `PORT=0 python -m app serve`"
)
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    https: Annotated[
        bool, typer.Option("--https", help="Use a self-signed certificate, made at the first time.")
    ] = False,
    demo: Annotated[
        bool | None, typer.Option("--demo/--no-demo", help="Fill an empty database with demo data.")
    ] = None,
    worker: Annotated[
        bool | None, typer.Option("--worker/--no-worker", help="Run jobs in this process as well.")
    ] = None,
) -> None:
    """Start the server, and everything that it needs and that is not there.

    Without DATABASE_URL and REDIS_URL it starts its own PostgreSQL and Valkey and keeps their data in DATA_DIR.
    """
    settings = _settings(host=host, port=port, demo=demo, worker=worker)
    from app.commands.serve import serve as start
    from app.core.signals import run

    run(lambda signals: start(settings, signals, https=https))


@cli.command(epilog="Example: `DATABASE_URL=postgres://… python -m app worker`")
def worker() -> None:
    """Run jobs, and no server: start as many of these as there is work."""
    settings = _settings()
    from app.commands.work import work
    from app.core.signals import run

    run(lambda signals: work(settings, signals))


@cli.command(epilog="Example: `RABBITMQ_URL=amqp://… DATABASE_URL=postgres://… python -m app consumer`")
def consumer() -> None:
    """Mail exported playlists whose ids come by RabbitMQ: start as many of these as there is to mail."""
    settings = _settings()
    from app.commands.consume import consume
    from app.core.signals import run

    run(lambda signals: consume(settings, signals))


@cli.command(epilog="Examples: `python -m app migrate` · `python -m app migrate --to 0001`")
def migrate(
    to: Annotated[str, typer.Option(help="The revision to go to, up or down; `base` empties the database.")] = "head",
) -> None:
    """Bring the schema of the database up to date."""
    settings = _settings()
    from app.commands.data import migrate as move
    from app.core.signals import run

    run(lambda _: move(settings, to))


@cli.command(epilog="Examples: `python -m app seed` · `python -m app seed --reset`")
def seed(
    reset: Annotated[bool, typer.Option("--reset", help="Take the demo out first, with its people.")] = False,
) -> None:
    """Fill the database with demo data: people, albums, reviews, and what they say to each other."""
    settings = _settings()
    from app.commands.data import seed as fill
    from app.core.signals import run

    run(lambda _: fill(settings, reset=reset))


@importing.command(
    epilog="Columns: title, artist, year, release_date, label, genres (`;` between genres). "
    "Example: `python -m app import albums albums.csv`"
)
def albums(file: File) -> None:
    """Read albums. Reading a file again changes nothing."""
    _import("albums", file)


@importing.command(
    epilog="Columns: title, artist, genres, spotify_track_id, spotify_artist_id, popularity, valence, energy, tempo. "
    "Example: `python -m app import tracks tracks.csv`"
)
def tracks(file: File) -> None:
    """Read tracks. Reading a file again changes nothing."""
    _import("tracks", file)


def _import(kind: str, file: Path) -> None:
    settings = _settings()
    from app.commands.data import import_file
    from app.core.signals import run

    run(lambda _: import_file(settings, kind, file))


@cli.command(epilog="Examples: `python -m app openapi` · `python -m app openapi --output openapi.json`")
def openapi(
    output: Annotated[Path | None, typer.Option(help="A file to write instead of printing.")] = None,
) -> None:
    """Print the OpenAPI document of the API."""
    from app.commands.documents import openapi as document

    _show(document(), output)


@cli.command(epilog="Examples: `python -m app asyncapi` · `python -m app asyncapi --output docs/asyncapi.json`")
def asyncapi(
    output: Annotated[Path | None, typer.Option(help="A file to write instead of printing.")] = None,
) -> None:
    """Print the AsyncAPI document of the sockets."""
    from app.commands.documents import asyncapi as document

    _show(document(), output)


@cli.command(epilog="Examples: `python -m app env` · `python -m app env --output .env.example`")
def env(
    output: Annotated[Path | None, typer.Option(help="A file to write instead of printing.")] = None,
) -> None:
    """Print all settings with their meanings and defaults, in the format of .env."""
    from app.commands.documents import env_example

    _show(env_example(), output)


def _show(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


@cli.command(
    epilog="Example: `python -m app doctor`. It may run beside the server; the exit code is 1 if something fails."
)
def doctor() -> None:
    """Look at everything that the server needs, and say what is wrong with it."""
    settings = _settings()
    from app.commands.doctor import doctor as look
    from app.core.signals import run

    run(lambda _: look(settings))


@cli.command(
    "create-admin",
    epilog="Examples: `python -m app create-admin ana ana@example.org` · "
    "`python -m app create-admin ana ana@example.org --password-stdin < password.txt`",
)
def create_admin(
    username: Annotated[str, typer.Argument(help="3-50 letters, digits and underscores.")],
    email: Annotated[str, typer.Argument(help="For mails about the account.")],
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
) -> None:
    """Make an account that may do everything. Asks for the password."""
    settings = _settings()
    from app.commands.data import create_admin as create
    from app.core.signals import run

    password = (
        sys.stdin.readline().rstrip("\r\n")
        if password_stdin
        else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    run(lambda _: create(settings, username=username, email=email, password=password))


def main() -> None:
    """Runs the command. An error is one sentence on stderr and exit code 1."""
    try:
        cli()
    except Exception as error:
        from app.commands.faults import report

        sys.exit(report(error))


if __name__ == "__main__":
    main()
