"""What tenants chose to publish, and what of it everybody may read: open_datasets and open_rows alone."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from domain.errors import NotFoundError
from domain.personal import Candidate, Every, Grain, is_personal
from store.reading.growth import COUNTING
from store.reading.pages import Reader


class Wanted(NamedTuple):
    """A dataset as a tenant declares it. `since`: the first moment to publish."""

    name: str
    title: str
    description: str
    quantities: Sequence[str]
    grain: Grain
    every: Every
    since: datetime


class Publisher(NamedTuple):
    """The tenant that publishes, as it is told to everybody."""

    slug: str
    name: str
    kind: str
    insee: str | None
    siren: str | None


class Dataset(NamedTuple):
    """A dataset. `publisher`, `published_to` and `updated_at` are None until something of it was published.

    `refused` says why nothing more of it is published; '' when it is.
    """

    dataset_id: int
    tenant_id: int
    name: str
    title: str
    description: str
    quantities: Sequence[str]
    grain: Grain
    every: Every
    since: datetime
    publisher: Publisher | None
    published_to: datetime | None
    refused: str
    updated_at: datetime | None


def _dataset(row: asyncpg.Record) -> Dataset:
    fields: dict[str, Any] = dict(row)
    publisher = fields.pop("publisher")
    return Dataset(**fields, publisher=None if publisher is None else Publisher(**json.loads(publisher)))


_DATASET: Final = """
SELECT dataset_id, tenant_id, name, title, description, quantities, grain, every, since, publisher, published_to,
       refused, updated_at
  FROM open_datasets
"""

SELECT_CANDIDATES: Final = f"""
SELECT DISTINCT points.point_id, points.name AS point, quantities.name AS quantity, channel, counting.site_id,
       is_individual, quantities.domain, quantities.kind,
       CASE quantities.kind WHEN 'counter' THEN weight ELSE 1 END AS weight
  FROM points
  JOIN assignments USING (point_id)
  JOIN latest_frames USING (device_id)
 CROSS JOIN unnest(quantity_ids, channels) AS reading (quantity_id, channel)
  JOIN quantities USING (quantity_id)
{COUNTING}
 WHERE points.of_tenant_id = $1
   AND quantities.name = ANY ($2::text[])
   AND (weight >= 0 OR quantities.kind = 'counter')
 ORDER BY point_id, quantity, channel, weight
"""  # noqa: S608 - of constants


class Series(NamedTuple):
    """What one point measures, and whether it tells how somebody lives.

    It counts at `site_id` with a `weight`: see store/reading/growth.py.
    """

    point_id: int
    point: str
    quantity: str
    channel: int
    site_id: int
    personal: bool
    kind: str
    weight: int = 1

    @property
    def candidate(self) -> Candidate:
        """Return it as the gate of domain/personal.py judges it."""
        return Candidate(self.point, self.quantity, self.personal)


async def series_of(reader: Reader, tenant_id: int, quantities: Sequence[str]) -> list[Series]:
    """Return what of these quantities the points of a tenant measure, or measured."""
    return [
        Series(
            point_id=row["point_id"],
            point=row["point"],
            quantity=row["quantity"],
            channel=row["channel"],
            site_id=row["site_id"],
            personal=is_personal(row["domain"], is_individual=row["is_individual"]),
            kind=row["kind"],
            weight=row["weight"],
        )
        for row in await reader.fetch(SELECT_CANDIDATES, tenant_id, list(quantities))
    ]


INSERT_DATASET: Final = """
INSERT INTO open_datasets (tenant_id, name, title, description, quantities, grain, every, since)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (tenant_id, name) DO NOTHING
RETURNING dataset_id
"""


async def add_dataset(connection: asyncpg.Connection, tenant_id: int, wanted: Wanted) -> int | None:
    """Declare a dataset; return its id, None when the tenant has one of that name."""
    found: int | None = await connection.fetchval(INSERT_DATASET, tenant_id, *wanted)
    return found


DELETE_DATASET: Final = """
DELETE FROM open_datasets WHERE tenant_id = $1 AND dataset_id = $2 RETURNING dataset_id
"""


async def remove_dataset(connection: asyncpg.Connection, tenant_id: int, dataset_id: int) -> None:
    """Withdraw a dataset, with all that was published of it. Raises NotFoundError."""
    if await connection.fetchval(DELETE_DATASET, tenant_id, dataset_id) is None:
        raise NotFoundError


SELECT_DATASETS: Final = (
    _DATASET
    + """ WHERE tenant_id = $1 AND dataset_id > $2
 ORDER BY dataset_id
 LIMIT $3
"""
)


async def datasets(reader: Reader, tenant_id: int, *, after: int, limit: int) -> list[Dataset]:
    """Return a tenant's datasets, published or not, in the order of their ids."""
    return [_dataset(row) for row in await reader.fetch(SELECT_DATASETS, tenant_id, after, limit)]


SELECT_DATASET: Final = _DATASET + " WHERE tenant_id = $1 AND dataset_id = $2\n"


async def dataset_of(reader: Reader, tenant_id: int, dataset_id: int) -> Dataset:
    """Return one dataset of a tenant. Raises NotFoundError."""
    row = await reader.fetchrow(SELECT_DATASET, tenant_id, dataset_id)
    if row is None:
        raise NotFoundError
    return _dataset(row)


SELECT_PUBLISHED: Final = (
    _DATASET
    + """ WHERE published_to IS NOT NULL
 ORDER BY dataset_id
"""
)


async def catalogue(reader: Reader) -> list[Dataset]:
    """Return everything that is published, whoever asks."""
    return [_dataset(row) for row in await reader.fetch(SELECT_PUBLISHED)]


SELECT_ONE_PUBLISHED: Final = (
    _DATASET
    + """ WHERE published_to IS NOT NULL AND publisher->>'slug' = $1 AND name = $2
"""
)


async def published_dataset(reader: Reader, slug: str, name: str) -> Dataset:
    """Return one dataset that is published. Raises NotFoundError."""
    row = await reader.fetchrow(SELECT_ONE_PUBLISHED, slug, name)
    if row is None:
        raise NotFoundError
    return _dataset(row)


class OpenRow(NamedTuple):
    """A published figure, in the quantity's unit. `point` and `channel` are None for a whole site."""

    start: datetime
    site: str
    point: str | None
    latitude_deg: float | None
    longitude_deg: float | None
    quantity: str
    unit: str
    channel: int | None
    samples: int
    minimum: float | None
    mean: float | None
    maximum: float | None
    increase: float | None


SELECT_ROWS: Final = """
SELECT start, site, point, latitude_deg, longitude_deg, quantity, unit, channel, samples, minimum, mean, maximum,
       increase
  FROM open_rows
  JOIN quantities ON quantities.name = quantity
 WHERE dataset_id = $1
   AND start >= $2
 ORDER BY start, site_id, point_id, quantity, channel
"""


async def open_rows(
    connection: asyncpg.Connection, dataset_id: int, since: datetime, *, at_once: int
) -> AsyncIterator[list[OpenRow]]:
    """Yield the figures of a dataset in the order of time, at most `at_once` together. In a transaction."""
    cursor = await connection.cursor(SELECT_ROWS, dataset_id, since)
    while rows := await cursor.fetch(at_once):
        yield [OpenRow(*row) for row in rows]


SELECT_LAST: Final = """
SELECT max(start) FROM open_rows WHERE dataset_id = $1
"""


async def last_start(reader: Reader, dataset_id: int) -> datetime | None:
    """Return when the newest interval that is published begins."""
    found: datetime | None = await reader.fetchval(SELECT_LAST, dataset_id)
    return found


SELECT_BEHIND: Final = (
    _DATASET
    + """ WHERE coalesce(published_to, since) + interval '1 day' <= $1
   AND (refused = '' OR updated_at <= $1::timestamptz - interval '1 hour')
 ORDER BY updated_at NULLS FIRST
 LIMIT $2
"""
)


async def behind(connection: asyncpg.Connection, now: datetime, limit: int) -> list[Dataset]:
    """Return datasets of which a day is over and not published, whoever has them."""
    return [_dataset(row) for row in await connection.fetch(SELECT_BEHIND, now, limit)]
