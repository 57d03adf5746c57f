"""What maintenance publishes of tenants' datasets: their rows, until when, by whom, and what it refused."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import asyncpg

from domain.personal import Published
from store.open_data import Dataset

SELECT_ZONE: Final = """
SELECT time_zone FROM tenants WHERE tenant_id = $1
"""


async def zone_of(connection: asyncpg.Connection, tenant_id: int) -> ZoneInfo:
    """Return the zone whose days and hours a tenant publishes."""
    return ZoneInfo(await connection.fetchval(SELECT_ZONE, tenant_id))


SELECT_PUBLISHER: Final = """
SELECT slug, name, kind, insee, siren FROM tenants WHERE tenant_id = $1
"""

UPDATE_PUBLISHED: Final = """
UPDATE open_datasets
   SET published_to = $2, publisher = $3::text::jsonb, refused = '', updated_at = $4
 WHERE dataset_id = $1
"""


async def mark_published(connection: asyncpg.Connection, one: Dataset, until: datetime, now: datetime) -> None:
    """Note until when a dataset is published, and by whom, as they are called today."""
    publisher = await connection.fetchrow(SELECT_PUBLISHER, one.tenant_id)
    assert publisher is not None
    said = json.dumps(dict(publisher), ensure_ascii=False)
    await connection.execute(UPDATE_PUBLISHED, one.dataset_id, until, said, now)


UPDATE_REFUSED: Final = """
UPDATE open_datasets SET refused = $2, published_to = NULL, updated_at = $3 WHERE dataset_id = $1
"""


async def mark_refused(connection: asyncpg.Connection, one: Dataset, why: str, now: datetime) -> None:
    """Take back all that was published of a dataset, and note why. In a transaction."""
    await connection.execute(DELETE_ROWS, one.dataset_id, one.since)
    await connection.execute(UPDATE_REFUSED, one.dataset_id, why, now)


DELETE_ROWS: Final = """
DELETE FROM open_rows WHERE dataset_id = $1 AND start >= $2
"""

INSERT_ROWS: Final = """
INSERT INTO open_rows (dataset_id, site_id, point_id, quantity, channel, start, site, point, latitude_deg,
                       longitude_deg, samples, minimum, mean, maximum, increase)
SELECT $1, one.site_id, one.point_id, quantity, channel, start, sites.name, points.name, latitude_deg, longitude_deg,
       samples, minimum, mean, maximum, increase
  FROM unnest($2::integer[], $3::integer[], $4::text[], $5::smallint[], $6::timestamptz[], $7::bigint[], $8::float8[],
              $9::float8[], $10::float8[], $11::float8[])
    AS one (site_id, point_id, quantity, channel, start, samples, minimum, mean, maximum, increase)
  JOIN sites ON sites.site_id = one.site_id
  LEFT JOIN points ON points.point_id = one.point_id
"""


async def replace_rows(
    connection: asyncpg.Connection, dataset_id: int, since: datetime, rows: Sequence[Published]
) -> None:
    """Let the figures from `since` on be these. In a transaction."""
    await connection.execute(DELETE_ROWS, dataset_id, since)
    if rows:
        await connection.execute(INSERT_ROWS, dataset_id, *map(list, zip(*rows, strict=True)))
