"""Rooms: making, changing, closing and reading them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from app.chat.channels import open_channel
from app.chat.log import append, hold
from app.chat.reading import start_reading
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.feeds import EVERYBODY
from app.core.ids import uuid7
from app.core.paging import Page, PageRequest
from app.core.query import Runs
from app.core.text import name_key
from app.core.tokens import PasswordHasher
from app.rooms.models import Room, RoomMember, RoomVisit
from app.rooms.queries import BY_IDS, BY_NAME, DETAIL, MINE, STATE, rooms_page
from app.rooms.queue import announce_order, wake
from app.rooms.rights import require, standing
from app.rooms.schemas import OwnRoom, RoomChanges, RoomDetail, RoomInput, RoomItem, RoomSort, RoomState

__all__ = [
    "CapacityTooSmall",
    "NotOwner",
    "RoomNameTaken",
    "close_room",
    "create_room",
    "delete_room",
    "get_room",
    "get_room_by_name",
    "list_own_rooms",
    "list_rooms",
    "load_room",
    "room_items",
    "room_state",
    "tell_of_change",
    "update_room",
    "viewer_of",
]


class RoomNameTaken(Conflict):
    code, title = "room_name_taken", "There is a room of this name"


class CapacityTooSmall(Conflict):
    code, title = "capacity_too_small", "More people than that are in the room"


class NotOwner(Forbidden):
    code, title = "not_owner", "Only the owner of the room can do this"


async def create_room(db: Writer, passwords: PasswordHasher, actor: Principal, new: RoomInput) -> RoomDetail:
    """A new room with the actor in it. Raises Invalid, RoomNameTaken."""
    hashed = await _hash(passwords, new.password, is_private=new.is_private)
    room_id = uuid7()
    await open_channel(db, kind="room", channel_id=room_id)
    row = new.model_dump(exclude={"password"})
    row |= {"id": room_id, "name_key": name_key(new.name), "owner_id": actor.user_id, "member_count": 1}
    made = insert(Room).values(**row, password_hash=hashed).on_conflict_do_nothing(index_elements=[Room.name_key])
    if await db.scalar(made.returning(Room.id)) is None:
        raise await _taken(db, row["name_key"])
    db.add(RoomMember(room_id=room_id, user_id=actor.user_id, role="owner"))
    db.add(RoomVisit(room_id=room_id, user_id=actor.user_id))
    await start_reading(db, room_id, actor.user_id)
    return await get_room(db, actor, room_id)


async def update_room(
    db: Writer, passwords: PasswordHasher, actor: Principal, room_id: UUID, changes: RoomChanges
) -> RoomDetail:
    """Changes a room. Raises NotFound, Forbidden, Invalid, RoomNameTaken, CapacityTooSmall."""
    hashed = await passwords.hash(changes.password) if changes.password else None
    room = await load_room(db, room_id)
    require(await standing(db, room_id, actor.user_id), "room.update")
    given = changes.model_dump(exclude={"password"}, exclude_none=True)
    is_private = given.get("is_private", room.is_private)
    if changes.password and not is_private:
        raise _no_password()
    if "password" in changes.model_fields_set or not is_private:
        given["password_hash"] = hashed
    if "name" in given:
        given["name_key"] = name_key(given["name"])
    if given.get("capacity", room.capacity) < room.member_count:
        raise CapacityTooSmall(f"There are {room.member_count} people in the room.", member_count=room.member_count)
    reordered = given.get("queue_mode", room.queue_mode) != room.queue_mode
    await _write(db, room_id, given)
    await tell_of_change(db, room_id, actor_id=actor.user_id)
    if reordered:
        await announce_order(db, room_id, actor_id=actor.user_id)
    if {"auto_dj", "genres"} & given.keys():
        await wake(db, room_id)
    return await get_room(db, actor, room_id)


async def delete_room(db: Writer, actor: Principal, room_id: UUID) -> None:
    """Closes a room for good. Raises NotFound, NotOwner."""
    room = await load_room(db, room_id)
    if room.owner_id != actor.user_id and not actor.is_admin:
        await get_room(db, actor, room_id)
        raise NotOwner("Only its owner can delete a room.")
    await close_room(db, room_id, actor_id=actor.user_id)


async def close_room(db: Writer, room_id: UUID, *, actor_id: UUID | None) -> None:
    """Ends a room and everybody's sockets in it. Its channel is held.

    What was said is deleted some minutes later, so that every process can still read that the room is closed.
    """
    await append(db, room_id, kind="room.closed", actor_id=actor_id, data={}, removes=EVERYBODY)
    await db.execute(delete(Room).where(Room.id == room_id))


async def get_room(db: Runs, actor: Principal | None, room_id: UUID) -> RoomDetail:
    """A room that the actor may know of. Raises NotFound."""
    room = await DETAIL.first(db, room_id=room_id, viewer=viewer_of(actor))
    if room is None:
        raise NotFound("There is no such room.")
    return room


async def get_room_by_name(db: Reader, actor: Principal | None, name: str) -> RoomDetail:
    """The room of this name; case, accents and signs do not matter. Raises NotFound."""
    room = await BY_NAME.first(db, name=name_key(name), viewer=viewer_of(actor))
    if room is None:
        raise NotFound("There is no room of this name.")
    return room


async def list_rooms(
    db: Reader,
    actor: Principal | None,
    page: PageRequest,
    *,
    sort: RoomSort,
    genre: str | None,
    name: str | None,
    playing: bool,
    has_place: bool,
) -> Page[RoomItem]:
    """Rooms that the actor may know of."""
    values: dict[str, Any] = {}
    if genre:
        values["genres"] = [genre.strip().casefold()]
    if name:
        values["name"] = name_key(name)
    flags = {flag for flag, wanted in (("playing", playing), ("has_place", has_place)) if wanted}
    rooms = rooms_page(sort, frozenset(values.keys() | flags))
    return await rooms.page(db, page, viewer=viewer_of(actor), **values)


async def list_own_rooms(db: Reader, actor: Principal, page: PageRequest) -> Page[OwnRoom]:
    """The rooms that the actor is in, the one that they came into last first."""
    return await MINE.page(db, page, viewer=actor.user_id)


async def room_items(db: Runs, viewer: UUID | None, ids: Sequence[UUID]) -> dict[UUID, RoomItem]:
    """Those of the rooms that the viewer may know of."""
    return {room.id: room for room in await BY_IDS.all(db, ids=list(ids), viewer=viewer)} if ids else {}


async def room_state(db: Runs, room_id: UUID) -> RoomState:
    """What sockets know of a room. Raises NotFound."""
    state = await STATE.first(db, room_id=room_id)
    if state is None:
        raise NotFound("There is no such room.")
    return state


async def load_room(db: Writer, room_id: UUID) -> Room:
    """The room, in which nothing else happens until the transaction ends. Raises NotFound."""
    await hold(db, room_id, kind="room")
    room: Room | None = await db.scalar(
        select(Room).where(Room.id == room_id).execution_options(populate_existing=True)
    )
    if room is None:
        raise NotFound("There is no such room.")
    return room


async def tell_of_change(db: Writer, room_id: UUID, *, actor_id: UUID) -> None:
    """Tells the sockets what the room is like now."""
    state = await room_state(db, room_id)
    await append(db, room_id, kind="channel.updated", actor_id=actor_id, data=state.model_dump())


def viewer_of(actor: Principal | None) -> UUID | None:
    """Who reads, for a query."""
    return actor.user_id if actor else None


async def _hash(passwords: PasswordHasher, password: str | None, *, is_private: bool) -> str | None:
    if password is None:
        return None
    if not is_private:
        raise _no_password()
    return await passwords.hash(password)


def _no_password() -> Invalid:
    return Invalid.field("/body/password", "A public room has no password. Make it private as well.", "not_private")


async def _write(db: Writer, room_id: UUID, values: dict[str, Any]) -> None:
    if not values:
        return
    try:
        async with db.begin_nested():
            await db.execute(update(Room).where(Room.id == room_id).values(values))
    except IntegrityError as error:
        raise await _taken(db, values.get("name_key", "")) from error


async def _taken(db: Writer, key: str) -> RoomNameTaken:
    existing = await db.scalar(select(Room.id).where(Room.name_key == key, ~Room.is_private))
    return RoomNameTaken("Choose another name.", existing_id=existing)
