"""Incidents with something to tell, and that they were told."""

from datetime import datetime
from typing import Final, NamedTuple

import asyncpg


class Untold(NamedTuple):
    """An incident with something to tell, locked. `tenant_ids` are those whose people are to be told."""

    incident_id: int
    tenant_ids: list[int]
    severity: str
    revision: int
    told_revision: int
    told_severity: str | None
    acknowledged: bool
    closed: bool


# Of the network (tenant_id NULL): the tenants whose own rule found it, else whoever runs the network.
SELECT_UNTOLD: Final = """
SELECT incident_id, severity, revision, told_revision, told_severity, acknowledged_at IS NOT NULL AS acknowledged,
       closed_at IS NOT NULL AS closed,
       CASE WHEN tenant_id IS NOT NULL THEN ARRAY[tenant_id]
            ELSE coalesce((SELECT array_agg(DISTINCT alerts.tenant_id)
                             FROM alerts
                            WHERE alerts.incident_id = incidents.incident_id
                              AND NOT EXISTS (SELECT FROM held_alerts WHERE held_alerts.alert_id = alerts.alert_id)),
                          (SELECT array_agg(tenants.tenant_id) FROM tenants WHERE runs_network(tenants.tenant_id)),
                          '{}')
       END AS tenant_ids
  FROM incidents
 WHERE notify_at <= $1
 ORDER BY notify_at, incident_id
 LIMIT $2
   FOR UPDATE OF incidents SKIP LOCKED
"""


async def take_untold(connection: asyncpg.Connection, now: datetime, limit: int) -> list[Untold]:
    """Return the incidents whose hour to be told has come, locked until the transaction ends."""
    return [Untold(**row) for row in await connection.fetch(SELECT_UNTOLD, now, limit)]


UPDATE_TOLD: Final = """
UPDATE incidents
   SET told_revision = revision, told_severity = severity, told_at = $2, notify_at = NULL
 WHERE incident_id = $1
"""


async def mark_told(connection: asyncpg.Connection, incident_id: int, now: datetime) -> None:
    """Say that an incident is told as it is now."""
    await connection.execute(UPDATE_TOLD, incident_id, now)
