"""What the network looks like now: silent devices and why, counts of each tenant's fleet, hours of gateways."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final

import asyncpg

from domain.diagnosis import Facts, diagnose, silent_after

AWAY_AFTER: Final = timedelta(minutes=30)  # a gateway that says nothing for so long is away
_LATE: Final = timedelta(hours=26)  # looked at again once an hour: a backlog drained late
_OPEN: Final = timedelta(hours=2)
_SAMPLE: Final = 500
_SMALL: Final = 2_000  # devices: of so few, whom gateways serve is counted each round
_HOUR: Final = timedelta(hours=1)

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


async def refresh_fleet(connection: asyncpg.Connection, now: datetime, days: Collection[date]) -> None:
    """Count each tenant's fleet, and the frames of these UTC days: its own, and what gateways heard."""
    await connection.execute(UPSERT_COUNTS, now.date())
    if days:
        await connection.execute(UPSERT_DAYS, sorted(days))
        await connection.execute(UPSERT_GATEWAY_DAYS, sorted(days))


UPSERT_HOURS: Final = """
INSERT INTO gateway_hours AS known (gateway_id, hour, events, received, intact, asked, sent, last_at)
SELECT gateways.gateway_id, date_trunc('hour', received_at, 'UTC'), count(*),
       coalesce(sum((data ->> 'rx_packets')::bigint), 0), coalesce(sum((data ->> 'rx_packets_ok')::bigint), 0),
       coalesce(sum((data ->> 'tx_packets')::bigint), 0), coalesce(sum((data ->> 'tx_packets_emitted')::bigint), 0),
       max(received_at)
  FROM gateways
 CROSS JOIN LATERAL (SELECT received_at, data
                       FROM network_events
                      WHERE network_events.gateway_id = gateways.gateway_id
                        AND received_at >= $1
                        AND received_at <= $2
                        AND kind = 'gateway_stats'
                     OFFSET 0) AS told
 GROUP BY gateways.gateway_id, date_trunc('hour', received_at, 'UTC')
ON CONFLICT (gateway_id, hour) DO UPDATE
   SET events = excluded.events, received = excluded.received, intact = excluded.intact, asked = excluded.asked,
       sent = excluded.sent, last_at = excluded.last_at
"""

# The hours that are over: three of them again, for what comes late, or all since the last round that there was.
UPSERT_FREQUENCIES: Final = """
INSERT INTO gateway_frequencies AS known (gateway_id, hour, frequency_hz, sent)
SELECT gateways.gateway_id, date_trunc('hour', received_at, 'UTC'), told.key::bigint, sum(told.value::bigint)
  FROM gateways
 CROSS JOIN LATERAL (SELECT received_at, data
                       FROM network_events
                      WHERE network_events.gateway_id = gateways.gateway_id
                        AND received_at >= greatest($1::timestamptz - interval '26 hours',
                                                    least($1::timestamptz - interval '3 hours',
                                                          (SELECT max(hour) FROM gateway_frequencies)))
                        AND received_at < $1
                        AND kind = 'gateway_stats'
                     OFFSET 0) AS event
 CROSS JOIN LATERAL jsonb_each_text(data -> 'tx_packets_per_frequency_hz') AS told
 WHERE told.key ~ '^[0-9]{1,12}$'
 GROUP BY 1, 2, 3
ON CONFLICT (gateway_id, hour, frequency_hz) DO UPDATE
   SET sent = excluded.sent
 WHERE known.sent <> excluded.sent
"""

UPSERT_SERVED: Final = """
WITH heard AS (
  SELECT gateway_id, tenant_id, count(DISTINCT device_id) AS devices, ARRAY[
           coalesce(sum(frames) FILTER (WHERE spreading_factor = 7), 0),
           coalesce(sum(frames) FILTER (WHERE spreading_factor = 8), 0),
           coalesce(sum(frames) FILTER (WHERE spreading_factor = 9), 0),
           coalesce(sum(frames) FILTER (WHERE spreading_factor = 10), 0),
           coalesce(sum(frames) FILTER (WHERE spreading_factor = 11), 0),
           coalesce(sum(frames) FILTER (WHERE spreading_factor = 12), 0)
         ] AS frames,
         sum(frames * (snr_db + 7.5 + 2.5 * (nullif(spreading_factor, 0) - 7))) / sum(frames) AS margin_db
    FROM heard_daily
    JOIN devices USING (device_id)
    JOIN gateways USING (gateway_id)
   WHERE day > $1::date - 7
   GROUP BY gateway_id, tenant_id
), sole AS (
  SELECT only_gateway_id AS gateway_id, tenant_id, count(*) AS alone
    FROM device_health
   WHERE only_gateway_id IS NOT NULL
   GROUP BY only_gateway_id, tenant_id
), served AS (
  SELECT gateway_id, tenant_id, devices, coalesce(alone, 0) AS alone, frames, margin_db
    FROM heard
    LEFT JOIN sole USING (gateway_id, tenant_id)
   UNION ALL
  SELECT gateway_id, tenant_id, alone, alone, '{0,0,0,0,0,0}', NULL  -- silent for a week: still what it alone served
    FROM sole
    JOIN gateways USING (gateway_id)
   WHERE NOT EXISTS (SELECT FROM heard
                      WHERE heard.gateway_id = sole.gateway_id AND heard.tenant_id = sole.tenant_id)
), gone AS (
  DELETE FROM gateway_tenants AS known
   WHERE NOT EXISTS (SELECT FROM served
                      WHERE served.gateway_id = known.gateway_id AND served.tenant_id = known.tenant_id)
)
INSERT INTO gateway_tenants AS known
SELECT * FROM served
ON CONFLICT (gateway_id, tenant_id) DO UPDATE
   SET devices = excluded.devices, alone = excluded.alone, frames = excluded.frames, margin_db = excluded.margin_db
"""

UPSERT_MIDDLES: Final = """
INSERT INTO tenant_middles AS known
SELECT tenant_id, avg(latitude_deg), avg(longitude_deg)
  FROM sites
 WHERE latitude_deg IS NOT NULL AND longitude_deg IS NOT NULL
 GROUP BY tenant_id
ON CONFLICT (tenant_id) DO UPDATE
   SET latitude_deg = excluded.latitude_deg, longitude_deg = excluded.longitude_deg
 WHERE known.* IS DISTINCT FROM excluded.*
"""

SELECT_IS_NEW_HOUR: Final = """
SELECT coalesce(max(at), '-infinity') < $1 FROM ingest_rounds
"""

SELECT_IS_SMALL: Final = """
SELECT count(*) < $1::integer FROM (SELECT FROM devices LIMIT $1::integer) AS few
"""

# What came today and yesterday, and how long the last frames of some devices that spoke lately took to be stored.
INSERT_ROUND: Final = """
INSERT INTO ingest_rounds (at, received, latency_p50_s, latency_p95_s)
SELECT $1, (SELECT coalesce(sum(messages), 0) FROM ingest_accounts WHERE day >= ($1 AT TIME ZONE 'UTC')::date - 1),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY took_s), percentile_cont(0.95) WITHIN GROUP (ORDER BY took_s)
  FROM (SELECT DISTINCT device_id FROM changed_hours WHERE hour >= $2 LIMIT $3) AS lately
 CROSS JOIN LATERAL (SELECT greatest(extract(epoch FROM ingested_at - received_at), 0)::float8 AS took_s
                       FROM uplinks
                      WHERE uplinks.device_id = lately.device_id
                        AND received_at >= $2
                        AND received_at <= $1
                      ORDER BY received_at DESC
                      LIMIT 1) AS frame
ON CONFLICT (at) DO NOTHING
"""

DELETE_OLD: Final = (
    "DELETE FROM ingest_rounds WHERE at < $1::timestamptz - interval '25 hours'",
    "DELETE FROM gateway_hours WHERE hour < $1::timestamptz - interval '92 days'",
    "DELETE FROM gateway_frequencies WHERE hour < $1::timestamptz - interval '7 days'",
    "DELETE FROM gateway_days WHERE day < ($1 AT TIME ZONE 'UTC')::date - 92",
    "DELETE FROM ingest_workers WHERE at < $1::timestamptz - interval '1 day'",
    "DELETE FROM frames_daily WHERE day < ($1 AT TIME ZONE 'UTC')::date - 92",
    "DELETE FROM heard_daily WHERE day < ($1 AT TIME ZONE 'UTC')::date - 92",
)


async def refresh_network(connection: asyncpg.Connection, now: datetime) -> None:
    """Note this round of ingest's counts and the hours of gateways; once an hour, whom gateways serve, and forget.

    With few devices, whom they serve is counted each time, and what comes late.
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    is_new_hour = await connection.fetchval(SELECT_IS_NEW_HOUR, hour)
    is_small = await connection.fetchval(SELECT_IS_SMALL, _SMALL)
    await connection.execute(UPSERT_HOURS, hour - (_LATE if is_new_hour or is_small else _OPEN), now)
    if is_new_hour or is_small:
        await connection.execute(UPSERT_SERVED, now.date())
        await connection.execute(UPSERT_MIDDLES)
    if is_new_hour:
        await connection.execute(UPSERT_FREQUENCIES, hour)
        for statement in DELETE_OLD:
            await connection.execute(statement, now)
    await connection.execute(INSERT_ROUND, now, now - _HOUR, _SAMPLE)
