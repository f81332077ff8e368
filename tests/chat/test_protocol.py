"""What is said over sockets is what the AsyncAPI document says."""

import json
import re
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from app import __version__
from app.chat.protocol import SERVER_FRAMES, asyncapi
from tests.chat.pairs import Pair
from tests.sockets import sit

MODELS = {model.model_fields["type"].annotation.__args__[0]: TypeAdapter(model) for model in SERVER_FRAMES}
APP = Path(__file__).parents[2] / "app"


async def test_every_frame_of_the_server_is_documented(live: str, pair: Pair) -> None:
    seen: set[str] = set()
    async with sit(live, pair.path, pair.ana) as ana, sit(live, pair.path, pair.bruno) as bruno:
        await bruno.say(type="typing", active=True)
        await ana.get("typing")
        await ana.say(type="ping", id=1, client_ms=1.5)
        await ana.say(type="send", client_id="1", text="Hi")
        await ana.say(type="send", client_id="2", text="")
        for kind in ("problem", "pong", "presence", "ack", "event"):
            await ana.get(kind)
        for frame in ana.frames:
            MODELS[frame["type"]].validate_json(json.dumps(frame))
            seen.add(frame["type"])
    assert seen == MODELS.keys() - {"reconnect"}


def test_every_kind_of_event_is_documented() -> None:
    described = asyncapi(__version__)["info"]["description"]
    used = {kind for file in APP.rglob("*.py") for kind in re.findall(r'kind="(\w+\.\w+)"', file.read_text())}
    assert {"message.edited", "message.deleted"} <= used
    assert {kind for kind in used if f"| `{kind}` |" not in described} == set()


def test_references_lead_somewhere() -> None:
    document: Any = asyncapi(__version__)
    for path in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)):
        place = document
        for part in path.split("/"):
            place = place[part]
