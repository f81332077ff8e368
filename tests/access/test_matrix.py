"""Every operation by everybody: what is answered is what the table says."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from app.auth.models import AccessKey, LinkedAccount, Session
from app.core.config import Settings
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.job_queue import DeadLetter
from app.core.jobs import job
from app.main import create_app
from app.users.models import DataExport
from tests.access.table import ROLES, TABLE
from tests.catalog.factories import add_album, add_artist, add_track
from tests.groups.factories import add_group, join
from tests.library.factories import hear, make_track
from tests.notifications.factories import tell
from tests.people import People, Person
from tests.playlists.factories import collaborate, entries_of, make_playlist
from tests.reviews.factories import write_comment, write_review
from tests.rules.sources import Operation, operations


class Nothing(BaseModel):
    """What the job below takes."""


@job()
async def do_nothing(_infra: Any, _payload: Nothing) -> None:
    """What a dead letter is sent back to."""


LATER = datetime.now(UTC) + timedelta(days=1)


class World:
    """An owner with one of everything, and somebody who asks."""

    def __init__(self, owner: Person, actor: httpx.AsyncClient, ids: dict[str, Any]) -> None:
        self.owner, self.actor, self.ids = owner, actor, ids


async def make_world(app: FastAPI, people: People, role: str) -> World:
    """Fresh for each request: many of them destroy."""
    owner, curator = await people.make("owner"), await people.make("curator", role="curator")
    artist = await add_artist(curator)
    album, track = await add_album(curator, artist=artist), await add_track(curator, artist=artist)
    other = await add_track(curator, artist=artist)
    review = await write_review(owner, UUID(album["id"]))
    comment = await write_comment(owner, review)
    ids = await own_things(app.state.infra, owner, curator) | {
        "artist_id": artist["id"],
        "album_id": album["id"],
        "track_id": track["id"],
        "review_id": review["id"],
        "comment_id": comment["id"],
        **await conversation(owner, curator),
        "emoji": "🔥",
        "username": owner.username,
        "provider": "google",
        "key": "covers/none.webp",
    }
    ids |= await own_upload(owner)
    ids |= await own_export(owner)
    ids |= await own_group(people, owner, curator) | await own_room(people, owner, curator, [track["id"], other["id"]])
    ids |= await own_playlist(people, owner, curator, track["id"])
    return World(owner, await somebody(app, people, role, owner), ids)


async def conversation(owner: Person, other: Person) -> dict[str, str]:
    """A conversation of the owner's, and what they said in it."""
    channel: str = (await owner.put(f"/direct/{other.username}")).json()["id"]
    said = await owner.post(f"/chat/{channel}/messages", json={"text": "Hm."})
    return {"channel_id": channel, "message_id": said.json()["id"]}


async def own_export(owner: Person) -> dict[str, str]:
    """A private playlist of the owner's that was mailed."""
    playlist: str = (await owner.post("/playlists", json={"name": "Mailed"})).json()["id"]
    export = await owner.post(f"/export/playlists/{playlist}", json=BODIES["request_playlist_export"])
    return {"mailed_playlist_id": playlist, "playlist_export_id": export.json()["id"]}


async def own_things(infra: Infra, owner: Person, other: Person) -> dict[str, Any]:
    """What only the owner may touch, straight in the database."""
    await tell(infra, owner.id, other.id)
    listens = await hear(infra, owner, await make_track(infra))
    rows = await infra.db.fetch("SELECT id FROM notifications WHERE user_id = $1", [owner.id])
    ids = {name: uuid7() for name in ("session_id", "key_id", "token_id", "linked_id", "export_id", "letter_id")}
    mine: dict[str, Any] = {"user_id": owner.id}
    async with infra.db.write() as db:
        db.add(Session(id=ids["session_id"], nonce=b"n", expires_at=LATER, **mine))
        db.add(LinkedAccount(id=ids["linked_id"], provider="google", issuer="i", subject=ids["linked_id"].hex, **mine))
        db.add(DataExport(id=ids["export_id"], status="failed", expires_at=LATER, **mine))
        for name, kind in (("key_id", "app_password"), ("token_id", "api_token")):
            key = {"name": "k", "scopes": ["read"], "digest": ids[name].bytes, "hint": "…"}
            db.add(AccessKey(id=ids[name], kind=kind, **key, **mine))
        letter = {
            "job_id": uuid7(),
            "job": do_nothing.name,
            "payload": "{}",
            "error_type": "E",
            "error": "e",
            "tries": 5,
        }
        db.add(DeadLetter(id=ids["letter_id"], **letter))
    return {**ids, "notification_id": rows[0]["id"], "listen_id": listens[0][1]}


async def own_upload(owner: Person) -> dict[str, Any]:
    """An upload of the owner's that was announced."""
    new = {"filename": "one.wav", "content_type": "audio/wav", "size": 1000}
    return {"upload_id": (await owner.post("/uploads", json=new)).json()["id"]}


async def own_group(people: People, owner: Person, other: Person) -> dict[str, Any]:
    """A group of the owner's with one more member, an invitation out of it, a link; and an invitation for the owner."""
    member, guest = await people.make("member"), await people.make("guest")
    group, another = await add_group(owner), await add_group(other)
    await join(group, member)
    path = f"/groups/{group['id']}"
    sent = (await owner.post(f"{path}/invites", json={"username": guest.username})).json()
    link = (await owner.post(f"{path}/links", json={})).json()
    got = (await other.post(f"/groups/{another['id']}/invites", json={"username": owner.username})).json()
    ids = {"group_id": group["id"], "user_id": str(member.id), "link_id": link["id"], "token": link["token"]}
    return ids | {"invite_id": got["id"], "sent_invite_id": sent["id"], "stranger_name": other.username}


async def own_room(people: People, owner: Person, member: Person, track_ids: list[str]) -> dict[str, Any]:
    """A room of the owner's with somebody in it, something that waits, and a way in."""
    made = await owner.post("/rooms", json={"name": owner.username[:50]})
    room = f"/rooms/{made.json()['id']}"
    assert (await member.post(f"{room}/join")).status_code == 200
    for track_id in track_ids:  # the first one may begin to play
        added = await owner.post(f"{room}/queue", json={"track_id": track_id})
        assert added.status_code == 201, added.text
    invite = (await owner.post(f"{room}/invites", json={})).json()
    guest, another = await people.make("guest"), await member.post("/rooms", json={"name": member.username[:50]})
    sent = (await owner.post(f"{room}/invitations", json={"username": guest.username})).json()
    got = await member.post(f"/rooms/{another.json()['id']}/invitations", json={"username": owner.username})
    return {
        "room_id": made.json()["id"],
        "role": "guest",
        "member": member.username,
        "item_id": added.json()["id"],
        "room_invite_id": invite["id"],
        "invitation_id": got.json()["id"],
        "sent_invitation_id": sent["id"],
        "code": invite["code"],
    }


async def own_playlist(people: People, owner: Person, other: Person, track_id: str) -> dict[str, Any]:
    """A public playlist of the owner's with an editor and a track; and an invitation for the owner to another one."""
    editor = await people.make("editor")
    playlist_id = await make_playlist(owner, UUID(track_id), visibility="public")
    await collaborate(owner, playlist_id, editor)
    entries = await entries_of(owner, playlist_id)
    invited_to = await make_playlist(other)
    await other.post(f"/playlists/{invited_to}/members", json={"username": owner.username})
    ids = {"playlist_id": playlist_id, "entry_id": entries[0]["id"], "invited_to": invited_to}
    return ids | {"editor_id": str(editor.id)}


async def somebody(app: FastAPI, people: People, role: str, owner: Person) -> httpx.AsyncClient:
    """The client of a role."""
    if role == "owner":
        return owner
    if role in {"curator", "admin"}:
        return await people.make(role, role=role)
    stranger = await people.make(role)
    if role == "blocked":
        assert (await owner.put(f"/users/{stranger.username}/block")).status_code < 300
    if role == "reader":
        made = await stranger.post("/auth/api-tokens", json={"name": "reader", "scopes": ["read"]})
        stranger.headers["Authorization"] = f"Bearer {made.json()['secret']}"
    if role == "anonymous":
        del stranger.headers["Authorization"]
    return stranger


BODIES: dict[str, dict[str, Any]] = {
    "request_playlist_export": {"targetEmail": "ana@example.com"},
    "edit_review": {"text": "Changed."},
    "edit_comment": {"text": "Changed."},
    "edit_message": {"text": "Changed."},
    "post_message": {"text": "New."},
    "post_room_message": {"text": "New."},
    "mark_channel_read": {"sequence": 1},
    "mute_channel": {"muted": True},
    "create_comment": {"text": "New."},
    "comment_on_track": {"text": "New."},
    "keep_room_history": {"name": "Kept"},
    "create_artist": {"name": "New"},
    "change_artist": {"name": "Changed"},
    "change_album": {"title": "Changed"},
    "change_track": {"title": "Changed"},
    "change_role": {"role": "user"},
    "update_own_profile": {"bio": "Changed."},
    "create_group": {"name": "New"},
    "update_group": {"name": "Changed"},
    "change_group_role": {"role": "admin"},
    "mute_group_member": {"until": LATER.isoformat()},
    "ban_from_group": {},
    "create_group_link": {},
    "update_room": {"description": "Changed."},
    "hand_over_room": {"username": "nobody_at_all"},
    "change_room_permissions": {"permissions": {"chat.post": False}},
    "set_room_role": {"role": "guest"},
    "mute_in_room": {},
    "ban_from_room": {},
    "create_room_invite": {},
    "add_to_room_queue": {"track_id": str(uuid7())},
    "move_queued_item": {"index": 0},
    "control_room_playback": {"action": "play"},
    "vote_to_skip": {"item_id": str(uuid7())},
    "initiate_upload": {"filename": "two.wav", "content_type": "audio/wav", "size": 1000},
    "finalise_upload": {},
    "change_upload": {"title": "Changed"},
    "record_play": {"started_at": datetime.now(UTC).isoformat(), "played_ms": 0},
    "create_playlist": {"name": "New"},
    "update_playlist": {"name": "Changed"},
    "copy_playlist": {},
    "add_playlist_entries": {"placeholders": [{"title": "New", "artist": "Somebody"}]},
    "remove_playlist_entries": {"entry_ids": [str(uuid7())]},
    "move_playlist_entries": {"start": 0, "to": 0},
    "match_playlist_entry": {"track_id": None},
    "change_playlist_role": {"role": "viewer"},
    "import_playlist": {"playlist": {"title": "A JSPF"}},
    "add_file_to_playlist": {"playlist": {"title": "A JSPF"}},
}


def named(name: str, ids: dict[str, Any]) -> dict[str, Any] | None:
    """Bodies that name somebody of this world."""
    bodies = {
        "transfer_group": {"user_id": ids["user_id"]},
        "invite_to_group": {"username": ids["stranger_name"]},
        "invite_to_room": {"username": "nobody_at_all"},
        "transfer_playlist": {"user_id": ids["editor_id"]},
        "invite_to_playlist": {"username": ids["stranger_name"]},
    }
    return bodies.get(name)


LETTERS = {401: "1", 403: "3", 404: "4"}
# They answer 404 or 403 for what is missing there, after everybody has passed.
MISSING = {
    "get_picture": "no such picture",
    "put_upload": "no such link",
    "delete_own_account": "no password was given",
    "remove_follower": "the owner follows nobody",
    "download_data_export": "it is not ready",
    "unlink_account": "it is the last way in",
    "hand_over_room": "nobody has that name",
    "invite_to_room": "nobody has that name",
    "unban_from_room": "nobody is banned",
    "add_to_room_queue": "no such track",
    "stream_track": "it has no recording",
    "probe_track": "it has no recording",
    "get_waveform": "it has no recording",
    "record_play": "it has no recording",
}


async def ask(world: World, operation: Operation) -> str:
    """The letter of the answer."""
    method = min(operation.methods, default="HEAD")
    ids = world.ids | ({"key_id": world.ids["token_id"]} if operation.name == "revoke_api_token" else {})
    if operation.name == "revoke_group_invite":
        ids = ids | {"invite_id": ids["sent_invite_id"]}
    if operation.name == "revoke_room_invitation":
        ids = ids | {"invitation_id": ids["sent_invitation_id"]}
    if operation.name in {"request_playlist_export", "get_playlist_export"}:
        ids = ids | {"playlist_id": ids["mailed_playlist_id"], "export_id": ids["playlist_export_id"]}
    if operation.path.startswith("/api/v1/rooms/"):
        ids |= {"username": ids["member"], "invite_id": ids["room_invite_id"]}
    if operation.path.startswith("/api/v1/playlists/"):
        ids |= {"user_id": ids["editor_id"]}
    if operation.name in {"accept_playlist_invite", "decline_playlist_invite"}:
        ids |= {"playlist_id": ids["invited_to"]}
    path = re.sub(r":\w+}", "}", operation.path).format(**ids)
    body = BODIES.get(operation.name, named(operation.name, ids))
    if operation.name.startswith("stream_"):
        path += "?last_event_id=wrong&every=wrong"  # a fault that is found after the login; a stream would not end
    if operation.name == "search_messages":
        path += "?q=words"
    answer = await world.actor.request(method, f"http://soundscore.test{path}", json=body)
    assert answer.status_code < 500 or answer.json()["code"] == "provider_not_configured", answer.text
    return LETTERS.get(answer.status_code, "+")


def found() -> list[Operation]:
    """Every operation of the application."""
    return operations(create_app(Settings(environment="test", log_level="WARNING", _env_file=None)))


def test_every_operation_has_a_row() -> None:
    names = {operation.name for operation in found()}
    assert names - TABLE.keys() == set(), "say in table.py who may use these"
    assert TABLE.keys() - names == set(), "table.py speaks of what is not there"


@pytest.mark.parametrize("role", ROLES)
async def test_the_matrix(app: FastAPI, people: People, role: str) -> None:
    wrong, world = [], None
    for operation in found():
        expected = TABLE[operation.name][ROLES.index(role)]
        world = world or await make_world(app, people, role)
        letter = await ask(world, operation)
        if letter == "+" and not operation.methods <= {"GET", "HEAD"}:
            world = None  # it is no longer what the table speaks of
        if letter != expected and not (expected == "+" and letter in "34" and operation.name in MISSING):
            wrong.append(f"{operation.name}: {letter} and not {expected}")
    assert wrong == []
