"""An identity provider on a port of its own, which says what a test wants and keeps the rules of the code flow."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import unquote_plus, urlencode

from aiohttp import web
from api_world import NOW
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT: Final = "samara"
SECRET: Final = "a secret of the client"

Claims = dict[str, Any]
Signing = Callable[["Provider", Claims], str]


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def signed(provider: "Provider", claims: Claims) -> str:
    algorithm = "RS256" if isinstance(provider.key, RSAKey) else "ES256"
    return jwt.encode({"alg": algorithm, "kid": provider.key.kid}, claims, provider.key)


def unsigned(_provider: "Provider", claims: Claims) -> str:
    return f"{encoded(json.dumps({'alg': 'none'}).encode())}.{encoded(json.dumps(claims).encode())}."


def signed_with_the_public_key(provider: "Provider", claims: Claims) -> str:
    header = encoded(json.dumps({"alg": "HS256", "kid": provider.key.kid}).encode())
    body = f"{header}.{encoded(json.dumps(claims).encode())}"
    return f"{body}.{encoded(hmac.digest(provider.key.as_pem(private=False), body.encode(), 'sha256'))}"


def signed_by_another(provider: "Provider", claims: Claims) -> str:
    other = ECKey.generate_key("P-256", {"kid": provider.key.kid})
    return jwt.encode({"alg": "ES256", "kid": provider.key.kid}, claims, other)


def signed_by_an_unknown_key(_provider: "Provider", claims: Claims) -> str:
    other = ECKey.generate_key("P-256", {"kid": "unknown"})
    return jwt.encode({"alg": "ES256", "kid": "unknown"}, claims, other)


def changed_after_signing(provider: "Provider", claims: Claims) -> str:
    header, _, signature = signed(provider, claims).split(".")
    return f"{header}.{encoded(json.dumps(claims | {'sub': 'somebody else'}).encode())}.{signature}"


class Provider:
    """What it says of whoever comes: `subject`, `acr`; `claims`, `answer` and `sign` change it."""

    def __init__(self) -> None:
        self.key: ECKey | RSAKey = ECKey.generate_key("P-256", {"kid": secrets.token_hex(4), "use": "sig"})
        self.issuer = ""
        self.described: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.keys_read = 0
        self.asked: dict[str, str] = {}
        self.people_read = 0
        self.signed_out: list[dict[str, str]] = []
        self.by_header = False
        self.honest()

    def honest(self) -> None:
        self.subject = "a1b2"
        self.claims: Claims = {}
        self.answer: dict[str, str] = {}
        self.sign: Signing = signed

    async def describe(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "end_session_endpoint": f"{self.issuer}/session/end",
                "token_endpoint_auth_methods_supported": [
                    "client_secret_basic" if self.by_header else "client_secret_post"
                ],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
            }
            | self.described
        )

    async def jwks(self, _request: web.Request) -> web.Response:
        self.keys_read += 1
        return web.json_response(
            {"keys": [self.key.as_dict(private=False), {"kty": "oct", "k": "c2VjcmV0", "kid": "x"}]}
        )

    async def authorize(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", CLIENT, "S256")
        assert len(asked["state"]) >= 32
        assert len(asked["nonce"]) >= 32
        self.asked = asked
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": self.issuer} | self.answer
        raise web.HTTPFound(f"{asked['redirect_uri']}?{urlencode(answer)}")

    async def people(self, _request: web.Request) -> web.Response:
        """Who somebody is, as ProConnect tells it: a signed token, not JSON."""
        self.people_read += 1
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": self.subject, "email": "maire@example.fr"}
        return web.Response(text=signed(self, claims), content_type="application/jwt")

    async def end(self, request: web.Request) -> web.Response:
        self.signed_out.append(dict(request.query))
        raise web.HTTPFound(f"{request.query['post_logout_redirect_uri']}?state={request.query['state']}")

    def proconnect(self) -> None:
        """Be as ProConnect says that it is: RS256, the secret in the body, `claims`, people as a signed token."""
        self.key = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
        self.described = {
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "claims_parameter_supported": True,
            "acr_values_supported": ["eidas1", "eidas2", "eidas3", "eidas1-mfa"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "userinfo_signing_alg_values_supported": ["RS256", "ES256"],
        }

    def secret_of(self, request: web.Request, given: Mapping[str, object]) -> object:
        """The secret where this provider takes it, and nowhere else."""
        if not self.by_header:
            return None if "Authorization" in request.headers else given.get("client_secret")
        scheme, _, pair = request.headers.get("Authorization", "").partition(" ")
        client, _, secret = base64.b64decode(pair).decode().partition(":")
        right = scheme == "Basic" and client == CLIENT and "client_secret" not in given
        return unquote_plus(secret) if right else None

    async def token(self, request: web.Request) -> web.Response:
        given = await request.post()
        asked = self.codes.pop(str(given.get("code")), None)  # a code is taken once
        verifier = hashlib.sha256(str(given.get("code_verifier")).encode()).digest()
        if (
            asked is None
            or self.secret_of(request, given) != SECRET
            or given.get("redirect_uri") != asked["redirect_uri"]
            or asked["code_challenge"] != encoded(verifier)
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        at = int(NOW.timestamp())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": self.subject,
            "nonce": asked["nonce"],
            "iat": at,
            "exp": at + 60,
            "acr": "eidas1",
            "email": "maire@example.fr",
            "siret": "21800001000013",
        }
        token = self.sign(self, {name: value for name, value in (claims | self.claims).items() if value is not None})
        return web.json_response({"access_token": "x", "token_type": "Bearer", "id_token": token})


@asynccontextmanager
async def provided(path: str = "") -> AsyncIterator[Provider]:
    """Serve a provider on a free port, below a path."""
    provider, whole, app = Provider(), web.Application(), web.Application()
    app.add_routes(
        [
            web.get("/.well-known/openid-configuration", provider.describe),
            web.get("/jwks", provider.jwks),
            web.get("/authorize", provider.authorize),
            web.post("/token", provider.token),
            web.get("/userinfo", provider.people),
            web.get("/session/end", provider.end),
        ]
    )
    if path:
        whole.add_subapp(path, app)
    runner = web.AppRunner(whole if path else app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        provider.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}{path}"
        yield provider
    finally:
        await runner.cleanup()
