"""Notifications over HTTP, and live."""

from typing import Annotated
from uuid import UUID

from fastapi import Header, Query, Request
from fastapi.responses import Response

from app.auth.tickets import StreamUser
from app.core.auth import CurrentUser
from app.core.errors import Forbidden, NotFound, Unauthorized, problems
from app.core.http import ReadDB, Router, WriteDB
from app.core.paging import Page, Paged
from app.core.streams import EventStream
from app.notifications import preferences, service
from app.notifications.schemas import NotificationItem, PreferenceChanges, Preferences, UnreadCount
from app.notifications.stream import EXAMPLE, open_stream

__all__ = ["router"]

router = Router(prefix="/notifications", tags=["notifications"])

SIGNED_IN = problems(Unauthorized, Forbidden)
ONE = problems(Unauthorized, Forbidden, NotFound)


@router.get("", summary="List my notifications", responses=SIGNED_IN)
async def list_notifications(
    db: ReadDB,
    actor: CurrentUser,
    page: Paged,
    unread: Annotated[bool, Query(description="only those that are not read")] = False,
) -> Page[NotificationItem]:
    """The newest first."""
    return await service.list_notifications(db, actor, page, unread=unread)


@router.get("/unread-count", summary="Count my unread notifications", responses=SIGNED_IN)
async def get_unread_count(db: ReadDB, actor: CurrentUser) -> UnreadCount:
    """The exact number. The stream tells every change of it."""
    return await service.get_unread_count(db, actor)


@router.post("/read-all", summary="Mark all my notifications as read", responses=SIGNED_IN)
async def mark_all_notifications_read(db: WriteDB, actor: CurrentUser) -> UnreadCount:
    """All that are there now; the answer counts those that came meanwhile."""
    return await service.mark_all_read(db, actor)


@router.get("/preferences", summary="Which notifications I want", responses=SIGNED_IN)
async def get_notification_preferences(db: ReadDB, actor: CurrentUser) -> Preferences:
    """Every kind with its title. A kind is on until it is switched off."""
    return await preferences.get_preferences(db, actor)


@router.put("/preferences", summary="Switch kinds of notifications on or off", responses=SIGNED_IN)
async def set_notification_preferences(db: WriteDB, actor: CurrentUser, changes: PreferenceChanges) -> Preferences:
    """Kinds that are not named stay as they are. What was notified before stays too."""
    return await preferences.set_preferences(db, actor, changes.kinds)


_Place = Annotated[int | None, Query(ge=0, le=2**63 - 1, description="for clients that cannot send Last-Event-ID")]
_Resume = Annotated[
    int | None, Header(alias="Last-Event-ID", ge=0, le=2**63 - 1, description="the last `id` that you received")
]


@router.get(
    "/stream",
    summary="Receive my notifications as they come",
    status_code=200,
    response_class=EventStream,
    responses={200: {"content": {"text/event-stream": {"example": EXAMPLE}}}, **SIGNED_IN},
)
async def stream_notifications(
    request: Request,
    actor: StreamUser,
    last_event_id: _Resume = None,
    since: Annotated[_Place, Query(alias="last_event_id")] = None,
) -> Response:
    """Server-sent events that survive lost connections: reconnect with `Last-Event-ID` and nothing is lost or repeated.

    - `hello` comes first where no number was sent: `id` is the number of the newest notification.
    - `notification` is an item of the list with `unread_count`; its `id` is the notification's `number`.
    - `unread` has the new `unread_count` when it changes without a notification, such as on another device.
    - `reconnect`: the server is about to stop; connect again, with the last `id`.
    - `unauthorized`: the session has ended; get a new access token or ticket, then connect again, with the last `id`.

    A ticket opens one stream, once: an `EventSource` needs a new one for each connection.
    """
    return open_stream(request.app.state.infra, actor, since if last_event_id is None else last_event_id)


@router.put("/{notification_id}/read", summary="Mark a notification as read", responses=ONE)
async def mark_notification_read(db: WriteDB, actor: CurrentUser, notification_id: UUID) -> UnreadCount:
    """Again is no change."""
    return await service.mark_read(db, actor, notification_id)


@router.delete("/{notification_id}", status_code=204, summary="Delete a notification", responses=ONE)
async def delete_notification(db: WriteDB, actor: CurrentUser, notification_id: UUID) -> None:
    """It is gone from every device."""
    await service.delete_notification(db, actor, notification_id)
