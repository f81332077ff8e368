"""Talk as clients of earlier servers know it."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json, to_json
from starlette.websockets import WebSocket

from app.chat.drafts import Draft
from app.chat.lines import hide
from app.chat.posting import poster
from app.chat.schemas import MessageInput, MessageText
from app.chat.seats import Identify, Seat
from app.core.auth import require_scope
from app.core.errors import AppError, BadRequest, Invalid, TooManyRequests
from app.core.feeds import Line
from app.core.schemas import Input
from app.core.sockets import Conversation, Socket, socket_endpoint
from app.core.wires import encode

__all__ = ["simple_socket"]


class _Said(Input):
    text: MessageText


class SimpleTalk(Seat):
    """`{"text": ...}` in, the message out: what clients of earlier servers speak, without hello and numbers."""

    picky = True  # nothing goes out as it is

    async def begin(self) -> None:
        """Hears what comes from now on."""
        await self.come_in()
        async with self.infra.db.snapshot() as db:
            head, _ = await self.find(db)
        await self.sit_down(head)

    def hear(self, lines: Sequence[Line]) -> None:
        """Sends messages; of everything else these clients know nothing."""
        created = [line for line in lines if b'"kind":"message.created"' in line.payload[:80]]
        said = (from_json(hide(line, self.hidden) or b"{}") for line in created)
        frames = [encode(to_json(self._message(event))) for event in said if event.get("kind") == "message.created"]
        self.write(b"".join(frames))

    def _message(self, event: dict[str, Any]) -> dict[str, Any]:
        data, actor = event["data"], event["actor"] or {"id": None}
        where = {"user_id": actor["id"], "room_id": self.channel_id, "created_at": event["at"]}
        return {"id": data["id"], "text": data["text"], **where, "sequence": event["sequence"]}

    async def take(self, text: str, *, flooded: bool) -> None:
        """Posts what was said. Raises BadRequest for what is no JSON object."""
        try:
            if flooded:
                raise TooManyRequests("Too many messages at once. Send it again in a second.")
            said = _read(text)
            require_scope(self.actor, "write")
            await self.infra.part(poster).post(Draft(self.channel_id, self.person, MessageInput(text=said.text)))
        except BadRequest:
            raise
        except AppError as error:
            self.socket.complain(error)


def _read(text: str) -> _Said:
    try:
        frame = from_json(text)
    except ValueError:
        frame = None
    if not isinstance(frame, dict):
        raise BadRequest('Send JSON: `{"text": "..."}`.')
    try:
        return _Said.model_validate(frame)
    except ValidationError as error:
        raise Invalid.field("/text", "Write 1 to 2,000 characters, and nothing beside them.", "text") from error


def simple_socket(kind: str, identify: Identify) -> Callable[[WebSocket], Awaitable[None]]:
    """The same without the protocol: text in, messages out."""
    talk: Callable[[Socket, WebSocket], Conversation] = partial(SimpleTalk, kind)
    return socket_endpoint(identify, talk)
