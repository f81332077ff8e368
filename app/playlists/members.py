"""Who works on a playlist: invitations, roles, coming and going."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Uuid, func, literal, select

from app.catalog.service import viewer_of
from app.chat.log import append
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import Conflict, NotFound
from app.core.jobs import emit
from app.core.paging import Page, PageRequest
from app.playlists.events import PlaylistInvited
from app.playlists.models import PlaylistMember
from app.playlists.queries import INVITES, MEMBER, MEMBERS
from app.playlists.schemas import MemberItem, PlaylistDetail, PlaylistInvite, Role
from app.playlists.standing import (
    Held,
    find_member,
    hold_playlist,
    note,
    require_readable,
    tell_of_changes,
)
from app.users.models import User
from app.users.queries import visible

__all__ = [
    "AlreadyCollaborator",
    "AlreadyInvited",
    "NotInvited",
    "OwnerStays",
    "TooManyCollaborators",
    "accept",
    "add_collaborator",
    "change_role",
    "decline",
    "give_to",
    "invite",
    "list_invites",
    "list_members",
    "remove_collaborator",
    "take_out",
    "transfer",
]

MOST_MEMBERS: Final = 100


class AlreadyCollaborator(Conflict):
    code, title = "already_collaborator", "They belong to the playlist already"


class AlreadyInvited(Conflict):
    code, title = "already_invited", "They have an invitation that waits for their answer"


class NotInvited(NotFound):
    code, title = "not_invited", "You have no invitation to this playlist"


class OwnerStays(Conflict):
    code, title = "owner_stays", "The owner cannot leave or be changed before the playlist belongs to somebody else"


class TooManyCollaborators(Conflict):
    code, title = "too_many_collaborators", "As many people as may belong to a playlist do"


async def invite(
    db: Writer, actor: Principal, playlist_id: UUID, username: str, *, role: Role = "editor"
) -> MemberItem:
    """Invites somebody whose profile one may see.

    Raises NotFound, NotOwner, AlreadyCollaborator, AlreadyInvited, TooManyCollaborators.
    """
    held = await hold_playlist(db, actor, playlist_id)
    held.require_owner()
    seen = visible(User, literal(actor.user_id, Uuid))
    named = select(User.id).where(User.username_key == username.lower(), User.deleted_at.is_(None), seen)
    user_id = await db.scalar(named)
    if user_id is None:
        raise NotFound(f"There is nobody called {username}.")
    member = await _new_member(db, held, user_id, role=role, state="invited")
    people = {"user_id": user_id, "invited_by_id": actor.user_id}
    await emit(db, PlaylistInvited(member_id=member.id, playlist_id=playlist_id, **people))
    return await _item(db, playlist_id, user_id)


async def add_collaborator(
    db: Writer, actor: Principal, playlist_id: UUID, user_id: UUID, *, role: Role = "editor"
) -> UUID:
    """Takes somebody in without asking them, for dialects that know no invitations; the id of their membership.

    Raises NotFound, NotOwner, AlreadyCollaborator, TooManyCollaborators.
    """
    held = await hold_playlist(db, actor, playlist_id)
    held.require_owner()
    seen = visible(User, literal(actor.user_id, Uuid))
    if await db.scalar(select(User.id).where(User.id == user_id, User.deleted_at.is_(None), seen)) is None:
        raise NotFound("There is no such person.")
    waiting = await find_member(db, playlist_id, user_id)
    if waiting is not None and waiting.state == "invited":
        waiting.role, member = role, waiting
    else:
        member = await _new_member(db, held, user_id, role=role, state="invited")
    await _come_in(db, held, member)
    return member.id


async def accept(db: Writer, actor: Principal, playlist_id: UUID) -> PlaylistDetail:
    """Says yes. Raises NotFound, NotInvited, AlreadyCollaborator."""
    held = await hold_playlist(db, actor, playlist_id)
    if held.me is None:
        raise NotInvited
    if held.me.state == "accepted":
        raise AlreadyCollaborator("You belong to the playlist already.")
    await _come_in(db, held, held.me)
    return await require_readable(db, actor, playlist_id)


async def decline(db: Writer, actor: Principal, playlist_id: UUID) -> None:
    """Says no. Raises NotFound, NotInvited."""
    held = await hold_playlist(db, actor, playlist_id)
    if held.me is None or held.me.state == "accepted":
        raise NotInvited
    await db.delete(held.me)


async def remove_collaborator(db: Writer, actor: Principal, playlist_id: UUID, user_id: UUID) -> None:
    """Takes somebody out, or an invitation back; everybody may leave. Raises NotFound, NotOwner, OwnerStays."""
    held = await hold_playlist(db, actor, playlist_id)
    if user_id != actor.user_id:
        held.require_owner()
    member = await find_member(db, playlist_id, user_id)
    if member is None:
        raise NotFound("They do not belong to the playlist.")
    if member.role == "owner":
        raise OwnerStays("Give the playlist to somebody else first, or delete it.")
    await take_out(db, held, member)


async def take_out(db: Writer, held: Held, member: PlaylistMember) -> None:
    """Ends somebody's part in a playlist that is held; their sockets there end."""
    await db.delete(member)
    if member.state == "invited":
        return
    kind = "member.left" if member.user_id == held.actor_id else "member.kicked"
    note(db, held, "leave", person_id=member.user_id)
    said = {"user_id": member.user_id, "reason": ""} if kind == "member.kicked" else {"user_id": member.user_id}
    await append(db, held.playlist.id, kind=kind, actor_id=held.actor_id, data=said, removes=member.user_id)


async def change_role(db: Writer, actor: Principal, playlist_id: UUID, user_id: UUID, role: Role) -> MemberItem:
    """Makes an editor of a viewer, or the other way. Raises NotFound, NotOwner, OwnerStays."""
    held = await hold_playlist(db, actor, playlist_id)
    held.require_owner()
    member = await find_member(db, playlist_id, user_id)
    if member is None:
        raise NotFound("They do not belong to the playlist.")
    if member.role == "owner":
        raise OwnerStays("You are the owner: give the playlist to somebody else.")
    if member.role != role:
        member.role = role
        if member.state == "accepted":
            note(db, held, "role", person_id=user_id)
            said = {"user_id": user_id, "role": role}
            await append(db, playlist_id, kind="member.role", actor_id=actor.user_id, data=said)
    return await _item(db, playlist_id, user_id)


async def transfer(db: Writer, actor: Principal, playlist_id: UUID, user_id: UUID) -> PlaylistDetail:
    """Gives the playlist to somebody who belongs to it; the actor stays as an editor. Raises NotFound, NotOwner."""
    held = await hold_playlist(db, actor, playlist_id)
    held.require_owner()
    heir = await find_member(db, playlist_id, user_id)
    if heir is None or heir.state != "accepted":
        raise NotFound("Only somebody who belongs to the playlist can get it.")
    if heir.role != "owner":
        assert held.me is not None, "the owner is a member"
        held.me.role = "editor"
        await db.flush()  # there is one owner at any time
        await give_to(db, held, heir)
    return await require_readable(db, actor, playlist_id)


async def give_to(db: Writer, held: Held, heir: PlaylistMember) -> None:
    """Makes somebody the owner of a playlist that is held and has none."""
    previous_id, held.playlist.owner_id = held.playlist.owner_id, heir.user_id
    heir.role = "owner"
    note(db, held, "owner", person_id=heir.user_id)
    said = {"user_id": heir.user_id, "previous_id": previous_id}
    await append(db, held.playlist.id, kind="owner.changed", actor_id=held.actor_id, data=said)
    await tell_of_changes(db, held.playlist, actor_id=held.actor_id)


async def list_members(db: Reader, actor: Principal | None, playlist_id: UUID, page: PageRequest) -> Page[MemberItem]:
    """Who belongs to it, in the order in which they were asked; invitations only for its own. Raises NotFound."""
    found = await MEMBERS.page(db, page, playlist_id=playlist_id, viewer=viewer_of(actor))
    if not found.items:
        await require_readable(db, actor, playlist_id)
    return found


async def list_invites(db: Reader, actor: Principal, page: PageRequest) -> Page[PlaylistInvite]:
    """What the actor is invited to, the latest first."""
    return await INVITES.page(db, page, viewer=actor.user_id)


async def _new_member(db: Writer, held: Held, user_id: UUID, *, role: Role, state: str) -> PlaylistMember:
    there = await find_member(db, held.playlist.id, user_id)
    if there is not None:
        raise AlreadyInvited if there.state == "invited" else AlreadyCollaborator
    mine = PlaylistMember.playlist_id == held.playlist.id
    if (await db.scalar(select(func.count()).where(mine)) or 0) >= MOST_MEMBERS:
        raise TooManyCollaborators(f"At most {MOST_MEMBERS} people belong to a playlist.", most=MOST_MEMBERS)
    said = {"role": role, "state": state, "invited_by_id": held.actor_id}
    member = PlaylistMember(playlist_id=held.playlist.id, user_id=user_id, **said)
    db.add(member)
    await db.flush()
    return member


async def _come_in(db: Writer, held: Held, member: PlaylistMember) -> None:
    member.state, member.joined_at = "accepted", datetime.now(UTC)
    joined = await _item(db, held.playlist.id, member.user_id)
    note(db, Held(held.playlist, member, member.user_id), "join", person_id=member.user_id)
    data = joined.model_dump()
    await append(db, held.playlist.id, kind="member.joined", actor_id=member.user_id, data=data)


async def _item(db: Writer, playlist_id: UUID, user_id: UUID) -> MemberItem:
    item = await MEMBER.first(db, playlist_id=playlist_id, user_id=user_id)
    assert item is not None, "their row is there"
    return item
