"""A sign-in with an identity provider, there and back.

    start ─> the provider's page ─> back with a code ─> finish: attempt ─> token ─> identity ─> account ─> session

The attempt is kept by the database under a digest of a secret that the browser alone has: state, nonce and verifier are
made of that secret, so an answer that another browser was to have, or that comes twice, meets nothing. Whoever is not
bound to an account gets none: an e-mail, an organisation or a SIRET that a provider tells is not even read.
"""

import base64
import hmac
import json
import secrets
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import asyncpg
from aiohttp import web

from api import cookies, problems, signing
from api.access import digest, visitor
from api.context import ACCOUNTS, CLOCK, SETTINGS, doorkeeper
from api.guesses import FREE_BY_ADDRESS, failed, refuse_too_many, remote
from api.oidc.provider import Provider
from api.oidc.tokens import Expected, Identity, IdentityError, UnknownKeyError, challenge, derived, identity
from api.problems import ProblemError
from api.settings import OidcProvider
from domain.errors import NotFoundError
from store.access import accounts, audit, identities, links
from store.access.identities import Attempt
from store.access.sealing import Sealed, SealError

PROVIDERS: Final[web.AppKey[dict[str, Provider]]] = web.AppKey("oidc_providers")
VALID: Final = timedelta(minutes=10)
_HINT: Final = "identity token of a browser"
_MAX_HINT: Final = 2_700  # characters that, sealed, fit into a cookie of 4,096 bytes


class Finished(NamedTuple):
    """Where to go, with the session that was opened; None when an account was bound, whose session goes on."""

    following: str
    opened: signing.Opened | None
    token: str


def provider_of(request: web.Request) -> Provider:
    """Return the provider that the address names. Raises NotFoundError."""
    found = request.app[PROVIDERS].get(request.match_info["provider"])
    if found is None:
        raise NotFoundError
    return found


def back_to(request: web.Request, provider: Provider) -> str:
    """Return the address that a provider sends people back to: one for each, so that none answers for another."""
    return f"{request.app[SETTINGS].public_url}/connexion/oidc/{provider.settings.name}/retour"


async def start(request: web.Request, provider: Provider, attempt: Attempt) -> tuple[str, str]:
    """Return the provider's address to go to, and the secret that the browser keeps meanwhile.

    Raises ProviderUnavailableError, IdentityError.
    """
    metadata = await provider.metadata(request.app[CLOCK]())
    secret, settings = secrets.token_urlsafe(32), provider.settings
    async with doorkeeper(request) as connection:
        await identities.begin(connection, digest(secret), settings.name, attempt, VALID)
    asked = {
        "response_type": "code",
        "client_id": settings.client_id,
        "redirect_uri": back_to(request, provider),
        "scope": " ".join(settings.scopes),
        "state": derived(secret, "state"),
        "nonce": derived(secret, "nonce"),
        "code_challenge": challenge(derived(secret, "verifier")),
        "code_challenge_method": "S256",
    }
    if settings.acr_values:
        asked["acr_values"] = " ".join(settings.acr_values)
    if settings.idp_hint:
        asked["idp_hint"] = settings.idp_hint
    if metadata.takes_claims and (settings.strong_acr or settings.strong_amr):
        asked["claims"] = json.dumps({"id_token": _wanted(settings)})
    joint = "&" if "?" in metadata.authorization_endpoint else "?"
    return f"{metadata.authorization_endpoint}{joint}{urlencode(asked)}", secret


def _wanted(settings: OidcProvider) -> dict[str, Any]:
    """Return the claims that tell of a second factor: wanted, and not insisted upon, as ours is asked for without.

    ProConnect tells `amr` to who asks for it alone.
    """
    ways = {"amr": {"essential": False}} if settings.strong_amr else {}
    return ways | ({"acr": {"essential": False, "values": [*settings.strong_acr]}} if settings.strong_acr else {})


async def finish(request: web.Request, provider: Provider) -> Finished:
    """Open a session for whom the provider says is there, or bind them to the account that asked.

    Raises IdentityError, ProblemError when the identity is no account's or of another one (the audit log tells of
    both), and ProviderUnavailableError.
    """
    by_address = f"address:{remote(request)}"
    refuse_too_many(request, (by_address, FREE_BY_ADDRESS))
    try:
        attempt, found, token = await _identified(request, provider)
        opened = await _admitted(request, provider, attempt, found)
    except (IdentityError, ProblemError) as error:
        failed(request, by_address)
        async with doorkeeper(request) as connection:
            detail = {"address": remote(request), "reason": str(error)[:300]}
            await audit.append(connection, "session.refused", actor=f"oidc:{provider.settings.name}", detail=detail)
        raise
    return Finished(attempt.following, opened, _hint(request, token))


def _hint(request: web.Request, token: str) -> str:
    """Return the token as the browser keeps it until one signs out: sealed, nothing of it can be read there."""
    if len(token) > _MAX_HINT:
        return ""
    return base64.urlsafe_b64encode(request.app[signing.KEYRING].seal(token.encode(), _HINT).packed()).decode()


async def _admitted(
    request: web.Request, provider: Provider, attempt: Attempt, found: Identity
) -> signing.Opened | None:
    """Open a session for an identity, or bind it to the account that asked (None). Raises ProblemError."""
    strong = found.acr in provider.settings.strong_acr or not found.amr.isdisjoint(provider.settings.strong_amr)
    if attempt.account_id is not None:
        await _bind_own(request, attempt.account_id, found)
        return None
    if attempt.link is not None:
        return await _accept(request, provider, attempt.link, found, strong=strong)
    return await _known(request, provider, found, strong=strong)


async def _identified(request: web.Request, provider: Provider) -> tuple[Attempt, Identity, str]:
    now, settings = request.app[CLOCK](), provider.settings
    secret = cookies.attempt(request)
    if secret is None:
        raise IdentityError("no sign-in was begun in this browser")
    async with doorkeeper(request) as connection:  # taken before anything is looked at: there is one answer
        attempt = await identities.take(connection, digest(secret), settings.name)
    if attempt is None:
        raise IdentityError("this sign-in was answered already, is too old, or went to another provider")
    answer = _answer(request)
    if not hmac.compare_digest(answer.get("state", "").encode(), derived(secret, "state").encode()):
        raise IdentityError("the answer is not to the sign-in that was begun in this browser")
    metadata = await provider.metadata(now)
    if answer.get("iss", settings.issuer) != settings.issuer or (metadata.names_itself and "iss" not in answer):
        raise IdentityError("the answer is another provider's")
    if "error" in answer or "code" not in answer:
        raise IdentityError(f"the provider says {answer.get('error', 'nothing')[:100]!r}")
    token = await provider.redeem(answer["code"], derived(secret, "verifier"), back_to(request, provider), now)
    expected = Expected(settings.issuer, settings.client_id, derived(secret, "nonce"))
    return attempt, await _believed(provider, token, expected, now), token


def _answer(request: web.Request) -> dict[str, str]:
    """Return what the provider says by the browser; said twice, it is refused."""
    if len(request.query) != len(set(request.query)):
        raise IdentityError("the answer says something twice")
    return dict(request.query)


async def _believed(provider: Provider, token: str, expected: Expected, now: datetime) -> Identity:
    try:
        return identity(token, await provider.keys(now), expected, now)
    except UnknownKeyError:  # it may have changed its keys
        return identity(token, await provider.keys(now, again=True), expected, now)


async def _known(request: web.Request, provider: Provider, found: Identity, *, strong: bool) -> signing.Opened:
    person = await identities.known(request.app[ACCOUNTS], found.issuer, found.subject)
    if person is None:
        raise ProblemError(problems.IDENTITY_UNKNOWN)
    return await _opened(request, provider, person.account_id, strong=strong)


async def _accept(
    request: web.Request, provider: Provider, link: bytes, found: Identity, *, strong: bool
) -> signing.Opened:
    """Bind the identity to the account that was invited, and use the invitation up: both, or neither."""
    async with doorkeeper(request) as connection:
        invited = await links.use_link(connection, link)
        if invited is None or invited.kind != "invitation":
            raise ProblemError(problems.LINK_EXPIRED)
        await _bind(connection, found, invited.account_id, invited.email)
        await links.forget_links(connection, invited.account_id, "invitation", "reset", "sign_in")
    return await _opened(request, provider, invited.account_id, strong=strong)


async def _bind_own(request: web.Request, account_id: int, found: Identity) -> None:
    account = visitor(request)
    if account is None or account.session_id is None or account.account_id != account_id:
        raise ProblemError(problems.UNAUTHENTICATED)
    async with doorkeeper(request) as connection:
        await _bind(connection, found, account_id, account.email)


async def _bind(connection: asyncpg.Connection, found: Identity, account_id: int, email: str) -> None:
    try:
        await identities.bind(connection, found.issuer, found.subject, account_id)
    except identities.TakenError as error:
        raise ProblemError(problems.IDENTITY_UNKNOWN) from error
    detail = {"issuer": found.issuer}
    await audit.append(connection, "identity.bound", actor=email, account_id=account_id, detail=detail)


async def _opened(request: web.Request, provider: Provider, account_id: int, *, strong: bool) -> signing.Opened:
    known = await accounts.credential_of(request.app[ACCOUNTS], account_id)
    if known is None or known.is_disabled:
        raise ProblemError(problems.IDENTITY_UNKNOWN)
    return await signing.open_for(request, known, by=f"oidc:{provider.settings.name}", is_strong=strong)


async def way_out(request: web.Request, provider: Provider, hint: str) -> str:
    """Return the provider's address at which one signs out there too, '' when it has none.

    Source: OpenID Connect RP-Initiated Logout 1.0. Raises ProviderUnavailableError, IdentityError.
    """
    try:
        sealed = Sealed.unpacked(base64.urlsafe_b64decode(hint))
        token = request.app[signing.KEYRING].open(sealed, _HINT).decode()
    except (ValueError, SealError) as error:
        raise IdentityError("this browser does not say who signed in") from error
    metadata = await provider.metadata(request.app[CLOCK]())
    if not metadata.end_session_endpoint:
        return ""
    asked = {
        "id_token_hint": token,
        "post_logout_redirect_uri": f"{request.app[SETTINGS].public_url}/connexion",
        "state": secrets.token_urlsafe(24),
    }
    joint = "&" if "?" in metadata.end_session_endpoint else "?"
    return f"{metadata.end_session_endpoint}{joint}{urlencode(asked)}"
