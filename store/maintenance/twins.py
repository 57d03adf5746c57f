"""One frame that came by two network servers: both uplinks stay, as each was told; one of them is measured.

A device may be registered with two servers (a move from one to the other, roaming). Each gives the frame its own
time and its own deduplication id, so nothing refuses the second when it comes, and it must not cost the usual
uplink anything to find out. The later of the two gives up its measurements here, whatever the order of arrival.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from domain.readings import TWIN
from store.arrivals import tell_arrivals

APART: Final = timedelta(minutes=1)  # how far two servers' times of one frame may lie from each other

SELECT_SOURCES_HEARD: Final = """
SELECT count(*) > 1 FROM sources
"""

UPDATE_TWINS: Final = """
WITH marked AS (
  SELECT device_id, hour FROM unnest($1::integer[], $2::timestamptz[]) AS one (device_id, hour)
)
UPDATE uplinks AS twin
   SET outcome = $3
  FROM marked
 WHERE twin.device_id = marked.device_id
   AND twin.received_at >= marked.hour
   AND twin.received_at < marked.hour + interval '1 hour'
   AND twin.outcome <> $3
   AND EXISTS (SELECT
                 FROM uplinks AS first
                WHERE first.device_id = twin.device_id
                  AND first.received_at BETWEEN twin.received_at - $4::interval AND twin.received_at + $4::interval
                  AND first.source_id <> twin.source_id
                  AND first.dev_addr = twin.dev_addr
                  AND first.f_cnt = twin.f_cnt
                  AND first.f_port IS NOT DISTINCT FROM twin.f_port
                  AND first.payload = twin.payload
                  AND (first.received_at, first.source_id) < (twin.received_at, twin.source_id))
RETURNING twin.device_id, twin.received_at
"""

# Readings of the moment alone: those of the past bear the device's own time, and the unique key kept one of each.
# Where both servers gave one time, it kept one of the moment too, and it must stay.
DELETE_TWIN_MEASUREMENTS: Final = """
DELETE FROM measurements
 USING unnest($1::integer[], $2::timestamptz[]) AS twin (device_id, received_at)
 WHERE measurements.device_id = twin.device_id
   AND measurements.measured_at = twin.received_at
   AND measurements.received_at = twin.received_at
   AND NOT EXISTS (SELECT
                     FROM uplinks
                    WHERE uplinks.device_id = twin.device_id
                      AND uplinks.received_at = twin.received_at
                      AND uplinks.outcome <> $3)
RETURNING measurements.device_id, measurements.measured_at
"""


async def settle_twins(connection: asyncpg.Connection, marks: Collection[tuple[int, datetime]]) -> int:
    """Find the twins among the uplinks of these (device, hour), and take their measurements away.

    Call it inside a transaction. One cheap query where there is one network server. Returns how many there were.
    """
    if not marks or not await connection.fetchval(SELECT_SOURCES_HEARD):
        return 0
    devices, hours = map(list, zip(*marks, strict=True))
    twins = await connection.fetch(UPDATE_TWINS, devices, hours, TWIN, APART)
    if twins:
        keys = map(list, zip(*twins, strict=True))
        gone = await connection.fetch(DELETE_TWIN_MEASUREMENTS, *keys, TWIN)
        await tell_arrivals(connection, (tuple(one) for one in gone))
    return len(twins)
