"""What a link in a mail opens where no single-page app is set up, and the keys that others verify our tokens with."""

from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Form, Response
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from app.auth import recovery
from app.auth.schemas import PasswordReset
from app.core.errors import AppError
from app.core.http import Here

__all__ = ["router"]

router = APIRouter(generate_unique_id_function=lambda route: route.name)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>body{{font:18px/1.5 system-ui,sans-serif;max-width:26em;margin:12vh auto;padding:0 1em}}
input,button{{font:inherit;padding:.5em .8em;width:100%;box-sizing:border-box;margin:.3em 0}}</style></head>
<body><h1>{title}</h1>{body}</body></html>"""
_FORM = '<form method="post"><input type="hidden" name="token" value="{token}">{fields}<button>{button}</button></form>'
_FIELDS = (
    '<input type="password" name="password" minlength="8" maxlength="128" required autofocus'
    ' autocomplete="new-password" placeholder="New password" aria-label="New password">'
)


@router.get("/.well-known/jwks.json", tags=["auth"], summary="Keys of our access tokens")
async def get_json_web_keys(here: Here, response: Response) -> dict[str, list[dict[str, Any]]]:
    """The public keys of RS256 access tokens; none where they are signed with a shared secret."""
    response.headers["cache-control"] = "public, max-age=300"
    return {"keys": here.tokens.public_keys()}


# A GET changes nothing: programs that look through mails open links, too.
@router.get("/verify-email", include_in_schema=False)
async def show_verification(token: str = "") -> HTMLResponse:
    return _form("Confirm your mail address", token, "", "Confirm")


@router.post("/verify-email", include_in_schema=False)
async def confirm_verification(here: Here, token: Annotated[str, Form(max_length=500)]) -> HTMLResponse:
    try:
        async with here.db.write() as db:
            await recovery.verify_email(db, token)
    except AppError as error:
        return _page("That did not work", error.detail, error.status)
    return _page("Thank you", "Your mail address is confirmed.")


@router.get("/reset-password", include_in_schema=False)
async def show_reset(token: str = "") -> HTMLResponse:
    return _form("Choose a new password", token, _FIELDS, "Save")


@router.post("/reset-password", include_in_schema=False)
async def confirm_reset(
    here: Here, token: Annotated[str, Form(max_length=500)], password: Annotated[str, Form(max_length=500)]
) -> HTMLResponse:
    try:
        wanted = PasswordReset(token=token, password=password)
        await recovery.reset_password(here, token=wanted.token, password=wanted.password)
    except ValidationError:
        return _page("That did not work", "A password has 8 to 128 characters. Go back and choose another.", 422)
    except AppError as error:
        return _page("That did not work", error.detail, error.status)
    return _page("Thank you", "The new password is set, and all sessions have ended. Sign in with it.")


def _form(title: str, token: str, fields: str, button: str) -> HTMLResponse:
    return _html(title, _FORM.format(token=escape(token), fields=fields, button=button))


def _page(title: str, text: str, status: int = 200) -> HTMLResponse:
    return _html(title, f"<p>{escape(text)}</p>", status)


def _html(title: str, body: str, status: int = 200) -> HTMLResponse:
    page = _PAGE.format(title=title, body=body)
    return HTMLResponse(page, status, {"content-security-policy": _POLICY, "cache-control": "no-store"})
