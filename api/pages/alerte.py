"""The page of one incident, /t/<slug>/alertes/<number>: what is wrong, what to do, and who takes care of it."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import asyncpg
from aiohttp import web

from api.access import MANAGE, READ, account_of, require
from api.context import CLOCK, reader, writer
from api.pages import alarms, rendering
from api.pages.forms import form
from api.pages.rendering import Crumb
from api.parameters import Asked, Id, of_path
from api.tenancy import tenant_of
from store.access import audit
from store.access.bearer import may
from store.delivery import incidents, silences
from store.delivery.reading import Incident, happenings, incident_of
from store.reading.territory import Tenant

PATH: Final = "/t/{slug}/alertes/{id}"
CARE: Final = PATH + "/prise-en-charge"
ENTRUST: Final = PATH + "/confier"
COMMENT: Final = PATH + "/commentaire"
MUTE: Final = PATH + "/sourdine"
_MAX_NOTE: Final = 2000
_MAX_NAME: Final = 200
_MUTINGS: Final = {
    "hours": timedelta(hours=4),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
}


class IncidentPath(Asked):
    """One incident of a tenant."""

    slug: str
    id: Id


@require(READ)
async def show(request: web.Request) -> web.Response:
    """Answer what is known of an incident."""
    rendering.query(request)
    path, texts, now = of_path(request, IncidentPath), rendering.catalogue_of(request), request.app[CLOCK]()
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        found = await incident_of(connection, tenant.tenant_id, path.id)
        happened = await happenings(connection, path.id)
        manages = await may(connection, tenant.tenant_id, MANAGE)
    zone = ZoneInfo(tenant.time_zone)
    first = found.firings[0] if found.firings else None
    began = min((one.started_at for one in found.firings), default=found.opened_at)
    return rendering.html(
        request,
        "alerte.html",
        tenant=tenant,
        crumbs=[Crumb(texts("nav.alertes"), rendering.tenant_address(tenant, "alertes"))],
        incident=found,
        title=alarms.title(
            found.cause,
            first.rule_name if first else None,
            first.point_name if first and len(found.firings) == 1 else None,
            first.site_name if first else None,
            found.gateway_name,
            texts=texts,
        ),
        state=alarms.status(found.severity, found.closed_at, texts),
        when=alarms.when(began, found.closed_at, now, zone, texts),
        alarms=alarms.alarms(found, now, texts),
        advice=alarms.advice(found, texts) if found.closed_at is None else [],
        events=alarms.events(happened, zone, texts),
        manages=manages and found.closed_at is None,
        mutable=first is not None and first.tenant_id == tenant.tenant_id,
        mutings=[(name, texts(f"alertes.mute.{name}")) for name in _MUTINGS],
    )


@require(MANAGE)
async def take_care(request: web.Request) -> web.Response:
    """Note that whoever asks takes care of it: reminders stop."""
    given = await form(request, "note")
    async with writer(request) as connection:
        tenant, now = await tenant_of(request, connection), request.app[CLOCK]()
        number = of_path(request, IncidentPath).id
        who = account_of(request).called
        await incidents.acknowledge(connection, tenant.tenant_id, number, who=who, note=_note(given["note"]), now=now)
        await incidents.assign(connection, tenant.tenant_id, number, to=who, who=who, now=now)
    return rendering.onward(rendering.tenant_address(tenant, "alertes", number), done="cared")


@require(MANAGE)
async def entrust(request: web.Request) -> web.Response:
    """Note who else takes care of it."""
    given = await form(request, "to")
    async with writer(request) as connection:
        tenant, now = await tenant_of(request, connection), request.app[CLOCK]()
        number, to = of_path(request, IncidentPath).id, _note(given["to"])[:_MAX_NAME]
        if to:
            who = account_of(request).called
            await incidents.assign(connection, tenant.tenant_id, number, to=to, who=who, now=now)
    return rendering.onward(rendering.tenant_address(tenant, "alertes", number), done="saved" if to else "")


@require(MANAGE)
async def comment(request: web.Request) -> web.Response:
    """Keep a remark."""
    given = await form(request, "note")
    async with writer(request) as connection:
        tenant, now = await tenant_of(request, connection), request.app[CLOCK]()
        number, note = of_path(request, IncidentPath).id, _note(given["note"])
        if note:
            who = account_of(request).called
            await incidents.comment(connection, tenant.tenant_id, number, who=who, note=note, now=now)
    address = rendering.tenant_address(tenant, "alertes", number)
    return rendering.onward(f"{address}#history", done="saved" if note else "")


@require(MANAGE)
async def mute(request: web.Request) -> web.Response:
    """Tell nothing of what this incident is about for a while. Whoever mutes it knows of it: reminders stop too."""
    given = await form(request, "lasting", "note")
    async with writer(request) as connection:
        tenant, now = await tenant_of(request, connection), request.app[CLOCK]()
        number = of_path(request, IncidentPath).id
        found = await incident_of(connection, tenant.tenant_id, number)
        until = now + _MUTINGS.get(given["lasting"], _MUTINGS["hours"])
        await _mute(connection, tenant, found, until, who=account_of(request).called, why=_note(given["note"]), now=now)
    return rendering.onward(rendering.tenant_address(tenant, "alertes", number), done="muted")


async def _mute(
    connection: asyncpg.Connection,
    tenant: Tenant,
    found: Incident,
    until: datetime,
    *,
    who: str,
    why: str,
    now: datetime,
) -> None:
    rule_ids = dict.fromkeys(one.rule_id for one in found.firings if one.tenant_id == tenant.tenant_id)
    sites = dict.fromkeys(one.site_id for one in found.firings if one.tenant_id == tenant.tenant_id)
    site_id = next(iter(sites)) if len(sites) == 1 else None
    for rule_id in rule_ids:
        silence_id = await silences.silence(
            connection,
            tenant.tenant_id,
            rule_id=rule_id,
            site_id=site_id,
            since=now,
            until=until,
            reason=why,
            who=who,
        )
        detail = {"rule": rule_id, "site": site_id, "until": until.isoformat()}
        await audit.append_own(
            connection, "silence.begun", tenant_id=tenant.tenant_id, subject=str(silence_id), detail=detail
        )
    if found.acknowledged_at is None:
        await incidents.acknowledge(connection, tenant.tenant_id, found.incident_id, who=who, note=why, now=now)


def _note(given: str) -> str:
    """Return what somebody typed, without what no text has in it."""
    return "".join(one for one in given.replace("\r\n", "\n") if one.isprintable() or one == "\n").strip()[:_MAX_NOTE]


ROUTES: Final = (
    web.get(PATH, show),
    web.post(CARE, take_care),
    web.post(ENTRUST, entrust),
    web.post(COMMENT, comment),
    web.post(MUTE, mute),
)
