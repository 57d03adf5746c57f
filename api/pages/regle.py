"""The page of one rule, /t/<slug>/regles/<number>: what it does, what it would have done, what it found."""

import json
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from alerting import rules
from api.access import MANAGE, READ, require
from api.context import CLOCK, reader, writer
from api.pages import conditions, rendering, watching
from api.pages.forms import form
from api.pages.rendering import Crumb
from api.parameters import Asked, Id, of_path
from api.problems import TOO_MANY_BACKTESTS, ProblemError
from api.rules_told import backtest_of
from api.ruling import RULE_DESK
from api.tenancy import tenant_of
from store.access import audit
from store.access.bearer import may
from store.alerting import rules as stored

PATH: Final = r"/t/{slug}/regles/{id:\d+}"
TRY: Final = PATH + "/essai"
SWITCH: Final = PATH + "/service"
DELETE: Final = PATH + "/suppression"
_ALERTS: Final = 20


class RulePath(Asked):
    """One rule of a tenant."""

    slug: str
    id: Id


@require(READ)
async def show(request: web.Request) -> web.Response:
    """Answer what a rule does, what it would have done, and what it found."""
    rendering.query(request)
    number, texts = of_path(request, RulePath).id, rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        row = await stored.rule(connection, number, tenant.tenant_id)
        alerts = await stored.alerts_of_rule(connection, tenant.tenant_id, number, _ALERTS)
        manages = await may(connection, tenant.tenant_id, MANAGE)
    zone, address = ZoneInfo(tenant.time_zone), rendering.tenant_address(tenant, "regles")
    definition = rules.parse(row.kind, json.loads(row.definition))
    backtest = None
    if row.backtest is not None:
        found = backtest_of(row, watching.language_of(texts))
        backtest = watching.shown(found, definition.series()[0].quantity, zone, texts)
    return rendering.html(
        request,
        "regle.html",
        tenant=tenant,
        crumbs=[Crumb(texts("nav.regles"), address)],
        rule=row,
        line=watching.line(row, address, texts),
        advice=definition.ADVICE[watching.language_of(texts)],
        backtest=backtest,
        alerts=watching.fired(alerts, row, zone, texts),
        manages=manages,
        editable=row.kind != "combined" or conditions.filled(json.loads(row.definition)["when"]) is not None,
    )


@require(MANAGE)
async def try_again(request: web.Request) -> web.Response:
    """Try a rule on the past."""
    await form(request)
    number = of_path(request, RulePath).id
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        try:
            done = await request.app[RULE_DESK].backtest(connection, tenant.tenant_id, number, request.app[CLOCK](), 90)
        except rules.RuleError:
            return rendering.onward(rendering.tenant_address(tenant, "regles", number), done="too_much")
        if not done:
            raise ProblemError(TOO_MANY_BACKTESTS)
    return rendering.onward(rendering.tenant_address(tenant, "regles", number), done="tried")


@require(MANAGE)
async def switch(request: web.Request) -> web.Response:
    """Enable a rule, or disable it."""
    given = await form(request, "on")
    number, on = of_path(request, RulePath).id, given["on"] == "1"
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        row = await stored.rule(connection, number, tenant.tenant_id)
        if on and row.backtest is None:
            return rendering.onward(rendering.tenant_address(tenant, "regles", number))
        if on:
            await stored.enable_rule(connection, number)
        else:
            await stored.disable_rule(connection, number)
        await audit.append_own(
            connection,
            "rule.enabled" if on else "rule.disabled",
            tenant_id=tenant.tenant_id,
            subject=str(number),
            detail={"name": row.name, "version": row.version},
        )
    return rendering.onward(rendering.tenant_address(tenant, "regles", number), done="rule_on" if on else "rule_off")


@require(MANAGE)
async def delete(request: web.Request) -> web.Response:
    """Take a rule off the list."""
    await form(request)
    number = of_path(request, RulePath).id
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        row = await stored.rule(connection, number, tenant.tenant_id)
        await stored.disable_rule(connection, number, forget=True)
        await audit.append_own(
            connection, "rule.deleted", tenant_id=tenant.tenant_id, subject=str(number), detail={"name": row.name}
        )
    return rendering.onward(rendering.tenant_address(tenant, "regles"), done="removed")


ROUTES: Final = (
    web.get(PATH, show),
    web.post(TRY, try_again),
    web.post(SWITCH, switch),
    web.post(DELETE, delete),
)
