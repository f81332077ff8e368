"""Socket protocol, version 1: what a client may say, each frame a JSON text."""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from app.chat.schemas import ClientId, Emoji, MessageInput, MessageText
from app.core.errors import BadRequest, Fault, Invalid
from app.core.schemas import Id, Input

__all__ = [
    "PROTOCOL",
    "CommandFrame",
    "DeleteFrame",
    "EditFrame",
    "Frame",
    "Hello",
    "InvalidFrame",
    "PingFrame",
    "ReactFrame",
    "ReadFrame",
    "SendFrame",
    "TypingFrame",
    "parse",
    "parse_hello",
]

PROTOCOL = 1
_FATAL = frozenset({"json_invalid", "union_tag_invalid", "union_tag_not_found", "model_attributes_type"})


class Hello(Input):
    """The first frame. With the last sequence that it has, a client resumes; without one it gets the whole state."""

    type: Literal["hello"]
    protocol: int
    client: Annotated[str, Field(max_length=100, examples=["soundscore-web/1.4"])] = ""
    last_sequence: Annotated[int, Field(ge=0, le=2**53)] | None = None


class PingFrame(Input):
    """Asks for the server's time. `client_ms` comes back as it is."""

    type: Literal["ping"]
    id: Annotated[int, Field(ge=-(2**53), le=2**53)]
    client_ms: Annotated[float, Field(allow_inf_nan=False)]


class TypingFrame(Input):
    """Somebody types, or has stopped. Not logged."""

    type: Literal["typing"]
    active: bool


class SendFrame(MessageInput):
    """A message. The `ack` has its sequence."""

    type: Literal["send"]
    client_id: ClientId


class EditFrame(Input):
    """One's own message says something else now."""

    type: Literal["edit"]
    client_id: ClientId
    message_id: Id
    text: MessageText


class DeleteFrame(Input):
    """Empties a message."""

    type: Literal["delete"]
    client_id: ClientId
    message_id: Id


class ReactFrame(Input):
    """Puts an emoji to a message, or takes it away."""

    type: Literal["react"]
    client_id: ClientId
    message_id: Id
    emoji: Emoji
    active: bool


class ReadFrame(Input):
    """How far the person has read. Not answered."""

    type: Literal["read"]
    sequence: Annotated[int, Field(ge=0, le=2**53)]


class CommandFrame(Input):
    """Asks the room for something, such as `playback.pause`. Taken once for each client id."""

    type: Literal["command"]
    client_id: ClientId
    name: Annotated[str, Field(max_length=50, examples=["playback.seek"])]
    body: dict[str, Any] = Field(default_factory=dict)


Frame = Annotated[
    PingFrame | TypingFrame | SendFrame | EditFrame | DeleteFrame | ReactFrame | ReadFrame | CommandFrame,
    Field(discriminator="type"),
]
_FRAME: TypeAdapter[Any] = TypeAdapter(Frame)
_HELLO = TypeAdapter(Hello)


class InvalidFrame(Invalid):
    """A frame of a known kind with faults; the socket stays open. `client_id` is the frame's own."""

    def __init__(self, error: ValidationError, text: str) -> None:
        faults = [
            Fault(pointer="/" + "/".join(map(str, item["loc"][1:])), detail=item["msg"], code=item["type"])
            for item in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults[:3]), faults=faults)
        said = from_json(text).get("client_id")
        self.client_id = said if isinstance(said, str) else None


def parse(text: str) -> Any:
    """The frame. Raises InvalidFrame for a faulty one, BadRequest for what is none."""
    try:
        return _FRAME.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if first["type"] in _FATAL or not first["loc"]:
            raise BadRequest(f"No frame: {first['msg']}") from error
        raise InvalidFrame(error, text) from error


def parse_hello(text: str) -> Hello:
    """The first frame. Raises BadRequest unless it is a hello of this protocol."""
    try:
        hello = _HELLO.validate_json(text)
    except ValidationError as error:
        raise BadRequest('Say `{"type": "hello", "protocol": 1, ...}` first.') from error
    if hello.protocol != PROTOCOL:
        raise BadRequest(f"This server speaks protocol {PROTOCOL}.")
    return hello
