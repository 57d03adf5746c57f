"""One point: where it is, what measures it and has measured it, what is watched there, and what happened."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from domain.errors import NotFoundError
from domain.uses import Use
from store.reading.pages import Reader


class PointFound(NamedTuple):
    """A point and its site; `part_of` is the name of the point that counts it as well, with its site's elsewhere."""

    point_id: int
    name: str
    site_id: int
    site_name: str
    use: Use | None = None
    part_of: str | None = None


SELECT_POINT: Final = """
SELECT points.point_id, points.name, points.site_id, sites.name AS site_name, points.use,
       CASE WHEN whole.site_id = points.site_id THEN whole.name ELSE at.name || ', ' || whole.name END AS part_of
  FROM points
  JOIN sites ON sites.site_id = points.site_id
  LEFT JOIN (points AS whole JOIN sites AS at ON at.site_id = whole.site_id) ON whole.point_id = points.part_of
 WHERE sites.tenant_id = $1
   AND points.point_id = $2
"""


async def point(reader: Reader, tenant_id: int, point_id: int) -> PointFound:
    """Return a point of a tenant. Raises NotFoundError for another's as for none."""
    row = await reader.fetchrow(SELECT_POINT, tenant_id, point_id)
    if row is None:
        raise NotFoundError(f"no point {point_id}")
    return PointFound(*row)


class Measurer(NamedTuple):
    """A device that measures a point, or did. `since` None: always did; `until` None: does now.

    The radio figures are of its last uplink, by the gateway that heard it best; `heard` and `lost` count the frames of
    the last seven days. All None where nothing was received.
    """

    device_id: int
    dev_eui: str
    name: str
    model: str | None
    vendor: str | None
    period_s: int | None
    since: datetime | None
    until: datetime | None
    heard_at: datetime | None
    spreading_factor: int | None
    rssi_dbm: float | None
    snr_db: float | None
    gateways: int
    heard: int | None
    lost: int | None


SELECT_MEASURERS: Final = """
SELECT device_id, dev_eui, devices.name, models.name AS model, vendor,
       period_of(parameters, models.period_s) AS period_s,
       nullif(lower(during), '-infinity') AS since, nullif(upper(during), 'infinity') AS until,
       heard_at, spreading_factor, rssi_dbm, snr_db, coalesce(gateways, 0)::integer AS gateways, heard, lost
  FROM assignments
  JOIN devices USING (device_id)
  LEFT JOIN models USING (model_id)
  LEFT JOIN LATERAL (SELECT max(received_at) AS heard_at
                       FROM latest_frames
                      WHERE latest_frames.device_id = devices.device_id) AS seen ON upper_inf(during)
  LEFT JOIN LATERAL (SELECT uplink_key, spreading_factor
                       FROM uplinks
                      WHERE uplinks.device_id = devices.device_id
                        AND uplinks.received_at = heard_at
                      ORDER BY uplink_key
                      LIMIT 1) AS frame ON true
  LEFT JOIN LATERAL (SELECT max(rssi_dbm) AS rssi_dbm, max(snr_db) AS snr_db, count(*) AS gateways
                       FROM receptions
                      WHERE receptions.device_id = devices.device_id
                        AND receptions.received_at = heard_at
                        AND receptions.uplink_key = frame.uplink_key) AS best ON true
  LEFT JOIN LATERAL (SELECT sum(heard)::integer AS heard, sum(lost)::integer AS lost
                       FROM radio_accounts
                      WHERE radio_accounts.device_id = devices.device_id
                        AND day > ($2::timestamptz AT TIME ZONE 'UTC')::date - 7) AS account ON upper_inf(during)
 WHERE point_id = $1
 ORDER BY lower(during) DESC NULLS LAST
 LIMIT 50
"""


async def measurers(reader: Reader, point_id: int, now: datetime) -> list[Measurer]:
    """Return the devices that measure a point or did, the present one first."""
    return [Measurer(*row) for row in await reader.fetch(SELECT_MEASURERS, point_id, now)]


class Watched(NamedTuple):
    """A rule in force at a point."""

    rule_id: int
    name: str
    kind: str
    definition: Mapping[str, Any]


SELECT_WATCHED: Final = """
SELECT rule_id, name, kind, definition::text
  FROM rules
 WHERE tenant_id = $1
   AND enabled
   AND ((target->>'point_id')::integer = $2
        OR (target->>'site_id')::integer = $3
        OR (target->>'everything')::boolean
        OR target->>'tag' IN (SELECT tag FROM point_tags WHERE point_id = $2))
 ORDER BY rule_id
 LIMIT 100
"""


async def watched(reader: Reader, tenant_id: int, found: PointFound) -> list[Watched]:
    """Return the rules in force at a point."""
    rows = await reader.fetch(SELECT_WATCHED, tenant_id, found.point_id, found.site_id)
    return [Watched(row[0], row[1], row[2], json.loads(row[3])) for row in rows]


class Fired(NamedTuple):
    """An alert of a point."""

    started_at: datetime
    ended_at: datetime | None
    severity: str
    rule_name: str
    rule_kind: str
    definition: Mapping[str, Any]
    reason: Mapping[str, Any]


SELECT_FIRED: Final = """
SELECT started_at, ended_at, alerts.severity, rules.name AS rule_name, rules.kind AS rule_kind, definition::text,
       reason::text
  FROM alerts
  JOIN rules USING (rule_id)
 WHERE alerts.tenant_id = $1
   AND point_id = $2
   AND started_at < $4
   AND (ended_at IS NULL OR ended_at > $3)
 ORDER BY started_at DESC
 LIMIT 100
"""


async def fired(reader: Reader, tenant_id: int, point_id: int, start: datetime, end: datetime) -> list[Fired]:
    """Return the alerts of a point that were on between two moments, the newest first."""
    rows = await reader.fetch(SELECT_FIRED, tenant_id, point_id, start, end)
    return [
        Fired(**dict(row) | {"definition": json.loads(row["definition"]), "reason": json.loads(row["reason"])})
        for row in rows
    ]
