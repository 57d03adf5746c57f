"""What the network looks like now: hours and channels of gateways, whom they serve, and how fast ingest is."""

from datetime import datetime, timedelta
from typing import Final

import asyncpg

_LATE: Final = timedelta(hours=26)  # looked at again once an hour: a backlog drained late
_OPEN: Final = timedelta(hours=2)
_SAMPLE: Final = 500
_SMALL: Final = 2_000  # devices: of so few, whom gateways serve is counted each round
_HOUR: Final = timedelta(hours=1)

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
