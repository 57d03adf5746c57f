"""What an identity token must be before anything of it is believed. Pure: keys and the present are arguments.

Source: OpenID Connect Core 1.0, 3.1.3.7; RFC 7636 (PKCE); RFC 8725 (best practice of JSON Web Tokens).
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from domain.errors import SamaraError

ALGORITHMS: Final = ("RS256", "PS256", "ES256")  # a key of the provider's own: never none, never a shared secret
LEEWAY_S: Final = 60  # by which two clocks may differ
OLDEST_S: Final = 600  # a token is asked for and used at once
_MAX_SUBJECT: Final = 255  # OpenID Connect Core 1.0, 2
_KINDS: Final = ("RSA", "EC")


class IdentityError(SamaraError):
    """The identity provider's answer is not believed; nobody was signed in."""


class UnknownKeyError(IdentityError):
    """The token names a key that the provider had not published when its keys were read last."""


class Expected(NamedTuple):
    """What a token must say: who issued it, for whom, in answer to which request."""

    issuer: str
    client_id: str
    nonce: str


class Identity(NamedTuple):
    """Who somebody is at a provider. `acr` is how sure it is, `amr` how they showed it, in its own words."""

    issuer: str
    subject: str
    acr: str
    amr: frozenset[str] = frozenset()


def derived(secret: str, what: str) -> str:
    """Return 43 characters that only the holder of the secret can make, for one purpose: state, nonce or verifier."""
    return _encoded(hmac.digest(secret.encode(), what.encode(), "sha256"))


def challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636, 4.2)."""
    return _encoded(hashlib.sha256(verifier.encode()).digest())


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def key_set(published: Any) -> KeySet:
    """Return the provider's public keys for signatures. Raises IdentityError when there is none."""
    listed = published.get("keys") if isinstance(published, Mapping) else None
    usable = [
        key
        for key in (listed if isinstance(listed, list) else [])
        if isinstance(key, dict) and key.get("kty") in _KINDS and key.get("use", "sig") == "sig"
    ]
    try:
        return KeySet.import_key_set({"keys": usable})
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise IdentityError(f"the provider's keys cannot be read: {error}") from error


def identity(token: str, keys: KeySet, expected: Expected, now: datetime) -> Identity:
    """Return who the token is of. Raises IdentityError, saying what is wrong, and UnknownKeyError."""
    try:
        claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
        _registry(expected, now).validate(claims)
    except InvalidKeyIdError as error:
        raise UnknownKeyError(str(error)) from error
    except (JoseError, ValueError, TypeError) as error:
        raise IdentityError(f"the identity token is refused: {error}") from error
    wrong = _wrong(claims, expected, int(now.timestamp()))
    if wrong:
        raise IdentityError(f"the identity token is refused: {wrong}")
    acr, amr = claims.get("acr"), claims.get("amr")
    ways = frozenset(one for one in amr if isinstance(one, str)) if isinstance(amr, list) else frozenset()
    return Identity(expected.issuer, claims["sub"], acr if isinstance(acr, str) else "", ways)


def _registry(expected: Expected, now: datetime) -> JWTClaimsRegistry:
    return JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=LEEWAY_S,
        iss={"essential": True, "value": expected.issuer},
        aud={"essential": True, "value": expected.client_id},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
        nonce={"essential": True},
    )


def _wrong(claims: Mapping[str, Any], expected: Expected, now_s: int) -> str:
    """Say what is wrong with claims whose types, issuer, audience and times are right; '' when nothing is."""
    audience = claims["aud"]
    if claims.get("azp", expected.client_id) != expected.client_id:
        return "it was made for another client"
    if isinstance(audience, list) and len(audience) > 1 and "azp" not in claims:
        return "it is for several, and does not say for whom it was made"
    if not isinstance(claims["nonce"], str) or not hmac.compare_digest(
        claims["nonce"].encode(), expected.nonce.encode()
    ):
        return "it answers another request"
    if claims["iat"] < now_s - OLDEST_S - LEEWAY_S:
        return "it is too old"
    if not (0 < len(claims["sub"]) <= _MAX_SUBJECT and claims["sub"].isascii() and claims["sub"].isprintable()):
        return "its subject is none"
    return ""
