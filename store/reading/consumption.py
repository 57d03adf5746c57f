"""What the meters of a tenant counted, in each period of its calendar: few queries for a whole page."""

from collections.abc import Collection
from datetime import datetime
from typing import Final, Literal, NamedTuple

from store.reading.pages import Reader

Unit = Literal["day", "week", "month", "year"]


class Use(NamedTuple):
    """What one meter counted in one period, in the quantity's unit. `start` is the period's beginning."""

    site_id: int
    point_id: int
    quantity: str
    channel: int
    start: datetime
    amount: float


# A day's increase is from the last index of the day before, so that nothing falls between two days; a counter that
# began again counts what it shows. Days without a message are in the next one that has.
SELECT_USES: Final = """
WITH meters AS MATERIALIZED (
  SELECT site_id, point_id, device_id, lower(during) AS since, upper(during) AS until
    FROM sites
    JOIN points USING (site_id)
    JOIN assignments USING (point_id)
   WHERE tenant_id = $1
     AND during && tstzrange($3, $4)
), stepped AS (
  SELECT site_id, point_id, quantity_id, channel, day, last, first,
         lag(last) OVER (PARTITION BY point_id, meters.device_id, quantity_id, channel ORDER BY day) AS before
    FROM meters
   CROSS JOIN LATERAL (SELECT *
                         FROM measurements_daily
                        WHERE device_id = meters.device_id
                          AND quantity_id = ANY ($2::smallint[])
                          AND day >= greatest($3::timestamptz - interval '3 days', meters.since)
                          AND day < least($4::timestamptz, meters.until)
                       OFFSET 0) AS rolled_up
)
SELECT site_id, point_id, quantity_id, channel,
       date_trunc($5::text, day AT TIME ZONE $6::text) AT TIME ZONE $6::text AS start,
       sum(CASE WHEN before IS NULL THEN greatest(last - first, 0)
                WHEN last >= before THEN last - before
                ELSE last END) AS amount
  FROM stepped
 WHERE day >= $3
 GROUP BY site_id, point_id, quantity_id, channel, start
 ORDER BY start, site_id, point_id, quantity_id, channel
"""

SELECT_QUANTITIES: Final = """
SELECT quantity_id, name FROM quantities WHERE name = ANY ($1)
"""


async def _ids(reader: Reader, quantities: Collection[str]) -> dict[int, str]:
    rows = await reader.fetch(SELECT_QUANTITIES, list(quantities))
    return {row["quantity_id"]: row["name"] for row in rows}


async def uses(
    reader: Reader,
    tenant_id: int,
    quantities: Collection[str],
    start: datetime,
    end: datetime,
    *,
    unit: Unit,
    time_zone: str,
) -> list[Use]:
    """Return what each meter of a tenant counted in each period that begins in [start, end), in order of time.

    Periods without a message are missing. `start` and `end` are beginnings of days of the zone.
    """
    names = await _ids(reader, quantities)
    rows = await reader.fetch(SELECT_USES, tenant_id, list(names), start, end, unit, time_zone)
    return [
        Use(row["site_id"], row["point_id"], names[row["quantity_id"]], row["channel"], row["start"], row["amount"])
        for row in rows
    ]


class HourUse(NamedTuple):
    """What one meter counted in one hour, in the quantity's unit."""

    site_id: int
    point_id: int
    quantity: str
    start: datetime
    amount: float


# The index at each hour's end less the one before; hours without a message share what came after them.
SELECT_HOURS: Final = """
WITH meters AS MATERIALIZED (
  SELECT site_id, point_id, device_id, lower(during) AS since, upper(during) AS until
    FROM sites
    JOIN points USING (site_id)
    JOIN assignments USING (point_id)
   WHERE tenant_id = $1
     AND during && tstzrange($3, $4)
), stepped AS (
  SELECT site_id, point_id, quantity_id, channel, hour, last,
         lag(last) OVER series AS before,
         lag(hour) OVER series AS hour_before
    FROM meters
   CROSS JOIN LATERAL (SELECT *
                         FROM measurements_hourly
                        WHERE device_id = meters.device_id
                          AND quantity_id = ANY ($2::smallint[])
                          AND hour >= greatest($3::timestamptz - interval '1 hour', meters.since)
                          AND hour < least($4::timestamptz, meters.until)
                       OFFSET 0) AS rolled_up
  WINDOW series AS (PARTITION BY point_id, meters.device_id, quantity_id, channel ORDER BY hour)
)
SELECT site_id, point_id, quantity_id, hour, last - before AS amount
  FROM stepped
 WHERE hour >= $3
   AND last >= before
   AND hour - hour_before = interval '1 hour'
 ORDER BY point_id, quantity_id, channel, hour
"""


async def hours(
    reader: Reader, tenant_id: int, quantities: Collection[str], start: datetime, end: datetime
) -> list[HourUse]:
    """Return what each meter counted in each whole hour of [start, end) that follows one with a message."""
    names = await _ids(reader, quantities)
    rows = await reader.fetch(SELECT_HOURS, tenant_id, list(names), start, end)
    return [
        HourUse(row["site_id"], row["point_id"], names[row["quantity_id"]], row["hour"], row["amount"]) for row in rows
    ]


class HourLevel(NamedTuple):
    """The mean of a level in one hour, in the quantity's unit, with the extremes."""

    site_id: int
    point_id: int
    quantity: str
    start: datetime
    mean: float
    low: float
    high: float


SELECT_LEVELS: Final = """
SELECT site_id, point_id, quantity_id, hour, total / samples AS mean, low, high
  FROM sites
  JOIN points USING (site_id)
  JOIN assignments USING (point_id)
 CROSS JOIN LATERAL (SELECT *
                       FROM measurements_hourly
                      WHERE device_id = assignments.device_id
                        AND quantity_id = ANY ($2::smallint[])
                        AND channel = 0
                        AND hour >= greatest($3::timestamptz, lower(during))
                        AND hour < least($4::timestamptz, upper(during))
                     OFFSET 0) AS rolled_up
 WHERE tenant_id = $1
   AND during && tstzrange($3, $4)
 ORDER BY point_id, quantity_id, hour
"""


async def levels(
    reader: Reader, tenant_id: int, quantities: Collection[str], start: datetime, end: datetime
) -> list[HourLevel]:
    """Return what each point's levels were in each hour of [start, end) with a message."""
    names = await _ids(reader, quantities)
    rows = await reader.fetch(SELECT_LEVELS, tenant_id, list(names), start, end)
    return [
        HourLevel(
            row["site_id"],
            row["point_id"],
            names[row["quantity_id"]],
            row["hour"],
            row["mean"],
            row["low"],
            row["high"],
        )
        for row in rows
    ]
