"""Whether a tenant lets itself be compared with others by name, and by how many inhabitants."""

from datetime import datetime
from typing import Annotated, Final

import asyncpg
from aiohttp import web
from pydantic import Field

from api import models, tenancy
from api.access import MANAGE, READ, account_of, require
from api.context import reader
from api.endpoint import get, patch
from api.parameters import WHOLE, Asked, OfTenant
from api.problems import NOT_ITS_OWN_VOICE, ProblemError
from store import comparing
from store.access import audit
from store.reading.territory import Tenant

PATH: Final = "/api/v1/comparison"


class ChangedComparison(Asked):
    """What is to be otherwise; the rest stays. `inhabitants` and `population_year` go together."""

    agrees: bool = False
    inhabitants: Annotated[int, Field(ge=1, le=99_999_999), WHOLE] = 1
    population_year: Annotated[int, Field(ge=1990, le=2100), WHOLE] = 2026


class Comparison(models.Resource):
    """Whether a tenant agreed to be compared by name, since when and by whom; its legal population, of 1 January."""

    agrees: bool
    agreed_by: str | None
    agreed_at: datetime | None
    inhabitants: int | None
    population_year: int | None


@require(READ)
async def read_comparison(request: web.Request, query: OfTenant) -> Comparison:
    """Tell whether a tenant agreed to be compared."""
    del query
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        return _told(await comparing.standing(connection, tenant.tenant_id))


async def _held(request: web.Request, connection: asyncpg.Connection) -> Comparison:
    tenant = await tenancy.tenant_of(request, connection)
    return _told(await comparing.standing(connection, tenant.tenant_id))


def _told(found: comparing.Standing) -> Comparison:
    return Comparison(
        agrees=found.agreed_at is not None,
        agreed_by=found.agreed_by,
        agreed_at=found.agreed_at,
        inhabitants=found.inhabitants,
        population_year=found.year,
    )


@require(MANAGE)
async def change_comparison(
    request: web.Request, connection: asyncpg.Connection, body: ChangedComparison
) -> Comparison:
    """Agree to be compared or withdraw that, at any time; say how many live there."""
    tenant = await tenancy.tenant_of(request, connection)
    given = body.model_dump(exclude_unset=True)
    if "inhabitants" in given:
        await tell_population(connection, tenant, body.inhabitants, body.population_year)
    if "agrees" in given:
        await decide(request, connection, tenant, agrees=body.agrees)
    return _told(await comparing.standing(connection, tenant.tenant_id))


async def decide(request: web.Request, connection: asyncpg.Connection, tenant: Tenant, *, agrees: bool) -> None:
    """Agree in a tenant's name, or withdraw. Raises ProblemError when who asks does not speak for it."""
    held = await comparing.standing(connection, tenant.tenant_id)
    if agrees == (held.agreed_at is not None):
        return
    if agrees:
        if not held.may_agree:
            raise ProblemError(NOT_ITS_OWN_VOICE)
        account = account_of(request)
        await comparing.agree(connection, tenant.tenant_id, account.account_id, account.name or account.email)
    else:
        await comparing.withdraw(connection, tenant.tenant_id)
    action = "comparison.agreed" if agrees else "comparison.withdrawn"
    await audit.append_own(connection, action, tenant_id=tenant.tenant_id, subject=tenant.slug)


async def tell_population(connection: asyncpg.Connection, tenant: Tenant, inhabitants: int, year: int) -> None:
    """Keep how many live there."""
    await comparing.set_population(connection, tenant.tenant_id, inhabitants, year)
    detail = {"inhabitants": inhabitants, "year": year}
    await audit.append_own(
        connection, "comparison.population", tenant_id=tenant.tenant_id, subject=tenant.slug, detail=detail
    )


ROUTES: Final = (
    get(PATH, read_comparison),
    patch(PATH, change_comparison, query=OfTenant, problems=(NOT_ITS_OWN_VOICE,), held=_held),
)
