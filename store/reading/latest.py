"""The newest value of everything that a tenant's points measure, and what changed of it since one last looked."""

from datetime import UTC, datetime
from typing import Final, NamedTuple

from store.reading.pages import Reader

_EVER: Final = datetime.min.replace(tzinfo=UTC)


class LatestValue(NamedTuple):
    """The newest measurement of one quantity and channel at a point, in the quantity's unit."""

    point_id: int
    quantity: str
    channel: int
    value: float
    measured_at: datetime
    received_at: datetime


class Changes(NamedTuple):
    """Latest values written since a cursor, and the cursor to ask with next time."""

    values: list[LatestValue]
    cursor: int


# A device that moved shows at its new point only what it measured there.
SELECT_LATEST: Final = """
SELECT DISTINCT ON (point_id, quantities.name, channel)
       point_id, quantities.name AS quantity, channel, value, measured_at, received_at
  FROM assignments
  JOIN latest_frames USING (device_id)
 CROSS JOIN unnest(quantity_ids, channels, readings) AS reading (quantity_id, channel, value)
  JOIN quantities USING (quantity_id)
 WHERE of_tenant_id = $1
   AND received_at > $2
   AND ($3::integer IS NULL OR point_id IN (SELECT points.point_id FROM points WHERE site_id = $3))
   AND upper_inf(during)
   AND during @> measured_at
 ORDER BY point_id, quantities.name, channel, measured_at DESC
"""


async def latest_values(
    reader: Reader, tenant_id: int, since: datetime | None = None, site_id: int | None = None
) -> list[LatestValue]:
    """Return the latest values of a tenant's points, or of one site's, by point, quantity and channel.

    `since` leaves out what was received at that moment or earlier.
    """
    rows = await reader.fetch(SELECT_LATEST, tenant_id, since or _EVER, site_id)
    return [LatestValue(*row) for row in rows]


# xmin says which transaction wrote a row. Whatever was not yet finished when the cursor was taken is told again
# rather than missed. A cursor from the future is of another database: then everything is told.
SELECT_CHANGED: Final = """
WITH clock AS (
  SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next_xid
), newest AS (
  SELECT DISTINCT ON (point_id, quantities.name, channel)
         point_id, quantities.name AS quantity, channel, value, measured_at, received_at,
         latest_frames.xmin::text::bigint AS xid
    FROM assignments
    JOIN latest_frames USING (device_id)
   CROSS JOIN unnest(quantity_ids, channels, readings) AS reading (quantity_id, channel, value)
    JOIN quantities USING (quantity_id)
   WHERE of_tenant_id = $1
     AND upper_inf(during)
     AND during @> measured_at
   ORDER BY point_id, quantities.name, channel, measured_at DESC
)
SELECT point_id, quantity, channel, value, measured_at, received_at
  FROM newest, clock
 WHERE $2 > next_xid
    OR $2 <= xid + (next_xid >> 32 << 32) - CASE WHEN xid >= next_xid & 4294967295 THEN 4294967296 ELSE 0 END
"""

SELECT_CURSOR: Final = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint
"""


async def changes_since(reader: Reader, tenant_id: int, cursor: int) -> Changes:
    """Return the latest values written since `cursor` (0: all of them) and the next cursor.

    The cursor follows commits, not clocks: a value that comes late is told, whatever its times. A value may be
    told twice when writers overlap; none is missed.
    """
    following = await reader.fetchval(SELECT_CURSOR)
    rows = await reader.fetch(SELECT_CHANGED, tenant_id, cursor)
    return Changes(values=[LatestValue(*row) for row in rows], cursor=following)
