"""What a rule is applied to: its subjects, the series they are made of, and what is around them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

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
SELECT EXISTS (SELECT
                 FROM unnest($2::integer[]) AS wanted (point_id)
                WHERE NOT EXISTS (SELECT
                                    FROM points
                                   WHERE points.point_id = wanted.point_id
                                     AND of_tenant_id = $1))
    OR $3::integer IS NOT NULL AND NOT EXISTS (SELECT FROM sites WHERE site_id = $3 AND tenant_id = $1)
    OR $4::integer IS NOT NULL AND NOT EXISTS (SELECT FROM gateways WHERE gateway_id = $4)
"""


async def is_foreign(
    connection: asyncpg.Connection,
    tenant_id: int,
    *,
    point_ids: Sequence[int],
    site_id: int | None,
    gateway_id: int | None,
) -> bool:
    """Say whether one of these is not of this tenant, or does not exist."""
    found: bool = await connection.fetchval(SELECT_FOREIGN, tenant_id, list(point_ids), site_id, gateway_id)
    return found


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


# The period is that of the device, as it is set up or of its model, that measures the (first) point now.
SELECT_AROUND: Final = """
SELECT state_id, rules.rule_id, rules.kind, rules.definition::text, rules.severity,
       coalesce(sites.time_zone, tenants.time_zone) AS zone,
       (SELECT definition::text
          FROM calendars
         WHERE calendars.tenant_id = rule_states.tenant_id
           AND (calendars.site_id = rule_states.site_id OR calendars.site_id IS NULL)
         ORDER BY calendars.site_id NULLS LAST
         LIMIT 1) AS calendar,
       (SELECT period_of(parameters, models.period_s)
          FROM assignments
          JOIN devices USING (device_id)
          LEFT JOIN models USING (model_id)
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
       (SELECT period_of(parameters, models.period_s)
          FROM assignments
          JOIN devices USING (device_id)
          LEFT JOIN models USING (model_id)
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


# They are the network's: of another tenant's rule there is none.
SELECT_GATEWAYS: Final = """
SELECT gateway_id
  FROM gateways
 WHERE runs_network($1)
   AND ($2::integer IS NULL OR gateway_id = $2)
 ORDER BY gateway_id
"""


async def gateways_of(connection: asyncpg.Connection, tenant_id: int, target: Target) -> list[int]:
    """Return the gateways of a target: the one, or all; none for a tenant that does not run the network."""
    return [row["gateway_id"] for row in await connection.fetch(SELECT_GATEWAYS, tenant_id, target.gateway_id)]


SELECT_RUNS_NETWORK: Final = """
SELECT runs_network($1)
"""


async def runs_network(connection: asyncpg.Connection, tenant_id: int) -> bool:
    """Say whether the gateways are a tenant's business."""
    found: bool = await connection.fetchval(SELECT_RUNS_NETWORK, tenant_id)
    return found


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
