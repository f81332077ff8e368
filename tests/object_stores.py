"""Object stores on loopback: moto, which takes any signature, and moto behind a proxy that verifies each as S3 does."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import boto3
import httpx
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from moto.server import ThreadedMotoServer
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tests.loopback import on_loopback

__all__ = ["ACCESS_KEY", "REGION", "SECRET_KEY", "SUPABASE_PATH", "s3_server"]

ACCESS_KEY, SECRET_KEY, REGION = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "eu-west-1"
SUPABASE_PATH = "/storage/v1/s3"
"""Where Supabase has its S3: a path before the bucket, which is signed with the rest."""
_HOP = {"host", "connection", "transfer-encoding", "keep-alive", "content-encoding"}


@asynccontextmanager
async def s3_server(*, strict: bool) -> AsyncIterator[dict[str, Any]]:
    """Settings of a bucket: in a store that believes anything, or in one that is `strict` about signatures."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        address = f"http://{host}:{port}"
        bucket = f"sounds{secrets.token_hex(4)}"  # all servers of a process share their buckets
        await asyncio.to_thread(_make_bucket, address, bucket)
        async with httpx.AsyncClient(base_url=address, timeout=30) as upstream, on_loopback(_Gate(upstream)) as gate:
            yield {
                "s3_bucket": bucket,
                "s3_endpoint_url": gate if strict else address,
                "s3_region": REGION,
                "s3_access_key_id": ACCESS_KEY,
                "s3_secret_access_key": SECRET_KEY,
            }
    finally:
        server.stop()


def _make_bucket(address: str, bucket: str) -> None:
    keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
    client = boto3.client(
        "s3", endpoint_url=address, region_name=REGION, config=Config(retries={"total_max_attempts": 2}), **keys
    )
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    client.close()


class _Gate:
    """Hands on what is signed rightly, by the headers or by the query; answers 403 to everything else."""

    def __init__(self, upstream: httpx.AsyncClient) -> None:
        self._upstream = upstream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        reason = refusal(request.method, str(request.url), dict(request.headers))
        answer = Response(_problem(reason), 403, media_type="application/xml") if reason else await self._pass(request)
        await answer(scope, receive, send)

    async def _pass(self, request: Request) -> Response:
        headers = {name: value for name, value in request.headers.items() if name not in _HOP}
        target = request.url.path.removeprefix(SUPABASE_PATH) + (f"?{request.url.query}" if request.url.query else "")
        asked = self._upstream.build_request(request.method, target, headers=headers, content=await request.body())
        found = await self._upstream.send(asked, stream=True)
        kept = {name: value for name, value in found.headers.items() if name not in _HOP}
        if request.method == "HEAD":
            await found.aclose()
            return Response(status_code=found.status_code, headers=kept)
        return StreamingResponse(_body(found), found.status_code, kept)


async def _body(found: httpx.Response) -> AsyncIterator[bytes]:
    async for piece in found.aiter_raw():
        yield piece
    await found.aclose()


def _problem(code: str) -> str:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>"


def refusal(method: str, url: str, headers: Mapping[str, str]) -> str:
    """Why S3 would refuse the request; nothing if it would not. botocore computes what the signature should be."""
    address, _, query = url.partition("?")
    asked = dict(parse_qsl(query, keep_blank_values=True))
    if "X-Amz-Signature" in asked:
        given, names, scope = asked.pop("X-Amz-Signature"), asked["X-Amz-SignedHeaders"], asked["X-Amz-Credential"]
        at = datetime.strptime(asked["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if at + timedelta(seconds=int(asked["X-Amz-Expires"])) < datetime.now(UTC):
            return "AccessDenied"
        signer: SigV4Auth = S3SigV4QueryAuth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", REGION)
        url = f"{address}?{urlencode(asked, quote_via=quote, safe='-_.~')}"
    elif headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 "):
        parts = dict(part.strip().split("=", 1) for part in headers["authorization"].partition(" ")[2].split(","))
        given, names, scope = parts["Signature"], parts["SignedHeaders"], parts["Credential"]
        at = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        signer = S3SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", REGION)
    else:
        return "AccessDenied"
    missing = [name for name in names.split(";") if name not in headers]
    if missing or scope != f"{ACCESS_KEY}/{at:%Y%m%d}/{REGION}/s3/aws4_request":
        return "SignatureDoesNotMatch"
    request = AWSRequest(method, url, headers={name: headers[name] for name in names.split(";")})
    request.context["timestamp"] = f"{at:%Y%m%dT%H%M%SZ}"
    request.context["payload_signing_enabled"] = False
    canonical = signer.canonical_request(request)
    if isinstance(signer, S3SigV4Auth):  # the body's hash is as the client said: the body itself is not read here
        canonical = canonical.rpartition("\n")[0] + "\n" + headers["x-amz-content-sha256"]
    expected = signer.signature(signer.string_to_sign(request, canonical), request)
    return "" if expected == given else "SignatureDoesNotMatch"
