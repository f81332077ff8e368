"""Which passwords are good enough, and how often one may be guessed.

Guesses are slowed in two ways: for each pair of account and address, and for each account over all addresses. The
second does not count addresses from which the account was signed in before, so nobody can lock the owner out.
"""

import hashlib
from functools import cache
from pathlib import Path
from uuid import UUID

from app.auth.errors import CommonPassword, NoPassword, WrongPassword
from app.auth.queries import PASSWORD, Password
from app.auth.schemas import LONGEST_PASSWORD
from app.core.errors import Fault, Unauthorized
from app.core.infra import Infra
from app.core.limits import Limit, check

__all__ = ["FROM_ONE_ADDRESS", "check_new_password", "confirm_password", "limit_guesses", "matches"]

FROM_ONE_ADDRESS = Limit("login", 10, 600)
FROM_EVERYWHERE = Limit("login_account", 100, 3600)
WHILE_SIGNED_IN = Limit("password", 10, 600)
_LIST = Path(__file__).with_name("common_passwords.txt")


@cache
def _common() -> frozenset[str]:
    return frozenset(_LIST.read_text().split("\n"))


def check_new_password(password: str, *, username: str, email: str | None, field: str = "password") -> None:
    """Raises CommonPassword for one that is tried first by whoever guesses."""
    folded = password.casefold()
    address = (email or "").casefold()
    own = {username.casefold(), address, address.partition("@")[0]}
    if folded in _common() or folded in own or len(set(folded)) == 1:
        detail = "This password is among the first that are tried. Choose another, for example four words."
        raise CommonPassword(detail, faults=[Fault(pointer=f"/body/{field}", detail=detail, code="password_common")])


async def limit_guesses(
    infra: Infra, name: str, address: str, *, known_address: bool, from_one: Limit = FROM_ONE_ADDRESS
) -> None:
    """Counts a guess at what was typed as the account's name. Raises TooManyRequests, whether it exists or not."""
    account = hashlib.sha256(name.encode()).hexdigest()[:32]
    check(await infra.limiter.take(from_one, f"{account}:{address}"))
    if not known_address:
        check(await infra.limiter.take(FROM_EVERYWHERE, account))


async def matches(infra: Infra, password: str, hashed: str | None) -> bool:
    """Whether it is the password. Always one hash, whatever the reason that it is not."""
    if len(password) > LONGEST_PASSWORD:
        password, hashed = "", None
    return await infra.passwords.verify(password, hashed)


async def confirm_password(infra: Infra, user_id: UUID, password: str) -> Password:
    """What the account's password is checked against. Raises WrongPassword, NoPassword, TooManyRequests."""
    check(await infra.limiter.take(WHILE_SIGNED_IN, str(user_id)))
    account = await PASSWORD.first(infra.db.reader, person=user_id)
    if account is None:
        raise Unauthorized("This account has no password and no mail address.")
    if account.password_hash is None:
        raise NoPassword
    if not await matches(infra, password, account.password_hash):
        raise WrongPassword("The present password is wrong.")
    return account
