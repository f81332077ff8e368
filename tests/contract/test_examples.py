"""Whoever tries an example of the documentation on the demo gets an answer, and no error."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.core.infra import Infra
from app.demo.seed import seed_if_empty
from tests.conftest import http_client

ALONE = {
    **dict.fromkeys(
        (
            *("end_session", "revoke_app_password", "revoke_api_token"),
            *("get_data_export", "download_data_export", "get_playlist_export"),
        ),
        "everybody makes these for themselves: their lists tell the ids",
    ),
    **dict.fromkeys(("requeue_dead_letter", "delete_dead_letter"), "no job of the demo fails"),
    **dict.fromkeys(("refresh", "reset_password", "verify_email"), "a token that works once, from an answer or a mail"),
    **dict.fromkeys(
        ("begin_oauth", "finish_oauth", "exchange_oauth_code", "link_account", "unlink_account"),
        "needs an account with Google or Spotify",
    ),
    **dict.fromkeys(("import_playlist", "add_file_to_playlist"), "a playlist is a file"),
    **dict.fromkeys(
        (
            "set_artist_picture",
            "set_album_cover",
            "set_own_avatar",
            "set_own_banner",
            "set_playlist_cover",
            "add_chat_picture",
        ),
        "a picture is a file",
    ),
    "put_upload": "a link that was made a moment ago",
    **dict.fromkeys(("get_upload", "finalise_upload", "change_upload", "delete_upload"), "their list tells the ids"),
    **dict.fromkeys(("stream_recording", "stream_track", "get_waveform"), "the track of the examples has no recording"),
    "record_play": "it is of the last days",
    "delete_artist": "an artist with works stays, and every artist of the demo has some",
    **dict.fromkeys(("stream_notifications", "stream_rooms"), "it has no end"),
    **dict.fromkeys(
        (
            *("accept_group_invite", "decline_group_invite", "revoke_group_invite", "revoke_room_invite"),
            *("accept_room_invitation", "decline_room_invitation", "revoke_room_invitation"),
            *("look_at_group_link", "redeem_group_link", "revoke_group_link"),
            *("get_room_invite", "join_room_by_invite", "delete_listen"),
        ),
        "ids and links that were made a moment ago: their lists tell them",
    ),
    **dict.fromkeys(("transfer_group", "hand_over_room", "transfer_playlist"), "they take away what the others name"),
    **dict.fromkeys(("clear_room_queue", "undo_room_queue"), "the one takes what others name, the other needs it"),
    **dict.fromkeys(("vote_for_queued_item", "unvote_queued_item"), "only where the queue goes by votes"),
    "vote_to_skip": "it names what plays at this moment",
    **dict.fromkeys(("set_group_cover", "remove_group_cover"), "a picture is a file"),
}
"""What cannot work by its example alone, and why."""
LAST = ("logout", "logout_everywhere", "change_password", "delete_own_account")
"""They end what they were asked with: each gets a session of its own."""
PHASES = ("get", "post", "put", "patch", "delete")
LEAVES = "bruno"
"""Has the same password as ana, whose password is another one by then."""


@dataclass(frozen=True)
class Tried:
    """A request as the document alone describes it."""

    name: str
    method: str
    path: str
    options: dict[str, Any]

    @property
    def place(self) -> tuple[int, int]:
        """GETs come first; reads name what deletions take away."""
        return LAST.index(self.name) + 1 if self.name in LAST else 0, PHASES.index(self.method)


def requests_of(document: dict[str, Any]) -> list[Tried]:
    """A request for each operation that its examples make possible, in the order in which they are tried."""
    found = [
        tried(document, path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation["operationId"] not in ALONE
    ]
    return sorted(found, key=lambda request: request.place)


def tried(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> Tried:
    """The operation with its examples filled in."""
    values = {
        (parameter["in"], parameter["name"]): value
        for parameter in operation.get("parameters", [])
        if (value := example_of(document, parameter)) is not None
    }
    for (place, key), value in values.items():
        path = path.replace(f"{{{key}}}", str(value)) if place == "path" else path
    options: dict[str, Any] = {"params": {key: value for (place, key), value in values.items() if place == "query"}}
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        options["json" if kind == "application/json" else "data"] = example_of(document, content)
    return Tried(operation["operationId"], method, path, options)


def example_of(document: dict[str, Any], given: dict[str, Any]) -> Any:
    """What Swagger fills in: the example of the parameter or body, else of its schema, else of its properties."""
    if "example" in given:
        return given["example"]
    schema = given.get("schema", given)
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "examples" in schema:
        return schema["examples"][0]
    if values := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return values[0]
    made = {name: example_of(document, schema) for name, schema in schema.get("properties", {}).items()}
    return {name: value for name, value in made.items() if value is not None} or None


@pytest.fixture
async def demo(fresh: FastAPI) -> Infra:
    infra: Infra = fresh.state.infra
    assert await seed_if_empty(infra) is not None
    return infra


@pytest.fixture
async def client(fresh: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with http_client(fresh) as client:
        client.base_url = httpx.URL("http://soundscore.test")
        yield client


async def sign_in(client: httpx.AsyncClient, document: dict[str, Any], username: str | None = None) -> dict[str, str]:
    """The header of a new session, for the login that the documentation shows."""
    path = "/api/v1/auth/login/json"
    shown = tried(document, path, "post", document["paths"][path]["post"]).options["json"]
    answer = await client.post(path, json=shown | ({"username": username} if username else {}))
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def test_every_example_works(demo: Infra, fresh: FastAPI, client: httpx.AsyncClient) -> None:
    document = fresh.openapi()
    ana, admin = await sign_in(client, document), await sign_in(client, document, "admin")
    failed = {}
    for it in requests_of(document):
        if it.name in LAST:
            ana = await sign_in(client, document, LEAVES if it.name == "delete_own_account" else None)
        answer = await client.request(it.method, it.path, headers=ana, **it.options)
        if answer.status_code == 403:
            answer = await client.request(it.method, it.path, headers=admin, **it.options)
        if answer.status_code >= 400:
            failed[it.name] = f"{it.method} {it.path} {it.options}: {answer.status_code} {answer.text}"
    assert failed == {}, "\n".join(failed.values())


def test_what_is_left_out_is_there(app: FastAPI) -> None:
    operations = [operation for methods in app.openapi()["paths"].values() for operation in methods.values()]
    assert {*ALONE, *LAST} <= {operation["operationId"] for operation in operations}
