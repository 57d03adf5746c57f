"""Sign in, accept an invitation or bind an account by an identity provider: /connexion/oidc/<provider>."""

from typing import Final

from aiohttp import web

from api import cookies, problems, signing
from api.access import PUBLIC, SIGNED_IN, digest, require
from api.context import ACCOUNTS, doorkeeper
from api.oidc import flow
from api.oidc.provider import Provider, ProviderUnavailableError
from api.oidc.tokens import IdentityError
from api.pages import rendering
from api.pages.connexion import CODE_PATH, ENROL_PATH
from api.pages.forms import form
from api.problems import ProblemError
from store.access import audit, identities
from store.access.identities import Attempt
from store.access.links import link

START_PATH: Final = "/connexion/oidc/{provider}"
BACK_PATH: Final = "/connexion/oidc/{provider}/retour"
OUT_PATH: Final = "/connexion/oidc/{provider}/fin"
ACCEPT_PATH: Final = "/connexion/mot-de-passe/{secret}/{provider}"
BIND_PATH: Final = "/compte/identites/{provider}"
UNBIND_PATH: Final = "/compte/identites/{provider}/retrait"


async def _off(request: web.Request, provider: Provider, attempt: Attempt) -> web.Response:
    """Send the browser to the provider, with what its answer will be met with."""
    try:
        address, secret = await flow.start(request, provider, attempt)
    except ProviderUnavailableError as error:
        raise ProblemError(problems.PROVIDER_UNAVAILABLE, str(error)) from error
    except IdentityError as error:
        raise ProblemError(problems.IDENTITY_REFUSED, str(error)) from error
    answer = rendering.onward(address)
    cookies.give_attempt(request, answer, secret)
    return answer


@require(PUBLIC)
async def start(request: web.Request) -> web.Response:
    """Go to the provider to sign in."""
    following = signing.local(request.query.get("next"))
    return await _off(request, flow.provider_of(request), Attempt(following, None, None))


@require(PUBLIC)
async def accept(request: web.Request) -> web.Response:
    """Go to the provider to accept an invitation: what it says who one is will open the account from then on."""
    provider, bearer = flow.provider_of(request), digest(request.match_info["secret"])
    found = await link(request.app[ACCOUNTS], bearer)
    if found is None or found.kind != "invitation":
        raise ProblemError(problems.LINK_EXPIRED)
    return await _off(request, provider, Attempt("/", None, bearer))


@require(SIGNED_IN)
async def bind(request: web.Request) -> web.Response:
    """Go to the provider to bind what it says who one is to one's account."""
    account = await signing.refuse_stale(request)
    return await _off(request, flow.provider_of(request), Attempt("/compte", account.account_id, None))


@require(SIGNED_IN)
async def unbind(request: web.Request) -> web.Response:
    """Let the provider open the account no more."""
    account = await signing.refuse_stale(request)
    await form(request)
    issuer = flow.provider_of(request).settings.issuer
    async with doorkeeper(request) as connection:
        if await identities.unbind(connection, account.account_id, issuer):
            detail = {"issuer": issuer}
            await audit.append(
                connection, "identity.unbound", actor=account.email, account_id=account.account_id, detail=detail
            )
    raise web.HTTPSeeOther("/compte")


@require(PUBLIC)
async def back(request: web.Request) -> web.Response:
    """Take the provider's answer, and go on."""
    provider = flow.provider_of(request)
    try:
        finished = await flow.finish(request, provider)
    except ProviderUnavailableError as error:
        raise ProblemError(problems.PROVIDER_UNAVAILABLE, str(error)) from error
    except IdentityError as error:
        raise ProblemError(problems.IDENTITY_REFUSED, str(error)) from error
    answer = rendering.onward(finished.following)
    if finished.opened is not None:
        if finished.opened.is_pending:
            answer = rendering.onward(ENROL_PATH if finished.opened.lacks_factor else CODE_PATH)
        signing.give(request, answer, finished.opened)
        cookies.give_provider(request, answer, provider.settings.name, finished.token)
    cookies.take_attempt(request, answer)
    return answer


@require(PUBLIC)
async def out(request: web.Request) -> web.Response:
    """Answer that one is signed out here, and go on to sign out at the provider too.

    A page, not a redirect: the form that signs out may lead to this site alone (form-action of our policy).
    """
    provider = flow.provider_of(request)
    name, token = cookies.provider(request)
    address = ""
    if name == provider.settings.name and token:
        try:
            address = await flow.way_out(request, provider, token)
        except (ProviderUnavailableError, IdentityError):
            address = ""  # one is signed out here in any case
    answer = rendering.html(request, "sortie.html", address=address, label=provider.settings.label)
    if address:
        answer.headers["Refresh"] = f"0; url={address}"
    answer.headers["Cache-Control"] = "no-store"
    cookies.take_provider(request, answer)
    return answer


ROUTES: Final = (
    web.get(START_PATH, start),
    web.get(BACK_PATH, back),
    web.get(OUT_PATH, out),
    web.get(ACCEPT_PATH, accept),
    web.get(BIND_PATH, bind),
    web.post(UNBIND_PATH, unbind),
)
