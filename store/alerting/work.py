"""What there is to evaluate: arrivals and what is due, claimed by a worker for the length of its transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg


class StateRow(NamedTuple):
    """A rule on one subject as it was evaluated last, locked.

    `since` is the earliest measurement that came since, None when it is merely due.
    """

    state_id: int
    rule_id: int
    rule_version: int
    tenant_id: int
    site_id: int | None
    point_id: int | None
    gateway_id: int | None
    phase: str
    phase_since: datetime
    machine: str
    folded_to: datetime
    alert_id: object
    due_at: datetime
    on_arrival: bool
    since: datetime | None


# A plan made while a table was small must not be kept: it would read all of it.
SET_PLANNING: Final = """
SET plan_cache_mode = force_custom_plan
"""


async def plan_each_time(connection: asyncpg.Connection) -> None:
    """Have the statements of this connection planned each time, for the tables as they are."""
    await connection.execute(SET_PLANNING)


CLAIM_ARRIVALS: Final = """
DELETE FROM arrivals
 WHERE arrival_id = ANY(ARRAY(SELECT arrival_id
                                FROM arrivals
                               ORDER BY arrival_id
                               LIMIT $1
                                 FOR UPDATE SKIP LOCKED))
RETURNING device_ids, measured_since
"""


async def claim_arrivals(connection: asyncpg.Connection, limit: int) -> dict[int, datetime]:
    """Take some arrivals away, in this transaction; return each device with its earliest measurement among them."""
    devices: dict[int, datetime] = {}
    for device_ids, since in await connection.fetch(CLAIM_ARRIVALS, limit):
        for device_id, at in zip(device_ids, since, strict=True):
            if at <= devices.setdefault(device_id, at):
                devices[device_id] = at
    return devices


# Locked in one order, so that two workers who need the same states take turns and never wait for each other in a ring.
LOCK_STATES_OF_DEVICES: Final = """
WITH concerned AS (
  SELECT state_id, min(since) AS since
    FROM unnest($1::integer[], $2::timestamptz[]) AS arrived (device_id, since)
    JOIN assignments USING (device_id)
    JOIN rule_inputs USING (point_id)
   GROUP BY state_id
)
SELECT state_id, rule_id, rule_version, tenant_id, site_id, point_id, gateway_id, phase, phase_since, machine::text,
       folded_to, alert_id, due_at, on_arrival, since
  FROM rule_states
  JOIN concerned USING (state_id)
 WHERE on_arrival OR since <= folded_to
 ORDER BY state_id
   FOR UPDATE OF rule_states
"""


async def lock_states_of(connection: asyncpg.Connection, devices: dict[int, datetime]) -> list[StateRow]:
    """Lock the states that these devices concern; waits for whoever evaluates one of them."""
    rows = await connection.fetch(LOCK_STATES_OF_DEVICES, list(devices), list(devices.values()))
    return [StateRow(*row) for row in rows]


LOCK_DUE: Final = """
SELECT state_id, rule_id, rule_version, tenant_id, site_id, point_id, gateway_id, phase, phase_since, machine::text,
       folded_to, alert_id, due_at, on_arrival, NULL::timestamptz AS since
  FROM rule_states
 WHERE due_at <= $1
 ORDER BY due_at
 LIMIT $2
   FOR UPDATE SKIP LOCKED
"""


async def lock_due(connection: asyncpg.Connection, now: datetime, limit: int) -> list[StateRow]:
    """Lock some of the states that are due, passing over those that somebody else evaluates."""
    return [StateRow(*row) for row in await connection.fetch(LOCK_DUE, now, limit)]


class SampleRow(NamedTuple):
    """One sample of one input of a state. Epoch seconds."""

    state_id: int
    at_s: float
    position: int
    value: float


# Which device measured a point, when: a replaced sensor's samples count until it was replaced. OFFSET 0 keeps each
# series a look into the index: joined as a whole, PostgreSQL would rather read all measurements than a few of each.
SELECT_SAMPLES: Final = """
SELECT one.state_id, date_part('epoch', measured_at) AS at_s, position, value
  FROM unnest($1::bigint[], $2::timestamptz[]) AS one (state_id, since)
  JOIN rule_inputs USING (state_id)
  JOIN assignments USING (point_id)
 CROSS JOIN LATERAL (SELECT measured_at, value
                       FROM measurements
                      WHERE device_id = assignments.device_id
                        AND quantity_id = rule_inputs.quantity_id
                        AND channel = rule_inputs.channel
                        AND measured_at > one.since
                        AND during @> measured_at
                     OFFSET 0) AS sample
 ORDER BY 1, 2, 3
"""

SELECT_HEARD: Final = """
SELECT DISTINCT one.state_id, date_part('epoch', received_at) AS at_s, position, 0::double precision AS value
  FROM unnest($1::bigint[], $2::timestamptz[]) AS one (state_id, since)
  JOIN rule_inputs USING (state_id)
  JOIN assignments USING (point_id)
 CROSS JOIN LATERAL (SELECT received_at
                       FROM uplinks
                      WHERE device_id = assignments.device_id
                        AND received_at > one.since
                        AND during @> received_at
                     OFFSET 0) AS sample
 WHERE rule_inputs.quantity_id IS NULL
 ORDER BY 1, 2, 3
"""

SELECT_GATEWAY_HEARD: Final = """
SELECT one.state_id, date_part('epoch', max(heard_at)) AS at_s, position, 0::double precision AS value
  FROM unnest($1::bigint[], $2::timestamptz[]) AS one (state_id, since)
  JOIN rule_inputs USING (state_id)
 CROSS JOIN LATERAL (SELECT heard_at
                       FROM gateways_heard
                      WHERE gateway_id = rule_inputs.gateway_id
                      UNION ALL
                    (SELECT received_at
                       FROM network_events
                      WHERE gateway_id = rule_inputs.gateway_id
                      ORDER BY received_at DESC
                      LIMIT 1)) AS relayed
 WHERE heard_at > one.since
 GROUP BY one.state_id, position
 ORDER BY 1, 2, 3
"""


async def samples_since(
    connection: asyncpg.Connection, state_ids: Sequence[int], since: Sequence[datetime]
) -> list[SampleRow]:
    """Return what was measured of the inputs of some states, each since its moment, in the order of state and time."""
    return [SampleRow(*row) for row in await connection.fetch(SELECT_SAMPLES, state_ids, since)]


async def heard_since(
    connection: asyncpg.Connection, state_ids: Sequence[int], since: Sequence[datetime]
) -> list[SampleRow]:
    """Return when the devices of some states were heard, each since its moment."""
    return [SampleRow(*row) for row in await connection.fetch(SELECT_HEARD, state_ids, since)]


async def gateways_heard_since(
    connection: asyncpg.Connection, state_ids: Sequence[int], since: Sequence[datetime]
) -> list[SampleRow]:
    """Return when the gateways of some states were heard last, if after the moment."""
    return [SampleRow(*row) for row in await connection.fetch(SELECT_GATEWAY_HEARD, state_ids, since)]


SELECT_CHECKPOINTS: Final = """
SELECT one.state_id, checkpoint.folded_to, checkpoint.machine::text
  FROM unnest($1::bigint[], $2::timestamptz[]) AS one (state_id, since)
 CROSS JOIN LATERAL (SELECT folded_to, machine
                       FROM rule_checkpoints
                      WHERE rule_checkpoints.state_id = one.state_id
                      ORDER BY folded_to < one.since DESC, abs(date_part('epoch', one.since - folded_to))
                      LIMIT 1) AS checkpoint
"""


async def checkpoints_before(
    connection: asyncpg.Connection, state_ids: Sequence[int], since: Sequence[datetime]
) -> dict[int, tuple[datetime, str]]:
    """Return where each state can begin again to know nothing from its moment on; the oldest when all are later."""
    rows = await connection.fetch(SELECT_CHECKPOINTS, state_ids, since)
    return {row["state_id"]: (row["folded_to"], row["machine"]) for row in rows}
