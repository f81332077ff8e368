"""The files that are made from the code: openapi.json, docs/asyncapi.json and .env.example."""

import inspect
import json
import re

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from app import __version__
from app.chat import protocol
from app.core.config import Settings
from app.main import create_app
from app.modules import load_modules

__all__ = ["asyncapi", "env_example", "openapi"]

HEADING = re.compile(r"^    # --- (.+) ---$|^    (\w+): ", re.MULTILINE)
INTRODUCTION = """\
# Settings of SoundScore: copy to .env, then change what you need. Each has a default that runs.
# Made by `make generate` from app/core/config.py.
"""


def openapi() -> str:
    """The OpenAPI document, its keys in order, so that two of them can be compared line by line."""
    document = create_app(Settings(environment="test", log_level="ERROR", _env_file=None)).openapi()
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def asyncapi() -> str:
    """The AsyncAPI document of the sockets."""
    load_modules()
    return json.dumps(protocol.asyncapi(__version__), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def env_example() -> str:
    """Every setting in its group, with what it means; the defaults stand in comments."""
    parts = [INTRODUCTION]
    for heading, name in HEADING.findall(inspect.getsource(Settings)):
        if heading:
            parts.append(f"\n# {heading[0].upper()}{heading[1:]}\n")
        elif field := Settings.model_fields.get(name):
            parts.append(f"\n# {field.description}\n#{name.upper()}={_default(field)}\n")
    return "".join(parts)


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, bool):
        return str(value).lower()
    text = ",".join(value) if isinstance(value, list) else str(value)
    return f'"{text}"' if re.search(r"[\s<>#]", text) else text
