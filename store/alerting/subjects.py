"""What a rule is applied to: its subjects, the series they are made of, and what is around them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg


class Target(NamedTuple):
    """Of what a rule speaks: exactly one of these. `everything` is all points of the tenant."""

    point_id: int | None = None
    site_id: int | None = None
    tag: str | None = None
    gateway_id: int | None = None
    everything: bool = False


class Point(NamedTuple):
    """A point that a rule is applied to."""

    point_id: int
    site_id: int


# A point named by itself counts though nothing of the kind was measured there yet: it is never-seen. So does, of a
# rule about silence (no quantities), any point that a device measures.
SELECT_POINTS: Final = """
SELECT points.point_id, sites.site_id
  FROM sites
  JOIN points USING (site_id)
 WHERE tenant_id = $1
   AND ($2::integer IS NULL OR points.point_id = $2)
   AND ($3::integer IS NULL OR sites.site_id = $3)
   AND ($4::text IS NULL OR EXISTS (SELECT FROM point_tags WHERE point_tags.point_id = points.point_id AND tag = $4))
   AND ($2 IS NOT NULL
        OR EXISTS (SELECT
                     FROM assignments
                     LEFT JOIN latest_frames USING (device_id)
                    WHERE assignments.point_id = points.point_id
                      AND upper_inf(during)
                      AND (cardinality($5::text[]) = 0
                           OR quantity_ids && ARRAY(SELECT quantity_id FROM quantities WHERE name = ANY($5)))))
 ORDER BY points.point_id
"""


async def points_of(
    connection: asyncpg.Connection, tenant_id: int, target: Target, quantities: Sequence[str]
) -> list[Point]:
    """Return the points of a target at which one of these quantities is measured."""
    rows = await connection.fetch(
        SELECT_POINTS, tenant_id, target.point_id, target.site_id, target.tag, list(quantities)
    )
    return [Point(*row) for row in rows]


SELECT_FOREIGN: Final = """
SELECT point_id
  FROM unnest($2::integer[]) AS wanted (point_id)
 WHERE NOT EXISTS (SELECT
                     FROM points
                     JOIN sites USING (site_id)
                    WHERE points.point_id = wanted.point_id
                      AND tenant_id = $1)
"""


async def foreign_points(connection: asyncpg.Connection, tenant_id: int, point_ids: Sequence[int]) -> list[int]:
    """Return those of some points that are not of this tenant, or do not exist."""
    return [row["point_id"] for row in await connection.fetch(SELECT_FOREIGN, tenant_id, list(point_ids))]


class NewState(NamedTuple):
    """A subject to be watched from now on, looking back to `folded_to`; `machine` is JSON."""

    rule_id: int
    rule_version: int
    tenant_id: int
    site_id: int | None
    point_id: int | None
    gateway_id: int | None
    machine: str
    folded_to: datetime


INSERT_STATE: Final = """
INSERT INTO rule_states (rule_id, rule_version, tenant_id, site_id, point_id, gateway_id, phase, phase_since, machine,
                         folded_to, evaluated_at, due_at)
VALUES ($1, $2, $3, $4, $5, $6, 'never-seen', $8, $7::text::json, $8, $8, $9)
ON CONFLICT (rule_id, point_id, gateway_id) DO NOTHING
RETURNING state_id
"""

INSERT_FIRST_CHECKPOINT: Final = """
INSERT INTO rule_checkpoints (state_id, folded_to, machine) VALUES ($1, $2, $3::text::json)
"""

INSERT_INPUTS: Final = """
INSERT INTO rule_inputs (state_id, position, point_id, gateway_id, quantity_id, channel)
SELECT $1, position, point_id, gateway_id, quantities.quantity_id, channel
  FROM unnest($2::smallint[], $3::integer[], $4::integer[], $5::text[], $6::smallint[])
    AS one (position, point_id, gateway_id, quantity, channel)
  LEFT JOIN quantities ON quantities.name = quantity
 WHERE quantity = '' OR quantities.quantity_id IS NOT NULL
ON CONFLICT DO NOTHING
"""

Input = tuple[int, int | None, int | None, str, int]  # position, point_id, gateway_id, quantity ('': heard), channel


async def add_state(
    connection: asyncpg.Connection, new: NewState, inputs: Sequence[Input], now: datetime
) -> int | None:
    """Watch one more subject, due at once; return its number, None if it is watched already."""
    state_id: int | None = await connection.fetchval(INSERT_STATE, *new, now)
    if state_id is not None:
        await connection.execute(INSERT_FIRST_CHECKPOINT, state_id, new.folded_to, new.machine)
        await connection.execute(INSERT_INPUTS, state_id, *map(list, zip(*inputs, strict=True)))
    return state_id


SELECT_GROUP: Final = """
SELECT state_id,
       ARRAY(SELECT point_id FROM rule_inputs WHERE rule_inputs.state_id = rule_states.state_id ORDER BY position)
  FROM rule_states
 WHERE rule_id = $1
   AND point_id IS NULL
   AND gateway_id IS NULL
"""

DELETE_STATES: Final = """
DELETE FROM rule_states WHERE rule_id = $1 AND (cardinality($2::bigint[]) = 0 OR state_id = ANY($2))
"""


async def group_members(connection: asyncpg.Connection, rule_id: int) -> tuple[int, list[int]] | None:
    """Return the state of a group and its members; None where it has none yet."""
    row = await connection.fetchrow(SELECT_GROUP, rule_id)
    return None if row is None else (row[0], list(row[1]))


async def drop_states(connection: asyncpg.Connection, rule_id: int, state_ids: Sequence[int] = ()) -> None:
    """Watch these subjects of a rule no longer; all of them when none is named."""
    await connection.execute(DELETE_STATES, rule_id, list(state_ids))


class Around(NamedTuple):
    """What is around the subject of a state. `calendar` is JSON, None where the site has no opening hours."""

    state_id: int
    rule_id: int
    kind: str
    definition: str
    severity: str
    zone: str
    calendar: str | None
    period_s: int | None
    members: int


# The period is that of the model that measures the (first) point now.
SELECT_AROUND: Final = """
SELECT state_id, rules.rule_id, rules.kind, rules.definition::text, rules.severity,
       coalesce(sites.time_zone, tenants.time_zone) AS zone,
       (SELECT definition::text
          FROM calendars
         WHERE calendars.tenant_id = rule_states.tenant_id
           AND (calendars.site_id = rule_states.site_id OR calendars.site_id IS NULL)
         ORDER BY calendars.site_id NULLS LAST
         LIMIT 1) AS calendar,
       (SELECT period_s
          FROM assignments
          JOIN devices USING (device_id)
          JOIN models USING (model_id)
         WHERE assignments.point_id = rule_states.point_id
           AND upper_inf(during)) AS period_s,
       (SELECT count(*)::integer FROM rule_inputs WHERE rule_inputs.state_id = rule_states.state_id) AS members
  FROM rule_states
  JOIN rules USING (rule_id)
  JOIN tenants ON tenants.tenant_id = rule_states.tenant_id
  LEFT JOIN sites ON sites.site_id = rule_states.site_id
 WHERE state_id = ANY($1::bigint[])
"""


async def around(connection: asyncpg.Connection, state_ids: Sequence[int]) -> list[Around]:
    """Return what is around these states."""
    return [Around(*row) for row in await connection.fetch(SELECT_AROUND, state_ids)]


class Place(NamedTuple):
    """What is around a point before it is watched."""

    point_id: int
    site_id: int
    point: str
    site: str
    zone: str
    calendar: str | None
    period_s: int | None


SELECT_PLACES: Final = """
SELECT point_id, site_id, points.name AS point, sites.name AS site,
       coalesce(sites.time_zone, tenants.time_zone) AS zone,
       (SELECT definition::text
          FROM calendars
         WHERE calendars.tenant_id = sites.tenant_id
           AND (calendars.site_id = sites.site_id OR calendars.site_id IS NULL)
         ORDER BY calendars.site_id NULLS LAST
         LIMIT 1) AS calendar,
       (SELECT period_s
          FROM assignments
          JOIN devices USING (device_id)
          JOIN models USING (model_id)
         WHERE assignments.point_id = points.point_id
           AND upper_inf(during)) AS period_s
  FROM points
  JOIN sites USING (site_id)
  JOIN tenants USING (tenant_id)
 WHERE point_id = ANY($1::integer[])
 ORDER BY point_id
"""


async def places(connection: asyncpg.Connection, point_ids: Sequence[int]) -> list[Place]:
    """Return what is around these points."""
    return [Place(*row) for row in await connection.fetch(SELECT_PLACES, list(point_ids))]


SELECT_GATEWAYS: Final = """
SELECT gateway_id FROM gateways WHERE $1::integer IS NULL OR gateway_id = $1 ORDER BY gateway_id
"""


async def gateways_of(connection: asyncpg.Connection, target: Target) -> list[int]:
    """Return the gateways of a target: the one, or all."""
    return [row["gateway_id"] for row in await connection.fetch(SELECT_GATEWAYS, target.gateway_id)]


SELECT_MEASURED: Final = """
SELECT DISTINCT point_id, quantities.name AS quantity
  FROM sites
  JOIN points USING (site_id)
  JOIN assignments USING (point_id)
  JOIN latest_frames USING (device_id)
 CROSS JOIN unnest(quantity_ids) AS one (quantity_id)
  JOIN quantities USING (quantity_id)
 WHERE tenant_id = $1
   AND ($2::integer IS NULL OR site_id = $2)
   AND upper_inf(during)
 ORDER BY 1, 2
"""


async def measured_quantities(
    connection: asyncpg.Connection, tenant_id: int, site_id: int | None = None
) -> list[tuple[int, str]]:
    """Return (point, quantity) for whatever is measured at a tenant's points, or at one site's."""
    return [tuple(row) for row in await connection.fetch(SELECT_MEASURED, tenant_id, site_id)]


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
