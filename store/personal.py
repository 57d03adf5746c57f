"""Personal data: what a tenant declares of it, and its deletion."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from domain.errors import NotFoundError
from domain.personal import is_personal
from domain.processings import PROCESSINGS, DataClass, Processing
from store.reading.pages import Reader


class Declared(NamedTuple):
    """A line of a tenant's register: points whose meters make such data, and those that may, as nobody said."""

    data_class: DataClass
    processing: Processing
    points: int
    unsaid: int


SELECT_PROCESSINGS: Final = """
SELECT data_class, purpose, legal_basis, keep_months, grain FROM processings WHERE tenant_id = $1
"""

SELECT_MEASURED: Final = """
SELECT DISTINCT points.point_id, is_individual, domain
  FROM points
  JOIN assignments USING (point_id)
  JOIN latest_frames USING (device_id)
 CROSS JOIN unnest(quantity_ids) AS reading (quantity_id)
  JOIN quantities USING (quantity_id)
 WHERE points.of_tenant_id = $1
"""


async def register(reader: Reader, tenant_id: int) -> list[Declared]:
    """Return the register of a tenant, each class as it or the default has it."""
    said = {row["data_class"]: row for row in await reader.fetch(SELECT_PROCESSINGS, tenant_id)}
    measured = await reader.fetch(SELECT_MEASURED, tenant_id)
    found = []
    for data_class, default in PROCESSINGS.items():
        row = said.get(data_class)
        of_class = {one["point_id"]: one["is_individual"] for one in measured if one["domain"] == default.domain}
        unsaid = is_personal(default.domain, is_individual=None)
        found.append(
            Declared(
                data_class=data_class,
                processing=default if row is None else _processing(default, row),
                points=sum(one is True for one in of_class.values()),
                unsaid=sum(one is None for one in of_class.values()) if unsaid else 0,
            )
        )
    return found


def _processing(default: Processing, row: asyncpg.Record) -> Processing:
    return Processing(default.domain, row["purpose"], row["legal_basis"], row["keep_months"], row["grain"])


UPSERT_PROCESSING: Final = """
INSERT INTO processings (tenant_id, data_class, purpose, legal_basis, keep_months, grain)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant_id, data_class) DO UPDATE
   SET purpose = excluded.purpose, legal_basis = excluded.legal_basis, keep_months = excluded.keep_months,
       grain = excluded.grain, updated_at = now()
"""


async def declare_processing(
    connection: asyncpg.Connection, tenant_id: int, data_class: DataClass, wanted: Processing
) -> None:
    """Say of a tenant what is done with a class of data."""
    _, *said = wanted
    await connection.execute(UPSERT_PROCESSING, tenant_id, data_class, *said)


SELECT_ERASED: Final = """
SELECT erase_point($1, $2)
"""


async def erase_point(connection: asyncpg.Connection, point_id: int, reason: str) -> int:
    """Delete everything that a point measured, frames included; return how many rows. Raises NotFoundError."""
    try:
        deleted: int = await connection.fetchval(SELECT_ERASED, point_id, reason)
    except asyncpg.NoDataFoundError as error:
        raise NotFoundError from error
    return deleted


SELECT_KEPT: Final = """
SELECT tenant_id, data_class, keep_months FROM processings
"""


async def kept_months(connection: asyncpg.Connection) -> Mapping[tuple[int, str], int]:
    """Return how long a tenant said that it keeps a class, by tenant and class."""
    return {(row["tenant_id"], row["data_class"]): row["keep_months"] for row in await connection.fetch(SELECT_KEPT)}


class Held(NamedTuple):
    """A device while it was at a point of a household, and quantities of one domain that it measured there."""

    tenant_id: int
    device_id: int
    since: datetime | None
    until: datetime | None


# One slice of the devices a round, so that each has its turn once a day. Where nobody said whose meter it is, nothing
# is published, and nothing is deleted either.
SELECT_HELD: Final = """
SELECT assignments.of_tenant_id, device_id, lower(during), upper(during)
  FROM assignments
  JOIN points USING (point_id)
 WHERE device_id % $1 = $2
   AND is_individual
"""


async def held(connection: asyncpg.Connection, slices: int, turn: int) -> list[Held]:
    """Return devices at points of households, of one slice of all."""
    return [Held(*row) for row in await connection.fetch(SELECT_HELD, slices, turn)]


SELECT_ERASED_MEASURED: Final = """
SELECT erase_measured($1, $2, $3, ARRAY(SELECT quantity_id FROM quantities WHERE domain = $4))
"""


async def erase_measured(connection: asyncpg.Connection, one: Held, domain: str, until: datetime) -> int:
    """Delete what a device measured of a domain until then; return how many measurements."""
    deleted: int = await connection.fetchval(SELECT_ERASED_MEASURED, one.device_id, one.since, until, domain)
    return deleted


DELETE_OLD_FRAMES: Final = """
DELETE FROM uplinks
 WHERE device_id = $1 AND received_at >= coalesce($2::timestamptz, '-infinity') AND received_at < $3
"""


async def erase_frames(connection: asyncpg.Connection, one: Held, until: datetime) -> None:
    """Delete the frames of a device until then: when nothing of what they said is kept any longer."""
    await connection.execute(DELETE_OLD_FRAMES, one.device_id, one.since, until)
