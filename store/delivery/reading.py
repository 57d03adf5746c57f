"""What messages, pages and the command line say of incidents."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from domain.errors import NotFoundError
from store.alerting.subjects import runs_network


class Firing(NamedTuple):
    """One alert of an incident. `reason` holds figures; `quantity` is the rule's, None when it has none."""

    alert_id: UUID
    tenant_id: int
    rule_id: int
    rule_name: str
    rule_kind: str
    definition: Mapping[str, Any]
    site_id: int | None
    site_name: str | None
    point_id: int | None
    point_name: str | None
    time_zone: str
    severity: str
    degree: int
    phase: str
    started_at: datetime
    ended_at: datetime | None
    value: float | None
    reason: Mapping[str, Any]


class Incident(NamedTuple):
    """An incident with its alerts that were told, the first first. Of the network: `tenant_id` is None.

    `held` is how many alerts it explains, by commune: (name, count), the most touched first.
    """

    incident_id: int
    tenant_id: int | None
    tenant_name: str | None
    tenant_slug: str | None
    time_zone: str
    cause: str
    gateway_id: int | None
    gateway_name: str | None
    severity: str
    opened_at: datetime
    closed_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    assigned_to: str | None
    revision: int
    firings: list[Firing]
    held: list[tuple[str, int]]


SELECT_INCIDENT: Final = """
SELECT incident_id, incidents.tenant_id, tenants.name AS tenant_name, tenants.slug AS tenant_slug,
       coalesce(sites.time_zone, tenants.time_zone, 'Europe/Paris') AS time_zone, cause, gateway_id,
       CASE WHEN gateways.name = '' THEN gateways.gateway_eui ELSE gateways.name END AS gateway_name, severity,
       opened_at, closed_at, acknowledged_at, acknowledged_by, assigned_to, revision
  FROM incidents
  LEFT JOIN tenants USING (tenant_id)
  LEFT JOIN sites USING (site_id)
  LEFT JOIN gateways USING (gateway_id)
 WHERE incident_id = $1
"""

SELECT_FIRINGS: Final = """
SELECT alert_id, alerts.tenant_id, rule_id, rules.name AS rule_name, rules.kind AS rule_kind, rules.definition::text,
       alerts.site_id, sites.name AS site_name, alerts.point_id, points.name AS point_name,
       coalesce(sites.time_zone, tenants.time_zone) AS time_zone, alerts.severity, degree, phase, started_at, ended_at,
       value, reason::text
  FROM alerts
  JOIN rules USING (rule_id)
  JOIN tenants ON tenants.tenant_id = alerts.tenant_id
  LEFT JOIN sites ON sites.site_id = alerts.site_id
  LEFT JOIN points ON points.point_id = alerts.point_id
 WHERE incident_id = $1
   AND NOT EXISTS (SELECT FROM held_alerts
                    WHERE held_alerts.alert_id = alerts.alert_id
                      AND held_alerts.incident_id = $1)
 ORDER BY started_at, alert_id
 LIMIT 200
"""

SELECT_HELD: Final = """
SELECT tenants.name, count(*) AS alerts
  FROM held_alerts
  JOIN alerts USING (alert_id)
  JOIN tenants USING (tenant_id)
 WHERE held_alerts.incident_id = $1
 GROUP BY tenants.tenant_id, tenants.name
 ORDER BY count(*) DESC, tenants.name
"""


async def incident(connection: asyncpg.Connection, incident_id: int) -> Incident:
    """Return an incident whole, for who may see it whole. Raises NotFoundError."""
    row = await connection.fetchrow(SELECT_INCIDENT, incident_id)
    if row is None:
        raise NotFoundError(f"no incident {incident_id}")
    firings = [
        Firing(**dict(one) | {"definition": json.loads(one["definition"]), "reason": json.loads(one["reason"])})
        for one in await connection.fetch(SELECT_FIRINGS, incident_id)
    ]
    held = [(one["name"], one["alerts"]) for one in await connection.fetch(SELECT_HELD, incident_id)]
    return Incident(**dict(row), firings=firings, held=held)


async def incident_of(connection: asyncpg.Connection, tenant_id: int, incident_id: int) -> Incident:
    """Return an incident of a tenant, or of the network that it runs. Raises NotFoundError for another's."""
    found = await incident(connection, incident_id)
    own = found.tenant_id == tenant_id or (found.tenant_id is None and await runs_network(connection, tenant_id))
    if not own:
        raise NotFoundError(f"no incident {incident_id}")
    return found


class Summary(NamedTuple):
    """One line of a list of incidents. The rule, the point and the figures are of its first alert, as JSON.

    `began_at` is when that one began: what is wrong may be older than the incident, which is opened when it is told.
    """

    incident_id: int
    cause: str
    severity: str
    opened_at: datetime
    began_at: datetime
    closed_at: datetime | None
    acknowledged_by: str | None
    assigned_to: str | None
    site_name: str | None
    gateway_name: str | None
    rule_name: str | None
    rule_kind: str | None
    definition: str | None
    reason: str | None
    point_name: str | None
    alerts: int


# A tenant's incidents, newest first, of any age: its history. The network's are those of whoever runs it.
SELECT_SUMMARIES: Final = """
SELECT incident_id, cause, incidents.severity, opened_at, coalesce(first.began_at, opened_at) AS began_at,
       closed_at, acknowledged_by, assigned_to, sites.name AS site_name,
       CASE WHEN gateways.name = '' THEN gateways.gateway_eui ELSE gateways.name END AS gateway_name,
       first.rule_name, first.rule_kind, first.definition, first.reason, first.point_name,
       coalesce(first.alerts, 0) AS alerts
  FROM incidents
  LEFT JOIN sites USING (site_id)
  LEFT JOIN gateways USING (gateway_id)
  LEFT JOIN LATERAL (SELECT rules.name AS rule_name, rules.kind AS rule_kind, rules.definition::text,
                            alerts.reason::text, points.name AS point_name, count(*) OVER () AS alerts,
                            alerts.started_at AS began_at
                       FROM alerts
                       JOIN rules USING (rule_id)
                       LEFT JOIN points ON points.point_id = alerts.point_id
                      WHERE alerts.incident_id = incidents.incident_id
                      ORDER BY alerts.started_at, alert_id
                      LIMIT 1) AS first ON true
 WHERE (incidents.tenant_id = $1
        OR incidents.tenant_id IS NULL AND ($1::integer IS NULL OR (SELECT runs_network($1))))
   AND ($2::boolean IS NULL OR (closed_at IS NULL) = $2)
   AND ($3::timestamptz IS NULL OR opened_at >= $3)
   AND ($4::text IS NULL OR concat_ws(' ', sites.name, first.rule_name, cause) ILIKE '%' || $4 || '%')
   AND ($5::bigint IS NULL OR incident_id < $5)
 ORDER BY incident_id DESC
 LIMIT $6
"""


async def incidents(
    connection: asyncpg.Connection,
    tenant_id: int | None,
    *,
    is_open: bool | None = None,
    since: datetime | None = None,
    text: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Summary]:
    """Return a tenant's incidents, newest first; `text` is searched in site, rule and cause.

    With None, or of the tenant that runs the network, the network's too.
    """
    pattern = None if text is None else text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = await connection.fetch(SELECT_SUMMARIES, tenant_id, is_open, since, pattern, before, limit)
    return [Summary(**row) for row in rows]


class Happening(NamedTuple):
    """One thing that happened to an incident."""

    at: datetime
    kind: str
    who: str
    note: str


SELECT_EVENTS: Final = """
SELECT at, kind, who, note FROM incident_events WHERE incident_id = $1 ORDER BY event_id
"""


async def happenings(connection: asyncpg.Connection, incident_id: int) -> list[Happening]:
    """Return what happened to an incident, in order."""
    return [Happening(**row) for row in await connection.fetch(SELECT_EVENTS, incident_id)]


class Letter(NamedTuple):
    """A message and what became of it."""

    delivery_id: int
    kind: str
    severity: str
    state: str
    contact_name: str | None
    channel: str | None
    due_at: datetime
    attempts: int
    error: str
    ended_at: datetime | None


SELECT_LETTERS: Final = """
SELECT delivery_id, kind, severity, state, contacts.name AS contact_name, channel, due_at, attempts, error, ended_at
  FROM deliveries
  LEFT JOIN contacts USING (contact_id)
 WHERE deliveries.tenant_id = $1
   AND ($2::text IS NULL OR state = $2)
   AND ($3::bigint IS NULL OR incident_id = $3)
   AND ($4::bigint IS NULL OR delivery_id < $4)
 ORDER BY delivery_id DESC
 LIMIT $5
"""


async def letters(
    connection: asyncpg.Connection,
    tenant_id: int,
    *,
    state: str | None = None,
    incident_id: int | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Letter]:
    """Return a tenant's messages, newest first; state "dead" are those that could not be delivered."""
    rows = await connection.fetch(SELECT_LETTERS, tenant_id, state, incident_id, before, limit)
    return [Letter(**row) for row in rows]
