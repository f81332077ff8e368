"""An SMTP server as a process of its own, which can be killed, and which kills at the moment that a plan names.

`python -m tests.promises.mail_server PORT FOLDER`. `FOLDER/journal` has a line for each mail that it has taken. If
there is `FOLDER/plan` with a stage and a process id, that process is killed when a mail comes to this stage.
"""

import asyncio
import email
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

__all__ = ["STAGES"]

STAGES = ("received", "taken", "answered", "recipient", "sender", "greeted", "connected", "farewell")
"""`received`: all of the mail is there; `taken`: it is in the journal; `answered`: the client is told so."""


class Taking:
    """Takes every mail, and carries out the plan."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def reach(self, stage: str) -> None:
        """Kills whom the plan wants to die here, once; it may be this process."""
        plan = self._folder / "plan"
        try:
            wanted, victim = plan.read_text().split()
        except (FileNotFoundError, ValueError):
            return
        if wanted == stage:
            plan.unlink()
            self.note("kills", at=time.time(), stage=stage, pid=int(victim))
            os.kill(int(victim), signal.SIGKILL)

    def note(self, name: str, **line: Any) -> None:
        with (self._folder / name).open("a") as file:
            file.write(json.dumps(line) + "\n")

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, name: str, responses: list[str]) -> list[str]:
        session.host_name = name
        self.reach("greeted")
        return responses

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        self.reach("sender")
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        self.reach("recipient")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        came = time.time()
        self.reach("received")
        mail = email.message_from_bytes(envelope.content)
        self.note("journal", at=came, id=mail["Message-ID"], to=envelope.rcpt_tos)
        self.reach("taken")
        asyncio.get_running_loop().call_later(0.002, self.reach, "answered")
        return "250 OK"

    async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:
        self.reach("farewell")
        return "221 Bye"


class Server(SMTP):
    def connection_made(self, transport: Any) -> None:
        self.event_handler.reach("connected")
        super().connection_made(transport)


async def serve(port: int, folder: Path) -> None:
    taking = Taking(folder)
    server = await asyncio.get_running_loop().create_server(
        lambda: Server(taking, hostname="localhost", ident="test"), "127.0.0.1", port
    )
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
