"""Keys of programs: each does what its account may, and no more than its own rights. Told once, when it is made."""

import secrets
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from aiohttp import web
from pydantic import AwareDatetime, Field

from api import problems, signing
from api.access import HEALTH, SIGNED_IN, account_of, digest, require
from api.answers import refuse_changed
from api.context import ACCOUNTS, CLOCK, doorkeeper, reader
from api.endpoint import door, get
from api.models import Answer
from api.parameters import Asked, IdPath, Slug, Text
from api.problems import ProblemError
from domain.errors import NotFoundError
from store.access import audit, keys
from store.access.bearer import Account
from store.reading.territory import tenant_by_slug

PATH: Final = "/api/v1/keys"
LONGEST: Final = timedelta(days=366)
_MOST: Final = 50  # keys in force of one account

Permission = Literal["health", "read", "manage", "install", "supervise", "administer"]


class NewKey(Asked):
    """A key to be made. Without `tenant` it is of all the account's tenants."""

    name: Text
    permissions: Annotated[
        list[Permission],
        Field(min_length=1, max_length=6, description="of those of the account; health comes with each"),
    ]
    tenant: Slug | None = None
    expires_at: Annotated[AwareDatetime, Field(description="a year from now at the latest")]


class ApiKey(Answer):
    """A key in force. `hint` is its beginning; `tenant` null for all the account's tenants."""

    id: int
    name: str
    hint: str
    permissions: list[str]
    tenant: str | None
    created_at: datetime
    expires_at: datetime


class MadeKey(Answer):
    """A key that was just made. `secret` is told now and never again: send it as `Authorization: Bearer smr_…`."""

    id: int
    secret: str
    expires_at: datetime


class ApiKeys(Answer):
    """The keys of an account that are in force."""

    items: list[ApiKey]


async def _own(request: web.Request) -> list[ApiKey]:
    found = await keys.keys_of(request.app[ACCOUNTS], account_of(request).account_id)
    return [
        ApiKey(
            id=one.key_id,
            name=one.name,
            hint=one.hint,
            permissions=one.permissions,
            tenant=one.tenant,
            created_at=one.created_at,
            expires_at=one.expires_at,
        )
        for one in found
    ]


@require(SIGNED_IN)
async def list_keys(request: web.Request) -> ApiKeys:
    """List one's own keys that are in force."""
    return ApiKeys(items=await _own(request))


@require(SIGNED_IN)
async def get_key(request: web.Request, path: IdPath) -> ApiKey:
    """Tell one of one's own keys that is in force."""
    found = next((one for one in await _own(request) if one.id == path.id), None)
    if found is None:
        raise NotFoundError
    return found


async def make(request: web.Request, account: Account, wanted: NewKey) -> MadeKey:
    """Make a key of the account. Raises ProblemError when it would do more, or last longer, than it may."""
    now = request.app[CLOCK]()
    permissions = {HEALTH, *wanted.permissions}  # without it nothing is seen of a tenant, not even that it is there
    excess = sorted(permissions - account.permissions)
    if excess:
        raise ProblemError(problems.NO_SUCH_KEY, f"The account itself has not: {', '.join(excess)}.")
    if not now < wanted.expires_at <= now + LONGEST:
        raise ProblemError(problems.NO_SUCH_KEY, "`expires_at` is not within a year from now.")
    tenant_id = await _tenant_id(request, wanted.tenant)
    secret = f"smr_{secrets.token_urlsafe(32)}"
    async with doorkeeper(request) as connection:
        if len(await keys.keys_of(connection, account.account_id)) >= _MOST:
            raise ProblemError(problems.CONFLICT, f"An account has {_MOST} keys at most; revoke one first.")
        key_id = await keys.add_key(
            connection,
            digest(secret),
            account.account_id,
            name=wanted.name,
            hint=secret[:8],
            permissions=permissions,
            tenant_id=tenant_id,
            expires_at=wanted.expires_at,
        )
        detail = {"key": key_id, "permissions": sorted(permissions), "tenant": wanted.tenant}
        await audit.append(
            connection,
            "key.made",
            actor=account.email,
            account_id=account.account_id,
            tenant_id=tenant_id,
            subject=secret[:8],
            detail=detail,
        )
    return MadeKey(id=key_id, secret=secret, expires_at=wanted.expires_at)


async def _tenant_id(request: web.Request, slug: str | None) -> int | None:
    if slug is None:
        return None
    async with reader(request) as connection:
        return (await tenant_by_slug(connection, slug)).tenant_id


async def revoke(request: web.Request, account: Account, key_id: int) -> None:
    """End a key of the account at once. Raises NotFoundError."""
    async with doorkeeper(request) as connection:
        if not await keys.revoke_key(connection, account.account_id, key_id):
            raise NotFoundError
        await audit.append(
            connection, "key.revoked", actor=account.email, account_id=account.account_id, detail={"key": key_id}
        )


@require(SIGNED_IN)
async def create_key(request: web.Request, body: NewKey) -> web.StreamResponse:
    """Make a key for a program; it is told once.

    For who signed in with a browser not long ago: a key makes no keys.
    """
    made = await make(request, await signing.refuse_stale(request), body)
    headers = {"Cache-Control": "no-store"}
    return web.Response(text=made.model_dump_json(), content_type="application/json", status=201, headers=headers)


@require(SIGNED_IN)
async def revoke_key(request: web.Request, path: IdPath) -> web.StreamResponse:
    """End a key at once."""
    person = signing.person_of(request)
    if request.if_match is not None:
        refuse_changed(request, await get_key(request, path))
    await revoke(request, person, path.id)
    return web.Response(status=204)


_REFUSED: Final = (problems.FORBIDDEN, problems.SIGN_IN_AGAIN, problems.NO_SUCH_KEY)
ROUTES: Final = (
    get(PATH, list_keys),
    get(f"{PATH}/{{id}}", get_key),
    door("POST", PATH, create_key, status=201, answer=MadeKey, problems=_REFUSED),
    door("DELETE", f"{PATH}/{{id}}", revoke_key, status=204, problems=(problems.FORBIDDEN, problems.CHANGED_MEANWHILE)),
)
