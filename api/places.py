"""The sites and the points of a tenant, and how a point is called where several sites are told of."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import asyncpg

from api.pagination import everything
from store.reading import territory
from store.reading.territory import Point, Site


class Places(NamedTuple):
    """All sites and points of a tenant; `names` are those of points, each with its site's."""

    sites: list[Site]
    points: list[Point]
    names: Mapping[int, str]


async def places_of(connection: asyncpg.Connection, tenant_id: int) -> Places:
    """Return the places of a tenant."""
    sites = await everything(partial(territory.sites, connection, tenant_id))
    points = await everything(partial(territory.points, connection, tenant_id))
    of_site = {site.site_id: site.name for site in sites}
    return Places(sites, points, {point.point_id: f"{of_site[point.site_id]}, {point.name}" for point in points})
