"""Supabase Storage as its HTTP interface answers, in memory."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.loopback import on_loopback

__all__ = ["supabase_server"]

KEY, BUCKET = "service-role-key", "soundscore"


@dataclass
class Kept:
    """An object."""

    content: bytes
    content_type: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


class FakeSupabase:
    """One private bucket."""

    def __init__(self) -> None:
        self.objects: dict[str, Kept] = {}
        self.tokens: dict[str, str] = {}
        root, name = "/storage/v1", f"/{BUCKET}/{{key:path}}"
        self.app = Starlette(
            routes=[
                Route(f"{root}/bucket/{BUCKET}", self.bucket),
                Route(f"{root}/object/upload/sign{name}", self.sign_upload, methods=["POST"]),
                Route(f"{root}/object/upload/sign{name}", self.upload_signed, methods=["PUT"]),
                Route(f"{root}/object/sign{name}", self.sign, methods=["POST"]),
                Route(f"{root}/object/sign{name}", self.get_signed),
                Route(f"{root}/object/info{name}", self.info),
                Route(f"{root}/object/authenticated{name}", self.get),
                Route(f"{root}/object/copy", self.copy, methods=["POST"]),
                Route(f"{root}/object/list-v2/{BUCKET}", self.list, methods=["POST"]),
                Route(f"{root}/object/{BUCKET}", self.remove, methods=["DELETE"]),
                Route(f"{root}/object{name}", self.upload, methods=["POST"]),
            ]
        )

    async def bucket(self, request: Request) -> Response:
        now = datetime.now(UTC).isoformat()
        found = {"id": BUCKET, "name": BUCKET, "owner": "", "public": False, "created_at": now, "updated_at": now}
        limits = {"file_size_limit": None, "allowed_mime_types": None}
        return allowed(request) or JSONResponse(found | limits)

    async def sign_upload(self, request: Request) -> Response:
        key, token = request.path_params["key"], secrets.token_hex(8)
        self.tokens[token] = f"PUT {key}"
        return allowed(request) or JSONResponse({"url": f"/object/upload/sign/{BUCKET}/{key}?token={token}"})

    async def upload_signed(self, request: Request) -> Response:
        key = request.path_params["key"]
        if self.tokens.get(request.query_params.get("token", "")) != f"PUT {key}":
            return problem(400, "InvalidJWT", "signature verification failed")
        self.objects[key] = Kept(await request.body(), request.headers.get("content-type", "text/plain"))
        return JSONResponse({"Key": f"{BUCKET}/{key}"})

    async def upload(self, request: Request) -> Response:
        key = request.path_params["key"]
        if refused := allowed(request):
            return refused
        if key in self.objects and request.headers.get("x-upsert") != "true":
            return problem(409, "Duplicate", "The resource already exists")
        async with request.form() as form:
            (file,) = [value for value in form.values() if isinstance(value, UploadFile)]
            self.objects[key] = Kept(await file.read(), file.content_type or "text/plain")
        return JSONResponse({"Key": f"{BUCKET}/{key}", "Id": "1"})

    async def sign(self, request: Request) -> Response:
        key, token = request.path_params["key"], secrets.token_hex(8)
        if key not in self.objects:
            return problem(404, "not_found", "Object not found")
        self.tokens[token] = f"GET {key}"
        return allowed(request) or JSONResponse({"signedURL": f"/object/sign/{BUCKET}/{key}?token={token}"})

    async def get_signed(self, request: Request) -> Response:
        key = request.path_params["key"]
        if self.tokens.get(request.query_params.get("token", "")) != f"GET {key}":
            return problem(400, "InvalidJWT", "signature verification failed")
        name = request.query_params.get("download")
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)};"} if name else {}
        return self._give(request, key, headers)

    async def get(self, request: Request) -> Response:
        return allowed(request) or self._give(request, request.path_params["key"], {})

    def _give(self, request: Request, key: str, headers: dict[str, str]) -> Response:
        kept = self.objects.get(key)
        if kept is None:
            return problem(404, "not_found", "Object not found")
        kind = kept.content_type
        wanted = request.headers.get("range", "").removeprefix("bytes=")
        if not wanted:
            return Response(kept.content, headers=headers, media_type=kind)
        first, _, last = wanted.partition("-")
        if int(first) >= len(kept.content):
            return Response(status_code=416)
        return Response(kept.content[int(first) : int(last) + 1 if last else None], 206, headers, kind)

    async def info(self, request: Request) -> Response:
        kept = self.objects.get(request.path_params["key"])
        if kept is None:
            return allowed(request) or problem(404, "not_found", "Object not found")
        found = {"name": request.path_params["key"], "size": len(kept.content), "content_type": kept.content_type}
        return allowed(request) or JSONResponse(found | {"etag": f'"{hash(kept.content):x}"', "id": "1"})

    async def copy(self, request: Request) -> Response:
        body = await request.json()
        source, target = body["sourceKey"], body["destinationKey"]
        if source not in self.objects:
            return allowed(request) or problem(404, "not_found", "Object not found")
        if target in self.objects:
            return problem(409, "Duplicate", "The resource already exists")
        self.objects[target] = Kept(self.objects[source].content, self.objects[source].content_type)
        return allowed(request) or JSONResponse({"Key": f"{BUCKET}/{target}"})

    async def remove(self, request: Request) -> Response:
        body = await request.json()
        gone = [key for key in body["prefixes"] if self.objects.pop(key, None)]
        return allowed(request) or JSONResponse([{"name": key} for key in gone])

    async def list(self, request: Request) -> Response:
        body = await request.json()
        keys = sorted(key for key in self.objects if key.startswith(body["prefix"]) and key > body.get("cursor", ""))
        page, rest = keys[: body["limit"]], keys[body["limit"] :]
        found = [self._row(key) for key in page]
        more: dict[str, Any] = {"nextCursor": page[-1]} if rest else {}
        return allowed(request) or JSONResponse({"hasNext": bool(rest), "folders": [], "objects": found, **more})

    def _row(self, key: str) -> dict[str, Any]:
        kept = self.objects[key]
        times = dict.fromkeys(("created_at", "updated_at"), kept.at.isoformat())
        return {"id": "1", "name": key, "metadata": {"size": len(kept.content)}, **times}


def allowed(request: Request) -> Response | None:
    """A refusal for whoever has not the service's key."""
    if request.headers.get("authorization") == f"Bearer {KEY}" and request.headers.get("apikey") == KEY:
        return None
    return problem(403, "Unauthorized", "jwt malformed")


def problem(status: int, error: str, message: str) -> Response:
    """As Supabase says it: nearly always under 400."""
    return JSONResponse({"statusCode": str(status), "error": error, "message": message}, 400)


@asynccontextmanager
async def supabase_server() -> AsyncIterator[dict[str, str]]:
    """Settings of a project."""
    async with on_loopback(FakeSupabase().app) as address:
        yield {"supabase_url": address, "supabase_service_key": KEY, "supabase_bucket": BUCKET}
