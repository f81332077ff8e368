"""A sign-in server of our own: OpenID discovery, keys, authorization code with PKCE, and Spotify's profile."""

import base64
import hashlib
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk, jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class Key:
    """An RSA key pair with its name."""

    def __init__(self, kid: str) -> None:
        self.kid = kid
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        form = serialization.PrivateFormat.PKCS8
        self.pem = private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        self._key = jwk.construct(self.pem, "RS256")

    def public(self) -> dict[str, Any]:
        return self._key.public_key().to_dict() | {"kid": self.kid, "use": "sig", "alg": "RS256"}

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        token: str = jwt.encode(claims, self._key, "RS256", headers={"kid": self.kid} | header)
        return token


@dataclass
class Provider:
    """What the fake server knows, and what it was asked."""

    keys: list[Key] = field(default_factory=lambda: [Key("first")])
    claims: dict[str, Any] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)
    address: str = ""
    down: bool = False
    fetches: int = 0
    exchanges: list[dict[str, str]] = field(default_factory=list)
    asked: dict[str, dict[str, str]] = field(default_factory=dict)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discovery),
                Route("/jwks", self._jwks),
                Route("/token", self._token, methods=["POST"]),
                Route("/api/token", self._token, methods=["POST"]),
                Route("/v1/me", self._me),
            ]
        )

    def authorize(self, location: str, **claims: Any) -> str:
        """What the browser does at the provider: the person agrees, and is sent back to this address."""
        query = {name: values[0] for name, values in parse_qs(location.partition("?")[2]).items()}
        code = f"code-{len(self.asked)}"
        self.asked[code] = query
        self.claims = claims
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    async def _discovery(self, request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.address,
                "authorization_endpoint": f"{self.address}/authorize",
                "token_endpoint": f"{self.address}/token",
                "jwks_uri": f"{self.address}/jwks",
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def _jwks(self, request: Request) -> Response:
        self.fetches += 1
        if self.down:
            return Response(status_code=503)
        return JSONResponse({"keys": [key.public() for key in self.keys]})

    async def _token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.exchanges.append(form)
        asked = self.asked.pop(form["code"], None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if asked is None or proof.decode().rstrip("=") != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        answer = {"access_token": "opaque", "token_type": "Bearer", "expires_in": 3600}
        if "nonce" in asked:
            now = int(time.time())
            claims = {
                "iss": self.address,
                "aud": asked["client_id"],
                "iat": now,
                "exp": now + 300,
                "nonce": asked["nonce"],
            }
            answer["id_token"] = self.keys[0].sign(claims | self.claims)
        return JSONResponse(answer)

    async def _me(self, request: Request) -> Response:
        assert request.headers["authorization"] == "Bearer opaque"
        return JSONResponse(self.profile)
