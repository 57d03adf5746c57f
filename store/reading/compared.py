"""What the meters counted in a year, of the tenants below one that agreed to be compared."""

from typing import Final, NamedTuple

from store.reading.growth import Asked, of_growth
from store.reading.pages import Reader


class Agreed(NamedTuple):
    """A tenant below another that agreed. `inhabitants` is None where nobody said."""

    tenant_id: int
    slug: str
    name: str
    inhabitants: int | None


# Row security shows what whoever asks may read, and no agreement of others.
_BELOW: Final = """below AS (
  SELECT tenant_id FROM tenants WHERE parent_id = $1
   UNION ALL
  SELECT tenants.tenant_id FROM tenants JOIN below ON tenants.parent_id = below.tenant_id
), agreed AS (
  SELECT tenant_id FROM below JOIN comparison_consents USING (tenant_id)
)"""

SELECT_AGREED: Final = (
    "WITH RECURSIVE "
    + _BELOW
    + """
SELECT tenant_id, slug, name, inhabitants
  FROM agreed
  JOIN tenants USING (tenant_id)
  LEFT JOIN populations USING (tenant_id)
 ORDER BY name
"""
)


async def agreed(reader: Reader, tenant_id: int) -> list[Agreed]:
    """Return the tenants below one that agreed, by name."""
    return [Agreed(*row) for row in await reader.fetch(SELECT_AGREED, tenant_id)]


class Counted(NamedTuple):
    """What one meter counted, in the quantity's unit: on how many days of the period, how much in all.

    One behind a meter of another site is told twice: of its own site, and taken off the other's.

    `level` a day and `slope` a degree day are the line of least squares through its days, None where there is none;
    `degree_days` are those of the days it counted, None where the weather is not known.
    """

    tenant_id: int
    site_id: int
    site_kind: str
    floor_area_m2: float | None
    quantity: str
    days: int
    used: float
    level: float | None
    slope: float | None
    degree_days: float | None


# A household's meter is not the commune's.
SELECT_COUNTED: Final = of_growth(""", days AS (
  SELECT tenant_id, site_id, point_id, weight, quantity_id, channel, day, sum(counted) AS used
    FROM grown
   WHERE weight <> 0
   GROUP BY tenant_id, site_id, point_id, weight, quantity_id, channel, day
), weather AS MATERIALIZED (
  SELECT day, greatest(0, $8::double precision - (low + high) / 2) AS degree_days
    FROM weather_days(($3::timestamptz[])[1], ($4::timestamptz[])[1])
)
SELECT days.tenant_id, days.site_id, sites.kind AS site_kind, floor_area_m2, quantities.name AS quantity,
       count(*)::integer AS days, sum(used) AS used, regr_intercept(used, degree_days) AS level,
       regr_slope(used, degree_days) AS slope, sum(degree_days) AS degree_days
  FROM days
  JOIN quantities USING (quantity_id)
  JOIN points USING (point_id)
  JOIN sites ON sites.site_id = days.site_id
  LEFT JOIN buildings ON buildings.site_id = days.site_id
  LEFT JOIN weather USING (day)
 WHERE is_individual IS NOT TRUE
 GROUP BY days.tenant_id, days.site_id, site_kind, floor_area_m2, point_id, channel, quantity
 ORDER BY tenant_id, site_id, quantity
""")


async def counted(reader: Reader, asked: Asked, *, base_c: float) -> list[Counted]:
    """Return what each meter of the tenants asked counted in the one period asked.

    `base_c` is the temperature from which nothing is heated, degC. A meter without a single day is missing.
    """
    return [Counted(*row) for row in await reader.fetch(SELECT_COUNTED, *asked.parameters(), base_c)]


SELECT_NOT_AGREED: Final = (
    "WITH RECURSIVE "  # noqa: S608 - of this module
    + _BELOW
    + """
SELECT count(*)::integer
  FROM below
  JOIN tenants USING (tenant_id)
 WHERE kind = 'commune'
   AND tenant_id NOT IN (SELECT tenant_id FROM agreed)
"""
)


async def not_agreed(reader: Reader, tenant_id: int) -> int:
    """Return how many communes below a tenant did not agree, of those that the reader sees."""
    found: int = await reader.fetchval(SELECT_NOT_AGREED, tenant_id)
    return found
