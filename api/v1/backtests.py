"""Rules tried on the past, before they are enabled."""

from typing import Annotated, Final

import asyncpg
from aiohttp import web
from pydantic import Field

from alerting.rules import RuleError
from api import tenancy
from api.access import MANAGE, READ, require
from api.context import CLOCK, reader
from api.endpoint import get, post
from api.parameters import WHOLE, Asked, IdPath, OfTenant
from api.problems import NO_SUCH_RULE, TOO_MANY_BACKTESTS, ProblemError
from api.rules_told import Backtest, backtest_of
from api.ruling import RULE_DESK, language_of
from store.alerting import rules as stored

PATH: Final = "/api/v1/rules/{id}/backtest"


class Tried(Asked):
    """How far back to try a rule."""

    days: Annotated[int, Field(ge=1, le=366), WHOLE] = 90


@require(READ)
async def get_backtest(request: web.Request, path: IdPath, query: OfTenant) -> Backtest:
    """Tell what a rule would have done, as it was tried last; 404 before this version was."""
    del query
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        found = await stored.rule(connection, path.id, tenant.tenant_id)
    return backtest_of(found, language_of(request))


@require(MANAGE)
async def try_rule(request: web.Request, connection: asyncpg.Connection, path: IdPath, body: Tried) -> Backtest:
    """Try a rule on the past: when it would have fired, and why. Then it can be enabled."""
    tenant = await tenancy.tenant_of(request, connection)
    now = request.app[CLOCK]()
    try:
        done = await request.app[RULE_DESK].backtest(connection, tenant.tenant_id, path.id, now, body.days)
    except RuleError as error:
        raise ProblemError(NO_SUCH_RULE, str(error)) from error
    if not done:
        raise ProblemError(TOO_MANY_BACKTESTS)
    return backtest_of(await stored.rule(connection, path.id, tenant.tenant_id), language_of(request))


ROUTES: Final = (
    get(PATH, get_backtest),
    post(PATH, try_rule, query=OfTenant, problems=(NO_SUCH_RULE, TOO_MANY_BACKTESTS)),
)
