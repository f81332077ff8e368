"""AWS Signature Version 4 in the query of a URL: whoever has the URL may send exactly this request, for a while.

Unlike what most libraries presign, any header can be signed: a PUT with another type or length is refused by the store.
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, urlsplit

__all__ = ["Bucket", "Credentials", "presign"]

_UNRESERVED = "-_.~"
_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Of an access key; `token` belongs to temporary ones."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where a bucket is. `endpoint` is empty for AWS itself; `public_endpoint` is how others reach the same."""

    name: str
    region: str
    endpoint: str = ""
    public_endpoint: str = ""
    path_style: bool = False

    def url(self, *, public: bool) -> str:
        """Where its keys begin, without a slash at the end."""
        endpoint = (self.public_endpoint if public else "") or self.endpoint
        parts = urlsplit((endpoint or f"https://s3.{self.region}.amazonaws.com").rstrip("/"))
        if self.path_style:
            return f"{parts.scheme}://{parts.netloc}{parts.path}/{self.name}"
        return f"{parts.scheme}://{self.name}.{parts.netloc}{parts.path}"


def presign(
    method: str,
    url: str,
    *,
    credentials: Credentials,
    region: str,
    seconds: int,
    at: datetime,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> str:
    """The URL with a signature of the method, these headers and the query. It is good for `seconds` after `at`."""
    parts = urlsplit(url)
    host = parts.netloc.removesuffix(_PORTS.get(parts.scheme, ""))
    signed = {name.lower(): " ".join(value.split()) for name, value in {**(headers or {}), "host": host}.items()}
    scope = f"{at:%Y%m%d}/{region}/s3/aws4_request"
    asked = {
        **(query or {}),
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{credentials.access_key}/{scope}",
        "X-Amz-Date": f"{at:%Y%m%dT%H%M%SZ}",
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": ";".join(sorted(signed)),
    }
    if credentials.token:
        asked["X-Amz-Security-Token"] = credentials.token
    path, line = quote(parts.path or "/", safe="/" + _UNRESERVED), _canonical(asked)
    made = _signature(credentials.secret_key, method=method, path=path, query=line, headers=signed, scope=scope, at=at)
    return f"{parts.scheme}://{parts.netloc}{path}?{line}&X-Amz-Signature={made}"


def _signature(
    secret_key: str, *, method: str, path: str, query: str, headers: Mapping[str, str], scope: str, at: datetime
) -> str:
    """The signature of a canonical request whose body is not signed. All texts are canonical already."""
    lines = [f"{name}:{headers[name]}\n" for name in sorted(headers)]
    request = "\n".join([method, path, query, "".join(lines), ";".join(sorted(headers)), "UNSIGNED-PAYLOAD"])
    hashed = hashlib.sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{at:%Y%m%dT%H%M%SZ}\n{scope}\n{hashed}"
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return hmac.digest(key, text.encode(), hashlib.sha256).hex()


def _canonical(query: Mapping[str, str]) -> str:
    pairs = sorted((quote(name, safe=_UNRESERVED), quote(value, safe=_UNRESERVED)) for name, value in query.items())
    return "&".join(f"{name}={value}" for name, value in pairs)
