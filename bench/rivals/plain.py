"""A broadcast as a loop of ASGI sends: what a room is in most Python servers."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

__all__ = ["make"]

_sockets: set[WebSocket] = set()


async def _send(request: Request) -> PlainTextResponse:
    text = "x" * int(request.query_params.get("size", 0))
    for _ in range(int(request.query_params.get("count", 0))):
        for socket in list(_sockets):
            await socket.send_text(text)
    return PlainTextResponse("ok")


async def _listen(socket: WebSocket) -> None:
    await socket.accept()
    _sockets.add(socket)
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        _sockets.discard(socket)


def make() -> Starlette:
    """The application."""
    return Starlette(routes=[Route("/send", _send, methods=["GET", "POST"]), WebSocketRoute("/ws", _listen)])
