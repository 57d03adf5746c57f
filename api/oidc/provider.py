"""What is asked of an identity provider: its description, its keys, and a token for a code.

Source: OpenID Connect Discovery 1.0; RFC 6749, 4.1.3; RFC 9207 (whether it names itself in its answers).
Nothing is followed elsewhere, answers are bounded, and every address must be as safe as the issuer's own.
"""

import asyncio
import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import quote_plus, urlsplit

import aiohttp
from joserfc.jwk import KeySet

from api.oidc.tokens import IdentityError, key_set
from api.settings import OidcProvider
from domain.errors import SamaraError

_KEPT: Final = timedelta(hours=1)
_AGAIN: Final = timedelta(minutes=1)  # a token that names an unknown key makes us look again, no more often than that
_MAX_BYTES: Final = 256 * 1024


class ProviderUnavailableError(SamaraError):
    """The identity provider does not answer, or not as it should; trying again later can help."""


class Metadata(NamedTuple):
    """Where a provider is asked what (its discovery document), and how."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str  # '' where it has none
    names_itself: bool  # its answers bear `iss`
    by_header: bool  # the secret goes into Authorization, not into the body
    takes_claims: bool  # it is told which claims are wanted (OpenID Connect Core 1.0, 5.5)


class Provider:
    """One provider, as this process knows it: what it publishes is kept for an hour."""

    def __init__(self, settings: OidcProvider, http: aiohttp.ClientSession) -> None:
        self.settings = settings
        self._http = http
        self._timeout = aiohttp.ClientTimeout(total=settings.timeout_s)
        self._metadata: tuple[datetime, Metadata] | None = None
        self._keys: tuple[datetime, KeySet] | None = None
        self._turn = asyncio.Lock()

    async def metadata(self, now: datetime) -> Metadata:
        """Return the provider's description. Raises ProviderUnavailableError, IdentityError."""
        async with self._turn:
            if self._metadata is None or now - self._metadata[0] >= _KEPT:
                address = discovery_of(self.settings.issuer)
                self._metadata = now, described(await self._get(address), self.settings.issuer)
            return self._metadata[1]

    async def keys(self, now: datetime, *, again: bool = False) -> KeySet:
        """Return the provider's keys; read `again` when they lack one. Raises as `metadata`."""
        uri = (await self.metadata(now)).jwks_uri
        async with self._turn:
            if self._keys is None or now - self._keys[0] >= (_AGAIN if again else _KEPT):
                self._keys = now, key_set(await self._get(uri))
            return self._keys[1]

    async def redeem(self, code: str, verifier: str, redirect_uri: str, now: datetime) -> str:
        """Return the identity token for a code. Raises IdentityError when it is refused, ProviderUnavailableError."""
        metadata = await self.metadata(now)
        client_id, secret = self.settings.client_id, self.settings.client_secret.get_secret_value()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "client_id": client_id,
        }
        headers = {"Accept": "application/json"}
        if metadata.by_header:  # RFC 6749, 2.3.1: each is encoded before the two are
            pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_secret"] = secret
        status, told = await self._ask("POST", metadata.token_endpoint, data=form, headers=headers)
        if status >= 500:
            raise ProviderUnavailableError(f"{metadata.token_endpoint} answered {status}")
        token = told.get("id_token") if isinstance(told, Mapping) else None
        if status != 200 or not isinstance(token, str):
            said = told.get("error") if isinstance(told, Mapping) else None
            raise IdentityError(f"the provider gave no identity for the code: {status} {str(said)[:100]}")
        return token

    async def _get(self, address: str) -> Any:
        status, told = await self._ask("GET", address, headers={"Accept": "application/json"})
        if status != 200:
            raise ProviderUnavailableError(f"{address} answered {status}")
        return told

    async def _ask(self, method: str, address: str, **arguments: Any) -> tuple[int, Any]:
        try:
            async with self._http.request(
                method, address, timeout=self._timeout, allow_redirects=False, **arguments
            ) as answer:
                body = b""
                async for chunk in answer.content.iter_any():
                    body += chunk
                    if len(body) > _MAX_BYTES:
                        raise ProviderUnavailableError(f"{address} answered more than {_MAX_BYTES} bytes")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ProviderUnavailableError(f"{address}: {error or type(error).__name__}") from error
        try:
            return answer.status, json.loads(body)
        except (ValueError, RecursionError) as error:
            if answer.status != 200:
                return answer.status, None
            raise ProviderUnavailableError(f"{address} did not answer JSON") from error


def discovery_of(issuer: str) -> str:
    """Return where an issuer describes itself (OpenID Connect Discovery 1.0, 4)."""
    return issuer.rstrip("/") + "/.well-known/openid-configuration"


def described(document: Any, issuer: str) -> Metadata:
    """Return what a discovery document says. Raises IdentityError when it is another's, or leads to unsafe places."""
    if not isinstance(document, Mapping) or document.get("issuer") != issuer:
        raise IdentityError(f"the description is not of {issuer}")
    methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    challenges = document.get("code_challenge_methods_supported", ["S256"])
    if "S256" not in challenges:
        raise IdentityError(f"{issuer} takes no S256 challenge")
    return Metadata(
        authorization_endpoint=_address(document, "authorization_endpoint", issuer),
        token_endpoint=_address(document, "token_endpoint", issuer),
        jwks_uri=_address(document, "jwks_uri", issuer),
        end_session_endpoint=_address(document, "end_session_endpoint", issuer, needed=False),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        by_header="client_secret_post" not in methods,
        takes_claims=document.get("claims_parameter_supported") is True,
    )


def _address(document: Mapping[str, Any], name: str, issuer: str, *, needed: bool = True) -> str:
    value = document.get(name)
    if value is None and not needed:
        return ""
    parts = urlsplit(value) if isinstance(value, str) else None
    own = urlsplit(issuer)
    if parts is None or not parts.hostname or parts.fragment or "@" in parts.netloc:
        raise IdentityError(f"{name} of {issuer} is not an address")
    if parts.scheme != "https" and (parts.scheme, parts.hostname) != (own.scheme, own.hostname):
        raise IdentityError(f"{name} of {issuer} is not https")
    return str(value)
