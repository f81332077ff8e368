"""/users and /authentications: accounts by name and password alone, and logins whose refresh token lasts."""

from app.auth import lasting
from app.auth.callers import From
from app.auth.service import login, register_by_name
from app.compat.openmusic.envelope import Given, Said, dialect_router, failures, given, said
from app.compat.openmusic.schemas import Login, NewAccess, NewUser, Refresh, TokenPair, UserId
from app.core.http import Here, WriteDB
from app.core.limits import Limit, limited

__all__ = ["router"]

router = dialect_router("accounts")
GUESSES = Limit("openmusic_login", 100, 600)
"""For each name and address: a collection of tests signs the same people in again and again."""


@router.post("/users", status_code=201, summary="Make an account", dependencies=[limited("openmusic.users", 120, 60)])
async def add_user(new: NewUser, db: WriteDB, here: Here) -> Given[UserId]:
    """Without a mail address, so a lost password stays lost until one was added. 400 for a name that is taken."""
    user_id = await register_by_name(
        db, here.passwords, username=new.username, password=new.password, display_name=new.fullname
    )
    return given(UserId(user_id=user_id))


@router.post("/authentications", status_code=201, summary="Sign in", responses=failures(401))
async def sign_in(who: Login, here: Here, caller: From) -> Given[TokenPair]:
    """The refresh token works until it is deleted, or is not used for a month."""
    opens = lasting.open_lasting_session
    tokens = await login(here, caller, name=who.username, password=who.password, opens=opens, guesses=GUESSES)
    return given(TokenPair(access_token=tokens.access_token, refresh_token=tokens.refresh_token))


@router.put("/authentications", summary="Get another access token")
async def refresh_access(body: Refresh, here: Here, db: WriteDB) -> Given[NewAccess]:
    """The refresh token stays the same."""
    return given(NewAccess(access_token=await lasting.renew(here, db, body.refresh_token)))


@router.delete("/authentications", summary="Sign out")
async def sign_out(body: Refresh, here: Here, db: WriteDB) -> Said:
    """The refresh token and its access tokens work no longer."""
    await lasting.end_lasting_session(here, db, body.refresh_token)
    return said("You are signed out.")
