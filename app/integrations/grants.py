"""Permissions to upload one object to this server: what a presigned URL of an object store is, signed by us."""

import hashlib
import hmac
import time
from dataclasses import astuple, dataclass

from itsdangerous import BadData, URLSafeSerializer

from app.core.errors import Forbidden, Gone, Invalid

__all__ = ["Grant", "Grants", "UploadLinkExpired", "UploadLinkInvalid", "UploadMismatch"]


class UploadLinkInvalid(Forbidden):
    code, title = "upload_link_invalid", "This upload link is not from this server"


class UploadLinkExpired(Gone):
    code, title = "upload_link_expired", "This upload link has expired"


class UploadMismatch(Invalid):
    code, title = "upload_mismatch", "This is not the upload that was announced"


@dataclass(frozen=True, slots=True)
class Grant:
    """What may be stored, and until when (Unix time)."""

    key: str
    content_type: str
    size: int
    expires: int

    def check(self, *, content_type: str | None, length: int | None) -> None:
        """Raises UploadMismatch when the headers announce something else than was signed."""
        if (content_type or "").strip().lower() != self.content_type.lower():
            detail = f"Send it as {self.content_type}, as you announced."
            raise UploadMismatch.field("/header/content-type", detail, "mismatch")
        if length != self.size:
            detail = f"Send exactly the {self.size:,} bytes that you announced."
            raise UploadMismatch.field("/header/content-length", detail, "mismatch")


class Grants:
    """Signs grants, and recognises them."""

    def __init__(self, secret: bytes) -> None:
        key = hmac.digest(secret, b"uploads", hashlib.sha256)
        signing = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
        self._serializer = URLSafeSerializer(key, salt="upload", signer_kwargs=signing)

    def sign(self, grant: Grant) -> str:
        """The grant as a token for a URL."""
        token: str | bytes = self._serializer.dumps(astuple(grant))
        return token if isinstance(token, str) else token.decode()

    def read(self, token: str) -> Grant:
        """The grant of a token. Raises UploadLinkInvalid, UploadLinkExpired."""
        try:
            grant = Grant(*self._serializer.loads(token))
        except (BadData, TypeError, RecursionError) as error:
            raise UploadLinkInvalid("Ask for a new upload link.") from error
        if grant.expires < time.time():
            raise UploadLinkExpired("Ask for a new upload link.")
        return grant
