"""Rooms: the list, making and changing them, coming in and leaving."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from app.auth.tickets import StreamUser
from app.core.auth import CurrentUser, MaybeUser
from app.core.errors import Forbidden, Invalid, NotFound, Unauthorized, problems
from app.core.http import Here, ReadDB, Router, WriteDB
from app.core.limits import limited
from app.core.paging import Page, Paged
from app.core.streams import EventStream
from app.rooms import invites, members, service
from app.rooms.invites import TooManyInvites
from app.rooms.lobby import EXAMPLE, open_lobby_stream
from app.rooms.members import AlreadyInRoom, BannedFromRoom, InviteOver, NotInRoom, RoomFull, WrongPassword
from app.rooms.rights import NotAllowed, NotMember
from app.rooms.schemas import (
    Entrance,
    InviteInput,
    InviteItem,
    InvitePreview,
    MemberItem,
    OwnRoom,
    RoomChanges,
    RoomDetail,
    RoomInput,
    RoomItem,
    RoomSort,
)
from app.rooms.service import CapacityTooSmall, NotOwner, RoomNameTaken

__all__ = ["router"]

router = Router(prefix="/rooms", tags=["rooms"])

SIGNED_IN = problems(Unauthorized, Forbidden)
ENTERING = problems(
    Unauthorized, WrongPassword, Forbidden, BannedFromRoom, RoomFull, NotFound, InviteOver, AlreadyInRoom
)
RIGHTS = (Unauthorized, Forbidden, NotMember, NotAllowed, NotFound)
WRITES = [limited("rooms.write", 60, 60)]
ENTERS = [limited("rooms.enter", 30, 60)]

NameQuery = Annotated[str, Query(min_length=1, max_length=50, examples=["Late night jazz"])]


@router.get("", summary="Rooms")
async def list_rooms(
    *,
    db: ReadDB,
    actor: MaybeUser,
    page: Paged,
    sort: Annotated[RoomSort, Query(description="Those with the most people present, or the newest, first")] = "lively",
    genre: Annotated[
        str | None, Query(max_length=60, description="Only rooms of this genre", examples=["jazz"])
    ] = None,
    name: Annotated[str | None, Query(max_length=50, description="Only rooms whose name begins like this")] = None,
    playing: Annotated[bool, Query(description="Only rooms that play something now")] = False,
    has_place: Annotated[bool, Query(description="Only rooms that are not full")] = False,
) -> Page[RoomItem]:
    """With the number of people present and what they hear. Rooms that only an invite leads to are shown to members."""
    asked: dict[str, Any] = {"genre": genre, "name": name, "playing": playing, "has_place": has_place}
    return await service.list_rooms(db, actor, page, sort=sort, **asked)


@router.post(
    "",
    status_code=201,
    summary="Open a room",
    responses=problems(Unauthorized, Forbidden, RoomNameTaken, Invalid),
    dependencies=[limited("rooms.create", 20, 3600)],
)
async def create_room(body: RoomInput, db: WriteDB, here: Here, actor: CurrentUser) -> RoomDetail:
    """You own it and are in it. A temporary room closes when the last one leaves, or when nobody came for a day."""
    return await service.create_room(db, here.passwords, actor, body)


@router.get("/mine", summary="Your rooms", responses=SIGNED_IN)
async def list_own_rooms(db: ReadDB, actor: CurrentUser, page: Paged) -> Page[OwnRoom]:
    """Those that you are in, the one that you came into last first, with what is unread."""
    return await service.list_own_rooms(db, actor, page)


@router.get("/by-name", summary="A room by its name", responses=problems(NotFound))
async def get_room_by_name(db: ReadDB, actor: MaybeUser, name: NameQuery) -> RoomDetail:
    """Case, accents and signs do not matter. No two rooms have the same name."""
    return await service.get_room_by_name(db, actor, name)


@router.get(
    "/stream",
    summary="The live list of rooms",
    status_code=200,
    response_class=EventStream,
    responses={200: {"content": {"text/event-stream": {"example": EXAMPLE}}}, **SIGNED_IN},
)
async def stream_rooms(
    here: Here,
    actor: StreamUser,
    every: Annotated[int, Query(ge=1, le=60, description="Seconds from one event to the next, at least")] = 1,
) -> EventStream:
    """First every room where somebody is or music plays, then what changes.

    `gone` are rooms that are empty and silent now, or closed. After a connection was lost, the list comes anew.
    """
    return open_lobby_stream(here, actor, every)


@router.get("/invites/{code}", summary="Where an invite leads", responses=problems(Unauthorized, Forbidden, InviteOver))
async def get_room_invite(code: str, db: ReadDB, actor: CurrentUser) -> InvitePreview:
    """The room, before you decide."""
    return await members.get_invite_preview(db, actor, code)


@router.post("/invites/{code}/join", summary="Come in by an invite", responses=ENTERING, dependencies=ENTERS)
async def join_room_by_invite(code: str, db: WriteDB, actor: CurrentUser) -> RoomDetail:
    """Neither a password nor the room's id is needed."""
    return await members.join_by_invite(db, actor, code)


@router.get("/{room_id}", summary="A room", responses=problems(NotFound))
async def get_room(room_id: UUID, db: ReadDB, actor: MaybeUser) -> RoomDetail:
    """With what each role may do. Its socket is `/ws/rooms/{room_id}`."""
    return await service.get_room(db, actor, room_id)


@router.patch(
    "/{room_id}",
    summary="Change a room",
    responses=problems(*RIGHTS, RoomNameTaken, CapacityTooSmall, Invalid),
    dependencies=WRITES,
)
async def update_room(room_id: UUID, body: RoomChanges, db: WriteDB, here: Here, actor: CurrentUser) -> RoomDetail:
    """Needs `room.update`."""
    return await service.update_room(db, here.passwords, actor, room_id, body)


@router.delete(
    "/{room_id}",
    status_code=204,
    summary="Close a room",
    responses=problems(Unauthorized, Forbidden, NotOwner, NotFound),
)
async def delete_room(room_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """For good, with all that was said and played in it. Only its owner can."""
    await service.delete_room(db, actor, room_id)


@router.post("/{room_id}/join", summary="Come in", responses=ENTERING, dependencies=ENTERS)
async def join_room(room_id: UUID, here: Here, actor: CurrentUser, body: Entrance | None = None) -> RoomDetail:
    """A private room asks for its password or for an invite."""
    return await members.join_room(here, actor, room_id, body or Entrance())


@router.post(
    "/{room_id}/leave",
    status_code=204,
    summary="Leave a room",
    responses=problems(Unauthorized, Forbidden, NotFound, NotInRoom),
)
async def leave_room(room_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """An owner is followed by the dj, else the member, who came first. The last one closes a temporary room."""
    await members.leave_room(db, actor, room_id)


@router.get("/{room_id}/members", summary="Who belongs to a room", responses=problems(NotFound, NotMember))
async def list_room_members(room_id: UUID, db: ReadDB, actor: MaybeUser, page: Paged) -> Page[MemberItem]:
    """The first to come first. Who is there right now is at `/chat/{room_id}/present`."""
    return await members.list_members(db, actor, room_id, page)


@router.get("/{room_id}/invites", summary="A room's invites", responses=problems(*RIGHTS))
async def list_room_invites(room_id: UUID, db: ReadDB, actor: CurrentUser, page: Paged) -> Page[InviteItem]:
    """The newest first. Needs `members.invite`."""
    return await invites.list_invites(db, actor, room_id, page)


@router.post(
    "/{room_id}/invites",
    status_code=201,
    summary="Make an invite",
    responses=problems(*RIGHTS, TooManyInvites),
    dependencies=WRITES,
)
async def create_room_invite(room_id: UUID, body: InviteInput, db: WriteDB, actor: CurrentUser) -> InviteItem:
    """A link that lets people in without the password. Needs `members.invite`."""
    return await invites.create_invite(db, actor, room_id, body)


@router.delete("/{room_id}/invites/{invite_id}", status_code=204, summary="End an invite", responses=problems(*RIGHTS))
async def revoke_room_invite(room_id: UUID, invite_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """Who came in by it stays. Needs `members.invite`."""
    await invites.revoke_invite(db, actor, room_id, invite_id)
