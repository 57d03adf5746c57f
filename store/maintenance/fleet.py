"""How each tenant's fleet fares now: silent devices and why, counts of it, and of the frames of its days."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final

import asyncpg

from domain.diagnosis import Facts, diagnose, silent_after

AWAY_AFTER: Final = timedelta(minutes=30)  # a gateway that says nothing for so long is away

# Only devices that measure a point now: one on the shelf is not silent.
SELECT_LATE: Final = """
SELECT devices.device_id, devices.tenant_id, last_seen_at,
       coalesce(greatest(health.period_s, period_of(parameters, NULL)), models.period_s) AS period_s,
       heard, lost, resets, undecoded, sf12, margin_db, gateway_ids, battery_end_on
  FROM assignments
  JOIN devices USING (device_id)
  LEFT JOIN models USING (model_id)
  LEFT JOIN device_health AS health ON health.device_id = devices.device_id
  LEFT JOIN (SELECT device_id, max(received_at) AS last_seen_at FROM latest_frames GROUP BY device_id) AS seen
         ON seen.device_id = devices.device_id
 WHERE during @> $1::timestamptz
   AND (last_seen_at IS NULL OR last_seen_at < $2)
"""

SELECT_AWAY: Final = """
SELECT gateway_id
  FROM gateways
 WHERE coalesce(greatest((SELECT max(heard_at) FROM gateways_heard AS one
                           WHERE one.gateway_id = gateways.gateway_id),
                         last_gateway_event_at(gateway_id)), '-infinity') < $1
"""

DELETE_HEARD_AGAIN: Final = """
DELETE FROM silent_devices
 WHERE NOT device_id = ANY($1::integer[])
"""

UPSERT_SILENT: Final = """
INSERT INTO silent_devices AS known (device_id, tenant_id, since, cause)
SELECT * FROM unnest($1::integer[], $2::integer[], $3::timestamptz[], $4::text[])
ON CONFLICT (device_id) DO UPDATE
   SET tenant_id = excluded.tenant_id, since = excluded.since, cause = excluded.cause
 WHERE (known.tenant_id, known.since, known.cause)
       IS DISTINCT FROM (excluded.tenant_id, excluded.since, excluded.cause)
"""


async def refresh_silent(connection: asyncpg.Connection, now: datetime) -> None:
    """Note which devices are silent at `now`, and the likely cause of each."""
    away = {row["gateway_id"] for row in await connection.fetch(SELECT_AWAY, now - AWAY_AFTER)}
    rows = []
    for row in await connection.fetch(SELECT_LATE, now, now - silent_after(1)):
        facts = _facts(row, now, away)
        if facts.is_silent:
            rows.append((row["device_id"], row["tenant_id"], facts.last_seen_at, diagnose(facts).verdict))
    columns = list(map(list, zip(*rows, strict=True))) or [[], [], [], []]
    async with connection.transaction():
        await connection.execute(DELETE_HEARD_AGAIN, columns[0])
        await connection.execute(UPSERT_SILENT, *columns)


def _facts(row: asyncpg.Record, now: datetime, away: set[int]) -> Facts:
    gateway_ids = row["gateway_ids"] or []
    end_on = row["battery_end_on"]
    return Facts(
        now,
        row["last_seen_at"],
        row["period_s"],
        heard=row["heard"] or 0,
        lost=row["lost"] or 0,
        margin_db=row["margin_db"],
        gateways=len(gateway_ids),
        gateways_away=len(away.intersection(gateway_ids)),
        battery_days=None if end_on is None else (end_on - now.date()).days,
    )


# `stuck` is domain.diagnosis.is_stuck.
UPSERT_COUNTS: Final = """
WITH counted AS (
  SELECT devices.tenant_id, coalesce(model_id, '') AS model_id, count(*) AS devices,
         count(silent.device_id) AS silent, coalesce(sum(heard), 0) AS heard, coalesce(sum(lost), 0) AS lost,
         coalesce(sum(undecoded), 0) AS undecoded,
         count(*) FILTER (WHERE cardinality(gateway_ids) > 0) AS placed, count(only_gateway_id) AS alone,
         count(*) FILTER (WHERE heard >= 10 AND sf12 >= 0.9 * heard AND margin_db >= 10) AS stuck,
         count(*) FILTER (WHERE battery_end_on < $1::date + 60) AS battery_60,
         count(*) FILTER (WHERE battery_end_on < $1::date + 180) AS battery_180
    FROM devices
    LEFT JOIN device_health USING (device_id)
    LEFT JOIN silent_devices AS silent USING (device_id)
   GROUP BY devices.tenant_id, coalesce(model_id, '')
), gone AS (
  DELETE FROM fleet_counts
   WHERE NOT EXISTS (SELECT FROM counted
                      WHERE counted.tenant_id = fleet_counts.tenant_id AND counted.model_id = fleet_counts.model_id)
)
INSERT INTO fleet_counts AS known
SELECT * FROM counted
ON CONFLICT (tenant_id, model_id) DO UPDATE
   SET devices = excluded.devices, silent = excluded.silent, heard = excluded.heard, lost = excluded.lost,
       undecoded = excluded.undecoded, placed = excluded.placed, alone = excluded.alone, stuck = excluded.stuck,
       battery_60 = excluded.battery_60, battery_180 = excluded.battery_180
 WHERE known.* IS DISTINCT FROM excluded.*
"""

UPSERT_DAYS: Final = """
INSERT INTO fleet_days AS known (tenant_id, day, frames, undecoded, expected)
SELECT tenant_id, day, frames, undecoded, coalesce(expected, 0)
  FROM unnest($1::date[]) AS one (day)
 CROSS JOIN LATERAL (SELECT tenant_id, sum(frames) AS frames, sum(undecoded) AS undecoded
                       FROM frames_daily
                       JOIN devices USING (device_id)
                      WHERE frames_daily.day = one.day
                      GROUP BY tenant_id) AS told
  LEFT JOIN LATERAL (SELECT devices.tenant_id,
                            sum(86400 / coalesce(device_health.period_s, models.period_s)) AS expected
                       FROM devices
                       LEFT JOIN device_health USING (device_id)
                       LEFT JOIN models USING (model_id)
                       JOIN assignments ON assignments.device_id = devices.device_id
                                       AND during @> (one.day::timestamp AT TIME ZONE 'UTC')
                      GROUP BY devices.tenant_id) AS due USING (tenant_id)
ON CONFLICT (tenant_id, day) DO UPDATE
   SET frames = excluded.frames, undecoded = excluded.undecoded, expected = excluded.expected
"""


UPSERT_GATEWAY_DAYS: Final = """
WITH heard AS (
  SELECT gateway_id, day, spreading_factor, count(*) AS devices, sum(frames) AS frames, sum(airtime_us) AS airtime_us,
         sum(rssi_dbm * frames) / sum(frames) AS rssi_dbm, sum(snr_db * frames) / sum(frames) AS snr_db
    FROM heard_daily
    JOIN gateways USING (gateway_id)
   WHERE day = ANY($1::date[])
   GROUP BY gateway_id, day, spreading_factor
), gone AS (
  DELETE FROM gateway_days AS known
   WHERE day = ANY($1::date[])
     AND NOT EXISTS (SELECT FROM heard
                      WHERE heard.gateway_id = known.gateway_id AND heard.day = known.day
                        AND heard.spreading_factor = known.spreading_factor)
)
INSERT INTO gateway_days AS known
SELECT * FROM heard
ON CONFLICT (gateway_id, day, spreading_factor) DO UPDATE
   SET devices = excluded.devices, frames = excluded.frames, airtime_us = excluded.airtime_us,
       rssi_dbm = excluded.rssi_dbm, snr_db = excluded.snr_db
 WHERE known.* IS DISTINCT FROM excluded.*
"""


async def refresh_fleet(connection: asyncpg.Connection, now: datetime) -> None:
    """Count each tenant's fleet."""
    await connection.execute(UPSERT_COUNTS, now.date())


async def count_days(connection: asyncpg.Connection, days: Collection[date]) -> None:
    """Count the frames of these UTC days: each tenant's own, and what gateways heard."""
    if days:
        await connection.execute(UPSERT_DAYS, sorted(days))
        await connection.execute(UPSERT_GATEWAY_DAYS, sorted(days))
