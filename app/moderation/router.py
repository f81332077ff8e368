"""What admins see and do."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Request

from app.core.auth import Admin
from app.core.errors import Forbidden, NotFound, Unauthorized, problems
from app.core.http import ReadDB, Router, WriteDB
from app.core.paging import Page, Paged
from app.moderation import service
from app.moderation.schemas import AuditItem, DeadLetterItem, JobQueue, RoleChange, RoleState
from app.users.admins import LastAdmin
from app.users.schemas import USERNAME

__all__ = ["router"]

router = Router(prefix="/admin", tags=["admin"])

Username = Annotated[str, Path(pattern=USERNAME, description="Case does not matter", examples=["bruno"])]
READS = problems(Unauthorized, Forbidden)
MEETS = problems(Unauthorized, Forbidden, NotFound)


@router.get("/dead-letters", summary="Jobs that failed too often", responses=READS)
async def list_dead_letters(db: ReadDB, actor: Admin, page: Paged) -> Page[DeadLetterItem]:
    """The newest first, with what they were given and the error that ended them."""
    return await service.list_dead_letters(db, page)


@router.post("/dead-letters/{letter_id}/requeue", status_code=204, summary="Run a failed job again", responses=MEETS)
async def requeue_dead_letter(db: WriteDB, actor: Admin, letter_id: UUID) -> None:
    """It gets all of its tries anew; what it did before is not done twice."""
    await service.requeue_dead_letter(db, actor, letter_id)


@router.delete("/dead-letters/{letter_id}", status_code=204, summary="Give a failed job up", responses=MEETS)
async def delete_dead_letter(db: WriteDB, actor: Admin, letter_id: UUID) -> None:
    """It is never run again."""
    await service.delete_dead_letter(db, actor, letter_id)


@router.get("/jobs", summary="How much work waits", responses=READS)
async def list_jobs(db: ReadDB, actor: Admin) -> JobQueue:
    """Jobs that are due, delayed, running or dead, in all and of each kind."""
    return await service.list_jobs(db)


@router.put(
    "/users/{username}/role",
    summary="Change somebody's role",
    responses=problems(Unauthorized, Forbidden, NotFound, LastAdmin),
)
async def change_role(request: Request, db: WriteDB, actor: Admin, username: Username, change: RoleChange) -> RoleState:
    """Ends all of the person's sessions, since their tokens carry the old role. The last admin stays one."""
    return await service.change_role(request.app.state.settings, db, actor, username, change.role)


@router.get("/audit", summary="What admins did", responses=READS)
async def list_audit_entries(db: ReadDB, actor: Admin, page: Paged) -> Page[AuditItem]:
    """The newest first."""
    return await service.list_audit(db, page)
