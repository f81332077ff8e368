"""`python -m soundscore_client listen ROOM`: be in a room, at a terminal."""

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Sequence

from soundscore_client.connection import Channel
from soundscore_client.listening import Listener
from soundscore_client.problems import Ended, Problem, Refused
from soundscore_client.rest import Rest

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        asyncio.run(_listen(asked))
    except (Problem, Refused, Ended, ConnectionError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="soundscore_client", description="Listen together, at a terminal.")
    listen = parser.add_subparsers(dest="command", required=True).add_parser("listen", help="be in a room")
    listen.add_argument("room", help="its name or its id")
    listen.add_argument("--server", default="http://127.0.0.1:8000", help="default: %(default)s")
    listen.add_argument("--username", help="sign in with a password, asked for unless --password says it")
    listen.add_argument("--password")
    listen.add_argument("--token", default=os.environ.get("SOUNDSCORE_TOKEN"), help="default: $SOUNDSCORE_TOKEN")
    listen.add_argument("--room-password", help="of a private room that you are not in yet")
    listen.add_argument("--once", type=float, metavar="SECONDS", help="leave after this time")
    listen.add_argument("--json", action="store_true", help="print one line each second, for scripts")
    return parser


async def _listen(asked: argparse.Namespace) -> None:
    async with Rest(asked.server, token=None if asked.username else asked.token) as rest:
        if asked.username:
            password = asked.password or await asyncio.to_thread(getpass.getpass)
            await rest.login(asked.username, password)
        room_id: str = (await rest.room(asked.room))["id"]
        await rest.join(room_id, asked.room_password)
        async with Channel(rest.socket(room_id), rest.token, client="soundscore-terminal/1.0") as channel:
            listener = Listener(rest, channel, room_id)
            await (listener.print_json(asked.once) if asked.json else listener.watch(asked.once))


if __name__ == "__main__":
    sys.exit(main())
