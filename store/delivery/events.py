"""What evaluation put out to be told, with what is known of it: taken by one worker at a time."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg


class Event(NamedTuple):
    """One row of the outbox, or one held alert whose time has come.

    `outbox_id` is None for the latter. `incident_id` is the alert's, None before it has one. `hidden_until` is the
    end of the silence or the works (`hidden_by`) that cover it now. `period_s` is the usual time between two uplinks
    of the point's device, None when unknown.
    """

    outbox_id: int | None
    kind: str
    alert_id: UUID
    tenant_id: int
    rule_id: int
    rule_kind: str
    severity: str
    site_id: int | None
    point_id: int | None
    gateway_id: int | None
    incident_id: int | None
    ended: bool
    hidden_by: str | None
    hidden_until: datetime | None
    period_s: int | None


_DETAILS: Final = """
       alerts.alert_id, alerts.tenant_id, alerts.rule_id, rules.kind AS rule_kind, alerts.severity, alerts.site_id,
       alerts.point_id, alerts.gateway_id, alerts.incident_id, alerts.ended_at IS NOT NULL AS ended,
       hidden.hidden_by, hidden.hidden_until, device.period_s
  FROM alerts
  JOIN rules USING (rule_id)
  LEFT JOIN LATERAL (
         SELECT hidden_by, upper(during) AS hidden_until
           FROM (SELECT 'silence' AS hidden_by, during
                   FROM silences
                  WHERE silences.tenant_id = alerts.tenant_id
                    AND (silences.rule_id IS NULL OR silences.rule_id = alerts.rule_id)
                    AND (silences.site_id IS NULL OR silences.site_id = alerts.site_id)
                    AND (silences.point_id IS NULL OR silences.point_id = alerts.point_id)
                  UNION ALL
                 SELECT 'works', during
                   FROM maintenance_windows AS works
                  WHERE works.tenant_id = alerts.tenant_id
                    AND (works.site_id IS NULL OR works.site_id = alerts.site_id)
                    AND (works.point_id IS NULL OR works.point_id = alerts.point_id)
                    AND (works.gateway_id IS NULL OR works.gateway_id = alerts.gateway_id)) AS covers
          WHERE during @> $1::timestamptz
          ORDER BY upper(during) DESC
          LIMIT 1) AS hidden ON true
  LEFT JOIN LATERAL (
         SELECT period_of(parameters, models.period_s) AS period_s
           FROM assignments
           JOIN devices USING (device_id)
           LEFT JOIN models USING (model_id)
          WHERE assignments.point_id = alerts.point_id
            AND upper_inf(assignments.during)) AS device ON true
"""

SELECT_OUTBOX: Final = (
    """
SELECT outbox.outbox_id, outbox.kind,"""
    + _DETAILS
    + """
  JOIN outbox ON outbox.alert_id = alerts.alert_id
 WHERE outbox.handled_at IS NULL
 ORDER BY outbox.outbox_id
 LIMIT $2
   FOR UPDATE OF outbox SKIP LOCKED
"""
)


async def take_outbox(connection: asyncpg.Connection, now: datetime, limit: int) -> list[Event]:
    """Return what is to be routed, oldest first, locked until the transaction ends."""
    return [Event(**row) for row in await connection.fetch(SELECT_OUTBOX, now, limit)]


UPDATE_HANDLED: Final = """
UPDATE outbox SET handled_at = $2 WHERE outbox_id = ANY ($1::bigint[])
"""


async def mark_handled(connection: asyncpg.Connection, outbox_ids: list[int], now: datetime) -> None:
    """Say that these need no routing any more."""
    await connection.execute(UPDATE_HANDLED, outbox_ids, now)


SELECT_RELEASED: Final = (
    """
SELECT NULL::bigint AS outbox_id, 'firing' AS kind,"""
    + _DETAILS
    + """
  JOIN held_alerts AS held ON held.alert_id = alerts.alert_id
 WHERE held.released_at IS NULL
   AND held.release_at <= $1
 ORDER BY held.release_at, alerts.alert_id
 LIMIT $2
   FOR UPDATE OF held SKIP LOCKED
"""
)


async def take_released(connection: asyncpg.Connection, now: datetime, limit: int) -> list[Event]:
    """Return the held alerts whose time has come, locked until the transaction ends."""
    return [Event(**row) for row in await connection.fetch(SELECT_RELEASED, now, limit)]


# By what it relayed, or said.
SELECT_HEARD: Final = """
SELECT gateway_id, max(heard_at) AS heard_at
  FROM (SELECT gateway_id, heard_at FROM gateways_heard
         UNION ALL
        SELECT gateway_id, said_at
          FROM gateways
          JOIN LATERAL (SELECT received_at AS said_at
                          FROM network_events
                         WHERE network_events.gateway_id = gateways.gateway_id
                         ORDER BY received_at DESC
                         LIMIT 1) AS event ON true) AS heard
 GROUP BY gateway_id
"""


async def gateways_heard(connection: asyncpg.Connection) -> dict[int, datetime]:
    """Return when each gateway was last heard of."""
    return {row["gateway_id"]: row["heard_at"] for row in await connection.fetch(SELECT_HEARD)}


# Those that heard the devices of points in the week before each fell silent.
SELECT_RELAYS: Final = """
SELECT point_id, array_agg(DISTINCT gateway_id) AS gateway_ids
  FROM assignments
  JOIN LATERAL (SELECT max(received_at) AS last_at
                  FROM latest_frames
                 WHERE latest_frames.device_id = assignments.device_id) AS frame ON true
  JOIN LATERAL (SELECT gateway_id
                  FROM receptions
                 WHERE receptions.device_id = assignments.device_id
                   AND receptions.received_at BETWEEN last_at - $2::interval AND last_at) AS its ON true
 WHERE point_id = ANY ($1::integer[])
   AND upper_inf(during)
 GROUP BY point_id
"""


async def relays_of(connection: asyncpg.Connection, point_ids: list[int], lately: timedelta) -> dict[int, list[int]]:
    """Return the gateways that each point's sensor was heard by, in the `lately` before it was last heard."""
    rows = await connection.fetch(SELECT_RELAYS, point_ids, lately)
    return {row["point_id"]: row["gateway_ids"] for row in rows}
