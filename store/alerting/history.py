"""What was measured and heard, for backtests: whole series as two arrays, which is quicker than a million rows."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from operator import itemgetter, le
from typing import Final, NamedTuple

import asyncpg


class History(NamedTuple):
    """One series, in the order of time. Epoch seconds; of when something was heard the values are all 0."""

    at_s: Sequence[float]
    readings: Sequence[float]


NOTHING: Final = History((), ())

SELECT_HELD: Final = """
SELECT point_id, device_id, date_part('epoch', lower(during)) AS since_s, date_part('epoch', upper(during)) AS until_s
  FROM assignments
 WHERE point_id = ANY($1::integer[])
   AND during && tstzrange($2, $3)
 ORDER BY lower(during) NULLS FIRST
"""

# Neither cut to the assignments nor put in order here: some devices at once, their pages are read once, and that costs
# the database a third of what it costs to look up and sort each series.
SELECT_HISTORY: Final = """
SELECT device_id, array_agg(date_part('epoch', measured_at)) AS at_s, array_agg(value) AS readings
  FROM measurements
 WHERE device_id = ANY($1::integer[])
   AND quantity_id = (SELECT quantity_id FROM quantities WHERE name = $2)
   AND channel = $3
   AND measured_at >= $4
   AND measured_at < $5
 GROUP BY device_id
"""

SELECT_HEARD_HISTORY: Final = """
SELECT device_id, array_agg(DISTINCT date_part('epoch', received_at)) AS at_s
  FROM uplinks
 WHERE device_id = ANY($1::integer[])
   AND received_at >= $2
   AND received_at < $3
 GROUP BY device_id
"""


async def histories(
    connection: asyncpg.Connection,
    point_ids: Sequence[int],
    quantity: str,
    channel: int,
    *,
    since: datetime,
    until: datetime,
) -> dict[int, History]:
    """Return what each of some points measured; with quantity '', when it was heard. Points without any are absent.

    A point's series is that of each device for as long as it was the point's. Ask for tens of points at once, not
    for hundreds: all is in memory.
    """
    held = await connection.fetch(SELECT_HELD, list(point_ids), since, until)
    devices = sorted({row["device_id"] for row in held})
    if quantity:
        rows = await connection.fetch(SELECT_HISTORY, devices, quantity, channel, since, until)
        whole = {row["device_id"]: _in_order(row["at_s"], row["readings"]) for row in rows}
    else:
        rows = await connection.fetch(SELECT_HEARD_HISTORY, devices, since, until)
        whole = {row["device_id"]: History(row["at_s"], [0.0] * len(row["at_s"])) for row in rows}
    found: dict[int, History] = {}
    for point_id, device_id, since_s, until_s in held:
        part = _cut(whole.get(device_id, NOTHING), since_s, until_s)
        if part.at_s:
            before = found.get(point_id)
            found[point_id] = (
                part if before is None else History([*before.at_s, *part.at_s], [*before.readings, *part.readings])
            )
    return found


def _in_order(at_s: list[float], readings: list[float]) -> History:
    if all(map(le, at_s, islice(at_s, 1, None))):
        return History(at_s, readings)
    at, values = zip(*sorted(zip(at_s, readings, strict=True), key=itemgetter(0)), strict=True)
    return History(at, values)


def _cut(whole: History, since_s: float | None, until_s: float | None) -> History:
    """Return what lies in the time of an assignment; its end is the next one's beginning."""
    first = 0 if since_s is None else bisect_left(whole.at_s, since_s)
    last = len(whole.at_s) if until_s is None else bisect_left(whole.at_s, until_s)
    if first == 0 and last == len(whole.at_s):
        return whole
    return History(whole.at_s[first:last], whole.readings[first:last])


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
