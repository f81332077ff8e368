"""The end of an account. It is here and not with the profile because it asks for the password."""

from typing import Literal

from fastapi import Request
from pydantic import ConfigDict, Field

from app.auth.errors import LoginTooOld, WrongPassword
from app.auth.leaving import leave
from app.auth.schemas import LONGEST_PASSWORD
from app.core.auth import Account
from app.core.errors import Forbidden, NotFound, Unauthorized, problems
from app.core.examples import PASSWORD
from app.core.http import Router
from app.core.schemas import Input
from app.users.admins import LastAdmin

__all__ = ["router"]

router = Router(prefix="/users/me", tags=["users"])


class Goodbye(Input):
    """How to leave. `content: keep` leaves what you wrote without your name, `delete` takes it along."""

    model_config = ConfigDict(str_strip_whitespace=False)

    password: str = Field(
        default_factory=str,
        max_length=LONGEST_PASSWORD,
        description="Not needed by who has none: they sign in again instead, within 10 minutes before",
        examples=[PASSWORD],
    )
    content: Literal["keep", "delete"]


@router.delete(
    "",
    summary="Delete your account",
    status_code=204,
    responses=problems(Unauthorized, Forbidden, WrongPassword, LoginTooOld, NotFound, LastAdmin),
)
async def delete_own_account(goodbye: Goodbye, actor: Account, request: Request) -> None:
    """Your name, profile, follows, sessions, keys and logins go at once and for good. Others may take the name.
    The last admin stays."""
    keep = goodbye.content == "keep"
    await leave(request.app.state.infra, actor, password=goodbye.password, keep_content=keep)
