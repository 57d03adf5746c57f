"""Find a tenant, a site, a point or a device by some of its name, or by the end of its DevEUI."""

import unicodedata
from typing import Final, NamedTuple

from store.reading.pages import Reader

LIMIT: Final = 30  # of each kind


class Hit(NamedTuple):
    """What was found: `kind` tenant, site, point or device; whose it is, and where. A device may be at no point."""

    kind: str
    name: str
    tenant_slug: str
    tenant_name: str
    site_id: int | None
    site_name: str | None
    point_id: int | None
    dev_eui: str | None


# What is searched is folded as the question is: no accent, no capital, no punctuation.
SELECT_HITS: Final = """
WITH asked AS (
  SELECT '%' || $1::text || '%' AS like_it, '%' || $2::text AS like_end
), found_tenants AS (
  SELECT 1 AS rank, 'tenant' AS kind, name, slug, name AS tenant_name, NULL::integer AS site_id,
         NULL::text AS site_name, NULL::integer AS point_id, NULL::text AS dev_eui
    FROM tenants, asked
   WHERE fold(name) LIKE like_it
      OR insee = $1
   ORDER BY name
   LIMIT $3
), found_sites AS (
  SELECT 2, 'site', sites.name, slug, tenants.name, site_id, sites.name, NULL::integer, NULL::text
    FROM sites
    JOIN tenants USING (tenant_id), asked
   WHERE fold(sites.name) LIKE like_it
   ORDER BY sites.name
   LIMIT $3
), found_points AS (
  SELECT 3, 'point', points.name, slug, tenants.name, site_id, sites.name, point_id, NULL::text
    FROM points
    JOIN sites USING (site_id)
    JOIN tenants USING (tenant_id), asked
   WHERE fold(points.name) LIKE like_it
   ORDER BY points.name
   LIMIT $3
), found_devices AS (
  SELECT 4, 'device', coalesce(nullif(devices.name, ''), dev_eui), slug, tenants.name, site_id, sites.name, point_id,
         dev_eui
    FROM devices
    JOIN tenants USING (tenant_id)
    LEFT JOIN assignments ON assignments.device_id = devices.device_id AND upper_inf(during)
    LEFT JOIN points USING (point_id)
    LEFT JOIN sites USING (site_id), asked
   WHERE $2 <> ''
     AND dev_eui LIKE like_end
   ORDER BY dev_eui
   LIMIT $3
)
SELECT * FROM found_tenants UNION ALL SELECT * FROM found_sites UNION ALL SELECT * FROM found_points
 UNION ALL SELECT * FROM found_devices
 ORDER BY rank
"""


async def search(reader: Reader, text: str) -> list[Hit]:
    """Return what the reader may see of this name: tenants, sites, points, then devices by the end of a DevEUI."""
    folded = fold(text)
    if not folded:
        return []
    end = folded if len(folded) >= _LEAST_EUI and set(folded) <= set("0123456789abcdef") else ""
    rows = await reader.fetch(SELECT_HITS, folded, end, LIMIT)
    return [Hit(*list(row)[1:]) for row in rows]


_LEAST_EUI: Final = 3


def fold(text: str) -> str:
    """Return letters and digits alone, in lower case and without accents: as the function `fold` of the schema does."""
    letters = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe").replace("æ", "ae"))
    return "".join(letter for letter in letters if letter.isalnum() and letter.isascii())
