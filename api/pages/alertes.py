"""The page of a tenant's alerts, /t/<slug>/alertes: what is wrong now, what was, and what is muted."""

from typing import Final
from zoneinfo import ZoneInfo

import asyncpg
from aiohttp import web

from api.access import MANAGE, READ, require
from api.context import CLOCK, reader, writer
from api.pages import alarms, rendering
from api.pages.forms import form
from api.pages.navigation import Entry
from api.parameters import Asked, Id, of_path
from api.query import MAX_ID
from api.tenancy import tenant_of
from store.access import audit
from store.access.bearer import may
from store.alerting.rules import rules
from store.delivery import silences
from store.delivery.reading import incidents
from store.reading.territory import Tenant, sites

PATH: Final = "/t/{slug}/alertes"
MUTED: Final = PATH + "/sourdine/{silence}/fin"
_LISTED: Final = 50


class SilencePath(Asked):
    """One silence by its id."""

    slug: str
    silence: Id


@require(READ)
async def show(request: web.Request) -> web.Response:
    """Answer the list; `vue` is `passees` for what is over, `texte` looks for words, `avant` is where a page begins."""
    query = rendering.query(request, "vue", "texte", "avant")
    past = query.choice("vue", ("ouvertes", "passees"), "ouvertes") == "passees"
    text = query.text("texte", "words", default="").strip()
    before = query.integer("avant", low=1, high=MAX_ID)
    texts, now = rendering.catalogue_of(request), request.app[CLOCK]()
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        found = await incidents(
            connection, tenant.tenant_id, is_open=not past, text=text or None, before=before, limit=_LISTED + 1
        )
        zone = ZoneInfo(tenant.time_zone)
        muted = alarms.muted(
            await silences.silences(connection, tenant.tenant_id, now), await _names(connection, tenant), zone, texts
        )
        manages = await may(connection, tenant.tenant_id, MANAGE)
    listed = found[:_LISTED]
    return rendering.html(
        request,
        "alertes.html",
        tenant=tenant,
        lines=alarms.lines(
            listed if past else alarms.gravest_first(listed),
            rendering.tenant_address(tenant, "alertes"),
            now,
            zone,
            texts,
        ),
        summary=alarms.summary(listed, texts, is_more=len(found) > _LISTED),
        past=past,
        text=text,
        views=[
            {"href": "?vue=ouvertes", "label": texts("alertes.view_open"), "chosen": not past},
            {"href": "?vue=passees", "label": texts("alertes.view_past"), "chosen": past},
        ],
        muted=muted,
        manages=manages,
        older=rendering.address(request, avant=listed[-1].incident_id) if len(found) > _LISTED else "",
    )


async def _names(connection: asyncpg.Connection, tenant: Tenant) -> dict[tuple[str, int], str]:
    """Return what the rules and sites of a tenant are called."""
    known = {("rule", one.rule_id): one.name for one in await rules(connection, tenant.tenant_id)}
    found = await sites(connection, tenant.tenant_id)
    return known | {("site", one.site_id): one.name for one in found.items}


@require(MANAGE)
async def end_muting(request: web.Request) -> web.Response:
    """Tell again of what was muted."""
    await form(request)
    number = of_path(request, SilencePath).silence
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        await silences.end_silence(connection, tenant.tenant_id, number, request.app[CLOCK]())
        await audit.append_own(connection, "silence.ended", tenant_id=tenant.tenant_id, subject=str(number))
    return rendering.onward(rendering.tenant_address(tenant, "alertes"), done="unmuted")


ROUTES: Final = (web.get(PATH, show), web.post(MUTED, end_muting))
NAVIGATION: Final = (Entry("alertes", PATH, "bell", 60, handy=True),)
