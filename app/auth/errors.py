"""What can be wrong with an account."""

from app.core.errors import Conflict, Forbidden, Gone, Invalid, Unauthorized, Unavailable

__all__ = [
    "AccountExists",
    "AlreadyLinked",
    "BadCredentials",
    "BadRefreshToken",
    "CodeGone",
    "CommonPassword",
    "EmailInUse",
    "LastWayIn",
    "LinkGone",
    "LoginTooOld",
    "NoPassword",
    "ProviderNotConfigured",
    "WrongPassword",
]


class BadCredentials(Unauthorized):
    code, title = "bad_credentials", "Name and password do not belong together"


class BadRefreshToken(Unauthorized):
    code, title = "bad_refresh_token", "The refresh token is not valid: sign in again"


class WrongPassword(Forbidden):
    code, title = "wrong_password", "The password is wrong"


class LoginTooOld(Forbidden):
    code, title = "login_too_old", "This needs a login of the last minutes: sign in again"


class NoPassword(Conflict):
    code, title = "no_password", "This account has no password yet: set one by the link of a forgotten password"


class CommonPassword(Invalid):
    code, title = "password_common", "Too many people use this password"


class LinkGone(Gone):
    code, title = "link_gone", "This link has expired or was used: ask for a new one"


class EmailInUse(Conflict):
    code, title = "email_in_use", "Another account has proven that this address is its own"


class ProviderNotConfigured(Unavailable):
    code, title = "provider_not_configured", "This server has no client id for that provider"


class CodeGone(Gone):
    code, title = "code_gone", "This code has expired or was used: sign in with the provider again"


class AccountExists(Conflict):
    code, title = "account_exists", "An account with this mail address exists: sign in there, then link the provider"


class AlreadyLinked(Conflict):
    code, title = "already_linked", "This account of the provider is linked to somebody else"


class LastWayIn(Conflict):
    code, title = "last_way_in", "Without it you could not sign in: set a password first"
