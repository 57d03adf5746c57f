"""Incidents: alerts that have one cause, what happened to them, and what people did about them."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from domain.errors import NotFoundError

# Its row is held until the transaction ends, so that those who change an incident take turns.
SELECT_OPEN: Final = """
SELECT incident_id, false AS opened
  FROM incidents
 WHERE tenant_id IS NOT DISTINCT FROM $1
   AND cause = $2
   AND closed_at IS NULL
   FOR UPDATE
"""

# An open incident of one cause is one row, whoever meets it first.
UPSERT_INCIDENT: Final = """
INSERT INTO incidents (tenant_id, cause, gateway_id, site_id, opened_at, severity)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant_id, cause) WHERE closed_at IS NULL
DO UPDATE SET cause = excluded.cause
RETURNING incident_id, xmax = 0 AS opened
"""


async def open_incident(
    connection: asyncpg.Connection,
    *,
    tenant_id: int | None,
    cause: str,
    gateway_id: int | None,
    site_id: int | None,
    severity: str,
    now: datetime,
) -> tuple[int, bool]:
    """Return the open incident of this cause, and whether it was opened now. It is locked."""
    row = await connection.fetchrow(SELECT_OPEN, tenant_id, cause) or await connection.fetchrow(
        UPSERT_INCIDENT, tenant_id, cause, gateway_id, site_id, now, severity
    )
    assert row is not None  # it was inserted or found
    if row["opened"]:
        await record(connection, row["incident_id"], now, "opened")
    return row["incident_id"], row["opened"]


UPDATE_ALERT: Final = """
UPDATE alerts SET incident_id = $2 WHERE alert_id = $1
"""


async def attach(connection: asyncpg.Connection, alert_id: UUID, incident_id: int) -> None:
    """Say which incident an alert is of."""
    await connection.execute(UPDATE_ALERT, alert_id, incident_id)


# There is something to tell: soon, and not more often than every so often.
UPDATE_REVISION: Final = """
UPDATE incidents
   SET revision = revision + 1,
       severity = CASE WHEN array_position(ARRAY['info', 'warning', 'critical'], severity)
                          < array_position(ARRAY['info', 'warning', 'critical'], $2) THEN $2 ELSE severity END,
       notify_at = least(notify_at, greatest($3::timestamptz, told_at + $4::interval))
 WHERE incident_id = $1
"""


async def revise(
    connection: asyncpg.Connection, incident_id: int, severity: str, notify_at: datetime, at_most_every: timedelta
) -> None:
    """Let an incident be told (again) at `notify_at`, or when `at_most_every` has passed since the last time."""
    await connection.execute(UPDATE_REVISION, incident_id, severity, notify_at, at_most_every)


# What an outage explains does not keep the outage open.
CLOSE_IF_OVER: Final = """
UPDATE incidents
   SET closed_at = $2, revision = revision + 1, notify_at = CASE WHEN told_at IS NOT NULL THEN $2::timestamptz END
 WHERE incident_id = $1
   AND closed_at IS NULL
   AND NOT EXISTS (SELECT FROM alerts
                    WHERE alerts.incident_id = $1
                      AND ended_at IS NULL
                      AND NOT EXISTS (SELECT FROM held_alerts
                                       WHERE held_alerts.alert_id = alerts.alert_id
                                         AND held_alerts.incident_id = $1
                                         AND released_at IS NULL))
RETURNING incident_id
"""


async def close_if_over(connection: asyncpg.Connection, incident_id: int, now: datetime) -> bool:
    """Close an incident none of whose alerts goes on; say whether it was closed now."""
    closed = await connection.fetchval(CLOSE_IF_OVER, incident_id, now) is not None
    if closed:
        await record(connection, incident_id, now, "closed")
    return closed


INSERT_HELD: Final = """
INSERT INTO held_alerts (alert_id, incident_id, why, held_at, release_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (alert_id) DO UPDATE
   SET incident_id = excluded.incident_id, why = excluded.why, release_at = excluded.release_at,
       held_at = CASE WHEN held_alerts.released_at IS NULL THEN held_alerts.held_at ELSE excluded.held_at END,
       released_at = NULL, outcome = NULL
"""


async def hold(
    connection: asyncpg.Connection,
    alert_id: UUID,
    why: str,
    now: datetime,
    *,
    incident_id: int | None = None,
    release_at: datetime | None = None,
) -> None:
    """Tell nothing of an alert for now."""
    await connection.execute(INSERT_HELD, alert_id, incident_id, why, now, release_at)


UPDATE_RELEASED: Final = """
UPDATE held_alerts SET released_at = $2, outcome = $3 WHERE alert_id = $1 AND released_at IS NULL
"""


async def release(connection: asyncpg.Connection, alert_id: UUID, outcome: str, now: datetime) -> bool:
    """End the holding of an alert; say whether it was held."""
    return await connection.execute(UPDATE_RELEASED, alert_id, now, outcome) == "UPDATE 1"


# An outage has ended when the gateway (or any, when all were out) was heard of since it began, and no rule says
# otherwise.
CLOSE_OUTAGES: Final = """
WITH over AS (
  UPDATE incidents
     SET closed_at = $1, revision = revision + 1, notify_at = CASE WHEN told_at IS NOT NULL THEN $1::timestamptz END
   WHERE closed_at IS NULL
     AND tenant_id IS NULL
     AND NOT EXISTS (SELECT FROM alerts
                      WHERE alerts.incident_id = incidents.incident_id
                        AND ended_at IS NULL
                        AND alerts.gateway_id IS NOT NULL)
     AND EXISTS (SELECT
                   FROM (SELECT gateway_id, heard_at FROM gateways_heard
                          UNION ALL
                         SELECT gateway_id, received_at
                           FROM network_events
                          WHERE gateway_id IS NOT NULL
                            AND received_at > incidents.opened_at) AS heard
                  WHERE (incidents.gateway_id IS NULL OR heard.gateway_id = incidents.gateway_id)
                    AND heard_at > incidents.opened_at)
  RETURNING incident_id
)
INSERT INTO incident_events (incident_id, at, kind) SELECT incident_id, $1, 'closed' FROM over
"""

# Sensors get one period of theirs to be heard again.
UPDATE_RELEASE_AT: Final = """
UPDATE held_alerts
   SET release_at = $1::timestamptz + make_interval(secs => coalesce(
         (SELECT period_of(parameters, models.period_s)
            FROM alerts
            JOIN assignments ON assignments.point_id = alerts.point_id AND upper_inf(during)
            JOIN devices USING (device_id)
            LEFT JOIN models USING (model_id)
           WHERE alerts.alert_id = held_alerts.alert_id
           LIMIT 1), $2))
  FROM incidents
 WHERE incidents.incident_id = held_alerts.incident_id
   AND closed_at IS NOT NULL
   AND release_at IS NULL
   AND released_at IS NULL
"""


async def close_outages(connection: asyncpg.Connection, now: datetime, usual_period: timedelta) -> None:
    """Close the outages that have ended; what they held is told one period later, if it goes on."""
    await connection.execute(CLOSE_OUTAGES, now)
    await connection.execute(UPDATE_RELEASE_AT, now, usual_period.total_seconds())


INSERT_EVENT: Final = """
INSERT INTO incident_events (incident_id, at, kind, who, note) VALUES ($1, $2, $3, $4, $5)
"""


async def record(
    connection: asyncpg.Connection, incident_id: int, now: datetime, kind: str, *, who: str = "", note: str = ""
) -> None:
    """Write down what happened to an incident."""
    await connection.execute(INSERT_EVENT, incident_id, now, kind, who, note)


# What a tenant's people may act on: its own incidents, and the network's when it runs it.
ACKNOWLEDGE: Final = """
UPDATE incidents
   SET acknowledged_at = $3, acknowledged_by = $4
 WHERE incident_id = $2
   AND (tenant_id = $1 OR tenant_id IS NULL AND runs_network($1))
RETURNING incident_id
"""


async def acknowledge(
    connection: asyncpg.Connection, tenant_id: int, incident_id: int, *, who: str, note: str, now: datetime
) -> None:
    """Somebody takes care of it: reminders and escalation stop. Raises NotFoundError."""
    await _own(await connection.fetchval(ACKNOWLEDGE, tenant_id, incident_id, now, who), incident_id)
    await record(connection, incident_id, now, "acknowledged", who=who, note=note)


ASSIGN: Final = """
UPDATE incidents
   SET assigned_to = $3
 WHERE incident_id = $2
   AND (tenant_id = $1 OR tenant_id IS NULL AND runs_network($1))
RETURNING incident_id
"""


async def assign(
    connection: asyncpg.Connection, tenant_id: int, incident_id: int, *, to: str, who: str, now: datetime
) -> None:
    """Say who is to take care of it. Raises NotFoundError."""
    await _own(await connection.fetchval(ASSIGN, tenant_id, incident_id, to), incident_id)
    await record(connection, incident_id, now, "assigned", who=who, note=to)


SELECT_OWN: Final = """
SELECT incident_id
  FROM incidents
 WHERE incident_id = $2
   AND (tenant_id = $1 OR tenant_id IS NULL AND runs_network($1))
"""


async def comment(
    connection: asyncpg.Connection, tenant_id: int, incident_id: int, *, who: str, note: str, now: datetime
) -> None:
    """Write a remark under an incident. Raises NotFoundError."""
    await _own(await connection.fetchval(SELECT_OWN, tenant_id, incident_id), incident_id)
    await record(connection, incident_id, now, "commented", who=who, note=note)


async def _own(found: int | None, incident_id: int) -> None:
    if found is None:
        raise NotFoundError(f"no incident {incident_id}")
