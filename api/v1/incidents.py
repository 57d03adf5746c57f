"""What is wrong at a tenant, in words, and what was done about it."""

from datetime import datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import asyncpg
from aiohttp import web
from pydantic import Field, StringConstraints

from alerting import rules
from api import models, pagination, tenancy
from api.access import MANAGE, READ, account_of, require
from api.context import CLOCK, reader
from api.endpoint import get, post
from api.models import Answer, Resource
from api.parameters import Asked, Flag, IdPath, Note, OfTenant, PagedOfTenant, Text, When
from api.ruling import language_of
from store.delivery import incidents, reading
from store.reading.pages import page_of

PATH: Final = "/api/v1/incidents"


class IncidentsQuery(PagedOfTenant):
    """Which incidents."""

    open: Annotated[Flag | None, Field(description="true: those that go on; false: those that are over")] = None
    since: Annotated[When | None, Field(description="opened at that moment or later")] = None
    text: Annotated[Text | None, Field(description="what to look for in site, rule and cause")] = None


class Incident(Resource):
    """Alerts that have one cause."""

    id: int
    severity: str
    cause: str
    rule: str | None
    site: str | None
    alerts: int
    opened_at: datetime
    closed_at: datetime | None
    acknowledged_by: str | None
    assigned_to: str | None


class Alert(Answer):
    """One firing of one rule, in words."""

    id: str
    rule_id: int
    rule: str
    site: str | None
    point_id: int | None
    point: str | None
    severity: str
    sentence: str
    advice: str
    value: float | None
    started_at: datetime
    ended_at: datetime | None


class Happening(Answer):
    """One thing that happened to an incident: opened, told, acknowledged, commented, closed."""

    at: datetime
    kind: str
    who: str
    note: str


class IncidentDetail(Answer):
    """An incident whole."""

    id: int
    severity: str
    cause: str
    opened_at: datetime
    closed_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    assigned_to: str | None
    alerts: list[Alert]
    happenings: list[Happening]


class Acknowledged(Asked):
    """Why, or what will be done; may be empty."""

    note: Note = ""


class Assigned(Asked):
    """Who is to take care of it."""

    to: Text


class Commented(Asked):
    """A remark."""

    note: Annotated[Note, StringConstraints(min_length=1)]


@require(READ)
async def list_incidents(request: web.Request, query: IncidentsQuery) -> models.Page[Incident]:
    """List the incidents of a tenant, the newest first."""
    asked = pagination.asked(query, "incidents")
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        since = None if query.since is None else query.since.in_zone(ZoneInfo(tenant.time_zone))
        found = await reading.incidents(
            connection,
            tenant.tenant_id,
            is_open=query.open,
            since=since,
            text=query.text,
            before=asked.after,
            limit=asked.limit + 1,
        )
    page = page_of(found, [one.incident_id for one in found], asked.limit)
    return pagination.answer(models.Page[Incident], "incidents", page, _incident)


def _incident(found: reading.Summary) -> Incident:
    return Incident(
        id=found.incident_id,
        severity=found.severity,
        cause=found.cause,
        rule=found.rule_name,
        site=found.site_name,
        alerts=found.alerts,
        opened_at=found.opened_at,
        closed_at=found.closed_at,
        acknowledged_by=found.acknowledged_by,
        assigned_to=found.assigned_to,
    )


@require(READ)
async def get_incident(request: web.Request, path: IdPath, query: OfTenant) -> IncidentDetail:
    """Tell one incident: its alerts in words, and what happened to it."""
    del query
    language = language_of(request)
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        found = await reading.incident_of(connection, tenant.tenant_id, path.id)
        happened = await reading.happenings(connection, path.id)
    return IncidentDetail(
        id=found.incident_id,
        severity=found.severity,
        cause=found.cause,
        opened_at=found.opened_at,
        closed_at=found.closed_at,
        acknowledged_at=found.acknowledged_at,
        acknowledged_by=found.acknowledged_by,
        assigned_to=found.assigned_to,
        alerts=[_alert(firing, language) for firing in found.firings],
        happenings=[Happening(**one._asdict()) for one in happened],
    )


def _alert(firing: reading.Firing, language: rules.Language) -> Alert:
    definition = rules.parse(firing.rule_kind, firing.definition)
    return Alert(
        id=str(firing.alert_id),
        rule_id=firing.rule_id,
        rule=firing.rule_name,
        site=firing.site_name,
        point_id=firing.point_id,
        point=firing.point_name,
        severity=firing.severity,
        sentence=definition.explain(dict(firing.reason), language),
        advice=definition.ADVICE[language],
        value=firing.value,
        started_at=firing.started_at,
        ended_at=firing.ended_at,
    )


@require(MANAGE)
async def acknowledge_incident(
    request: web.Request, connection: asyncpg.Connection, path: IdPath, body: Acknowledged
) -> None:
    """Say that somebody takes care of it: reminders and escalation stop."""
    tenant = await tenancy.tenant_of(request, connection)
    now = request.app[CLOCK]()
    await incidents.acknowledge(
        connection, tenant.tenant_id, path.id, who=account_of(request).called, note=body.note, now=now
    )


@require(MANAGE)
async def assign_incident(request: web.Request, connection: asyncpg.Connection, path: IdPath, body: Assigned) -> None:
    """Say who is to take care of it."""
    tenant = await tenancy.tenant_of(request, connection)
    who, now = account_of(request).called, request.app[CLOCK]()
    await incidents.assign(connection, tenant.tenant_id, path.id, to=body.to, who=who, now=now)


@require(MANAGE)
async def comment_incident(request: web.Request, connection: asyncpg.Connection, path: IdPath, body: Commented) -> None:
    """Write a remark under an incident."""
    tenant = await tenancy.tenant_of(request, connection)
    now = request.app[CLOCK]()
    await incidents.comment(
        connection, tenant.tenant_id, path.id, who=account_of(request).called, note=body.note, now=now
    )


ROUTES: Final = (
    get(PATH, list_incidents),
    get(f"{PATH}/{{id}}", get_incident),
    post(f"{PATH}/{{id}}/acknowledgement", acknowledge_incident, query=OfTenant),
    post(f"{PATH}/{{id}}/assignment", assign_incident, query=OfTenant),
    post(f"{PATH}/{{id}}/comments", comment_incident, query=OfTenant),
)
