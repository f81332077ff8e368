"""/auth: accounts, sessions and links in mails."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from fastapi.security import OAuth2PasswordRequestForm

from app.auth import recovery, service, sessions, tickets
from app.auth.callers import From
from app.auth.errors import (
    BadCredentials,
    BadRefreshToken,
    CommonPassword,
    EmailInUse,
    LinkGone,
    NoPassword,
    WrongPassword,
)
from app.auth.schemas import (
    EmailChange,
    EmailOnly,
    LoginRequest,
    Me,
    PasswordChange,
    PasswordReset,
    RefreshRequest,
    RegisterRequest,
    SessionItem,
    StreamTicket,
    TokenOnly,
    Tokens,
)
from app.core.auth import Account, CurrentUser, Login, Principal
from app.core.errors import NotFound, Unauthorized, problems
from app.core.examples import PASSWORD, PERSON
from app.core.http import Here, ReadDB, Router, WriteDB
from app.core.limits import limited_by_address
from app.core.paging import Page, Paged
from app.core.schemas import Message
from app.users.service import UsernameTaken

__all__ = ["router"]

router = Router(prefix="/auth", tags=["auth"])
Reads = Annotated[Principal, Depends(Login(required=True, scope="read"))]

_MAILED = Message(message="If an account has this address, a mail is on its way. Look into the spam folder, too.")
_MAIL_LIMIT = limited_by_address("auth.mails", 20, 600)


@router.post(
    "/register",
    summary="Make an account",
    status_code=201,
    responses=problems(UsernameTaken, CommonPassword),
    dependencies=[limited_by_address("auth.register", 30, 3600)],
)
async def register(body: RegisterRequest, db: WriteDB, here: Here) -> Me:
    """Usernames are public, so one that is taken is a 409. Whether a mail address is used, only its mailbox learns.

    You can sign in at once; a mail brings the link that confirms the address. The first account is an admin.
    """
    return await service.register(here, db, **body.model_dump())


@router.post(
    "/login",
    summary="Sign in by a form",
    responses=problems(BadCredentials),
    openapi_extra={
        "requestBody": {
            "content": {
                "application/x-www-form-urlencoded": {
                    "example": {"grant_type": "password", "username": PERSON, "password": PASSWORD}
                }
            }
        }
    },
)
async def login(form: Annotated[OAuth2PasswordRequestForm, Depends()], here: Here, caller: From) -> Tokens:
    """OAuth2's password form, as Swagger's Authorize sends it. `username` may be a verified mail address."""
    return await service.login(here, caller, name=form.username, password=form.password)


@router.post("/login/json", summary="Sign in by JSON", responses=problems(BadCredentials))
async def login_by_json(body: LoginRequest, here: Here, caller: From) -> Tokens:
    """The same as the form. `username` may be a verified mail address."""
    return await service.login(here, caller, name=body.username, password=body.password)


@router.post("/refresh", summary="Get the next tokens", responses=problems(BadRefreshToken))
async def refresh(body: RefreshRequest, here: Here) -> Tokens:
    """Each refresh token works once; asked again within 10 seconds, because the answer was lost, it gives the same
    successor. Using an older one ends the session, since somebody else may have it.
    """
    return await sessions.refresh(here, body.refresh_token)


@router.post("/logout", summary="Sign out", status_code=204)
async def logout(user: Account, db: WriteDB, here: Here) -> None:
    """Ends this session: its tokens and streams die within a second."""
    await sessions.end_current(here.settings, db, user)


@router.post("/logout-all", summary="Sign out everywhere", status_code=204)
async def logout_everywhere(
    user: Account,
    db: WriteDB,
    here: Here,
    keep_current: Annotated[bool, Query(description="Leave the session that asks")] = False,
) -> None:
    """Ends all sessions: their tokens and streams die within a second. App passwords and API tokens stay."""
    await sessions.end_all_sessions(here.settings, db, user, keep_current=keep_current)


@router.get("/sessions", summary="Where am I signed in?")
async def list_sessions(user: Account, db: ReadDB, page: Paged) -> Page[SessionItem]:
    """Your sessions that still work, newest first."""
    return await sessions.list_sessions(db, user, page)


@router.delete("/sessions/{session_id}", summary="End a session", status_code=204, responses=problems(NotFound))
async def end_session(session_id: UUID, user: Account, db: WriteDB, here: Here) -> None:
    """Its tokens and streams die within a second."""
    await sessions.end_session(here.settings, db, user, session_id)


@router.get("/me", summary="Who am I?", responses=problems(Unauthorized))
async def get_me(user: CurrentUser, db: ReadDB) -> Me:
    """Your account, with the mail address that nobody else sees."""
    return await service.find_me(db, user.user_id)


@router.post(
    "/change-password",
    summary="Change the password",
    responses=problems(WrongPassword, NoPassword, CommonPassword),
)
async def change_password(body: PasswordChange, user: Account, here: Here) -> Message:
    """Ends all other sessions, and tells you by mail."""
    await service.change_password(here, user, current=body.current_password, new=body.new_password)
    return Message(message="The password is changed, and all other sessions have ended.")


@router.post(
    "/change-email",
    summary="Change the mail address",
    status_code=202,
    responses=problems(WrongPassword, NoPassword),
)
async def change_email(body: EmailChange, user: Account, here: Here) -> Message:
    """Sends a link to the new address; until it is opened, the former address counts."""
    await service.change_email(here, user, email=body.email, password=body.password)
    return Message(message="Open the link in the mail to the new address. Until then the former one counts.")


@router.post("/forgot-password", summary="I forgot my password", status_code=202, dependencies=[_MAIL_LIMIT])
async def ask_for_new_password(body: EmailOnly, db: WriteDB, here: Here) -> Message:
    """Sends a link for each account with the address, if there is any; the answer is always the same."""
    await recovery.ask_for_links(here, db, purpose="reset_password", email=body.email)
    return _MAILED


@router.post(
    "/reset-password",
    summary="Set a new password by a link",
    responses=problems(LinkGone, CommonPassword),
    dependencies=[_MAIL_LIMIT],
)
async def reset_password(body: PasswordReset, here: Here) -> Message:
    """The link works once, for 30 minutes. Ends all sessions."""
    await recovery.reset_password(here, token=body.token, password=body.password)
    return Message(message="The new password is set. Sign in with it.")


@router.post(
    "/verify-email",
    summary="Confirm a mail address by a link",
    responses=problems(LinkGone, EmailInUse),
    dependencies=[_MAIL_LIMIT],
)
async def verify_email(body: TokenOnly, db: WriteDB) -> Message:
    """The link works once, for 24 hours. From then on you can sign in with the address."""
    await recovery.verify_email(db, body.token)
    return Message(message="The address is confirmed.")


@router.post("/resend-verification", summary="Send the confirmation again", status_code=202, dependencies=[_MAIL_LIMIT])
async def resend_verification(body: EmailOnly, db: WriteDB, here: Here) -> Message:
    """Sends a link for each account that has not confirmed the address; the answer is always the same."""
    await recovery.ask_for_links(here, db, purpose="verify_email", email=body.email)
    return _MAILED


@router.post("/tickets", summary="Get a ticket for a stream", status_code=201)
async def create_ticket(user: Reads, db: WriteDB) -> StreamTicket:
    """Opens one stream or socket as `?ticket=`, once, within a minute: a browser can send no header there."""
    return await tickets.issue_ticket(db, user)
