"""Where the network hears: each tenant, each site, what hears it; and what a plan foretold."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from domain.errors import NotFoundError
from domain.plan_cells import Run, runs
from store.reading.pages import Reader


class Covered(NamedTuple):
    """A tenant: where it is, devices that are heard, how many by one antenna only, by how many antennas in all."""

    slug: str
    name: str
    insee: str | None
    latitude_deg: float | None
    longitude_deg: float | None
    devices: int
    placed: int
    alone: int
    antennas: int
    margin_db: float | None


SELECT_COVERED: Final = """
SELECT slug, name, insee, latitude_deg, longitude_deg, devices, placed, fleet.alone, coalesce(antennas, 0), margin_db
  FROM tenants
  JOIN (SELECT tenant_id, sum(devices)::integer AS devices, sum(placed)::integer AS placed,
               sum(alone)::integer AS alone
          FROM fleet_counts
         GROUP BY tenant_id) AS fleet USING (tenant_id)
  LEFT JOIN tenant_middles USING (tenant_id)
  LEFT JOIN (SELECT tenant_id, count(*)::integer AS antennas, max(margin_db) AS margin_db
               FROM gateway_tenants
              GROUP BY tenant_id) AS served USING (tenant_id)
 ORDER BY name
"""


async def covered(reader: Reader) -> list[Covered]:
    """Return how well each tenant that has devices is heard, by name."""
    return [Covered(*row) for row in await reader.fetch(SELECT_COVERED)]


class Mast(NamedTuple):
    """Where an antenna stands."""

    gateway_eui: str
    name: str
    latitude_deg: float
    longitude_deg: float


SELECT_MASTS: Final = """
SELECT gateway_eui, name, latitude_deg, longitude_deg
  FROM gateways
 WHERE latitude_deg IS NOT NULL
   AND longitude_deg IS NOT NULL
 ORDER BY gateway_eui
"""


async def masts(reader: Reader) -> list[Mast]:
    """Return where the antennas stand of which that is known."""
    return [Mast(*row) for row in await reader.fetch(SELECT_MASTS)]


class Reach(NamedTuple):
    """How one antenna hears the network: devices, those it alone hears, frames at SF7 to SF12."""

    gateway_eui: str
    name: str
    tenants: int
    devices: int
    alone: int
    frames: list[int]
    margin_db: float | None


SELECT_REACHES: Final = """
SELECT gateway_eui, name, count(tenant_id)::integer, max(one.devices)::integer,
       max(one.alone)::integer,
       ARRAY[coalesce(sum(frames[1]), 0), coalesce(sum(frames[2]), 0), coalesce(sum(frames[3]), 0),
             coalesce(sum(frames[4]), 0), coalesce(sum(frames[5]), 0), coalesce(sum(frames[6]), 0)]::bigint[],
       sum(margin_db * heard.devices) / nullif(sum(heard.devices) FILTER (WHERE margin_db IS NOT NULL), 0)
  FROM (SELECT gateways.gateway_id, gateway_eui, name, coalesce(devices, 0) AS devices, coalesce(alone, 0) AS alone
          FROM gateways
          LEFT JOIN (SELECT gateway_id, sum(devices) AS devices, sum(alone) AS alone
                       FROM gateway_tenants
                      GROUP BY gateway_id) AS served USING (gateway_id)
         ORDER BY coalesce(devices, 0) DESC, name, gateway_eui
         LIMIT $1 OFFSET $2) AS one
  LEFT JOIN gateway_tenants AS heard USING (gateway_id)
 GROUP BY gateway_id, gateway_eui, name
 ORDER BY max(one.devices) DESC, name, gateway_eui
"""


async def reaches(reader: Reader, limit: int, offset: int) -> list[Reach]:
    """Return how some antennas hear the network, the one that hears most devices first."""
    return [Reach(*row) for row in await reader.fetch(SELECT_REACHES, limit, offset)]


class HeardSite(NamedTuple):
    """A site of a tenant: devices there, how many one antenna alone hears, the best margin of the worst of them."""

    name: str
    latitude_deg: float | None
    longitude_deg: float | None
    devices: int
    placed: int
    alone: int
    margin_db: float | None


SELECT_SITES: Final = """
SELECT sites.name, latitude_deg, longitude_deg, count(*)::integer, count(*) FILTER (WHERE gateway_ids <> '{}')::integer,
       count(only_gateway_id)::integer, min(margin_db)
  FROM tenants
  JOIN sites USING (tenant_id)
  JOIN points USING (site_id)
  JOIN assignments ON assignments.point_id = points.point_id AND upper_inf(during)
  LEFT JOIN device_health ON device_health.device_id = assignments.device_id
 WHERE slug = $1
 GROUP BY site_id, sites.name, latitude_deg, longitude_deg
 ORDER BY min(margin_db) NULLS FIRST, sites.name
"""


async def heard_sites(reader: Reader, slug: str) -> list[HeardSite]:
    """Return how the sites of a tenant are heard, the worst first."""
    return [HeardSite(*row) for row in await reader.fetch(SELECT_SITES, slug)]


PARTS: Final = ("cells", "communes", "antennas")
DRAWING: Final = "drawing"

UPSERT_PLAN: Final = """
INSERT INTO coverage_plans (name, part, imported_at, features) VALUES ($1, $2, $3, $4)
ON CONFLICT (name, part) DO UPDATE SET imported_at = excluded.imported_at, features = excluded.features
"""


async def keep_plan(connection: asyncpg.Connection, name: str, parts: Mapping[str, str], now: datetime) -> None:
    """Keep the GeoJSON of a plan's parts, and its drawing, in place of what it had.

    Raises ValueError for a part that is none, or whose cells are none of a plan.
    """
    strange = sorted(parts.keys() - set(PARTS))
    if strange:
        raise ValueError(f"{strange[0]} is no part of a plan: {', '.join(PARTS)}")
    kept = dict(parts)
    if "cells" in parts:
        try:
            kept[DRAWING] = json.dumps(runs(json.loads(parts["cells"])["features"]))
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError(f"cells: no cells of a plan ({error!r})") from error
    async with connection.transaction():
        for part, features in kept.items():
            await connection.execute(UPSERT_PLAN, name, part, now, features)


SELECT_PLANS: Final = """
SELECT DISTINCT name FROM coverage_plans ORDER BY name
"""


async def plans(reader: Reader) -> list[str]:
    """Return the names of the plans that were imported."""
    return [row[0] for row in await reader.fetch(SELECT_PLANS)]


SELECT_PART: Final = """
SELECT features::text FROM coverage_plans WHERE name = $1 AND part = $2
"""


async def plan_part(reader: Reader, name: str, part: str) -> str:
    """Return the GeoJSON of one part of a plan. Raises NotFoundError when it was not imported."""
    found: str | None = await reader.fetchval(SELECT_PART, name, part)
    if found is None:
        raise NotFoundError
    return found


SELECT_DRAWING: Final = """
SELECT features::text FROM coverage_plans WHERE name = $1 AND part = 'drawing'
"""


async def plan_drawing(reader: Reader, name: str) -> dict[str, list[Run]]:
    """Return the runs of a plan's cells by how they are heard; {} where none are kept: import the plan again."""
    found: str | None = await reader.fetchval(SELECT_DRAWING, name)
    return {kind: [Run(*one) for one in said] for kind, said in json.loads(found or "{}").items()}


SELECT_FORETOLD: Final = """
SELECT feature -> 'properties'
  FROM coverage_plans, jsonb_array_elements(features -> 'features') AS feature
 WHERE name = $1
   AND part = 'communes'
"""


async def foretold(reader: Reader, name: str) -> list[dict[str, Any]]:
    """Return what a plan says of each commune: the properties of its features."""
    return [json.loads(row[0]) for row in await reader.fetch(SELECT_FORETOLD, name)]
