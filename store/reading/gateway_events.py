"""What network servers told of gateways: that they are there, what they count. Of the network, not of a tenant."""

from datetime import datetime
from typing import Final, NamedTuple

from store.reading.frames import Before
from store.reading.pages import Reader


class GatewayEvent(NamedTuple):
    """One event. `data` is JSON, as its `kind` has it."""

    received_at: datetime
    key: int
    gateway_eui: str
    kind: str
    data: str


SELECT_GATEWAY_EVENTS: Final = """
SELECT event.received_at, event.event_key, gateway_eui, event.kind, event.data
  FROM gateways
 CROSS JOIN LATERAL (SELECT received_at, event_key, network_events.kind, data
                       FROM network_events
                      WHERE network_events.gateway_id = gateways.gateway_id
                        AND received_at >= $2
                        AND received_at < $3
                        AND (received_at, event_key) < ($4, $5)
                        AND ($6::text IS NULL OR network_events.kind = $6)
                      ORDER BY received_at DESC, event_key DESC
                      LIMIT $7) AS event
 WHERE $1::text IS NULL OR gateway_eui = $1
 ORDER BY received_at DESC, event_key DESC
 LIMIT $7
"""


async def gateway_events(
    reader: Reader,
    gateway_eui: str | None,
    kind: str | None,
    *,
    start: datetime,
    end: datetime,
    before: Before,
    limit: int,
) -> list[GatewayEvent]:
    """Return events of one gateway or of all, of one kind or of all, the newest first, no more than `limit`."""
    rows = await reader.fetch(SELECT_GATEWAY_EVENTS, gateway_eui, start, end, *before, kind, limit)
    return [GatewayEvent(*row) for row in rows]
