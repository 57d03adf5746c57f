"""The page of what a tenant has watched, /t/<slug>/regles, and the rules of a template for a whole site."""

from typing import Final

from aiohttp import web

from alerting import rules
from api.access import MANAGE, READ, require
from api.context import CLOCK, reader, writer
from api.pages import rendering, watching
from api.pages.forms import form
from api.pages.navigation import Entry
from api.pages.rendering import Crumb
from api.pagination import everything
from api.problems import TOO_MANY_BACKTESTS, ProblemError
from api.query import MAX_ID
from api.ruling import RULE_DESK
from api.tenancy import tenant_of
from store.access import audit
from store.access.bearer import may
from store.alerting import rules as stored
from store.alerting.subjects import measured_quantities
from store.reading import territory

PATH: Final = "/t/{slug}/regles"
ENABLE: Final = PATH + "/activer"
TEMPLATES: Final = PATH + "/modeles"
_SUITS: Final = {  # a kind of site, and the template that is shown first there when it is called otherwise
    "pumping_station": "water_network",
    "reservoir": "water_network",
    "street": "street_lighting",
    "hall": "town_hall",
}


@require(READ)
async def show(request: web.Request) -> web.Response:
    """Answer what is watched, and what could be."""
    rendering.query(request)
    texts = rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        found = await stored.rules(connection, tenant.tenant_id)
        manages = await may(connection, tenant.tenant_id, MANAGE)
    address = rendering.tenant_address(tenant, "regles")
    return rendering.html(
        request,
        "regles.html",
        tenant=tenant,
        enabled=[watching.line(one, address, texts) for one in found if one.enabled],
        waiting=[watching.line(one, address, texts) for one in found if not one.enabled],
        ready=sum(1 for one in found if not one.enabled and one.backtest is not None),
        manages=manages,
    )


@require(MANAGE)
async def enable(request: web.Request) -> web.Response:
    """Enable every rule that was tried on the past."""
    await form(request)
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        for one in await stored.rules(connection, tenant.tenant_id):
            if not one.enabled and one.backtest is not None:
                await stored.enable_rule(connection, one.rule_id)
                detail = {"name": one.name, "version": one.version}
                await audit.append_own(
                    connection, "rule.enabled", tenant_id=tenant.tenant_id, subject=str(one.rule_id), detail=detail
                )
    return rendering.onward(rendering.tenant_address(tenant, "regles"), done="enabled")


@require(MANAGE)
async def show_templates(request: web.Request) -> web.Response:
    """Answer the sites, then the templates for one of them, with the rules that suit what it measures."""
    query = rendering.query(request, "site")
    site_id = query.integer("site", low=1, high=MAX_ID)
    texts = rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        sites = await everything(lambda **page: territory.sites(connection, tenant.tenant_id, **page))
        measured = await measured_quantities(connection, tenant.tenant_id, site_id)
    quantities = {quantity for _, quantity in measured}
    said = watching.language_of(texts)
    chosen = next((one for one in sites if one.site_id == site_id), None)
    return rendering.html(
        request,
        "modeles.html",
        tenant=tenant,
        crumbs=[Crumb(texts("nav.regles"), rendering.tenant_address(tenant, "regles"))],
        sites=sites,
        chosen=chosen,
        templates=[
            {
                "name": name,
                "title": template.title[said],
                "sentences": [
                    (one.name[said], rules.parse(one.kind, one.values).sentence(rules.What(""), said))
                    for one in rules.proposals(template, quantities)
                ],
            }
            for name, template in sorted(
                rules.TEMPLATES.items(), key=lambda item: item[0] != _SUITS.get(chosen.kind, chosen.kind)
            )
        ]
        if chosen
        else [],
    )


@require(MANAGE)
async def take_template(request: web.Request) -> web.Response:
    """Keep the rules of a template for a site, each tried on the past; none is enabled."""
    given = await form(request, "site", "template")
    texts, desk = rendering.catalogue_of(request), request.app[RULE_DESK]
    site_id = int(given["site"]) if given["site"].isascii() and given["site"].isdigit() else 0
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        address = rendering.tenant_address(tenant, "regles")
        try:
            made = await desk.take_template(
                connection, tenant.tenant_id, min(site_id, MAX_ID), given["template"], watching.language_of(texts)
            )
        except rules.RuleError:
            return rendering.onward(f"{address}/modeles", done="nothing_measured")
        for rule_id in made:
            if not await desk.backtest(connection, tenant.tenant_id, rule_id, request.app[CLOCK](), 90):
                raise ProblemError(TOO_MANY_BACKTESTS)
        detail = {"template": given["template"], "rules": list(made)}
        await audit.append_own(
            connection, "rule_template.taken", tenant_id=tenant.tenant_id, subject=given["site"], detail=detail
        )
    return rendering.onward(address, done="proposed" if made else "proposed_already")


ROUTES: Final = (
    web.get(PATH, show),
    web.post(ENABLE, enable),
    web.get(TEMPLATES, show_templates),
    web.post(TEMPLATES, take_template),
)
NAVIGATION: Final = (Entry("regles", PATH, "rules", 70),)
