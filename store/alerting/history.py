"""What was measured and heard, for backtests: whole series as two arrays, which is quicker than a million rows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg

SELECT_HISTORY: Final = """
SELECT array_agg(date_part('epoch', measured_at) ORDER BY measured_at) AS at_s,
       array_agg(value ORDER BY measured_at) AS readings
  FROM assignments
 CROSS JOIN LATERAL (SELECT measured_at, value
                       FROM measurements
                      WHERE device_id = assignments.device_id
                        AND quantity_id = (SELECT quantity_id FROM quantities WHERE name = $2)
                        AND channel = $3
                        AND measured_at >= $4
                        AND measured_at < $5
                        AND during @> measured_at
                     OFFSET 0) AS sample
 WHERE point_id = $1
"""

SELECT_HEARD_HISTORY: Final = """
SELECT array_agg(DISTINCT date_part('epoch', received_at)) AS at_s, NULL::double precision[] AS readings
  FROM assignments
 CROSS JOIN LATERAL (SELECT received_at
                       FROM uplinks
                      WHERE device_id = assignments.device_id
                        AND received_at >= $2
                        AND received_at < $3
                        AND during @> received_at
                     OFFSET 0) AS sample
 WHERE point_id = $1
"""


async def history(
    connection: asyncpg.Connection, point_id: int, quantity: str, channel: int, *, since: datetime, until: datetime
) -> tuple[list[float], list[float]]:
    """Return the times (epoch seconds) and values of what a point measured; with quantity '', when it was heard."""
    row: Any
    if quantity:
        row = await connection.fetchrow(SELECT_HISTORY, point_id, quantity, channel, since, until)
    else:
        row = await connection.fetchrow(SELECT_HEARD_HISTORY, point_id, since, until)
    times: list[float] = row["at_s"] or []
    return times, row["readings"] or [0.0] * len(times)


# Of each stretch of time, when a gateway was first and last heard of: a silence longer than a stretch is all there.
SELECT_GATEWAY_EVENTS: Final = """
SELECT gateway_id, min(received_at) AS first_at, max(received_at) AS last_at
  FROM network_events
 WHERE gateway_id = ANY($1::integer[])
   AND received_at >= $2
   AND received_at < $3
 GROUP BY gateway_id, date_bin($4::interval, received_at, 'epoch')
"""

SELECT_GATEWAY_RECEPTIONS: Final = """
SELECT gateway_id, min(received_at) AS first_at, max(received_at) AS last_at
  FROM receptions
 WHERE gateway_id = ANY($1::integer[])
   AND received_at >= $2
   AND received_at < $3
 GROUP BY gateway_id, date_bin($4::interval, received_at, 'epoch')
"""


async def gateways_history(
    connection: asyncpg.Connection,
    gateway_ids: Sequence[int],
    *,
    since: datetime,
    until: datetime,
    stretch: timedelta,
) -> dict[int, list[float]]:
    """Return when each gateway was heard of (epoch seconds), enough of it to find every silence of a `stretch`.

    By what it said of itself; of one that says nothing, by the uplinks that it relayed.
    """
    heard: dict[int, set[float]] = {gateway_id: set() for gateway_id in gateway_ids}
    for statement in (SELECT_GATEWAY_EVENTS, SELECT_GATEWAY_RECEPTIONS):
        unheard = [gateway_id for gateway_id, times in heard.items() if not times]
        for row in await connection.fetch(statement, unheard, since, until, stretch):
            heard[row["gateway_id"]] |= {row["first_at"].timestamp(), row["last_at"].timestamp()}
    return {gateway_id: sorted(times) for gateway_id, times in heard.items()}


SELECT_GATEWAY_NAMES: Final = """
SELECT gateway_id, CASE WHEN name = '' THEN gateway_eui ELSE name END AS name
  FROM gateways
 WHERE gateway_id = ANY($1::integer[])
"""


async def gateway_names(connection: asyncpg.Connection, gateway_ids: Sequence[int]) -> dict[int, str]:
    """Return what gateways are called."""
    rows = await connection.fetch(SELECT_GATEWAY_NAMES, list(gateway_ids))
    return {row["gateway_id"]: row["name"] for row in rows}
