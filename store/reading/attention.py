"""What is wrong at a tenant now: its open incidents, each with the alert that began it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from store.reading.pages import Reader


class Attention(NamedTuple):
    """An open incident and its first alert. `definition` and `reason` are the rule's, as alerting.rules takes them."""

    incident_id: int
    severity: str
    started_at: datetime  # of the oldest of its alerts that goes on: what is wrong, not when it was found
    acknowledged_by: str | None
    alerts: int
    site_id: int | None
    point_id: int | None
    point_name: str | None
    rule_name: str
    rule_kind: str
    definition: Mapping[str, Any]
    reason: Mapping[str, Any]


SELECT_ATTENTION: Final = """
SELECT incident_id, incidents.severity, told.started_at, acknowledged_by, told.alerts, told.site_id, told.point_id,
       points.name AS point_name, rules.name AS rule_name, rules.kind AS rule_kind, definition::text, reason::text
  FROM incidents
 CROSS JOIN LATERAL (SELECT rule_id, site_id, point_id, reason, started_at, count(*) OVER () AS alerts
                       FROM alerts
                      WHERE alerts.incident_id = incidents.incident_id
                      ORDER BY ended_at NULLS FIRST, started_at, alert_id
                      LIMIT 1) AS told
  JOIN rules USING (rule_id)
  LEFT JOIN points USING (point_id)
 WHERE incidents.tenant_id = $1
   AND closed_at IS NULL
 ORDER BY array_position(ARRAY['critical', 'warning', 'info'], incidents.severity), told.started_at DESC
 LIMIT $2
"""


async def attention(reader: Reader, tenant_id: int, *, limit: int = 200) -> list[Attention]:
    """Return a tenant's open incidents, the gravest first, then the newest."""
    rows = await reader.fetch(SELECT_ATTENTION, tenant_id, limit)
    return [
        Attention(**dict(row) | {"definition": json.loads(row["definition"]), "reason": json.loads(row["reason"])})
        for row in rows
    ]
