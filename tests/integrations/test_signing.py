"""Presigned URLs of S3: as botocore makes them, and signed in what S3 checks."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import time_machine
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys

from app.integrations.sigv4 import Credentials, presign

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    "url",
    [
        "https://sounds.s3.eu-west-1.amazonaws.com/covers/a.webp",
        "https://s3.eu-west-1.amazonaws.com/sounds/covers/a.webp",
        "http://127.0.0.1:9000/sounds/a/b/c/d.webp",
        "https://project.supabase.co/storage/v1/s3/sounds/covers/a-1_2.webp",
        "https://example.org:443/sounds/a.webp",
        "http://example.org:80/sounds/a.webp",
        "https://example.org/sounds/with space+and ünï.webp",
    ],
)
@pytest.mark.parametrize("token", ["", "session/token+="])
@pytest.mark.parametrize(
    ("method", "headers", "query"),
    [
        ("GET", {}, {}),
        ("PUT", {"Content-Type": "audio/mpeg", "Content-Length": "12345"}, {}),
        ("PUT", {"Content-Type": "audio/mpeg;  codecs=a", "X-Amz-Meta-B": "b"}, {}),
        ("GET", {}, {"response-content-disposition": "attachment; filename=\"a b.mp3\"; filename*=UTF-8''%C3%BC"}),
    ],
    ids=["get", "put", "more headers", "download"],
)
def test_as_botocore_does(url: str, token: str, method: str, headers: dict[str, str], query: dict[str, str]) -> None:
    keys = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG")
    ours = presign(
        method,
        url,
        credentials=Credentials(*keys, token),
        region="eu-west-1",
        seconds=900,
        at=AT,
        headers=headers,
        query=query,
    )
    oracle = AWSRequest(method, quote(url, safe="/:-_.~"), headers=headers, params=dict(query))
    with time_machine.travel(AT, tick=False):
        S3SigV4QueryAuth(Keys(*keys, token or None), "s3", "eu-west-1", 900).add_auth(oracle)
    assert parse_qs(urlsplit(ours).query) == parse_qs(urlsplit(oracle.url).query)
    assert ours.partition("?")[0] == oracle.url.partition("?")[0]


def test_the_example_of_the_documentation() -> None:
    """From AWS: "Authenticating Requests: Using Query Parameters"."""
    url = presign(
        "GET",
        "https://examplebucket.s3.amazonaws.com/test.txt",
        credentials=Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        region="us-east-1",
        seconds=86400,
        at=datetime(2013, 5, 24, tzinfo=UTC),
    )
    assert url.endswith("X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")


def test_secrets_are_not_shown() -> None:
    assert "secret" not in repr(Credentials("key", "secret", "secret"))
