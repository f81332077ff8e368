"""Small fake servers on loopback, in place of services that are elsewhere."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import uvicorn

__all__ = ["on_loopback"]


@asynccontextmanager
async def on_loopback(app: Any) -> AsyncIterator[str]:
    """Serves an ASGI application on a free port; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, log_config=None, lifespan="off", access_log=False, ws="none")
        server = _Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = server.force_exit = True
            await task


class _Server(uvicorn.Server):
    def capture_signals(self) -> Any:
        return nullcontext()
