"""What is wrong at a tenant, in words, what was done about it, and what is silenced."""

from datetime import datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import asyncpg
from aiohttp import web
from pydantic import AwareDatetime, Field, StringConstraints

from alerting import rules
from api import models, pagination, tenancy
from api.access import MANAGE, READ, account_of, require
from api.context import CLOCK, reader
from api.endpoint import delete, get, post
from api.models import Answer, Resource
from api.pages.texts import language_of
from api.parameters import Asked, Flag, Id, IdPath, OfTenant, PagedOfTenant, Text, When
from api.problems import NO_SUCH_MOMENT, ProblemError
from store.delivery import incidents, reading
from store.reading.pages import page_of

PATH: Final = "/api/v1/incidents"
SILENCES: Final = "/api/v1/silences"

Note = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$")]


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


class NewSilence(Asked):
    """Of what nothing is told until then: a rule, a site, a point (all that are given), else the whole tenant."""

    rule_id: Id | None = None
    site_id: Id | None = None
    point_id: Id | None = None
    until: AwareDatetime
    reason: Text


class Silence(Resource):
    """What is silenced, by whom, until when."""

    id: int
    rule_id: int | None
    site_id: int | None
    point_id: int | None
    since: datetime
    until: datetime
    reason: str
    created_by: str


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
    fields = found._asdict()
    return Incident(id=fields.pop("incident_id"), rule=fields.pop("rule_name"), site=fields.pop("site_name"), **fields)


@require(READ)
async def get_incident(request: web.Request, path: IdPath, query: OfTenant) -> IncidentDetail:
    """Tell one incident: its alerts in words, and what happened to it."""
    del query
    language: rules.Language = "en" if language_of(request) == "en" else "fr"
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


def _who(request: web.Request) -> str:
    account = account_of(request)
    return account.name or account.email


@require(MANAGE)
async def acknowledge_incident(
    request: web.Request, connection: asyncpg.Connection, path: IdPath, body: Acknowledged
) -> None:
    """Say that somebody takes care of it: reminders and escalation stop."""
    tenant = await tenancy.tenant_of(request, connection)
    now = request.app[CLOCK]()
    await incidents.acknowledge(connection, tenant.tenant_id, path.id, who=_who(request), note=body.note, now=now)


@require(MANAGE)
async def assign_incident(request: web.Request, connection: asyncpg.Connection, path: IdPath, body: Assigned) -> None:
    """Say who is to take care of it."""
    tenant = await tenancy.tenant_of(request, connection)
    now = request.app[CLOCK]()
    await incidents.assign(connection, tenant.tenant_id, path.id, to=body.to, who=_who(request), now=now)


@require(MANAGE)
async def comment_incident(request: web.Request, connection: asyncpg.Connection, path: IdPath, body: Commented) -> None:
    """Write a remark under an incident."""
    tenant = await tenancy.tenant_of(request, connection)
    now = request.app[CLOCK]()
    await incidents.comment(connection, tenant.tenant_id, path.id, who=_who(request), note=body.note, now=now)


@require(READ)
async def list_silences(request: web.Request, query: OfTenant) -> models.Page[Silence]:
    """List what is silenced now, or will be."""
    del query
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        found = await incidents.silences(connection, tenant.tenant_id, request.app[CLOCK]())
    return models.Page[Silence](items=[_silence(one) for one in found], next_cursor=None)


def _silence(found: incidents.Silence) -> Silence:
    fields = found._asdict()
    return Silence(id=fields.pop("silence_id"), **fields)


@require(MANAGE)
async def create_silence(request: web.Request, connection: asyncpg.Connection, body: NewSilence) -> Silence:
    """Tell nothing for a while. Everything is recorded, and what still goes on at the end is told."""
    tenant = await tenancy.tenant_of(request, connection)
    now = request.app[CLOCK]()
    if body.until <= now:
        raise ProblemError(NO_SUCH_MOMENT, "`until` is past.")
    fields = body.model_dump()
    silence_id = await incidents.silence(connection, tenant.tenant_id, since=now, who=_who(request), **fields)
    return Silence(id=silence_id, since=now, created_by=_who(request), **fields)


@require(MANAGE)
async def end_silence(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> None:
    """End a silence before its time."""
    tenant = await tenancy.tenant_of(request, connection)
    await incidents.end_silence(connection, tenant.tenant_id, path.id, request.app[CLOCK]())


ROUTES: Final = (
    get(PATH, list_incidents),
    get(f"{PATH}/{{id}}", get_incident),
    post(f"{PATH}/{{id}}/acknowledgement", acknowledge_incident, query=OfTenant),
    post(f"{PATH}/{{id}}/assignment", assign_incident, query=OfTenant),
    post(f"{PATH}/{{id}}/comments", comment_incident, query=OfTenant),
    get(SILENCES, list_silences),
    post(SILENCES, create_silence, query=OfTenant, problems=(NO_SUCH_MOMENT,)),
    delete(f"{SILENCES}/{{id}}", end_silence, query=OfTenant),
)
