"""What each tenant used in each month, reckoned until the month has settled, and then left: it may have been billed."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import asyncpg

from store.partitions import month_after, month_of
from store.sizes import Size, sizes

EVERY: Final = timedelta(hours=6)
SETTLED_AFTER: Final = timedelta(days=7)  # what comes later than that is of nobody's bill
_AT_ONCE: Final = 2  # months in one round: the past of a database that is new to this is caught up with slowly

# What comes with a measurement, and with an uplink: their roll-ups, their receptions.
_OF_MEASUREMENTS: Final = ("measurements", "measurements_hourly", "measurements_daily")
_OF_UPLINKS: Final = ("uplinks", "receptions", "network_events", "radio_accounts")


def months_due(reckoned: Mapping[date, datetime], first: date | None, now: datetime) -> list[date]:
    """Return the months to reckon, the newest first: never done, or done long ago and before they had settled.

    `first` is the month of the first message, None while there is none. Pure.
    """
    month, found = month_of(now), []
    while first is not None and month >= first:
        settled_at = datetime.combine(month_after(month, 1), time(), UTC) + SETTLED_AFTER
        done_at = reckoned.get(month)
        if done_at is None or done_at < min(now - EVERY, settled_at):
            found.append(month)
        month = month_after(month, -1)
    return found


SELECT_RECKONED: Final = """
SELECT month, min(reckoned_at) AS reckoned_at FROM usage GROUP BY month
"""

SELECT_FIRST_MONTH: Final = """
SELECT date_trunc('month', min(day))::date FROM ingest_accounts
"""


async def reckon_usage(connection: asyncpg.Connection, now: datetime) -> list[date]:
    """Reckon the months that are due, a few of them; return them."""
    reckoned = {row["month"]: row["reckoned_at"] for row in await connection.fetch(SELECT_RECKONED)}
    due = months_due(reckoned, await connection.fetchval(SELECT_FIRST_MONTH), now)[:_AT_ONCE]
    if due:
        row_bytes = _row_bytes(await sizes(connection))
        for month in due:
            async with connection.transaction():
                await connection.execute(UPSERT_USAGE, month, month_after(month, 1), now)
                await connection.execute(UPDATE_DISK, month, *row_bytes)
    return due


def _row_bytes(found: list[Size]) -> tuple[float | None, float | None]:
    """Return what one measurement and one uplink take, with what is derived of them; None where there are no rows."""
    held = {one.relation: one for one in found}

    def each(relations: tuple[str, ...]) -> float | None:
        rows = held[relations[0]].rows
        return sum(held[name].total_bytes for name in relations) / rows if rows else None

    return each(_OF_MEASUREMENTS), each(_OF_UPLINKS)


UPSERT_USAGE: Final = """
WITH asked AS (
  SELECT tenant_id, $1::date::timestamp AT TIME ZONE time_zone AS start,
         $2::date::timestamp AT TIME ZONE time_zone AS stop
    FROM tenants
), assigned AS (
  SELECT tenant_id, count(DISTINCT device_id) AS devices
    FROM asked
    JOIN assignments ON of_tenant_id = tenant_id AND during && tstzrange(start, stop)
   GROUP BY tenant_id
), heard AS (
  SELECT tenant_id, sum(messages) AS uplinks
    FROM ingest_accounts
   WHERE day >= $1 AND day < $2 AND kind = 'uplink' AND outcome = 'stored'
   GROUP BY tenant_id
), measured AS (
  SELECT ownerships.tenant_id, sum(samples) AS measurements
    FROM ownerships
    JOIN asked USING (tenant_id)
    JOIN measurements_daily AS told ON told.device_id = ownerships.device_id
                                   AND told.day >= greatest(since, start) AND told.day < least(until, stop)
   WHERE told.day >= $1::date - 1 AND told.day < $2::date + 1
   GROUP BY ownerships.tenant_id
), sent AS (
  SELECT tenant_id, count(*) FILTER (WHERE channel = 'email') AS emails, count(*) FILTER (WHERE channel = 'sms') AS sms,
         sum(segments) FILTER (WHERE channel = 'sms') AS sms_segments
    FROM deliveries
    JOIN contacts USING (contact_id, tenant_id)
    JOIN asked USING (tenant_id)
   WHERE state = 'sent' AND ended_at >= start AND ended_at < stop
   GROUP BY tenant_id
), exported AS (
  SELECT tenant_id, count(*) AS exports
    FROM exports_sent
    JOIN asked USING (tenant_id)
   WHERE sent_at >= start AND sent_at < stop
   GROUP BY tenant_id
)
INSERT INTO usage AS known
       (tenant_id, month, devices, uplinks, measurements, emails, sms, sms_segments, exports, reckoned_at)
SELECT tenant_id, $1, coalesce(devices, 0), coalesce(uplinks, 0), coalesce(measurements, 0), coalesce(emails, 0),
       coalesce(sms, 0), coalesce(sms_segments, 0), coalesce(exports, 0), $3
  FROM asked
  LEFT JOIN assigned USING (tenant_id)
  LEFT JOIN heard USING (tenant_id)
  LEFT JOIN measured USING (tenant_id)
  LEFT JOIN sent USING (tenant_id)
  LEFT JOIN exported USING (tenant_id)
ON CONFLICT (tenant_id, month) DO UPDATE
   SET devices = excluded.devices, uplinks = excluded.uplinks, measurements = excluded.measurements,
       emails = excluded.emails, sms = excluded.sms, sms_segments = excluded.sms_segments, exports = excluded.exports,
       reckoned_at = excluded.reckoned_at
"""

# Everything up to that month that is still kept, by what a row takes today.
UPDATE_DISK: Final = """
UPDATE usage
   SET disk_bytes = held.bytes
  FROM (SELECT tenant_id,
               CASE WHEN num_nonnulls($2::float8, $3::float8) > 0 THEN round(
                 coalesce(sum(measurements) FILTER (WHERE month >= coalesce(measured_since, '-infinity')) * $2, 0)
                 + coalesce(sum(uplinks) FILTER (WHERE month >= coalesce(received_since, '-infinity')) * $3, 0))
                END::bigint AS bytes
          FROM usage,
               (SELECT $1::date - make_interval(months => min(keep_months) FILTER (WHERE relation = 'measurements'))
                         AS measured_since,
                       $1::date - make_interval(months => min(keep_months) FILTER (WHERE relation = 'uplinks'))
                         AS received_since
                  FROM retention) AS kept
         WHERE month <= $1
         GROUP BY tenant_id) AS held
 WHERE usage.tenant_id = held.tenant_id
   AND month = $1
"""
