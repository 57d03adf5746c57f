"""What no sensor tells of a tenant's buildings and networks: floors, reference years, prices, volumes of a year."""

from datetime import date, datetime
from typing import Final, NamedTuple

import asyncpg

from domain.energy import degree_days
from domain.errors import NotFoundError
from domain.water import Network
from store.reading.pages import Reader


class Building(NamedTuple):
    """A site as a building. `floor_area_m2` is heated floor; `reference_*` are the tertiary decree's."""

    site_id: int
    name: str
    kind: str
    floor_area_m2: float | None
    activity: str
    reference_year: int | None
    reference_kwh: float | None


SELECT_BUILDINGS: Final = """
SELECT site_id, name, kind, floor_area_m2, coalesce(activity, '') AS activity, reference_year, reference_kwh
  FROM sites
  LEFT JOIN buildings USING (tenant_id, site_id)
 WHERE tenant_id = $1
 ORDER BY name
"""


async def buildings(reader: Reader, tenant_id: int) -> list[Building]:
    """Return every site of a tenant as a building, by name."""
    return [Building(**row) for row in await reader.fetch(SELECT_BUILDINGS, tenant_id)]


UPSERT_BUILDING: Final = """
INSERT INTO buildings (site_id, tenant_id, floor_area_m2, activity, reference_year, reference_kwh)
SELECT site_id, tenant_id, $3, $4, $5, $6
  FROM sites
 WHERE tenant_id = $1
   AND site_id = $2
ON CONFLICT (site_id) DO UPDATE
   SET floor_area_m2 = excluded.floor_area_m2,
       activity = excluded.activity,
       reference_year = excluded.reference_year,
       reference_kwh = excluded.reference_kwh
RETURNING site_id
"""


async def set_building(
    connection: asyncpg.Connection,
    tenant_id: int,
    site_id: int,
    *,
    floor_area_m2: float | None,
    activity: str = "",
    reference_year: int | None = None,
    reference_kwh: float | None = None,
) -> None:
    """Say what a site is as a building. Raises NotFoundError if the tenant has no such site."""
    found = await connection.fetchval(
        UPSERT_BUILDING, tenant_id, site_id, floor_area_m2, activity, reference_year, reference_kwh
    )
    if found is None:
        raise NotFoundError(f"no site {site_id}")


class Price(NamedTuple):
    """Euros for one unit of a quantity, from a day on."""

    quantity: str
    since: date
    euros: float


SELECT_PRICES: Final = """
SELECT quantity, since, euros FROM prices WHERE tenant_id = $1 ORDER BY quantity, since
"""


async def prices(reader: Reader, tenant_id: int) -> list[Price]:
    """Return the prices of a tenant, the oldest of each quantity first."""
    return [Price(**row) for row in await reader.fetch(SELECT_PRICES, tenant_id)]


UPSERT_PRICE: Final = """
INSERT INTO prices (tenant_id, quantity, since, euros)
VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, quantity, since) DO UPDATE SET euros = excluded.euros
"""


async def set_price(connection: asyncpg.Connection, tenant_id: int, price: Price) -> None:
    """Say what a unit costs from a day on."""
    await connection.execute(UPSERT_PRICE, tenant_id, *price)


SELECT_NETWORKS: Final = """
SELECT year, produced_m3, imported_m3, exported_m3, authorised_m3, length_km
  FROM water_networks
 WHERE tenant_id = $1
 ORDER BY year DESC
"""


async def water_networks(reader: Reader, tenant_id: int) -> dict[int, Network]:
    """Return what the tenant told of its drinking water network, by year, the latest first."""
    rows = await reader.fetch(SELECT_NETWORKS, tenant_id)
    return {year: Network(*volumes) for year, *volumes in rows}


UPSERT_NETWORK: Final = """
INSERT INTO water_networks (tenant_id, year, produced_m3, imported_m3, exported_m3, authorised_m3, length_km)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (tenant_id, year) DO UPDATE
   SET produced_m3 = excluded.produced_m3, imported_m3 = excluded.imported_m3, exported_m3 = excluded.exported_m3,
       authorised_m3 = excluded.authorised_m3, length_km = excluded.length_km
"""


async def set_water_network(connection: asyncpg.Connection, tenant_id: int, year: int, network: Network) -> None:
    """Say what a year of the network was."""
    await connection.execute(UPSERT_NETWORK, tenant_id, year, *network)


ADD_WEATHER_POINT: Final = """
INSERT INTO weather_points (tenant_id, point_id)
SELECT tenant_id, point_id
  FROM points
  JOIN sites USING (site_id)
 WHERE point_id = $1
ON CONFLICT (point_id) DO NOTHING
"""


async def add_weather_point(connection: asyncpg.Connection, point_id: int) -> None:
    """Let the outdoor temperature of a point be the territory's: its days become everybody's."""
    await connection.execute(ADD_WEATHER_POINT, point_id)


SELECT_WEATHER: Final = """
SELECT day, low, high FROM weather_days($1, $2)
"""


async def degree_days_of(reader: Reader, start: datetime, end: datetime) -> dict[datetime, float]:
    """Return the degree days of each day of the territory in [start, end) that was measured, by its beginning."""
    return {day: degree_days(low, high) for day, low, high in await reader.fetch(SELECT_WEATHER, start, end)}


SELECT_OPENING_HOURS: Final = """
SELECT site_id,
       (SELECT definition::text
          FROM calendars
         WHERE calendars.tenant_id = sites.tenant_id
           AND (calendars.site_id = sites.site_id OR calendars.site_id IS NULL)
         ORDER BY calendars.site_id NULLS LAST
         LIMIT 1) AS definition
  FROM sites
 WHERE tenant_id = $1
"""


async def opening_hours(reader: Reader, tenant_id: int) -> dict[int, str]:
    """Return the opening hours (JSON of `alerting.rules`) of each site that has some, its own or its tenant's."""
    rows = await reader.fetch(SELECT_OPENING_HOURS, tenant_id)
    return {row["site_id"]: row["definition"] for row in rows if row["definition"] is not None}
