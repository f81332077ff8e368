"""Socket protocol, version 1: what the server says, and the AsyncAPI document of both sides."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema

from app.chat import frames
from app.core.errors import Fault
from app.core.schemas import Output, Timestamp
from app.core.sockets import CLOSINGS
from app.users.schemas import PersonCard

__all__ = ["SERVER_FRAMES", "asyncapi", "event_kinds"]

Milliseconds = Annotated[float, Field(description="Milliseconds of the server's clock since 1970", examples=[1.78e12])]


class You(PersonCard):
    """The person at this end, and how they stand in the channel."""

    role: str
    muted_until: Timestamp | None


class Event(Output):
    """An entry of the channel's log. Sequences have no gaps; `hidden` stands for what is not for you."""

    type: Literal["event"]
    sequence: int
    kind: str
    at: Timestamp | None
    actor: PersonCard | None
    data: dict[str, Any]


class Welcome(Output):
    """The answer to the hello. `recovered`: `events` are what you missed; else `snapshot` is the whole state.

    This brings you to `sequence`. If you missed much, it is not the newest: the rest follows as events.
    """

    type: Literal["welcome"]
    protocol: int
    connection_id: UUID
    server_ms: Milliseconds
    sequence: int
    recovered: bool
    you: You
    snapshot: dict[str, Any] | None
    present: list[PersonCard]
    events: list[Event]


class Ack(Output):
    """What you sent under this client id is done. Sent again, it gets the same answer."""

    type: Literal["ack"]
    client_id: str
    sequence: int | None
    result: dict[str, Any] | None


class ProblemFrame(Output):
    """What you sent was refused, or the socket ends. The fields are those of the REST problems."""

    model_config = ConfigDict(extra="allow")

    type: Literal["problem"]
    client_id: str | None
    code: str
    title: str
    detail: str
    status: int
    errors: list[Fault]


class Typist(Output):
    """Who types."""

    id: UUID
    username: str


class Typing(Output):
    """Somebody types, or has stopped."""

    type: Literal["typing"]
    user: Typist
    active: bool


class PresenceFrame(Output):
    """Who came and who went, but for whom you block. A person with two sockets is one."""

    type: Literal["presence"]
    present_count: int
    joined: list[PersonCard]
    left: list[UUID]


class Pong(Output):
    """The server's time, for the client's clock."""

    type: Literal["pong"]
    id: int
    client_ms: float
    server_ms: Milliseconds


class Reconnect(Output):
    """The server goes. Connect again after this time and resume."""

    type: Literal["reconnect"]
    after_ms: int


SERVER_FRAMES: tuple[type[BaseModel], ...] = (
    Welcome,
    Event,
    Ack,
    ProblemFrame,
    Typing,
    PresenceFrame,
    Pong,
    Reconnect,
)
_CLIENT_FRAMES: tuple[type[BaseModel], ...] = (
    frames.Hello,
    frames.PingFrame,
    frames.TypingFrame,
    frames.SendFrame,
    frames.EditFrame,
    frames.DeleteFrame,
    frames.ReactFrame,
    frames.ReadFrame,
    frames.CommandFrame,
)
_kinds: dict[str, str] = {
    "message.created": "Somebody said something: `id`, `client_id`, `text`, `reply_to`, `mentions`, and what it shares",
    "message.edited": "A message says something else: `id`, `text`, `edited_at`",
    "message.deleted": "A message is empty now, and so are quotes of it: `id`",
    "reaction.added": "The actor put an emoji to a message: `message_id`, `emoji`",
    "reaction.removed": "The actor took it away: `message_id`, `emoji`",
    "channel.updated": "The room or group has changed: its whole card",
    "owner.changed": "It has another owner: `user_id`",
    "member.joined": "Somebody came in: `user`, `role`, `member_count`",
    "member.left": "Somebody left: `user_id`, `member_count`",
    "member.kicked": "Somebody was put out: `user_id`, `reason`, `member_count`. Their sockets end",
    "member.banned": "The same, and they stay out: `until` is null for ever. Their sockets end",
    "member.role": "Somebody has another role: `user_id`, `role`",
    "member.muted": "Somebody may not speak, or may again: `user_id`, `until`",
    "hidden": "Something of a person whom you block, or who blocks you: `member_count`, if they came in",
}
_CHANNELS = {
    "rooms": "A room: talk, queue, and what is playing",
    "groups": "A group's talk",
    "direct": "A conversation of two people",
    "playlists": "A playlist: what is in it, and who works on it. Nobody talks there",
}


def event_kinds(kinds: dict[str, str]) -> None:
    """Adds kinds of events, each with what it means and what its data has."""
    _kinds.update(kinds)


def asyncapi(version: str) -> dict[str, Any]:
    """The document (AsyncAPI 3.0) of the sockets."""
    models = (*_CLIENT_FRAMES, *SERVER_FRAMES)
    _, definitions = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    messages = {model.__name__: {"$ref": f"#/components/messages/{model.__name__}"} for model in models}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "SoundScore sockets", "version": version, "description": _description()},
        "defaultContentType": "application/json",
        "channels": {name: _channel(name, text, messages) for name, text in _CHANNELS.items()},
        "operations": {name: text for channel in _CHANNELS for name, text in _operations(channel).items()},
        "components": {
            "messages": {model.__name__: _message(model) for model in models},
            "schemas": definitions["$defs"],
        },
    }


def _channel(name: str, description: str, messages: dict[str, Any]) -> dict[str, Any]:
    query = {"ticket": "From `POST /api/v1/auth/tickets`, used once", "token": "An access token"}
    properties = {key: {"type": "string", "description": text} for key, text in query.items()}
    return {
        "address": f"/ws/{name}/{{id}}",
        "description": f"{description}. Sign in by the Authorization header, or by one of the query parameters.",
        "parameters": {"id": {"description": "The id, as REST has it"}},
        "messages": messages,
        "bindings": {"ws": {"query": {"type": "object", "properties": properties}}},
    }


def _operations(channel: str) -> dict[str, Any]:
    def operation(action: str, models: tuple[type[BaseModel], ...]) -> dict[str, Any]:
        refs = [{"$ref": f"#/channels/{channel}/messages/{model.__name__}"} for model in models]
        return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "messages": refs}

    # seen from the server, as the document is its own: it receives what clients send
    return {
        f"hear_{channel}": operation("receive", _CLIENT_FRAMES),
        f"tell_{channel}": operation("send", SERVER_FRAMES),
    }


def _message(model: type[BaseModel]) -> dict[str, Any]:
    kind = model.model_fields["type"].annotation.__args__[0]  # type: ignore[union-attr]
    text = " ".join((model.__doc__ or "").split())
    return {"name": kind, "summary": text, "payload": {"$ref": f"#/components/schemas/{model.__name__}"}}


def _description() -> str:
    kinds = "\n".join(f"| `{name}` | {text} |" for name, text in _kinds.items())
    codes = "\n".join(f"| {code.value} | {why} | {again} |" for code, (why, again) in CLOSINGS.items())
    return (
        "Every frame is one JSON text. The first is `hello`, answered by `welcome`; then events come in the order of "
        "their sequences, each once.\n\n"
        f"| Event | Meaning and data |\n|---|---|\n{kinds}\n\n"
        f"| Close code | Why | Connect again? |\n|---|---|---|\n{codes}\n"
    )
